"""Points: what a complete capture of each repository costs, against the fewest that GitHub's price list allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks.github import GitHub, Tally, github
from tests.benchmarks.rig import Rig, Usage, stored
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Shape, Source, shapes

# GitHub's limits: https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
HOURLY = (
    ("GITHUB_TOKEN of Actions", 1_000),
    ("personal token", 5_000),
    ("GitHub App, at least", 5_000),
    ("GitHub App, at most", 12_500),
    ("GitHub App, Enterprise Cloud", 10_000),
)
KEPT_IN_RESERVE = 0.1
MOST_REQUESTS_A_POINT = 1.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one capture cost by the simulated GitHub's account, and what it took."""

    shape: Shape
    tally: Tally
    usage: Usage
    rows: int

    @property
    def ratio(self) -> float:
        """Return the points paid for each one of the floor."""
        return self.tally.points / self.shape.floor


def capture(rig: Rig, server: GitHub, shape: Shape, *arguments: str, still: bool = True) -> Cost:
    """Capture a repository into an empty database; RuntimeError unless every row arrived.

    `still` makes the points independent of this machine's speed; without it the product runs as it is.
    """
    database = rig.database()
    rig.track([shape.name], database, server)
    command = ["capture", shape.name, *arguments]
    usage = rig.record(command, database, server, "--still").usage if still else rig.run(command, database, server)
    tally, rows = server.tally(), sum(stored(database).values())
    if rows != shape.rows:
        raise RuntimeError(f"{shape.name}: {shape.rows} rows there are, {rows} were stored")
    rig.drop(database)
    return Cost(shape=shape, tally=tally, usage=usage, rows=rows)


def points(rig: Rig, source: Source) -> list[Table]:
    """Measure every repository of a source."""
    measured = shapes(source)
    with github(source) as server:
        costs = [capture(rig, server, shape) for shape in measured]
    return [table(costs), hourly(costs)]


def table(costs: Sequence[Cost]) -> Table:
    """Show floor, measured points and their ratio."""
    rows = [
        (
            cost.shape.name,
            cost.shape.pull_requests,
            cost.rows,
            cost.shape.floor,
            cost.tally.points,
            cost.ratio,
            round(cost.shape.target, 1),
            cost.tally.requests / max(1, cost.tally.points),
        )
        for cost in costs
    ]
    return Table(
        section="points",
        title="points of a complete capture, catch-up included",
        columns=("repository", "pull requests", "rows", "floor", "measured", "ratio", "target", "requests a point"),
        rows=tuple(rows),
        notes=(
            "target: 1.1 times the floor plus 2",
            "floor: full queries of one point, see tests/benchmarks/worlds.py",
        ),
        missed=tuple(_missed(costs)),
    )


def hourly(costs: Sequence[Cost]) -> Table:
    """Say how much history an hour brings home, from the points that were measured."""
    each = [cost.shape.pull_requests / cost.tally.points for cost in costs]
    mean = sum(cost.shape.pull_requests for cost in costs) / sum(cost.tally.points for cost in costs)
    rows = []
    for credential, limit in HOURLY:
        usable = int(limit * (1 - KEPT_IN_RESERVE))
        rows.append((credential, limit, usable, int(usable * min(each)), int(usable * mean), int(usable * max(each))))
    return Table(
        section="hourly",
        title="complete pull requests an hour",
        columns=("credential", "points an hour", "used", "densest repository", "mean", "thinnest repository"),
        rows=tuple(rows),
        notes=(
            f"{mean:.1f} complete pull requests a point in the mean, {min(each):.1f} to {max(each):.1f} by repository",
        ),
        extra={"pull_requests_a_point": mean},
    )


def _missed(costs: Sequence[Cost]) -> list[str]:
    missed = [
        f"{cost.shape.name}: {cost.tally.points} points, target {cost.shape.target:.1f}"
        for cost in costs
        if cost.tally.points > cost.shape.target
    ]
    missed += [
        f"{cost.shape.name}: {cost.tally.requests} requests for {cost.tally.points} points"
        for cost in costs
        if cost.tally.requests > MOST_REQUESTS_A_POINT * cost.tally.points
    ]
    return missed
