"""The clock of the monitor: what is due, whether it is late, what GitHub disabled, and how jobs were shared out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.policy.routing import SHARED_OVER
from gh_backfill.policy.schedule import due_words, is_late
from gh_backfill.store import pages, routing
from gh_backfill.store.db import Statement
from gh_backfill.store.moments import moment


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """What is due for a sync and since when; `late` says that the schedule missed it.

    `disabled` says which workflows GitHub does not start any more, as the last report in Actions heard.
    `actions_percent` is the share of GitHub Actions among the jobs that the share decided in the last week, None where
    there were none, and `shares` says it in words, with what each rule did.
    """

    due: int
    due_since: datetime | None
    late: bool
    disabled: tuple[str, ...]
    actions_percent: float | None
    shares: str

    @property
    def text(self) -> str:
        """Say what is due and since when."""
        told = due_words(self.due, self.due_since)
        return (f"The schedule is late: {told}." if self.late else f"{told}.") if told else "Nothing is due for a sync."


def question(now: datetime, *, public_only: bool) -> Statement:
    """Return what asks for it; `clock` reads the answer."""
    return pages.clock_question(now, now - SHARED_OVER, public_only=public_only)


def clock(rows: Sequence[Mapping[str, Any]], now: datetime) -> Clock:
    """Read the answer."""
    (row,) = rows
    since = None if row["due_since"] is None else moment(row["due_since"])
    shared = routing.shares_of(tuple(each) for each in row["shares"])
    return Clock(
        due=row["due"],
        due_since=since,
        late=is_late(since, now),
        disabled=tuple(row["disabled"] or ()),
        actions_percent=shared.actions_percent,
        shares=shared.text,
    )
