"""The newest updates of a repository: what was changed last of each kind of its items.  Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.events import StarsAndForks


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """One of the newest items of a list, and when it was last updated."""

    number: int
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Newest:
    """The items of a kind that were updated last, the newest first, and how many there are in all."""

    heads: tuple[Head, ...]
    total: int

    @property
    def are_all(self) -> bool:
        """Say whether there are no others."""
        return len(self.heads) >= self.total


@dataclass(frozen=True, kw_only=True, slots=True)
class Updates:
    """The newest of each kind of a repository, `at` GitHub's time of the answer, and what it is called by then.

    `counted` is None where GitHub did not say how many stars and forks there are.
    """

    full_name: str
    is_private: bool
    at: datetime
    newest: Mapping[str, Newest]
    counted: StarsAndForks | None = None
