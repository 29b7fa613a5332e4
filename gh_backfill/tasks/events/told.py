"""Results of handing a repository over to another service, and the error in which all of it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.clients.datpipe import DatpipeJob
from gh_backfill.errors import BackfillError, ConfigurationError, DatpipeError, PartlyFailed
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.events.handed import OVER, HandedState, state_of
from gh_backfill.policy.markdown import counted


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """What came of one repository: the service's job and how that stands, or the error that it ended in."""

    name: str
    repository: TrackedRepository | None = None
    job: DatpipeJob | None = None
    error: BackfillError | None = None
    not_begun: bool = False

    @property
    def state(self) -> HandedState:
        """Return how it stands; what was not begun waits."""
        if self.error is not None:
            return HandedState.FAILED
        return HandedState.WAITING if self.job is None else state_of(self.job.status)

    @property
    def failed(self) -> bool:
        """Say whether it failed, here or at the service."""
        return self.state is HandedState.FAILED

    @property
    def text(self) -> str:
        """Say it in a line."""
        if self.error is not None:
            return f"not begun: {self.error}" if self.not_begun else str(self.error)
        if self.job is None:
            return "not begun: the time is over"
        told = [self.job.status, *([f"{self.job.progress} %"] if self.job.progress is not None else [])]
        told += [f"expected {self.job.expected}"] if self.job.expected and self.state not in OVER else []
        told += [self.job.message] if self.job.message else []
        return f"job {self.job.id} of gh-datpipe: {', '.join(told)}"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.name,
            "repository_id": None if self.repository is None else self.repository.id,
            "status": self.state,
            "job_id": None if self.job is None else self.job.id,
            "progress": None if self.job is None else self.job.progress,
            "reason": self.text,
        }


def raise_failures(done: Sequence[HandedOver]) -> None:
    """Raise the error that all ends in: in the guide's words, and by its exit code the configuration's or the way's."""
    failed = [each for each in done if each.failed]
    if not failed:
        return
    again = ", ".join(each.name for each in failed[:3]) + (", …" if len(failed) > 3 else "")
    message = f"{failed[0].error or failed[0].text} ({counted(len(failed), 'repository')} failed: {again})"
    kinds = {type(each.error) for each in failed}
    kind = kinds.pop() if len(kinds) == 1 else None
    if kind is not None and (
        issubclass(kind, DatpipeError) or (kind is ConfigurationError and len(failed) == len(done))
    ):
        raise kind(message)
    raise PartlyFailed(message)
