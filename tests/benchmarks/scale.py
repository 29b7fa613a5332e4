"""Scale: points, requests, processor time and memory of the worker from small to very large repositories."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from tests.benchmarks import plot
from tests.benchmarks.github import github
from tests.benchmarks.points import Cost, capture
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source, corpus, shapes

SIZES = (1_000, 10_000, 100_000)
LEAST_ROWS_A_SECOND = 8_000
MOST_MEMORY = 150.0
LINEAR = 1.1


def scale(rig: Rig, sizes: tuple[int, ...] = SIZES, picture: Path | None = None) -> list[Table]:
    """Capture made-up repositories of growing size; draw the plot where a file for it is named."""
    costs = [_one(rig, Source(recipes=(f"bench/of-{size}:{size}",))) for size in sizes]
    if picture is not None:
        picture.write_text(plot.svg(_lines(costs)), encoding="utf-8")
    rows = [
        (
            f"{cost.shape.pull_requests:,}",
            cost.rows,
            cost.tally.points,
            cost.tally.points / cost.shape.floor,
            cost.tally.requests,
            cost.usage.cpu,
            cost.usage.wall,
            cost.usage.memory,
        )
        for cost in costs
    ]
    columns = ("pull requests", "rows", "points", "of the floor", "requests", "CPU (s)", "wall (s)", "peak memory (MB)")
    return [
        Table(
            section="scale",
            title="made-up repositories; the simulated GitHub answers at once and in another process",
            columns=columns,
            rows=tuple(rows),
            missed=tuple(_not_linear(costs)),
        ),
        memory_table(costs),
    ]


def cpu(rig: Rig) -> list[Table]:
    """Measure processor time and memory on one real repository, where there is one, and a made-up one."""
    sources = [source for source in (corpus("bitcoin-core__secp256k1"),) if source.folders]
    sources.append(Source(recipes=("bench/of-10000:10000",)))
    return [cpu_table([_one(rig, source) for source in sources])]


def memory_table(costs: list[Cost]) -> Table:
    """Show the peak of each worker."""
    return Table(
        section="memory",
        title="peak resident memory of the worker",
        columns=("repository", "pull requests", "peak (MB)", "allowed"),
        rows=tuple((cost.shape.name, cost.shape.pull_requests, cost.usage.memory, MOST_MEMORY) for cost in costs),
        missed=tuple(
            f"{cost.shape.name}: {cost.usage.memory:.0f} MB" for cost in costs if cost.usage.memory > MOST_MEMORY
        ),
    )


def cpu_table(costs: list[Cost]) -> Table:
    """Show rows for each second of processor time, start of the process included."""
    rates = [cost.rows / cost.usage.cpu for cost in costs]
    large = max(costs, key=lambda cost: cost.rows)
    return Table(
        section="cpu",
        title="rows captured for each CPU second of the worker's whole process",
        columns=("repository", "rows", "CPU (s)", "rows a CPU second", "wanted"),
        rows=tuple(
            (cost.shape.name, cost.rows, cost.usage.cpu, rate, LEAST_ROWS_A_SECOND)
            for cost, rate in zip(costs, rates, strict=True)
        ),
        notes=("starting Python and importing the package is included, which weighs on the small ones",),
        missed=tuple(
            f"{large.shape.name}: {large.rows / large.usage.cpu:,.0f} rows a CPU second"
            for _ in (1,)
            if large.rows / large.usage.cpu < LEAST_ROWS_A_SECOND
        ),
    )


def _one(rig: Rig, source: Source) -> Cost:
    (shape,) = shapes(source)
    with github(source) as server:
        return capture(rig, server, shape, still=False)


def _lines(costs: list[Cost]) -> list[plot.Line]:
    sizes = [float(cost.shape.pull_requests) for cost in costs]
    return [
        plot.Line(name="points", points=tuple(zip(sizes, [float(c.tally.points) for c in costs], strict=True))),
        plot.Line(
            name="floor of the points", points=tuple(zip(sizes, [float(c.shape.floor) for c in costs], strict=True))
        ),
        plot.Line(name="CPU seconds", points=tuple(zip(sizes, [c.usage.cpu for c in costs], strict=True))),
        plot.Line(name="peak memory (MB)", points=tuple(zip(sizes, [c.usage.memory for c in costs], strict=True))),
    ]


def _not_linear(costs: list[Cost]) -> list[str]:
    """Name what grows faster than the repository from one size to the next."""
    missed = []
    for small, large in pairwise(costs):
        times = large.rows / small.rows
        for what, before, after in (
            ("points", small.tally.points, large.tally.points),
            ("CPU", small.usage.cpu, large.usage.cpu),
        ):
            if after > LINEAR * times * before:
                missed.append(f"{what}: {after / before:.1f} times for {times:.1f} times the rows")
    return missed
