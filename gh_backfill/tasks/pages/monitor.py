"""The monitor: how things are in a sentence, what needs a person, what runs and waits, the day, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.pages import headline
from gh_backfill.policy.pages.headline import Overall
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.report.costs import Month
from gh_backfill.policy.report.savings import explained
from gh_backfill.policy.shown import PageState
from gh_backfill.store import budgets, pages
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.pages import JobsWanted
from gh_backfill.store.pages_rows import (
    BudgetSample,
    FailingJob,
    Group,
    HalfHourSums,
    LedgerJob,
    OpenWork,
    Standings,
    read,
)
from gh_backfill.store.runs import PastRun
from gh_backfill.tasks.pages import activity, clock, listing, needs, rows
from gh_backfill.tasks.pages.actions_page import ActionsPage
from gh_backfill.tasks.pages.activity import BudgetRow, Day, DayOfBackfills, ProcessorRow
from gh_backfill.tasks.pages.clock import Clock
from gh_backfill.tasks.pages.listing import RepositoryList
from gh_backfill.tasks.pages.needs import Need
from gh_backfill.tasks.pages.query import PageQuery, cursor, place
from gh_backfill.tasks.pages.rows import JobRow, RunRow

BACKFILLS, JOBS, RUNS = 25, 15, 10
# In per cent: what GitHub counts and does not list is no less complete.
NEARLY = 95

Costs = Callable[[Transaction, datetime], Month]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The figures on top.

    Of repositories that were never walked `captured` has what an older application says: rows alone count the table.
    `points_left` are those of the budget that has most of them, None where GitHub has told of none; costs are US
    dollars of this month, None where nobody asked.
    """

    repositories: int
    complete: int
    captured: int
    total: int
    freshest: datetime | None
    stalest: datetime | None
    points_left: int | None
    points_limit: int | None
    points_reset_at: datetime | None
    identities: int
    cost: float | None
    cost_words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MonthWords:
    """What the month costs, in words."""

    total: float
    projected: float
    saving: float
    minutes: int
    jobs: int
    budget: float | None
    used_percent: float | None
    explained: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Monitor:
    """The whole page; `jobs_next` and `runs_next` are the addresses at which those lists go on."""

    at: datetime
    title: str
    below: str
    figures: Figures
    needs: tuple[Need, ...]
    backfills: RepositoryList
    budgets: tuple[BudgetRow, ...]
    day: Day
    days: tuple[DayOfBackfills, ...]
    processors: tuple[ProcessorRow, ...]
    clock: Clock
    jobs: tuple[JobRow, ...]
    jobs_next: str | None
    runs: tuple[RunRow, ...]
    runs_next: str | None
    costs: MonthWords | None

    @property
    def asked(self) -> PageQuery:
        """Return what the page was asked for."""
        return self.backfills.asked

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """What one round trip brought."""

    standings: Standings
    failing: list[FailingJob]
    slots: list[HalfHourSums]
    unfinished: list[OpenWork]
    jobs: list[LedgerJob]
    runs: list[PastRun]
    samples: list[BudgetSample]
    budgets: list[BudgetState]
    clock: Clock
    issues: Mapping[str, str]


def monitor(
    db: Database,
    query: Mapping[str, str],
    now: datetime,
    *,
    costs: Costs | None = None,
    here: bool = False,
    issues_at: str | None = None,
    public_only: bool = False,
) -> Monitor:
    """Return the monitor as an address asks for it: a few statements, however much there is.

    `costs` works out the month, of all there is, as `KeptMonth` does; `here` says that this machine captures, and
    `issues_at` is the address of the repository that has the issues of alerts, where that is another one than has the
    runs.  With `public_only` it is as anybody may read it: what is not known to be public is neither named nor counted,
    errors and persons are left out, and budgets have numbers for names.  Raises StoreError where a statement takes over
    two seconds.
    """
    asked = PageQuery.of(query, first="active")
    with pages.reading(db) as tx:
        found = _read(tx, asked, now, public_only=public_only)
        backfills = listing.page(tx, asked, found.standings, now, most=BACKFILLS)
        month = None if costs is None else costs(tx, now)
    page = ActionsPage.of(run.address for run in found.runs)
    links = needs.LinksOf(page=page, issues=found.issues, issues_at=issues_at or (page.address if page else None))
    wanting = needs.needs(found.standings, found.failing, links, now)
    world = _world(found.standings, needs.number(found.standings, wanting))
    day = activity.day(found.slots, now)
    jobs, jobs_next = _jobs(found, asked, page, now)
    runs = found.runs[:RUNS]
    return Monitor(
        at=now,
        title=headline.headline(world, now),
        below=headline.below(world, now),
        figures=_figures(found, world, month),
        needs=wanting,
        backfills=backfills,
        budgets=activity.budgets(found.budgets, found.samples),
        day=day,
        days=activity.month(found.standings.days, now),
        processors=activity.processors(found.slots, found.unfinished, day, here=here),
        clock=found.clock,
        jobs=jobs,
        jobs_next=jobs_next,
        runs=tuple(map(rows.run, runs)),
        runs_next=asked.address(runs_after=cursor(runs[-1].began_at)) if len(found.runs) > RUNS else None,
        costs=None if month is None else _words(month),
    )


