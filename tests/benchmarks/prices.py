"""Prices: what a complete capture costs where GitHub charges otherwise than its list, told of it or not."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import prices as learning
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import DryRun, Options
from gh_backfill.simulator.pricing import LISTED, Charges
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, track
from tests.benchmarks.github import PLENTY
from tests.benchmarks.rig import Rig, stored
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Shape, Source, shapes

LISTS = {
    "as published": LISTED,
    "1 unit for nodes(ids:)": Charges(ids=True),
    "1 unit for each alias": Charges(aliases=True),
    "1 unit for each count": Charges(counts=True),
    "10 % more": Charges(percent=10),
}
DRY_RUNS = (DryRun.HONEST, DryRun.REFUSED, DryRun.WRONG)
RUN = Run(key="bench", run_id=None, attempt=1, processor="local")


@dataclass(frozen=True, kw_only=True, slots=True)
class Paid:
    """The points of two captures of a repository, by processes that come one after the other."""

    shape: Shape
    prices: str
    dry_run: DryRun
    first: int
    second: int

    @property
    def floor(self) -> int:
        """Return the fewest points by that price list."""
        return self.shape.floor_by(LISTS[self.prices])

    @property
    def allowed(self) -> float:
        """Return what each of them may cost."""
        return 1.1 * self.floor + 3


def prices(rig: Rig, sources: Iterable[Source], *, dry_runs: Iterable[DryRun] = DRY_RUNS) -> Table:
    """Capture each repository twice by each price list, with a dry run of each kind."""
    kinds = tuple(dry_runs)
    paid = list(chain.from_iterable(_of(rig, source, kinds) for source in sources))
    return Table(
        section="prices",
        title="points where GitHub charges otherwise, in a first and in a second process",
        columns=("repository", "price list", "dry run", "floor", "first", "second", "allowed"),
        rows=tuple(
            (each.shape.name, each.prices, str(each.dry_run), each.floor, each.first, each.second, each.allowed)
            for each in paid
        ),
        notes=(
            "allowed: 1.1 times the floor of that price list and 3 points; the floor is for the queries that we send",
            "dry run: whether GitHub tells prices before they are charged, refuses, or tells its published ones",
        ),
        missed=tuple(
            f"{each.shape.name}, {each.prices}, {each.dry_run}: {each.first}, {each.second}; allowed {each.allowed:.1f}"
            for each in paid
            if max(each.first, each.second) > each.allowed
        ),
    )


def _of(rig: Rig, source: Source, dry_runs: tuple[DryRun, ...]) -> Iterator[Paid]:
    world = load(source.folders, source.recipes)
    for shape in shapes(source):
        for name, charges in LISTS.items():
            for dry_run in dry_runs:
                told = Options(charges=charges, dry_run=dry_run, graphql_limit=PLENTY, rest_limit=PLENTY)
                with running(world, told) as github:
                    first, second = _twice(rig, github, shape)
                yield Paid(shape=shape, prices=name, dry_run=dry_run, first=first, second=second)


def _twice(rig: Rig, github: Simulator, shape: Shape) -> tuple[int, int]:
    """Capture a repository, forget its rows but not what was learned of prices, and capture it again."""
    url = rig.database()
    logging.disable(logging.WARNING)
    try:
        with Database(url) as db:
            first = _points(db, github, shape, url)
            with db.transaction() as tx:
                tx.run("truncate repositories, contributors cascade")
            return first, _points(db, github, shape, url)
    finally:
        logging.disable(logging.NOTSET)
        rig.drop(url)


def _points(db: Database, github: Simulator, shape: Shape, url: str) -> int:
    graphql = GraphQL(github.graphql_url, "bench", sleep=lambda seconds: None, clock=lambda: 0.0)
    track.track(db, graphql, [shape.name], backfill=Goal())
    github.stats.reset()
    learning.ask_once_a_week(db, graphql)
    captured = capture.run(db, graphql, RUN, shape.name, Limits(), listen=lambda progress: None, begin=at_once)
    if captured.outcome is not CaptureOutcome.COMPLETED or sum(stored(url).values()) != shape.rows:
        raise RuntimeError(f"{shape.name} was not captured: {captured.reason}")
    return github.stats.points
