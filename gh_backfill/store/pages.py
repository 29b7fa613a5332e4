"""The reading of the monitor and the list of repositories, in a few statements however much there is.

Each question is a statement whose rows its reader takes from `Transaction.together`, so that a page needs few round
trips.  A page never waits for long: its statements end after two seconds, and `reading` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.errors import StoreError, StoreSlow
from gh_backfill.policy.governor import RESERVE
from gh_backfill.policy.ledger import SILENT, Processor
from gh_backfill.policy.progress import MARGIN
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Row, Statement, Transaction
from gh_backfill.store.moments import moment
from gh_backfill.store.pages_rows import Group, ListPlace, Opened, Standings, read, standing
from gh_backfill.store.runs import PastRun

_SQL = sql("pages")
_JOBS = sql("pages_jobs")
# The rows of jobs that are looked through for failures, and for the runs that they belong to.
WINDOW = 200
JOBS_OF_RUNS = 40
MOST_SAMPLES = 300
# So long a statement of a page may take, where the page says nothing else.
SECONDS = 2
# What stands in place of errors and reasons where anybody may read.
UNTOLD = "the reason is not published"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which backfills of pull requests are wanted (no states: all), in which order, after which place.

    Where only names are wanted, nothing is `counted`.
    """

    states: tuple[str, ...] | None = None
    search: str | None = None
    sort: str = "name"
    descending: bool = False
    after: ListPlace | None = None
    most: int = 50
    ids: tuple[str, ...] | None = None
    most_failing: int = 50
    counted: bool = True
    public_only: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JobsWanted:
    """Which jobs are wanted, the latest first, before which (time, id)."""

    repository_id: str | None = None
    open: bool = False
    failed: bool = False
    before: tuple[datetime, str] | None = None
    most: int = 20
    public_only: bool = False


@contextmanager
def reading(db: Database, *, seconds: int = SECONDS) -> Iterator[Transaction]:
    """Run the block in a transaction that only reads; StoreError where a statement of it takes over so many seconds."""
    try:
        with db.transaction(read_only=True) as tx:
            tx.later(_SQL["limit_time"], seconds=str(seconds))
            yield tx
    except StoreSlow as error:
        text = f"the database took longer than {seconds} s for this page: it is busy, try again"
        raise StoreError(text) from error


def one_by_one(tx: Transaction) -> None:
    """Let the further statements of a transaction look up the few rows that they ask for by their ids."""
    tx.later(_SQL["one_by_one"])


def readers(public_only: bool) -> dict[str, object]:
    """Return what tells a statement who reads: with `public_only` anybody may."""
    return {"public_only": public_only, "untold": UNTOLD if public_only else None}


def standings_question(wanted: Wanted, now: datetime) -> Statement:
    """Ask for the backfills; `standings` reads the answer."""
    after = wanted.after
    return _SQL["standings"], {
        "ids": wanted.ids,
        "states": wanted.states,
        "search": wanted.search,
        "sort": wanted.sort,
        "sign": -1 if wanted.descending else 1,
        "value": None if after is None else after.value,
        "name": None if after is None else after.name,
        "id": None if after is None else after.id,
        "most": wanted.most,
        "most_failing": wanted.most_failing,
        "counted": wanted.counted,
        "now": now,
        "alive": SILENT,
        "margin": MARGIN,
        "reserve": RESERVE,
        **readers(wanted.public_only),
    }


def standings(rows: Sequence[Row]) -> Standings:
    """Return the backfills that were asked for."""
    (row,) = rows
    return Standings(
        matching=row["matching"],
        listed=tuple(map(standing, row["listed"])),
        failing=tuple(map(standing, row["failing"])),
        groups=tuple(read(row["groups"], Group)),
        days=tuple(Opened(**{**each, "day": moment(each["day"]).date()}) for each in row["days"]),
    )


def failing_jobs_question(now: datetime, *, public_only: bool = False) -> Statement:
    """Ask for the repositories whose last finished job failed: rows of `FailingJob`."""
    return _JOBS["failing_jobs"], {"now": now, "window": WINDOW, **readers(public_only)}


def day_question(now: datetime, *, public_only: bool = False) -> Statement:
    """Ask for the last 24 hours: rows of `HalfHourSums`, and one of all."""
    return _JOBS["day"], {"now": now, **readers(public_only)}


def unfinished_question(now: datetime, *, public_only: bool = False) -> Statement:
    """Ask for what waits and runs: rows of `OpenWork`."""
    known = tuple(map(str, Processor))
    return _JOBS["unfinished"], {"now": now, "alive": SILENT, "processors": known, **readers(public_only)}


def jobs_question(wanted: JobsWanted) -> Statement:
    """Ask for jobs: rows of `LedgerJob`, in no certain order."""
    before, before_id = wanted.before or (None, None)
    return _JOBS["jobs"], {
        "id": wanted.repository_id,
        "open": wanted.open,
        "failed": wanted.failed,
        "before": before,
        "before_id": before_id,
        "most": wanted.most,
        **readers(wanted.public_only),
    }


def runs_question(most: int, before: datetime | None = None, *, public_only: bool = False) -> Statement:
    """Ask for the last runs that began before a time: rows of `PastRun`."""
    return _JOBS["runs"], {"most": most, "window": most * JOBS_OF_RUNS, "before": before, **readers(public_only)}


def samples_question(now: datetime, *, public_only: bool = False) -> Statement:
    """Ask for how budgets stood in the last 24 hours: rows of `BudgetSample`."""
    return _SQL["samples"], {"now": now, "most": MOST_SAMPLES, **readers(public_only)}


def clock_question(now: datetime, routed_since: datetime, *, public_only: bool = False) -> Statement:
    """Ask how late the clock is and how jobs were routed since a time: one row, which `tasks.pages.clock` reads."""
    return _JOBS["clock"], {"now": now, "routed_since": routed_since, "public_only": public_only}


def issues_question(*, public_only: bool = False) -> Statement:
    """Ask where the issues of alerts are: `issues` reads the answer."""
    return _JOBS["issues"], readers(public_only)


def issues(rows: Sequence[Row]) -> Mapping[str, str]:
    """Return the addresses of open issues by our ids of the repositories that they are about."""
    return {} if not rows else rows[0]["addresses"]


def runs(rows: Sequence[Row]) -> list[PastRun]:
    """Return the runs that were asked for, the latest first."""
    return sorted(read(rows, PastRun), key=lambda run: run.began_at, reverse=True)


def moved(tx: Transaction) -> Row:
    """Return what is compared to see whether anything moved."""
    row = tx.row(_SQL["moved"])
    assert row is not None
    return row