def _read(tx: Transaction, asked: PageQuery, now: datetime, *, public_only: bool) -> _Read:
    before, runs_before = place(asked.jobs_after, datetime, UUID), place(asked.runs_after, datetime)
    jobs_wanted = JobsWanted(
        open=asked.jobs == "running",
        failed=asked.jobs == "failed",
        before=(before[0], before[1]) if before else None,
        most=JOBS + 1,
        public_only=public_only,
    )
    answers = tx.together(
        pages.standings_question(listing.wanted(asked, most=BACKFILLS, public_only=public_only), now),
        pages.failing_jobs_question(now, public_only=public_only),
        pages.day_question(now, public_only=public_only),
        pages.unfinished_question(now, public_only=public_only),
        pages.jobs_question(jobs_wanted),
        pages.runs_question(RUNS + 1, runs_before[0] if runs_before else None, public_only=public_only),
        pages.samples_question(now, public_only=public_only),
        budgets.question(now=now, numbered=public_only),
        pages.issues_question(public_only=public_only),
        clock.question(now, public_only=public_only),
    )
    return _Read(
        standings=pages.standings(answers[0]),
        failing=sorted(read(answers[1], FailingJob), key=lambda job: job.at, reverse=True),
        slots=read(answers[2], HalfHourSums),
        unfinished=read(answers[3], OpenWork),
        jobs=sorted(read(answers[4], LedgerJob), key=lambda job: (job.created_at, job.id), reverse=True),
        runs=pages.runs(answers[5]),
        samples=read(answers[6], BudgetSample),
        budgets=governor.richest_first(map(budgets.from_json, answers[7])),
        issues=pages.issues(answers[8]),
        clock=clock.clock(answers[9], now),
    )


def _jobs(
    found: _Read, asked: PageQuery, page: ActionsPage | None, now: datetime
) -> tuple[tuple[JobRow, ...], str | None]:
    shown = found.jobs[:JOBS]
    following = None
    if len(found.jobs) > JOBS:
        following = asked.address(jobs_after=cursor(shown[-1].created_at, shown[-1].id))
    return tuple(rows.job(each, page, now) for each in shown), following


def _world(found: Standings, need: int) -> Overall:
    groups = [group for group in found.groups if group.kind == PULL_REQUESTS]
    starved = [group.resume_at for group in groups if group.state == PageState.STARVED and group.resume_at]
    stalest = [group.stalest_complete for group in groups if group.stalest_complete]
    return Overall(
        states={PageState(group.state): group.number for group in groups},
        need=need,
        points_at=min(starved, default=None),
        stalest=min(stalest, default=None),
        whole=_whole(groups),
    )


def _whole(groups: Sequence[Group]) -> bool:
    """Say whether those that are complete have nearly all that GitHub counts, but for what it does not list."""
    complete = [group for group in groups if group.state == PageState.COMPLETED]
    return sum(group.captured for group in complete) * 100 >= sum(group.total for group in complete) * NEARLY


def _figures(found: _Read, world: Overall, month: Month | None) -> Figures:
    groups = [group for group in found.standings.groups if group.kind == PULL_REQUESTS]
    richest = next(iter(found.budgets), None)
    return Figures(
        repositories=world.repositories,
        complete=world.of(PageState.COMPLETED),
        captured=sum(group.captured for group in groups),
        total=sum(group.total for group in groups),
        freshest=max((group.freshest for group in groups if group.freshest), default=None),
        stalest=min((group.stalest for group in groups if group.stalest), default=None),
        points_left=None if richest is None else max(0, richest.left),
        points_limit=None if richest is None else richest.limit,
        points_reset_at=None if richest is None else richest.reset_at,
        identities=len(found.budgets),
        cost=None if month is None else month.total,
        cost_words="" if month is None else _cost_words(month),
    )


def _cost_words(month: Month) -> str:
    if month.public:
        return "public repository"
    if month.budget is not None:
        return f"of ${month.budget:.2f}"
    return f"{month.runner_minutes:,} runner minutes" if month.runner_minutes else "no runner was paid for"


def _words(month: Month) -> MonthWords:
    return MonthWords(
        total=month.total,
        projected=month.projected,
        saving=month.saving,
        minutes=month.runner_minutes,
        jobs=sum(work.jobs for work in month.works),
        budget=month.budget,
        used_percent=month.used_percent,
        explained=tuple(explained(month)),
    )
