"""Close a run: one final status for every planned job, the figures of the run, and the alerts that follow from them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gh_backfill.errors import ConfigurationError, StoreError
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.redaction import redacted
from gh_backfill.policy.report import alerts as alerting
from gh_backfill.policy.report.addresses import run_address
from gh_backfill.policy.report.alerts import Alert
from gh_backfill.policy.report.costs import CostRates, Month
from gh_backfill.policy.report.figures import JobFigures, Json, RunFigures, SystemFailure
from gh_backfill.policy.schedule import due_words, is_late
from gh_backfill.store import backfill_batches, backfill_events, budget_samples, dues, job_sums, jobs, reports
from gh_backfill.store.db import Database
from gh_backfill.store.dues import Backlog
from gh_backfill.store.reports import Kept
from gh_backfill.tasks.estimate import estimates
from gh_backfill.tasks.report.closing import Ask, Closed, close_run, sweep

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportOptions:
    """What a report may know beside the database; nothing of it is needed.

    `run` is GitHub's id and attempt of the run that reports, `number` its number, `plan_result` how its plan job ended,
    `plan_error` the line with which it failed, `plan_idle` why it gave no jobs.  A plan that fails raises an alert only
    on a schedule: whoever starts one by hand sees it.  `trouble` is why nothing can be written: the report tells what
    it can read.
    `page` are GitHub's address and the workflow's repository, `public` says whether that is public, and `priced` that a
    minute of its runners has a price.  `disabled` asks GitHub which workflows it disabled.
    """

    ask: Ask | None = None
    run: tuple[int, int] | None = None
    number: int | None = None
    plan_result: str | None = None
    plan_error: str | None = None
    plan_idle: str | None = None
    trouble: Exception | None = None
    public: bool | None = None
    page: tuple[str, str] | None = None
    priced: bool = False
    wrong_settings: ConfigurationError | None = None
    scheduled: bool = False
    prices: CostRates = field(default_factory=CostRates)
    disabled: Callable[[], Iterable[str]] | None = None
    budget: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """One run: its figures, the alerts, the month's costs, and the row that keeps them (none in a dry run).

    `mended` are the repositories, by our id, whose alerts are over though this run did nothing about them.
    """

    run: RunFigures
    alerts: tuple[Alert, ...] = ()
    month: Month | None = None
    kept: Kept | None = None
    swept: int = 0
    mended: frozenset[str] = frozenset()

    @property
    def run_key(self) -> str:
        """Return the key of the run."""
        return self.run.run_key

    @property
    def jobs(self) -> tuple[JobFigures, ...]:
        """Return the jobs of the run."""
        return self.run.jobs

    @property
    def failed(self) -> list[JobFigures]:
        """Return the jobs that did not do what they were planned for."""
        return self.run.failed

    def totals(self) -> dict[str, int]:
        """Return what the run did in all."""
        return self.run.totals()

    def as_json(self) -> Json:
        """Return the report as JSON-ready values, but for its times."""
        return {**self.run.as_json(), "alerts": [alert.as_json() for alert in self.alerts]}


def report(
    db: Database,
    run_key: str | None,
    *,
    dry_run: bool = False,
    options: ReportOptions | None = None,
    now: datetime | None = None,
) -> Report:
    """Give every open job of the run its final status (not in a dry run) and return what became of it.

    Also closes what earlier runs left open.  Without a key it is the run that was planned last; raises
    ConfigurationError where there is none.
    """
    options, now = options or ReportOptions(), now or datetime.now(UTC)
    dry_run = dry_run or options.trouble is not None
    key = run_key or _latest(db)
    if key is None:
        raise ConfigurationError("there is no run to report: gh-backfill plan makes one")
    closed, swept = Closed(), 0
    if not dry_run:
        closed = _close(db, key, options)
        swept = sweep(db, key, options.ask, now)
    with db.reading() as tx:
        figures = reports.of_run(tx, key, prices=options.prices, at=now)
        standings = reports.standings(tx)
        month = reports.month(tx, options.prices, now, budget=options.budget, priced=options.priced)
        mended = reports.mended(tx)
        backlog = dues.backlog(tx, now=now)
    asked = None if dry_run else options.disabled
    figures = _with_clock(_with_system(_with_left(db, figures), closed, options), backlog, asked, now)
    found = tuple(alerting.judge(figures, standings, now, month=month))
    made = Report(run=figures, alerts=found, month=month, swept=swept, mended=mended)
    return made if dry_run else _keep(db, made, options)


def keep_issues(db: Database, run_key: str, addresses: Mapping[str, str]) -> None:
    """Keep with the report of a run where the issues of its alerts are, each by our id of its repository."""
    with db.transaction() as tx:
        reports.keep_issues(tx, run_key, addresses)


def unreachable(run_key: str, options: ReportOptions, now: datetime) -> Report:
    """Return the report of a run whose database does not answer: all that can be said without it."""
    figures = _with_system(RunFigures(run_key=run_key, at=now, unread=True), Closed(), options)
    return Report(run=figures, alerts=tuple(alerting.judge(figures, (), now)))


def _close(db: Database, key: str, options: ReportOptions) -> Closed:
    with db.reading() as tx:
        labels = jobs.labels(tx, key)
    return close_run(db, key, options.ask, run=options.run, labels=labels)


def _with_left(db: Database, figures: RunFigures) -> RunFigures:
    left = estimates(db, [job.repository_id for job in figures.jobs if job.repository_id is not None])
    return replace(figures, jobs=tuple(replace(job, left=left.get(job.repository_id or "")) for job in figures.jobs))


def _with_system(figures: RunFigures, closed: Closed, options: ReportOptions) -> RunFigures:
    run_id, attempt = options.run or (figures.run_id, figures.attempt)
    return replace(
        figures,
        run_id=run_id,
        attempt=attempt,
        processor="github_actions" if options.run else figures.processor,
        system_errors=tuple(_system_failures(closed, options)),
        idle=options.plan_idle,
        public=options.public,
        address=_address(options),
        overhead_minutes=closed.overhead_minutes,
        notes=tuple(redacted(note) for note in closed.notes),
    )


def _with_clock(
    figures: RunFigures, backlog: Backlog, ask: Callable[[], Iterable[str]] | None, now: datetime
) -> RunFigures:
    """Say since when repositories are due that no tick asked about, and which workflows GitHub disabled."""
    disabled = None if ask is None else tuple(ask())
    late = [f"the schedule is late: {due_words(backlog.many, backlog.since)}"] if is_late(backlog.since, now) else []
    return replace(figures, disabled=disabled, notes=(*figures.notes, *late, *(disabled or ())))


def _address(options: ReportOptions) -> str | None:
    """Return where the run's page is at GitHub, for whoever looks back."""
    if options.page is None or options.run is None:
        return None
    server, repository = options.page
    return run_address(server, repository, *options.run)


