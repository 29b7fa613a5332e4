"""`scripts/bench`: measure, print one table a section, and keep the results as JSON.

What is measured follows from fixed worlds, so points, requests and statements are the same on every machine; seconds
and memory are this machine's.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.benchmarks import (
    adaptivity,
    aggregation,
    database,
    discussion_floors,
    distance,
    embedding,
    initial,
    issue_floors,
    pages,
    paired,
    peers,
    points,
    prices,
    quality,
    quick,
    reservations,
    scale,
    search,
    start,
    sync,
    tables,
    viewers,
    wall,
)
from tests.benchmarks.github import ROOT
from tests.benchmarks.rig import Rig, rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source, corpus, one_by_one
from tests.storm import aggressive

DOCS = ROOT / "docs"
RESULTS = DOCS / "performance.json"
PLOT = DOCS / "performance.svg"
MADE_UP = Source(recipes=("bench/small:300", "bench/middle:1000"))


def main() -> int:
    """Run the sections that are named; 0 where all that is checked holds, 1 where a bound was exceeded."""
    if sys.argv[1:2] == ["storm"]:
        return _storm(sys.argv[2:])
    if sys.argv[1:2] == ["kills"]:
        return aggressive.main(sys.argv[2:])
    options = _options(sys.argv[1:])
    console = Console(width=max(120, Console().width))
    if options.document:
        return _document(options.json or RESULTS)
    if options.quick or options.record:
        with rig() as made:
            figures = quick.measure(made, quick.source())
            paid = quick.prices(made)
            trips = quick.trips(made)
        if options.record:
            quick.record(figures | trips)
        over = quick.exceeded(figures | trips, quick.bounds())
        for measured in (figures, trips):
            tables.show(quick.table(measured, over), console)
        tables.show(paid, console)
        return 1 if over or paid.missed else 0
    sections = ["peers"] if options.peers else options.sections or [name for name in SECTIONS if name != "peers"]
    found = _measure(sections, console, options)
    return 1 if options.strict and any(table.missed for table in found) else 0


def _measure(sections: Sequence[str], console: Console, options: argparse.Namespace) -> list[Table]:
    found: list[Table] = []
    with rig() as made:
        for section in sections:
            measured = SECTIONS[section](made, options)
            for table in measured:
                tables.show(table, console)
            found += measured
            if options.json is not None:
                about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "python": platform.python_version()}
                tables.keep(options.json, measured, about)
    return found


def _real_or_made_up(*folders: str) -> Source:
    found = corpus(*folders)
    return found if found.folders else MADE_UP


def _sizes(options: argparse.Namespace) -> tuple[int, ...]:
    return tuple(size for size in scale.SIZES if size <= options.most)


def _embedded(options: argparse.Namespace) -> tuple[int, ...]:
    return tuple(size for size in embedding.SIZES if size <= options.most)


def _stored(options: argparse.Namespace) -> tuple[int, ...]:
    return database.STORED[0], min(options.most, database.STORED[1])


SECTIONS: dict[str, Callable[[Rig, argparse.Namespace], list[Table]]] = {
    "points": lambda made, _: points.points(made, _real_or_made_up()),
    "initial": lambda made, _: initial.initial(made),
    "issues": lambda made, _: issue_floors.issues(made, _real_or_made_up()),
    "discussions": lambda made, _: discussion_floors.discussions(made),
    "prices": lambda made, _: [prices.prices(made, one_by_one(_real_or_made_up()))],
    "adaptivity": lambda made, _: adaptivity.adaptivity(made, Source(recipes=("bench/heavy:4000",))),
    "wall": lambda made, _: wall.wall(made, _real_or_made_up("bitcoin-core__gui", "moq-wg__moq-transport")),
    "cpu": lambda made, _: scale.cpu(made),
    "memory": lambda made, options: scale.scale(made, _sizes(options))[1:2],
    "database": lambda made, options: [*database.database(made, _stored(options)), reservations.reservations(made)],
    "distance": lambda made, _: distance.distance(made),
    "embed": lambda made, options: embedding.embed(made, _embedded(options)),
    "quality": lambda made, _: quality.qualities(),
    "pages": lambda made, _: pages.pages(made),
    "search": lambda made, _: search.search(made),
    "sync": lambda made, _: sync.syncs(made),
    "aggregate": lambda made, _: aggregation.aggregation(made),
    "viewers": lambda made, _: viewers.viewers(made),
    "scale": lambda made, options: scale.scale(made, _sizes(options), options.plot),
    "start": lambda made, options: start.start(made, options.against),
    "worker": lambda made, options: paired.worker(made, options.against),
    "peers": lambda made, options: peers.peers(made, options.cache),
}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}, storm, kills; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="check the deterministic figures against their bounds")
    parser.add_argument("--record", action="store_true", help="make the deterministic figures the new bounds")
    parser.add_argument("--peers", action="store_true", help="install and measure other tools, and us beside them")
    parser.add_argument("--strict", action="store_true", help="exit code 1 where a target is missed")
    parser.add_argument(
        "--json", type=Path, nargs="?", const=RESULTS, help=f"keep the results (default {RESULTS.name})"
    )
    parser.add_argument("--plot", type=Path, nargs="?", const=PLOT, help=f"draw the scale (default {PLOT.name})")
    parser.add_argument("--document", action="store_true", help="put the kept results into docs/performance.md")
    parser.add_argument("--most", type=int, default=100_000, help="the largest made-up repository, in pull requests")
    parser.add_argument("--against", type=Path, help="another checkout that is measured beside ours (start, worker)")
    parser.add_argument("--cache", type=Path, default=ROOT / ".gh_backfill" / "peers", help="where other tools go")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return options


def _document(results: Path) -> int:
    page = DOCS / "performance.md"
    told = tables.document(page.read_text(encoding="utf-8"), json.loads(results.read_text(encoding="utf-8")))
    page.write_text(told, encoding="utf-8")
    return 0


def _storm(arguments: Sequence[str]) -> int:
    """Hand over to the long storm, where it is."""
    if importlib.util.find_spec("tests.storm") is None or importlib.util.find_spec("tests.storm.long") is None:
        print("scripts/bench: there is no tests/storm/long.py here", file=sys.stderr)
        return 2
    import runpy  # noqa: PLC0415  (only this subcommand needs it)

    sys.argv = ["scripts/bench storm", *arguments]
    runpy.run_module("tests.storm.long", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
