"""The number space of a repository: what each number is by GitHub's word, and which numbers are to be asked about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class NumberIs(StrEnum):
    """What a number is; the words are those of a CHECK."""

    PULL_REQUEST = "pull_request"
    ISSUE = "issue"
    DISCUSSION = "discussion"
    TRANSFERRED = "transferred"
    CONVERTED = "converted"
    DELETED = "deleted"
    UNREADABLE = "unreadable"


WORDS = {
    NumberIs.PULL_REQUEST: ("pull request", "pull requests"),
    NumberIs.ISSUE: ("issue", "issues"),
    NumberIs.DISCUSSION: ("discussion", "discussions"),
    NumberIs.TRANSFERRED: ("transferred", "transferred"),
    NumberIs.CONVERTED: ("converted to a discussion", "converted to discussions"),
    NumberIs.DELETED: ("deleted", "deleted"),
    NumberIs.UNREADABLE: ("unreadable", "unreadable"),
}
# What GitHub does not know is believed when it has said so twice, and asked about again after so long: it may show what
# was hidden.
SAID_OFTEN_ENOUGH = 2
ASKED_AGAIN = timedelta(days=30)
# Behind the highest number that is known, so many are looked at where GitHub counts more than there are.
BEYOND = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownAs:
    """What a number is, where it went, how often in a row GitHub said so, and when it did last."""

    what: NumberIs
    asked_at: datetime
    target: str | None = None
    times: int = 1

    def settled(self, now: datetime) -> bool:
        """Say whether GitHub need not be asked again."""
        match self.what:
            case NumberIs.UNREADABLE:
                return False
            case NumberIs.DELETED:
                return self.times >= SAID_OFTEN_ENOUGH and now - self.asked_at < ASKED_AGAIN
            case _:
                return now - self.asked_at < ASKED_AGAIN

    @property
    def believed(self) -> bool:
        """Say whether GitHub has said it often enough; what it shows it need show but once."""
        return self.what is not NumberIs.DELETED or self.times >= SAID_OFTEN_ENOUGH

    def after(self, before: KnownAs | None) -> KnownAs:
        """Return it with what was known before counted in."""
        if before is None or before.what is not self.what:
            return self
        return KnownAs(what=self.what, asked_at=self.asked_at, target=self.target, times=before.times + 1)


def to_ask(
    highest: int, known: Mapping[int, KnownAs], here: Collection[int], captured: Collection[NumberIs], now: datetime
) -> list[int]:
    """Return the numbers that nobody knows: no row has them, and GitHub's word on them is not settled.

    One that is of a sort that is `captured` and has no row is asked about each time: that is what may be missing.
    """
    rows = frozenset(here)
    return [
        number
        for number in range(1, highest + 1)
        if number not in rows
        and (number not in known or not known[number].settled(now) or known[number].what in captured)
    ]
