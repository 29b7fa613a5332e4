"""The deterministic figures against recorded bounds: points, requests, statements of a chunk, and round trips."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from statistics import median_high

from gh_backfill.simulator.options import DryRun
from tests.benchmarks import distance
from tests.benchmarks.github import GitHub, Tally, github
from tests.benchmarks.issue_floors import IssueShape, issue_shapes
from tests.benchmarks.issue_floors import measure as measure_issues
from tests.benchmarks.prices import prices as measure_prices
from tests.benchmarks.rig import Recorded, Rig, stored
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Shape, Source, corpus, one_by_one, shapes

BOUNDS = Path(__file__).with_name("bounds.json")
MADE_UP = ("bench/small:150", "bench/middle:500")
REAL = ("ietf-wg-privacypass__base-drafts", "quicwg__qlog")
_CONTROL = frozenset({"begin", "commit", "rollback"})

Figures = dict[str, int]


def source() -> Source:
    """Return what is measured: made-up repositories, and real ones where the corpus is."""
    real = corpus(*REAL).folders
    return Source(folders=real, recipes=MADE_UP)


def measure(rig: Rig, measured: Source) -> dict[str, Figures]:
    """Capture each repository of a source, its pull requests and then its issues; return the figures by name."""
    found, database = shapes(measured), rig.database()
    of_issues = [shape for shape in issue_shapes(measured) if shape.issues]
    with github(measured) as server:
        rig.track([shape.name for shape in found], database, server)
        figures = {shape.name: _figures(rig, server, shape, database) for shape in found}
        return figures | {f"issues of {shape.name}": _of_issues(rig, server, shape, database) for shape in of_issues}


def _figures(rig: Rig, server: GitHub, shape: Shape, database: str) -> Figures:
    before = sum(stored(database).values())
    server.forget()
    done = rig.record(["capture", shape.name], database, server, "--still")
    tally, rows = server.tally(), sum(stored(database).values()) - before
    if rows != shape.rows:
        raise RuntimeError(f"{shape.name}: {shape.rows} rows there are, {rows} were stored")
    return {"floor": shape.floor, **_cost(tally, done)}


def _of_issues(rig: Rig, server: GitHub, shape: IssueShape, database: str) -> Figures:
    measured = measure_issues(rig, server, shape, database)
    return {"floor": ceil(shape.floor_by_counts), **_cost(measured.tally, measured.done)}


def _cost(tally: Tally, done: Recorded) -> Figures:
    names = [each["name"] for each in done.statements]
    chunks = names.count("chunks.complete_chunk")
    counted = Counter(name for name in names if name not in _CONTROL)
    commits: dict[int, int] = Counter(each["transaction"] for each in done.statements if each["name"] not in _CONTROL)
    completing = {each["transaction"] for each in done.statements if each["name"] == "chunks.complete_chunk"}
    return {
        "points": tally.points,
        "requests": tally.requests,
        "statements of a commit": median_high([commits[each] for each in completing]),
        "times a table is written in a chunk": max(
            -(-counted[name] // chunks) for name in counted if ".upsert_" in name
        ),
    }


def prices(rig: Rig) -> Table:
    """Capture a small repository by each price list, where GitHub tells its prices and where it refuses."""
    real = corpus(REAL[-1])
    one = real if real.folders else Source(recipes=MADE_UP[:1])
    return measure_prices(rig, one_by_one(one), dry_runs=(DryRun.HONEST, DryRun.REFUSED))


def trips(rig: Rig) -> dict[str, Figures]:
    """Return the round trips to the database that commands take, by how many repositories there are."""
    return {f"{many} repositories far away": distance.figures(rig, many) for many in distance.MANY}


def bounds() -> dict[str, Figures]:
    """Return the recorded bounds."""
    known: dict[str, Figures] = json.loads(BOUNDS.read_text(encoding="utf-8"))
    return known


def record(figures: Mapping[str, Figures]) -> None:
    """Make what was measured the bounds; those of repositories that were not measured stay."""
    known = bounds() if BOUNDS.exists() else {}
    BOUNDS.write_text(json.dumps({**known, **figures}, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def exceeded(figures: Mapping[str, Figures], allowed: Mapping[str, Figures]) -> list[str]:
    """Name every figure that is over its bound; one without a bound is over it."""
    return [
        f"{name}: {figure} is {value}, the bound is {allowed.get(name, {}).get(figure, 'not recorded')}"
        for name, measured in figures.items()
        for figure, value in measured.items()
        if value > allowed.get(name, {}).get(figure, -1)
    ]


def table(figures: Mapping[str, Figures], over: list[str]) -> Table:
    """Show the figures."""
    columns = tuple(next(iter(figures.values())))
    return Table(
        section="quick",
        title="deterministic figures",
        columns=("repository", *columns, "ratio"),
        rows=tuple(
            (name, *(measured[column] for column in columns), _ratio(measured)) for name, measured in figures.items()
        ),
        missed=tuple(each for each in over if each.startswith(tuple(figures))),
    )


def _ratio(measured: Figures) -> float | None:
    return measured["points"] / measured["floor"] if "floor" in measured else None
