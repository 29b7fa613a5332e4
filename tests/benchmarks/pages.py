"""The pages over an old installation: round trips, rows read beside rows shown, and this process's time for each."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import psycopg2
from psycopg2 import extensions
from starlette.datastructures import QueryParams

from gh_backfill import settings
from gh_backfill.policy.json_text import json_text
from gh_backfill.store.db import Database
from gh_backfill.store.transaction import Opening
from gh_backfill.tasks.pages import listing, look, monitor, repository
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.pages.listing import RepositoryList
from gh_backfill.tasks.pages.monitor import Monitor
from gh_backfill.tasks.pages.repository import RepositoryPage
from gh_backfill.web.page import Ask, WebPage
from gh_backfill.web.pages import monitor as monitor_page
from gh_backfill.web.pages import repositories
from gh_backfill.web.pages import repository as repository_page
from gh_backfill.web.templating import Shell, render
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table

SIZES = ((10, 1_000), (1_000, 100_000))
LARGEST = 20_000
REPEATED = 9
# What is allowed: round trips of a page, rows read for each that is shown or counted, milliseconds of this process.
MOST_TRIPS, MOST_ROWS, MOST_CPU = 8, 3.0, 100.0
# A repository that is counted is its own row, its backfill, and its walk: totals, states and freshness come from them.
OF_A_REPOSITORY = 3
KEPT = KeptMonth()
ONE = "bench/repository-00001"
_SQL = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_name("sql").joinpath("pages.sql").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


class Counted(Database):
    """A database that counts what is sent to it."""

    trips = 0

    def _executed(self, opening: Opening, text: bytes) -> extensions.cursor:
        self.trips += 1
        return super()._executed(opening, text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What one page took; `shown` are the rows that it shows or counts."""

    trips: int
    read: int
    shown: int
    cpu: float
    wall: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PageOf:
    """A page to measure: how it is read, how many rows that shows or counts, and how it is made for the web."""

    name: str
    make: Callable[[Database], Any]
    shown: Callable[[Any], int]
    web: Callable[[Ask], WebPage] | None = None
    query: str = ""


def pages(rig: Rig, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Table]:
    """Measure every page over each size, and say what takes more than is allowed."""
    found: dict[str, list[Measured]] = {}
    for many, jobs in sizes:
        url = rig.database()
        fill(url, many, jobs)
        for page in all_pages():
            found.setdefault(page.name, []).append(measure(url, page))
        rig.drop(url)
    return [_table(found, sizes)]


def fill(url: str, repositories: int, jobs: int, largest: int = LARGEST) -> None:
    """Make an installation of so many repositories and jobs."""
    with Database(url) as db, db.transaction() as tx:
        tx.run("set local statement_timeout = 0")
        for name in ("installation", "jobs", "rest"):
            tx.run(_SQL[name], repositories=repositories, jobs=jobs, largest=largest)
        tx.run(_SQL["analyzed"])


def all_pages() -> list[PageOf]:
    """Return the pages as viewers ask for them; the month is worked out once a minute, and by itself here."""
    now = datetime.now(UTC)
    return [
        PageOf(
            name="monitor, first in a minute",
            make=lambda db: monitor.monitor(db, {}, now, costs=KeptMonth().month),
            shown=_month,
        ),
        PageOf(
            name="monitor",
            make=lambda db: monitor.monitor(db, {}, now, costs=KEPT.month),
            shown=_monitor,
            web=monitor_page.page,
        ),
        PageOf(
            name="repositories", make=lambda db: listing.listing(db, {}, now), shown=_listing, web=repositories.page
        ),
        PageOf(
            name="repositories, filtered and sorted",
            make=lambda db: listing.listing(db, {"state": "failed", "sort": "-activity"}, now),
            shown=_listing,
            web=repositories.page,
            query="state=failed&sort=-activity",
        ),
        PageOf(
            name="one repository",
            make=lambda db: repository.repository(db, ONE, {}, now),
            shown=_repository,
            web=repository_page.page,
        ),
        PageOf(name="what moved", make=look.look, shown=lambda _: 100),
    ]


