"""Results of runs of aggressive backfills, in words and as errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.errors import BackfillError, PartlyFailed, Unreachable
from gh_backfill.policy.aggressive.checklist import CheckLine, unheld
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import AggressiveStatus
from gh_backfill.policy.markdown import counted


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveDone:
    """What a run came to: how the backfill stands now, and the error of the step that ended it, after so many points.

    After an error that passes by itself it goes on.  `busy` says that another worker has it.
    """

    backfill: AggressiveBackfill
    error: BackfillError | None = None
    points: int = 0
    busy: bool = False

    @property
    def unheld(self) -> list[CheckLine]:
        """Return the lines of the checklist that do not hold."""
        return unheld(self.backfill.checklist)

    @property
    def failed(self) -> bool:
        """Say whether a person has to look: what passes by itself leaves it pending."""
        return self.backfill.status is AggressiveStatus.FAILED

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {**self.backfill.as_json(), "busy": self.busy}


def told(done: AggressiveDone) -> str:
    """Say in a line what a run came to."""
    found = done.backfill
    match found.status:
        case AggressiveStatus.COMPLETED:
            return f"complete, {counted(found.points, 'point')}"
        case AggressiveStatus.PENDING:
            return f"goes on: {found.reason or 'it waits for its turn'}"
        case AggressiveStatus.PROCESSING:
            return "another worker is at it: it goes on"
        case status:
            return f"{status}: {found.reason}"


def raise_failures(done: Sequence[AggressiveDone]) -> None:
    """Raise the error that runs end in: that of the one step that failed, or what names the lines that do not hold.

    Errors that pass are none, unless there was nothing else: then Unreachable, for nobody would hear of it.
    """
    failed = [each for each in done if each.failed]
    if not failed:
        _raise_if_nobody_answered(done)
        return
    if len(failed) == len(done) == 1 and failed[0].error is not None:
        raise failed[0].error
    message = "; ".join(f"{each.backfill.full_name}: {each.backfill.reason}" for each in failed)
    raise PartlyFailed(message)


def _raise_if_nobody_answered(done: Sequence[AggressiveDone]) -> None:
    errors = [str(each.error) for each in done if each.error is not None and not each.points]
    if errors and len(errors) == len(done):
        raise Unreachable(f"{errors[0]}: nothing was done; {counted(len(done), 'backfill')} will be tried again")
