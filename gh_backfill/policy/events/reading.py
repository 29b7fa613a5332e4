"""The span that a page of a list ordered by date alone covers, and the bounds of its reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from gh_backfill.models.events import Covered
from gh_backfill.policy.events.sources import MARGIN

# GitHub tells times by the second: what happened in the second of the last place may go on behind it.
SECOND = timedelta(seconds=1)
# Nothing was starred or forked before: a list that ends covers all time from here on.
BEFORE_GITHUB = datetime(2008, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageCovers:
    """The spans that a page covers, and the moment down to which the list is known; None where that is not known."""

    spans: tuple[Covered, ...]
    down_to: datetime | None


def covers(times: Sequence[datetime | None], top: datetime | None, bottom: datetime | None) -> PageCovers:
    """Return what a page covers whose places are at these `times`, newest first; None for one that was not readable.

    All that is newer than `top` was read before, and is unknown where that is None.  `bottom` is where the list ends;
    it goes on where that is None.  A place that was not readable lies anywhere between its neighbours.
    """
    spans: list[Covered] = []
    upper, lower = top, top
    for at in times:
        if at is None:
            _add(spans, lower, upper)
            upper = lower = None
            continue
        upper = at if upper is None else upper
        lower = at + SECOND
    if upper is not None and bottom is not None:
        lower = bottom
    _add(spans, lower, upper)
    return PageCovers(spans=tuple(spans), down_to=None if upper is None or lower is None else min(lower, upper))


def reads_down_to(covered: Sequence[Covered], since: datetime) -> datetime:
    """Return down to when the newest part of a list is read, of which these spans are known, in order.

    To what is known already, a little further; where something in it could not be read, to the oldest such gap, as far
    as anybody wants it.
    """
    known = [span for span in covered if span.until > since]
    if not known:
        return since
    gaps = [left.until for left, right in pairwise(known) if left.until < right.since]
    return min(gaps) if gaps else known[-1].until - MARGIN


def _add(spans: list[Covered], lower: datetime | None, upper: datetime | None) -> None:
    if lower is not None and upper is not None and lower < upper:
        spans.append(Covered(since=lower, until=upper))