def _system_failures(closed: Closed, options: ReportOptions) -> Iterator[SystemFailure]:
    """Yield what went wrong beside the jobs, each in the words that its own command gave it."""
    if options.plan_result == "failure" or closed.plan_failed:
        why = options.plan_error or "it did not say why, the log of the plan job does"
        yield SystemFailure(
            error_type=ErrorType.RUNNER if options.plan_error is None else ErrorType.CONFIGURATION,
            error=f"the plan failed: {redacted(why)}",
            seen=not options.scheduled,
            of_plan=True,
        )
    if options.wrong_settings is not None:
        yield SystemFailure(error_type=ErrorType.CONFIGURATION, error=redacted(str(options.wrong_settings)))
    if options.trouble is not None:
        told = redacted(str(options.trouble)) or type(options.trouble).__name__
        yield SystemFailure(error_type=error_type(options.trouble), error=f"the report can't be written: {told}")


def _keep(db: Database, made: Report, options: ReportOptions) -> Report:
    run_id, attempt = options.run or (None, made.run.attempt)
    with db.transaction() as tx:
        if run_id is not None:
            jobs.note_run(
                tx, run_key=made.run_key, run_id=run_id, attempt=attempt, url=made.run.address, number=options.number
            )
        budget_samples.take(tx, made.run_key)
        backfill_events.forget(tx)
        backfill_batches.forget(tx)
        kept = reports.keep(tx, made.run, made.alerts)
    _sum_up(db)
    return replace(made, kept=kept)


def _sum_up(db: Database) -> None:
    """Put what jobs did long ago into sums; a role that may not delete jobs leaves them, which `check` tells."""
    try:
        with db.transaction() as tx:
            job_sums.sum_up(tx)
    except StoreError as error:  # the report itself stands
        log.warning("jobs of more than 90 days ago stay in the ledger: %s", error)


def _latest(db: Database) -> str | None:
    with db.reading() as tx:
        return jobs.latest_run(tx)
