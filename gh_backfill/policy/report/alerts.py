"""Alert conditions, from the figures of a run and the standing of all backfills."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.policy import markdown
from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.report.costs import Month
from gh_backfill.policy.report.figures import JobFigures, RunFigures

SLOW = timedelta(minutes=5)
LOW_POINTS = 0.1
FAILURE_RATE = 0.1
STALLED = timedelta(days=1)
COMPLETE_PERCENT = 95.0
REPEATED = 3
# PostgreSQL's, PgBouncer's and Supavisor's words for it.
_POOL = re.compile(
    r"too many (clients|connections)|remaining connection slots|max(imum)?[ _]?client|no more connections|"
    r"query_wait_timeout|pool.{0,20}(exhausted|size|timeout)",
    re.IGNORECASE,
)


class AlertKind(StrEnum):
    """What an alert is about."""

    CRITICAL = "critical_failure"
    REPEATED = "repeated_failures"
    SYSTEM = "system_error"
    POOL = "database_pool_exhausted"
    CREDENTIAL = "credential_refused"
    FAILURES = "many_failures"
    LOW_POINTS = "few_points_left"
    SLOW = "slow_initial_backfill"
    STALLED = "no_progress"
    INCOMPLETE = "incomplete"
    BUDGET = "monthly_budget"


# Only these open an issue; the others are told in summary and notification.
OPENS_ISSUE = frozenset(
    {AlertKind.CRITICAL, AlertKind.REPEATED, AlertKind.SYSTEM, AlertKind.POOL, AlertKind.CREDENTIAL}
)
SERIOUS = OPENS_ISSUE | {AlertKind.FAILURES}


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One thing that somebody should know: what happened, to which repository (None: to all), and what to do."""

    kind: AlertKind
    text: str
    advice: str
    repository_id: str | None = None
    repository: str | None = None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {**asdict(self), "serious": self.serious}

    @property
    def opens_issue(self) -> bool:
        """Say whether it gets an issue of its own."""
        return self.kind in OPENS_ISSUE

    @property
    def serious(self) -> bool:
        """Say whether it is an error rather than a warning."""
        return self.kind in SERIOUS


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillProgress:
    """How far one backfill has come, whether this run worked on it or not; `whole`: no limit was asked for."""

    repository_id: str
    name: str
    status: BackfillStatus
    captured: int
    total: int
    whole: bool
    last_progress_at: datetime
    resume_at: datetime | None = None


def judge(
    run: RunFigures, standings: Sequence[BackfillProgress], now: datetime, *, month: Month | None = None
) -> list[Alert]:
    """Return the alerts of a run, the serious ones first."""
    found = [
        *_system(run),
        *_credential(run),
        *_pool(run),
        *(alert for job in run.jobs for alert in _job(job)),
        *_failures(run),
        *_points(run),
        *(alert for standing in standings for alert in _standing(standing, now)),
        *_budget(month),
    ]
    return sorted(found, key=lambda alert: not alert.serious)


def recovered(
    run: RunFigures, alerts: Sequence[Alert], mended: Collection[str] = ()
) -> set[tuple[AlertKind, str | None]]:
    """Return what is over: the issue kinds of every repository that succeeded, and those of the system if it did.

    `mended` are repositories, by our id, that went well elsewhere, on a laptop for instance, or that nobody waits for.
    """
    well = {job.repository_id for job in run.jobs if job.recovers and job.repository_id is not None}
    over: set[tuple[AlertKind, str | None]] = {
        (kind, repository_id)
        for repository_id in well | set(mended)
        for kind in (AlertKind.CRITICAL, AlertKind.REPEATED)
    }
    if not run.system_errors:
        over.add((AlertKind.SYSTEM, None))
    if any(job.succeeded for job in run.jobs):
        over |= {(AlertKind.POOL, None), (AlertKind.CREDENTIAL, None)}
    return over - {(alert.kind, alert.repository_id) for alert in alerts}


def _job(job: JobFigures) -> Iterator[Alert]:
    def alert(kind: AlertKind, text: str, advice: str) -> Alert:
        return Alert(kind=kind, text=text, advice=advice, repository_id=job.repository_id, repository=job.name)

    refused = job.error_type is ErrorType.DENIED  # one alert for the credential, whatever it was used for
    if job.critical and job.repository_id is not None and not refused:
        yield alert(AlertKind.CRITICAL, f"{job.title}: {job.error or job.status}", _advice(job))
    if job.failed and job.failures_in_a_row >= REPEATED and not refused:
        yield alert(
            AlertKind.REPEATED,
            f"{job.title} failed {job.failures_in_a_row} times in a row, last: {job.error or job.status}",
            _advice(job),
        )
    if job.initial and job.seconds > SLOW.total_seconds() and job.outcome is not JobOutcome.PAUSED:
        yield alert(
            AlertKind.SLOW,
            f"{job.name}: the initial backfill took {job.seconds / 60:.1f} minutes, more than {SLOW.seconds // 60}",
            "look for waits and retries in the job's log; fewer jobs at a time leave each more of the budget",
        )