def measure(url: str, page: PageOf) -> Measured:
    """Measure one page: trips and rows of one making, and the median of the times of several."""
    with Counted(url) as db:
        made = page.make(db)
        db.trips, before = 0, _rows_read(url, db)
        page.make(db)
        trips = db.trips
        read = _rows_read(url, db) - before
        cpu, wall = zip(*(_times(db, page) for _ in range(REPEATED)), strict=True)
    return Measured(trips=trips, read=read, shown=page.shown(made), cpu=1000 * median(cpu), wall=1000 * median(wall))


def _times(db: Database, page: PageOf) -> tuple[float, float]:
    """Return the seconds of this process, and all, for a page as HTML and as JSON."""
    now = datetime.now(UTC)
    context: Any = SimpleNamespace(month=KEPT, settings=settings.load({}, dotenv=None), runner=None)
    viewer: Any = None
    owner, name = ONE.split("/")
    path = {"owner": owner, "name": name}
    cpu, wall = time.process_time(), time.perf_counter()
    if page.web is None:
        page.make(db)
    else:
        ask = Ask(db=db, path=path, query=QueryParams(page.query), now=now, viewer=viewer, context=context)
        made = page.web(ask)
        render(made.template, Shell(now=now, place=made.place, json="/x.json", csrf="x"), made.data)
        json_text(made.json)
    return time.process_time() - cpu, time.perf_counter() - wall


def _rows_read(url: str, db: Counted) -> int:
    """Return how many rows were ever read, what the server process of `db` did included."""
    trips = db.trips
    db.statement(_SQL["rows_read"])
    db.trips = trips
    connection = psycopg2.connect(url)
    try:
        cursor = connection.cursor()
        cursor.execute(_SQL["counters"])
        (row,) = cursor.fetchall()
        return int(row[0])
    finally:
        connection.close()


def _monitor(page: Monitor) -> int:
    """Count repositories and jobs that its figures count, and the rows of its lists."""
    counted = (
        OF_A_REPOSITORY * page.backfills.all
        + page.day.finished
        + sum(each.running + each.pending for each in page.processors)
    )
    lists = len(page.backfills.rows) + len(page.jobs) + sum(run.jobs for run in page.runs) + len(page.needs)
    return counted + lists + sum(len(each.samples) for each in page.budgets)


def _month(page: Monitor) -> int:
    """Count what the month's sums count, too."""
    assert page.costs is not None
    return _monitor(page) + page.costs.jobs


def _listing(page: RepositoryList) -> int:
    return OF_A_REPOSITORY * page.all + len(page.rows)


def _repository(page: RepositoryPage | None) -> int:
    assert page is not None
    lists = (page.coverage.cells, page.chunks, page.jobs, page.story, page.quarantine, page.gaps, page.kinds)
    return sum(len(each) for each in lists)


def _table(found: dict[str, list[Measured]], sizes: tuple[tuple[int, int], ...]) -> Table:
    missed = []
    for name, (few, many) in found.items():
        if many.trips != few.trips or many.trips > MOST_TRIPS:
            missed.append(f"{name}: {few.trips} and {many.trips} round trips, {MOST_TRIPS} are allowed")
        if many.read > MOST_ROWS * many.shown:
            missed.append(f"{name}: {many.read:,} rows were read for {many.shown:,}")
        if many.cpu > MOST_CPU:
            missed.append(f"{name}: {many.cpu:.0f} ms of CPU, {MOST_CPU:.0f} are allowed")
    (few_repositories, _), (many_repositories, many_jobs) = sizes
    return Table(
        section="pages",
        title=f"pages over {many_repositories:,} repositories and {many_jobs:,} jobs",
        columns=(
            "page",
            "round trips",
            f"at {few_repositories}",
            "rows read",
            "rows shown or counted",
            "CPU (ms)",
            "all (ms)",
        ),
        rows=tuple(
            (name, many.trips, few.trips, many.read, many.shown, many.cpu, many.wall)
            for name, (few, many) in found.items()
        ),
        notes=("CPU is this process's, for the page as HTML and as JSON; all is with the database's time",),
        missed=tuple(missed),
    )
