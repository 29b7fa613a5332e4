"""Syncs: what one costs for each pull request or issue that changed, on real earlier states of the corpus."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

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
from gh_backfill.tasks.sync_told import Synced, SyncWish
from tests import corpus
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Cell, Table
from tests.benchmarks.worlds import FIRST, LARGEST_PAGE, UNITS, shape

KINDS = ("pull_requests", "issues")
RUN = Run(key="run-1", run_id=None, attempt=1, processor="local")
TODAY = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncCost:
    """The cost of one sync of one kind: so many items changed, and beside their pages they lack so many units.

    `again` is what the next sync cost, which finds nothing.
    """

    name: str
    since: str
    kind: str
    changed: int
    units: int
    rows_read: int
    rows_changed: int
    points: int
    again: int

    @property
    def bound(self) -> int:
        """Return the most points: two, one for each 74 that changed, and one for each 149 units that they lack."""
        return 2 + math.ceil(self.changed / LARGEST_PAGE) + math.ceil(self.units / UNITS)


def syncs(rig: Rig) -> list[Table]:
    """Backfill each earlier state of the corpus, sync it to today, and show what that cost."""
    states = corpus.earlier_states() if corpus.CORPUS.is_dir() else []
    found: list[SyncCost] = []
    for state in states:
        url = rig.database()
        with Database(url) as db, TemporaryDirectory() as folder:
            found += costs(db, state, Path(folder))
        rig.drop(url)
    rows = tuple(_row(each) for each in found)
    first = ("repository", "since", "kind", "changed", "points", "most", "points each", "rows read")
    return [
        Table(
            section="sync",
            title="a sync from a real earlier state to today",
            columns=(*first, "rows changed", "points again"),
            rows=rows,
            notes=(
                "most: 2 points, 1 for each 74 that changed, and 1 for each 149 units that they lack beside their page",
                "points again: the next sync, which finds nothing",
            ),
            missed=tuple(f"{each.name} {each.kind}" for each in found if each.points > each.bound or each.again > 1),
        )
    ]


def _row(cost: SyncCost) -> tuple[Cell, ...]:
    each = cost.points / max(1, cost.changed)
    paid = (cost.changed, cost.points, cost.bound, each)
    return (cost.name, cost.since, cost.kind.replace("_", " "), *paid, cost.rows_read, cost.rows_changed, cost.again)


def costs(db: Database, state: Path, into: Path) -> list[SyncCost]:
    """Backfill an earlier state into an empty database, sync it kind by kind to today's; returns what that cost."""
    folder = state.parents[1]
    as_of = corpus.earlier(state, into)
    (name,) = [each.full_name for each in load([folder]).repositories.values() if not each.fork][:1]
    with running(load([into]), _at(as_of)) as github:
        graphql = GraphQL(github.graphql_url, "tok")
        track.track(db, graphql, [name], backfill=Goal())
        was = capture.run(db, graphql, RUN, name, Limits(), listen=lambda _: None, begin=at_once, kinds=KINDS)
        assert was.outcome is CaptureOutcome.COMPLETED
    before = {kind: _updated(db, kind) for kind in KINDS}
    found: list[SyncCost] = []
    with running(load([folder]), _at(TODAY)) as github:
        for kind in KINDS:
            done, points = _synced(db, github.graphql_url, name, kind)
            numbers = _changed(before[kind], _updated(db, kind))
            _, again = _synced(db, github.graphql_url, name, kind)
            found.append(
                SyncCost(
                    name=name,
                    since=state.name,
                    kind=kind,
                    changed=len(numbers),
                    units=LACKING[kind](github.world, name, numbers),
                    rows_read=done.read,
                    rows_changed=done.changed,
                    points=points,
                    again=again,
                )
            )
    return found


def _synced(db: Database, url: str, name: str, kind: str) -> tuple[Synced, int]:
    graphql = GraphQL(url, "tok")
    done = sync.run(db, graphql, RUN, name, SyncWish(), begin=at_once, kinds=[kind])
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    return done, graphql.spent.points


def _at(moment: datetime) -> Options:
    return Options(clock=moment.timestamp, graphql_limit=50_000)


def _updated(db: Database, kind: str) -> dict[int, datetime]:
    with db.reading() as tx:
        rows = tx.rows(f"select number, updated_at from {kind}")  # noqa: S608  (a name of ours)
    return {row["number"]: row["updated_at"] for row in rows}


def _changed(before: Mapping[int, datetime], now: Mapping[int, datetime]) -> list[int]:
    return [number for number, at in now.items() if before.get(number) != at]


def _lacking(world: World, name: str, numbers: Collection[int]) -> int:
    """Return the units of all that a page of pull requests does not hold of these."""
    home = world.repository(*name.split("/"))
    assert home is not None
    made = shape(name, (pull for number in numbers if (pull := world.pull(home.id, number)) is not None))
    return made.units + made.overflow


def _lacking_of_issues(world: World, name: str, numbers: Collection[int]) -> int:
    """Return the units of the labels, assignees and further comments of these issues."""
    home = world.repository(*name.split("/"))
    assert home is not None
    issues = [issue for number, issue in world.shelves[home.id].issues.items() if number in numbers]
    further = sum(max(0, math.ceil(len(issue.comments) / FIRST) - 1) for issue in issues)
    return further + sum(bool(issue.labels) + bool(issue.assignees) for issue in issues)


LACKING: Mapping[str, Callable[[World, str, Collection[int]], int]] = {
    "pull_requests": _lacking,
    "issues": _lacking_of_issues,
}
