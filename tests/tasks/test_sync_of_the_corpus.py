"""Yesterday's world is backfilled, today's is synced once: then every row is as it is today, for what changed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, sync, track
from gh_backfill.tasks.sync import SyncWish
from tests import corpus
from tests.benchmarks.worlds import shape
from tests.comparison import Difference, compare, compare_issues
from tests.turns import WHOLE

KINDS = ("pull_requests", "issues")
RUN = Run(key="run-1", run_id=None, attempt=1, processor="local")
# A page of pull requests has 74 for a point, and a query of follow-ups 149 units.
A_PAGE, UNITS, MOST_IN_A_LIST = 74, 149, 100
# The source of these rows has their heads under other names than it had them earlier.
EXCUSED = {("tlswg/draft-ietf-tls-esni", number) for number in range(504, 512)}

# A list that is complete does not have it any more; that it is gone is for `verify` to find out.
DELETED_SINCE = {"bitcoin-core/gui comment 4702406240"}


def states() -> list[Path]:
    """Return the latest state of each repository, or with GH_BACKFILL_TESTS=whole all."""
    if not corpus.CORPUS.is_dir():
        return []
    every = corpus.earlier_states()
    latest = {state.parents[1]: state for state in every}
    return every if WHOLE else list(latest.values())


def moment(at: datetime) -> Options:
    return Options(clock=at.timestamp, graphql_limit=50_000)


def changed(db: Database, before: Mapping[str, datetime], table: str) -> list[int]:
    with db.reading() as tx:
        now = tx.rows(f"select id, number, updated_at from {table}")  # noqa: S608  (a name in a test)
    return [row["number"] for row in now if before.get(row["id"]) != row["updated_at"]]


def bound(numbers: Collection[int], units: int) -> int:
    return 2 + math.ceil(len(numbers) / A_PAGE) + math.ceil(units / UNITS)


def lacking(github: World, name: str, numbers: Collection[int]) -> int:
    """Return the units of all that a page of pull requests does not hold of these."""
    home = github.repository(*name.split("/"))
    assert home is not None
    made = shape(name, (pull for number in numbers if (pull := github.pull(home.id, number)) is not None))
    return made.units + made.overflow


def lacking_of_issues(github: World, name: str, numbers: Collection[int]) -> int:
    """Return the units of the labels, assignees and further comments of these issues."""
    home = github.repository(*name.split("/"))
    assert home is not None
    issues = [issue for number, issue in github.shelves[home.id].issues.items() if number in numbers]
    further = sum(max(0, math.ceil(len(issue.comments) / MOST_IN_A_LIST) - 1) for issue in issues)
    return further + sum(bool(issue.labels) + bool(issue.assignees) for issue in issues)


@pytest.mark.parametrize("state", states(), ids=lambda state: f"{state.parents[1].name}-{state.name}")
def test_after_one_sync_every_row_is_as_it_is_today(db: Database, tmp_path: Path, state: Path) -> None:
    folder = state.parents[1]
    as_of = corpus.earlier(state, tmp_path)
    wanted = corpus.expected([folder])
    name = wanted[0].full_name
    with running(load([tmp_path]), moment(as_of)) as github:
        graphql = GraphQL(github.graphql_url, "tok")
        track.track(db, graphql, [name], backfill=Goal())
        was = capture.run(db, graphql, RUN, name, Limits(), listen=lambda _: None, begin=at_once, kinds=KINDS)
        assert was.outcome is CaptureOutcome.COMPLETED
    with db.reading() as tx:
        before = {row["id"]: row["updated_at"] for table in KINDS for row in tx.rows(f"select * from {table}")}  # noqa: S608
        assert compare(tx, wanted, stood_still=False), "nothing changed since, so that nothing would be shown"
    now = datetime(2026, 11, 1, tzinfo=UTC)
    with running(load([folder]), moment(now)) as github:
        for table, of in (("pull_requests", lacking), ("issues", lacking_of_issues)):
            graphql = GraphQL(github.graphql_url, "tok")
            done = sync.run(db, graphql, RUN, name, SyncWish(), begin=at_once, kinds=[table])
            assert done.captured is not None
            assert done.captured.outcome is CaptureOutcome.COMPLETED
            numbers = changed(db, before, table)
            assert numbers
            assert graphql.spent.points <= bound(numbers, of(github.world, name, numbers))
            again = sync.run(db, graphql, RUN, name, SyncWish(), begin=at_once, kinds=[table])
            assert (again.changed, graphql.spent.points - done.captured.spent.points) == (0, 1)
    with db.reading() as tx:
        found = [*compare(tx, wanted, stood_still=False).found, *compare_issues(tx, wanted).found]
    assert [each for each in found if not is_excused(name, each)] == []


def is_excused(name: str, difference: Difference) -> bool:
    deleted = difference.kind == "surplus" and difference.row in DELETED_SINCE
    return deleted or any(f"pull request {name}#{number}" in difference.row for of, number in EXCUSED if of == name)
