"""The times at which a source is asked: GitHub shows the list of stargazers to some, and changes its mind."""

from __future__ import annotations

from datetime import datetime, timedelta

from gh_backfill.models.events import Answering, Covered

# What was shown once may be shown again tomorrow; what never was is asked for now and then: each time is a point.
AGAIN_WHERE_IT_WAS_SHOWN, AGAIN_ELSEWHERE = timedelta(days=1), timedelta(days=7)
# A clock may be a little off, and what was starred in the second of the last look may have come after it.
MARGIN = timedelta(minutes=10)
# A whole history is read again where its sum does not fit, but not each time that it does not.
WHOLE_AGAIN = timedelta(days=7)


def asks(state: Answering | None, asked_at: datetime | None, *, ever_shown: bool, now: datetime) -> bool:
    """Say whether a list that may be closed to us is asked for now; None where it never was."""
    if state is None or asked_at is None or state is Answering.AVAILABLE:
        return True
    return now - asked_at >= (AGAIN_WHERE_IT_WAS_SHOWN if ever_shown else AGAIN_ELSEWHERE)


def missing(covered: list[Covered], since: datetime, until: datetime) -> list[Covered]:
    """Return the parts of a half-open span that are not covered, in order."""
    gaps: list[Covered] = []
    at = since
    for span in sorted(covered, key=lambda each: each.since):
        if span.since > at:
            gaps.append(Covered(since=at, until=min(span.since, until)))
        at = max(at, span.until)
        if at >= until:
            break
    if at < until:
        gaps.append(Covered(since=at, until=until))
    return [gap for gap in gaps if gap.since < gap.until]
