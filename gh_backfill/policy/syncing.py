"""Syncs: how far back one reads, when it is refused, and when a repository needs a backfill instead.

A sync reads what was updated since the start of the last one that succeeded, less a margin, for a change may reach
GitHub's lists late and two may have one second.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.policy.lifecycle import BackfillStatus

MARGIN = timedelta(minutes=10)
# Soon after the last one a sync finds few changes: a small page costs GitHub little time; the next one is large.
FIRST_PAGE = 25
SOON = timedelta(hours=6)
# In days: what is read where nothing was before, and the most that may be asked for.  What is older is a backfill's.
DEFAULT_DAYS = 30
MOST_DAYS = 90
# Of a repository that is being backfilled, only what is new is read beside that.
DAYS_BESIDE_A_BACKFILL = 1
# The customer's rule for whatever asks from outside: one sync in twelve hours.
APART = timedelta(hours=12)
# From so many pull requests on, of which less than this share is here, a backfill is the better way.
LARGE = 100
COMPLETE_ENOUGH = 0.8
# A sync of a repository with more items than these that reads as many as there are reads everything.
SMALL = 100


class SyncReason(StrEnum):
    """Why a sync is made, in the words of the customer's events."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    AUTOMATIC = "automatic"
    AUTO_FIX = "auto-fix"
    WEBHOOK = "webhook"


# Whoever asks for one of these has a reason that the last sync knew nothing of.
_EXEMPT = frozenset({SyncReason.MANUAL, SyncReason.AUTO_FIX, SyncReason.WEBHOOK})


def since(now: datetime, days: int | None, status: BackfillStatus | None) -> datetime:
    """Return the day from which a sync reads where no earlier one says it.

    `days` are capped; of a repository whose backfill is under way it is the last one.
    """
    if status in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED):
        return now - timedelta(days=DAYS_BESIDE_A_BACKFILL)
    return now - timedelta(days=min(DEFAULT_DAYS if days is None else days, MOST_DAYS))


def refusal(
    full_name: str,
    reason: SyncReason,
    last_success_at: datetime | None,
    status: BackfillStatus | None,
    now: datetime,
) -> str | None:
    """Say why somebody else's wish for a sync is refused, and when it may be asked again; None where it is granted.

    Our own ticks don't ask this: they obey `next_due_at`.
    """
    if last_success_at is None or reason in _EXEMPT or status in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED):
        return None
    ago = now - last_success_at
    if ago >= APART:
        return None
    hours, again = round(ago / timedelta(hours=1)), last_success_at + APART
    return (
        f"Repository {full_name} was synced {hours} hours ago. Skipping to prevent excessive API usage. "
        f"It may be synced again from {again:%Y-%m-%d %H:%M} UTC on"
    )


def initiates_backfill(total: int | None, there: int | None, status: BackfillStatus | None) -> bool:
    """Say whether a repository is handed to a backfill: it is large, has none yet, and less than 80 % of it is here."""
    if total is None or total < LARGE or status is not None:
        return False
    return (there or 0) < COMPLETE_ENOUGH * total


def read_everything(read: int, total: int) -> bool:
    """Say whether a sync read all there is, though it is to read what changed: then something is wrong with it."""
    return total > SMALL and read >= total
