"""Discussions: what a capture with all comments and replies costs, against the fewest points that it can cost."""

from __future__ import annotations

from math import ceil

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Database
from tests.benchmarks.github import Tally, github
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source
from tests.discussion_comparison import differences, floor

# No recorded repository has discussions: these are made up.
SIZES = (1, 100, 101, 700, 3_000)


def discussions(rig: Rig, sizes: tuple[int, ...] = SIZES) -> list[Table]:
    """Capture the discussions of a repository of each size, and hold every row and the points against GitHub's."""
    rows: list[tuple[str | int | float, ...]] = []
    missed: list[str] = []
    for many in sizes:
        name = f"bench/talk-{many}"
        source = Source(recipes=(f"{name}:2:discussions={many}",))
        world = load(recipes=source.recipes)
        least, said = floor(world, name), comments(world)
        spent = capture(rig, source, name)
        most = 1.1 * ceil(least) + 2  # nobody pays a part of a point
        rows.append((name, many, said, least, spent.points, round(most, 1), spent.requests))
        if spent.points > most:
            missed.append(f"{name}: {spent.points} points, the target is {most:.1f}")
    return [
        Table(
            section="discussions",
            title="points of a capture of all discussions with their comments and replies",
            columns=("repository", "discussions", "comments and replies", "floor", "measured", "target", "requests"),
            rows=tuple(rows),
            notes=(
                "floor: each page of 100, the comments and the replies of each that has some, 149 lists a point",
                "target: 1.1 times the floor, in whole points, plus 2",
            ),
            missed=tuple(missed),
        )
    ]


def capture(rig: Rig, source: Source, name: str) -> Tally:
    """Capture discussions into an empty database; RuntimeError unless every row is GitHub's."""
    database = rig.database()
    with github(source) as server:
        rig.track([name], database, server)
        rig.record(["capture", name, "--kinds", "discussions"], database, server, "--still")
        tally = server.tally()
    with Database(database) as db, db.transaction(read_only=True) as tx:
        wrong = differences(tx, load(recipes=source.recipes), name)
    rig.drop(database)
    if wrong:
        raise RuntimeError(f"{name}: {len(wrong)} differences: {wrong[0]}")
    return tally


def comments(world: World) -> int:
    """Return how many comments and replies the discussions of a world have."""
    return sum(len(row.comments) for shelf in world.shelves.values() for row in shelf.discussions.values())
