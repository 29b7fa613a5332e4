"""The processor time of a capture's worker, here and in another checkout in turns, against one simulated GitHub."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.github import ROOT, GitHub, github
from tests.benchmarks.rig import Rig, stored
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Shape, Source, corpus, shapes

TURNS = 7
# What a capture is to be of the commit before the engine for any kind of item.
WANTED = 1.3
REAL = "bitcoin-core__gui"
MADE_UP = "bench/of-1000:1000"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """A checkout at work: a database as its own migrations make it, and the CPU seconds of each of its captures."""

    checkout: Path
    template: str
    seconds: list[float] = field(default_factory=list)

    def capture(self, rig: Rig, server: GitHub, shape: Shape) -> float:
        """Capture a repository into an empty database and return the worker's CPU seconds."""
        database = rig.database(self.template)
        rig.run(["track", shape.name, "--max-prs", "all"], database, server, checkout=self.checkout)
        usage = rig.run(["capture", shape.name], database, server, checkout=self.checkout)
        rows = sum(stored(database).values())
        if rows != shape.rows:
            raise RuntimeError(f"{self.checkout}: {shape.name} has {shape.rows} rows, {rows} were stored")
        rig.drop(database)
        return usage.cpu

    def rate(self, shape: Shape) -> float:
        """Return the rows for each CPU second of the capture that took the fewest."""
        return shape.rows / min(self.seconds)


def worker(rig: Rig, other: Path | None) -> list[Table]:
    """Measure captures of a made-up and a real repository; without another checkout, ours alone.

    The turns alternate, so that what else this machine does disturbs both; each turn is a pair.
    """
    sources = [Source(recipes=(MADE_UP,)), corpus(REAL)]
    rows: list[tuple[str, int, float, *tuple[float | None, ...]]] = []
    missed: list[str] = []
    for source in sources:
        for shape in shapes(source):
            ours, theirs = _sides(rig, source, shape, other)
            if theirs is None:
                rows.append((shape.name, shape.rows, ours.rate(shape), None, None, None, None))
                continue
            pairs = [its / mine for mine, its in zip(ours.seconds, theirs.seconds, strict=True)]
            best = min(theirs.seconds) / min(ours.seconds)
            ratios = median(pairs), min(pairs), best
            rows.append((shape.name, shape.rows, ours.rate(shape), theirs.rate(shape), *ratios))
            if median(pairs) < WANTED:
                missed.append(f"{shape.name}: {median(pairs):.2f} times the rows a CPU second, wanted {WANTED}")
    return [
        Table(
            section="worker",
            title=f"rows a CPU second of a capture's whole process, the best of {TURNS}",
            columns=(
                "repository",
                "rows",
                "here",
                f"in {other.name}" if other else "elsewhere",
                "ratio, median of pairs",
                "least of pairs",
                "of the best",
            ),
            rows=tuple(rows),
            notes=("the start of the process is included; the simulated GitHub and PostgreSQL are other processes",),
            missed=tuple(missed),
        )
    ]


def _sides(rig: Rig, source: Source, shape: Shape, other: Path | None) -> tuple[_Side, _Side | None]:
    ours = _side(rig, ROOT)
    theirs = None if other is None else _side(rig, other.resolve())
    sides = [ours] if theirs is None else [ours, theirs]
    with github(source) as server:
        for side in sides:
            side.capture(
                rig, server, shape
            )  # writes what Python compiles, and makes the simulated GitHub know the rows
        for turn in range(TURNS):
            for side in sides if turn % 2 else sides[::-1]:
                side.seconds.append(side.capture(rig, server, shape))
    return ours, theirs


def _side(rig: Rig, checkout: Path) -> _Side:
    return _Side(checkout=checkout, template=rig.template(checkout))
