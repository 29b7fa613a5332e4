"""The read model of a run: summary, issue, ledger, webhook and notification take every figure from here.

Nothing in it needs to be hidden any more: a private repository is its id, and no text has an address in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from gh_backfill.policy import bottleneck
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.ledger import PASSING, ErrorType, JobOutcome, JobType, Processor, job_word
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import percent, within
from gh_backfill.policy.report.costs import billed_minutes

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned:
    """What could not be stored or is known to be missing, and how many of the kind."""

    kind: str
    reason: str
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFigures:
    """One job of a run, where its repository stands now, and what is left; points are GitHub's, cost is US dollars."""

    id: str
    job_type: str
    repository_id: str | None
    name: str
    processor: str
    status: JobStatus
    outcome: JobOutcome | None
    error_type: ErrorType | None
    error: str | None
    started_at: datetime | None
    completed_at: datetime | None
    points: int = 0
    requests: int = 0
    chunks: int = 0
    items: int = 0
    item: str = "pull request"
    warnings: int = 0
    retries: int = 0
    runner_seconds: int | None = None
    cost: float | None = None
    captured: int | None = None
    total: int | None = None
    goal: int | None = None
    open_ended: bool = False
    backfill: BackfillStatus | None = None
    resume_at: datetime | None = None
    last_progress_at: datetime | None = None
    initial: bool = False
    failures_in_a_row: int = 0
    warned: tuple[Warned, ...] = ()
    times: Times = field(default_factory=Times)
    left: Estimate | None = None
    certificate: str | None = None

    @property
    def seconds(self) -> float:
        """Return how long the job ran, 0 if it never did."""
        if self.started_at is None or self.completed_at is None:
            return 0.0
        return (self.completed_at - self.started_at).total_seconds()

    @property
    def minutes(self) -> int:
        """Return the minutes that GitHub bills for its runner, 0 elsewhere."""
        if self.processor != Processor.GITHUB_ACTIONS:
            return 0
        return billed_minutes(self.seconds if self.runner_seconds is None else self.runner_seconds)

    @property
    def failed(self) -> bool:
        """Say whether it ended without doing what it was planned for."""
        return self.outcome is not None and self.status is not JobStatus.COMPLETED

    @property
    def critical(self) -> bool:
        """Say whether its repository stands still until somebody looks."""
        stands = self.backfill is BackfillStatus.FAILED or self.error_type not in PASSING
        return self.failed and self.status is JobStatus.FAILED and stands

    @property
    def succeeded(self) -> bool:
        """Say whether it captured something, or found that nothing was missing."""
        ended_well = self.outcome in (JobOutcome.COMPLETED, JobOutcome.STOPPED)
        return ended_well or (self.outcome is JobOutcome.PAUSED and self.chunks > 0)

    @property
    def recovers(self) -> bool:
        """Say whether its success is its repository's: a sync that goes well mends no backfill that stands still."""
        stands = self.backfill in (BackfillStatus.FAILED, BackfillStatus.PAUSED)
        return self.succeeded and (self.job_type == JobType.BACKFILL or not stands)

    @property
    def title(self) -> str:
        """Return the name of its repository, and what it did there where that was no backfill."""
        word = job_word(self.job_type)
        return f"{self.name} ({word})" if word else self.name

    @property
    def percent(self) -> float | None:
        """Return how much of what is wanted is here, never over 100; None while GitHub's count is unknown."""
        if self.total is None or self.captured is None or self.open_ended:
            return None
        return percent(self.captured, within(self.total, self.goal))

    def error_summary(self) -> Json:
        """Return the errors of this job alone, as the ledger keeps them."""
        types: Counter[str] = Counter()
        if self.failed:
            types[self.error_type or ErrorType.UNEXPECTED] += 1
        if self.warnings:
            types[ErrorType.INVALID_DATA] += self.warnings
        return {
            "total": int(self.failed) + self.warnings,
            "critical": int(self.critical),
            "warnings": self.warnings,
            "types": dict(types),
            "error": self.error,
            "warned": [asdict(each) for each in self.warned],
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class SystemFailure:
    """What went wrong beside the jobs: with the plan, the database, or the reporting itself.

    `seen` says that somebody looks anyway, who started the run by hand: then no alert has to tell.  `of_plan` says that
    it is the plan that failed: its job tells more.
    """

    error_type: ErrorType
    error: str
    seen: bool = False
    of_plan: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFigures:
    """The jobs of one run and what they amount to; `points_left` and `points_limit` are the budget's last word.

    `idle` says why a plan that did not fail gave no jobs, `public` whether the repository whose workflow ran is public;
    None where nobody said.  `unread` says that the database did not tell what the run did, and `disabled` which
    workflows GitHub disabled, None where it was not asked.
    """

    run_key: str
    run_id: int | None = None
    attempt: int = 1
    processor: str = Processor.LOCAL
    at: datetime | None = None
    jobs: tuple[JobFigures, ...] = ()
    system_errors: tuple[SystemFailure, ...] = ()
    overhead_minutes: int = 0
    points_left: int | None = None
    points_limit: int | None = None
    notes: tuple[str, ...] = field(default=())
    idle: str | None = None
    public: bool | None = None
    address: str | None = None
    unread: bool = False
    disabled: tuple[str, ...] | None = None

    @property
    def failed(self) -> list[JobFigures]:
        """Return the jobs that did not do what they were planned for."""
        return [job for job in self.jobs if job.failed]

    @property
    def paused(self) -> list[JobFigures]:
        """Return the jobs that wait for points and go on by themselves."""
        return [job for job in self.jobs if job.outcome is JobOutcome.PAUSED]

    @property
    def running(self) -> list[JobFigures]:
        """Return the jobs that have no final status yet."""
        return [job for job in self.jobs if job.outcome is None]

    @property
    def item(self) -> str:
        """Return the word for one of the items of all jobs: they may be of one kind, or of several."""
        words = {job.item for job in self.jobs if job.items}
        return words.pop() if len(words) == 1 else "item" if words else "pull request"

    @property
    def headline(self) -> str:
        """Say in one sentence what became of the run."""
        totals = self.totals()
        if not self.jobs:
            troubles = "; ".join(each.error for each in self.system_errors)
            what = "It is not known what was captured" if self.unread else "Nothing was captured"
            return f"{what}: {troubles or self.idle or 'no repositories need backfilling'}."
        text = (
            f"{counted(totals['pull_requests'], self.item)} in {counted(totals['chunks'], 'chunk')} for "
            f"{counted(totals['points'], 'point')} ({counted(totals['requests'], 'request')}, {totals['retries']} of "
            f"them again); {totals['succeeded']} of {counted(totals['jobs'], 'job')} succeeded"
        )
        more = [f"{totals[name]} {name}" for name in ("failed", "paused", "warnings") if totals[name]]
        return "; ".join([text, *more, *(each.error for each in self.system_errors)]) + "."

    def totals(self) -> dict[str, int]:
        """Return what the run did in all."""
        return {
            "jobs": len(self.jobs),
            "succeeded": sum(job.status is JobStatus.COMPLETED for job in self.jobs),
            "failed": len(self.failed),
            "paused": len(self.paused),
            "pull_requests": sum(job.items for job in self.jobs),
            "chunks": sum(job.chunks for job in self.jobs),
            "points": sum(job.points for job in self.jobs),
            "requests": sum(job.requests for job in self.jobs),
            "warnings": sum(job.warnings for job in self.jobs),
            "retries": sum(job.retries for job in self.jobs),
            "critical": sum(job.critical for job in self.jobs) + len(self.system_errors),
            "minutes": self.overhead_minutes + sum(job.minutes for job in self.jobs),
        }

    @property
    def limited_by(self) -> str | None:
        """Say what limited the rate of all jobs together; None where nothing was measured."""
        return bottleneck.line(sum((job.times for job in self.jobs), Times()))

    @property
    def cost(self) -> float:
        """Return what the jobs cost, in US dollars."""
        return round(sum(job.cost or 0.0 for job in self.jobs), 6)

    def error_summary(self) -> Json:
        """Return all errors: in total, critical ones, warnings, per repository, and by what they are about."""
        each = {job.name: job.error_summary() for job in self.jobs if job.failed or job.warnings}
        types: Counter[str] = Counter(error.error_type for error in self.system_errors)
        for summary in each.values():
            types.update(summary["types"])
        return {
            "total_errors": sum(types.values()),
            "critical_errors": [
                *({"repository": None, "type": each.error_type, "error": each.error} for each in self.system_errors),
                *(
                    {"repository": job.name, "type": job.error_type, "error": job.error}
                    for job in self.jobs
                    if job.critical
                ),
            ],
            "warning_errors": [
                {"repository": job.name, **asdict(warned)} for job in self.jobs for warned in job.warned
            ],
            "repositories": each,
            "types": dict(types),
        }

    def as_json(self) -> Json:
        """Return the whole report as JSON-ready values but for its times."""
        return {
            "run": self.run_key,
            "workflow_run_id": self.run_id,
            "attempt": self.attempt,
            "processor": self.processor,
            "at": self.at,
            "headline": self.headline,
            "public": self.public,
            "address": self.address,
            **self.totals(),
            "item": self.item,
            "cost": self.cost,
            "points_left": self.points_left,
            "points_limit": self.points_limit,
            "limited_by": self.limited_by,
            "notes": list(self.notes),
            "disabled": None if self.disabled is None else list(self.disabled),
            "errors": self.error_summary(),
            "repositories": [_job_json(job) for job in self.jobs],
        }


def _job_json(job: JobFigures) -> Mapping[str, object]:
    shown = {key: value for key, value in asdict(job).items() if key not in ("warned", "initial")}
    return {
        **shown,
        "seconds": job.seconds,
        "minutes": job.minutes,
        "percent": job.percent,
        "warned": [asdict(each) for each in job.warned],
    }
