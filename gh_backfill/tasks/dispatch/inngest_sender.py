"""Hand jobs to Inngest: one event for each, which names its job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gh_backfill.models.inngest_events import AnyEvent, InitialBackfill, PullRequestSync, RepositorySync
from gh_backfill.policy.ledger import JobType
from gh_backfill.settings import Settings
from gh_backfill.store.routing import WaitingJob


@dataclass(frozen=True, kw_only=True, slots=True)
class InngestSender:
    """Hands jobs to Inngest; `send_events` sends them, and raises where they were not taken."""

    send_events: Callable[[Sequence[AnyEvent]], None]

    def send(self, jobs: Sequence[WaitingJob], run_key: str) -> None:
        """Send an event for each job; one that is handed over again is another wish."""
        self.send_events([event_of(each, run_key) for each in jobs if each.repository_id is not None])


def sender(settings: Settings) -> InngestSender | None:
    """Return what hands jobs to Inngest; None where there is no key for it."""
    if not settings.inngest_sends:
        return None
    from gh_backfill.tasks.inngest_client import sends  # noqa: PLC0415  (its library loads for half a second)

    return InngestSender(send_events=sends(settings))


def event_of(job: WaitingJob, run_key: str) -> AnyEvent:
    """Return the event of a job: a tick's own sync is no other application's, whose rules hold for theirs."""
    of = {
        "repositoryId": job.repository_id,
        "owner": job.owner,
        "name": job.name,
        "requestId": f"{run_key}/{job.id}",
        "jobId": job.id,
    }
    if job.job_type is JobType.BACKFILL:
        return InitialBackfill.model_validate({**of, "maxPRs": None})
    if job.ours:
        return RepositorySync.model_validate({**of, "days": job.given_days})
    days = None if job.given_days is None else max(1, job.given_days)
    return PullRequestSync.model_validate({**of, "days": days, "reason": job.reason or "automatic"})