def _advice(job: JobFigures) -> str:
    match job.error_type:
        case ErrorType.RUNNER:
            return "nothing is lost: the next run goes on where this one was; if it happens again, read the job's log"
        case ErrorType.GONE:
            return (
                f"is the repository deleted, or private by now? gh-backfill status {job.repository_id} tells its name "
                f"where the database is at hand, gh-backfill retry {job.repository_id} takes it up again"
            )
        case ErrorType.DATABASE:
            return "check the database: gh-backfill check tests connection and permissions"
        case _:
            return "read the job's log; when the cause is gone, gh-backfill retry takes it up again"


def _system(run: RunFigures) -> Iterator[Alert]:
    told = any(job.error_type is ErrorType.DENIED and job.repository_id is None for job in run.failed)
    for failure in run.system_errors:
        if failure.seen or (told and failure.of_plan):
            continue  # somebody looks anyway; or the credential's alert says already why the plan failed
        yield Alert(
            kind=AlertKind.SYSTEM,
            text=failure.error,
            advice="gh-backfill check tests database, token and settings, and says what to do",
        )


def _credential(run: RunFigures) -> Iterator[Alert]:
    """Tell of a refused credential once, however many jobs used it."""
    refused = [job for job in run.failed if job.error_type is ErrorType.DENIED]
    if refused:
        many = f"{len(refused)} of {counted(len(run.jobs), 'job')}"
        yield Alert(
            kind=AlertKind.CREDENTIAL,
            text=f"GitHub refused the credential in {many}: {refused[0].error}",
            advice="gh-backfill check says what is wrong; the backfills go on by themselves once it is accepted",
        )


def _pool(run: RunFigures) -> Iterator[Alert]:
    texts = [job.error or "" for job in run.jobs if job.failed] + [failure.error for failure in run.system_errors]
    hit = sum(bool(_POOL.search(text)) for text in texts)
    if hit:
        yield Alert(
            kind=AlertKind.POOL,
            text=f"the database had no connection left, {counted(hit, 'time')} in this run",
            advice="use the pooler's address in transaction mode, or run fewer jobs at a time",
        )


def _failures(run: RunFigures) -> Iterator[Alert]:
    failed, ended = len(run.failed), len(run.jobs) - len(run.running)
    if ended and failed / ended > FAILURE_RATE:
        yield Alert(
            kind=AlertKind.FAILURES,
            text=f"{failed} of {counted(ended, 'job')} failed ({markdown.percent(100 * failed / ended, 0)})",
            advice="the errors below say why, by repository",
        )


def _points(run: RunFigures) -> Iterator[Alert]:
    if run.points_left is None or not run.points_limit:
        return
    if run.points_left < run.points_limit * LOW_POINTS:
        yield Alert(
            kind=AlertKind.LOW_POINTS,
            text=f"{run.points_left} of {run.points_limit} points are left this hour, less than {LOW_POINTS:.0%}",
            advice="paused backfills go on by themselves; a token of its own (BACKFILL_TOKEN) has 5,000 an hour",
        )


def _standing(standing: BackfillProgress, now: datetime) -> Iterator[Alert]:
    def alert(kind: AlertKind, text: str, advice: str) -> Alert:
        return Alert(
            kind=kind, text=text, advice=advice, repository_id=standing.repository_id, repository=standing.name
        )

    waits = standing.status is BackfillStatus.PAUSED and (standing.resume_at is None or standing.resume_at > now)
    still = now - max(standing.last_progress_at, standing.resume_at or standing.last_progress_at)
    if standing.status in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED) and not waits and still > STALLED:
        yield alert(
            AlertKind.STALLED,
            f"{standing.name} has made no progress for {still.days} days"
            if still.days > 1
            else f"{standing.name} has made no progress for a day",
            "gh-backfill status shows where it stands, gh-backfill recover frees what is stuck",
        )
    if standing.status is BackfillStatus.COMPLETED and standing.whole and standing.total:
        percent = 100 * standing.captured / standing.total
        if percent < COMPLETE_PERCENT:
            yield alert(
                AlertKind.INCOMPLETE,
                f"{standing.name} is completed with {standing.captured} of {standing.total} pull requests "
                f"({markdown.percent(percent)})",
                "gh-backfill status shows gaps and quarantine, gh-backfill retry --quarantined asks for them again",
            )


def _budget(month: Month | None) -> Iterator[Alert]:
    if month is None or not month.near:
        return
    rest = "scheduled work waits for the next month" if month.exhausted else f"projected: {month.projected:.2f}"
    used = markdown.percent(month.used_percent or 0, 0)
    yield Alert(
        kind=AlertKind.BUDGET,
        text=f"${month.total:.2f} of this month's ${month.budget:.2f} are spent ({used}); {rest}",
        advice="raise GH_BACKFILL_MONTHLY_BUDGET, or let the schedule run less often",
    )
