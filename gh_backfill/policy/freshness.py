"""The times of an announced pull request: when it is fetched, tried again and set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# An announced pull request is fetched this long after its first announcement: once for all changes meanwhile, and when
# GitHub's replicas have them.
GATHER = timedelta(seconds=30)
# With growing pauses these tries take a quarter of an hour.  What still fails then has a reason of its own.
MOST_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class TryAgain:
    """It stays announced, and is fetched again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """It goes to the quarantine, which the next catch-up and `retry --quarantined` try again."""


def after_failure(attempts: int, now: datetime) -> TryAgain | SetAside:
    """Decide what happens to an announcement after so many failed attempts, the last one included."""
    if attempts >= MOST_ATTEMPTS:
        return SetAside()
    return TryAgain(at=now + timedelta(minutes=2 ** (attempts - 1)))


def gone(attempts: int) -> bool:
    """Believe GitHub's word that there is no such pull request, but not the first time.

    A new one may be announced before every replica of GitHub's knows it.
    """
    return attempts > 1


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number by weights; what is left over goes to the first, so that the sum stays true."""
    parts = [whole * weight // sum(weights) for weight in weights]
    return [whole - sum(parts[1:]), *parts[1:]] if parts else []
