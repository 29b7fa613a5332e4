"""The standing of a backfill in words: what stopped it, who did, and what lets it go on."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from gh_backfill.policy.lifecycle import GIVEN_UP, BackfillStatus
from gh_backfill.policy.retries import PauseReason, explained

# A backfill that paused by itself for one of these reasons shows its last error.  One that waits for points has none.
OF_ERRORS = frozenset({PauseReason.ERRORS, PauseReason.REFUSED, PauseReason.ASTRAY})
RESUME = "gh-backfill resume"


class Stands(Protocol):
    """What is known of a backfill."""

    @property
    def status(self) -> str | None: ...  # noqa: D102  (said by the class)
    @property
    def held(self) -> bool: ...  # noqa: D102
    @property
    def held_reason(self) -> str | None: ...  # noqa: D102
    @property
    def held_by(self) -> str | None: ...  # noqa: D102
    @property
    def pause_reason(self) -> str | None: ...  # noqa: D102
    @property
    def resume_at(self) -> datetime | None: ...  # noqa: D102
    @property
    def last_error(self) -> str | None: ...  # noqa: D102


def shown_status(stands: Stands) -> str:
    """Return the word for the state: a backfill that a person gave up is not merely paused."""
    if stands.held and stands.held_reason in GIVEN_UP:
        return str(stands.held_reason)
    return stands.status or "no backfill"


def what_stopped(stands: Stands) -> str | None:
    """Say what stopped a backfill, and who did; None for one that goes on or is done.

    An error of long ago is no reason: it is shown only where errors stopped it.
    """
    if stands.held:
        by = f"by {stands.held_by}" if stands.held_by else "by hand"
        if stands.held_reason in GIVEN_UP:
            return f"{stands.held_reason} {by}"
        return f"paused {by}: {stands.held_reason or stands.pause_reason or 'no reason given'}"
    match stands.status:
        case BackfillStatus.FAILED:
            return stands.last_error or "no reason was recorded"
        case BackfillStatus.PAUSED if stands.pause_reason in OF_ERRORS and stands.last_error:
            return f"{explained(stands.pause_reason)} ({stands.last_error})"
        case BackfillStatus.PAUSED:
            return explained(stands.pause_reason)
        case _:
            return None


def why_it_stands(stands: Stands) -> str | None:
    """Say what stopped a backfill and when it goes on; None for one that goes on or is done."""
    stopped = what_stopped(stands)
    if stands.held and stands.held_reason in GIVEN_UP:
        return f"{stopped}; {RESUME} takes it up again"
    if stands.held:
        return f"{stopped}, goes on {_at(stands.resume_at) or f'with {RESUME}'}"
    if stands.status == BackfillStatus.PAUSED:
        return f"{stopped}, goes on {_at(stands.resume_at) or 'with the next plan'}"
    return stopped


def found_paused(stands: Stands) -> str | None:
    """Say why a capture found its backfill paused; a time at which it goes on is told beside it, and not here."""
    return what_stopped(stands) if stands.resume_at else why_it_stands(stands)


def notice(reason: str) -> str:
    """Return what to say of a capture that ended in a pause; only what waits for nobody goes on by itself."""
    return reason if RESUME in reason or "goes on" in reason else f"{reason}, goes on by itself"


def outcome_words(outcome: str, reason: str | None) -> str:
    """Return an outcome with its reason, without saying twice what the reason begins with."""
    if not reason:
        return outcome
    return reason if reason.startswith(outcome) else f"{outcome}: {reason}"


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else f"at {moment:%Y-%m-%d %H:%M} UTC"
