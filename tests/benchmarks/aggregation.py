"""Figures of workspaces: seconds, statements and scans of a full workspace, and of a small one beside it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import extensions

from gh_backfill.store.db import Database
from gh_backfill.store.transaction import Opening
from gh_backfill.tasks import aggregate
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table

# Repositories in the workspace and pull requests of these; as many others are in the database again.
SIZES = ((10, 2_000), (1_000, 200_000))
SMALL = 4
# What is allowed, whatever the repositories: seconds, and how often a table is scanned.
MOST_SECONDS, MOST_SCANS = 60.0, 4
MOST_TRIPS = 6
LARGE = ("pull_requests", "reviews", "comments", "issues", "discussions", "discussion_comments")
_SQL = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_name("sql").joinpath("aggregate.sql").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


class Sent(Database):
    """A database that counts what is sent to it."""

    trips = 0

    def _executed(self, opening: Opening, text: bytes) -> extensions.cursor:
        self.trips += 1
        return super()._executed(opening, text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Aggregation:
    """What one aggregation took: seconds, round trips, and the most often that a large table was scanned."""

    seconds: float
    trips: int
    scans: int


def aggregation(rig: Rig, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Table]:
    """Aggregate a full and a small workspace over each size."""
    rows = []
    missed = []
    for repositories, pulls in sizes:
        url = rig.database()
        fill(url, repositories, pulls)
        for slug, many in (("bench", repositories), ("small", SMALL)):
            took = measure(url, slug)
            rows.append((f"{many:,} of {2 * repositories:,} repositories", took.seconds, took.trips, took.scans))
            if took.seconds > MOST_SECONDS or took.trips > MOST_TRIPS or took.scans > MOST_SCANS:
                missed.append(f"{slug} of {repositories:,}: {took}")
        rig.drop(url)
    return [
        Table(
            section="aggregate",
            title="figures of a workspace: 200 pull requests a repository, each with 2 reviews and 3 comments",
            columns=("workspace", "s", "round trips", "scans of a table, at most"),
            rows=tuple(rows),
            missed=tuple(missed),
        )
    ]


def fill(url: str, repositories: int, pulls: int) -> None:
    """Make two workspaces: of so many repositories with so many pull requests together, and of the first few."""
    with Database(url) as db, db.transaction() as tx:
        tx.run("set local statement_timeout = 0")
        for name in ("repositories", "pulls", "reviews", "comments", "issues", "discussions", "snapshots"):
            tx.run(_SQL[name], repositories=repositories, pulls=pulls, small=SMALL)


def measure(url: str, slug: str) -> Aggregation:
    """Aggregate one workspace."""
    before = _scans(url)
    with Sent(url) as db:
        begun = time.perf_counter()
        (done,) = aggregate.run(db, slugs=[slug]).workspaces
        seconds = time.perf_counter() - begun
        if done.computed_at is None or done.error:
            raise RuntimeError(f"{slug}: {done.end}, {done.error}")
    after = _scans(url)
    return Aggregation(seconds=seconds, trips=db.trips, scans=max(after[name] - before[name] for name in LARGE))


def _scans(url: str) -> dict[str, int]:
    """Return how often each large table was scanned; a connection tells of it once it has ended."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    cursor = connection.cursor()
    for _ in range(50):  # the last connection may be on its way out
        cursor.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        if cursor.fetchall() == [(0,)]:
            break
        cursor.execute("select pg_sleep(0.1)")
    cursor.execute("select relname, seq_scan from pg_stat_user_tables where relname = any(%s)", (list(LARGE),))
    found = {str(name): int(scans) for name, scans in cursor.fetchall()}
    connection.close()
    return found
