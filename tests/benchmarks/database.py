"""The database: what a chunk, a plan and a status cost where little and where much is stored already."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from gh_backfill.store.db import Database
from tests.benchmarks.github import GitHub, github
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source

NAME = "bench/history"
CAPTURED = 740
STORED = (1_000, 100_000)
ALLOWED = 1.5
_OF_A_CHUNK = ("chunks.claim_chunk", "chunks.complete_chunk", "pull_requests.", "comments.", "people.")
# Below this a statement's time is that of its round trip.
TELLING = 0.005
REPEATED = 5
LARGE = frozenset({"pull_requests", "reviews", "comments", "contributors", "backfill_chunks"})
_SQL = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_name("sql").joinpath("fill.sql").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


@dataclass(kw_only=True, slots=True)
class Seen:
    """What was measured over one stored history: seconds of each statement, and of whole actions."""

    url: str
    stored: int
    statements: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    actions: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    executions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    scans: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    read_by_scans: dict[str, int] = field(default_factory=dict)
    round_trips: int = 0

    @property
    def chunks(self) -> int:
        """Return how many chunks were completed."""
        return self.executions["chunks.complete_chunk"]


def database(rig: Rig, stored: tuple[int, ...] = STORED) -> list[Table]:
    """Measure over each size of stored history, and compare the largest with the smallest."""
    with github(Source(recipes=(f"{NAME}:{CAPTURED}",))) as server:
        few, many = (_prepared(rig, server, count) for count in (stored[0], stored[-1]))
        for _ in range(REPEATED):  # in turn, so that a busy machine is busy for both
            _act(rig, server, few)
            _act(rig, server, many)
        for seen in (few, many):
            seen.read_by_scans = {name: read - seen.read_by_scans[name] for name, read in _scans(seen.url).items()}
            rig.drop(seen.url)
    return [_actions(few, many), _statements(few, many)]


def fill(url: str, count: int) -> None:
    """Store a history of `count` pull requests, two reviews and five comments each, for the tracked repository."""
    with Database(url) as db, db.transaction() as tx:
        for name in ("people", "pull_requests", "reviews", "comments", "chunks"):
            tx.run(_SQL[name], count=count, name=NAME)
        tx.run("analyze")


def _prepared(rig: Rig, server: GitHub, count: int) -> Seen:
    url = rig.database()
    rig.track([NAME], url, server)
    fill(url, count)
    return Seen(url=url, stored=count, read_by_scans=_scans(url))


def _act(rig: Rig, server: GitHub, seen: Seen) -> None:
    """Plan, show the status and capture two chunks once more."""
    for command in ("plan", "status"):
        done = rig.record([command, "--json"], seen.url, server, "--explain")
        seen.actions[command].append(_take(seen, done.statements))
    done = rig.record(["capture", NAME, "--max-chunks", "2"], seen.url, server, "--explain")
    _take(seen, done.statements)
    for transaction in _transactions(done.statements):
        names = {each["name"] for each in transaction}
        if "chunks.complete_chunk" in names:
            seen.actions["chunk commit"].append(sum(each["seconds"] for each in transaction))
        if any(name.startswith(_OF_A_CHUNK) for name in names):
            seen.round_trips += len(transaction)
    for each in done.statements:
        seen.executions[each["name"]] += 1


def _take(seen: Seen, statements: list[dict[str, Any]]) -> float:
    for each in statements:
        seen.statements[each["name"]].append(each["seconds"])
        if each["plan"] is not None:
            seen.scans[each["name"]].update(_sequential(each["plan"]))
    return float(sum(each["seconds"] for each in statements))


def _transactions(statements: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the statements of each transaction."""
    by_number: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for each in statements:
        by_number[each["transaction"]].append(each)
    yield from by_number.values()


def _sequential(plan: Mapping[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in LARGE:
        yield plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _sequential(below)


def _scans(url: str) -> dict[str, int]:
    time.sleep(1.5)  # a server process hands its counts over when it ends
    with Database(url) as db, db.transaction(read_only=True) as tx:
        return {row["name"]: int(row["seq_tup_read"]) for row in tx.rows(_SQL["scans"])}


def _actions(few: Seen, many: Seen) -> Table:
    rows = []
    missed = []
    for name in few.actions:
        before, after = median(few.actions[name]), median(many.actions[name])
        rows.append((name, 1000 * before, 1000 * after, after / before))
        if after > ALLOWED * before:
            missed.append(f"{name}: {after / before:.1f} times as long over {many.stored:,} pull requests")
    missed += [
        f"{count:,} rows of {name} were read by sequential scans over {many.stored:,} pull requests"
        for name, count in many.read_by_scans.items()
        if count >= many.stored
    ]
    each = many.round_trips / max(1, many.chunks)
    return Table(
        section="database",
        title=f"milliseconds of all statements, over {few.stored:,} and over {many.stored:,} stored pull requests",
        columns=("action", f"over {few.stored:,} (ms)", f"over {many.stored:,} (ms)", "ratio"),
        rows=tuple(rows),
        notes=(
            f"{5 * many.stored:,} comments and {2 * many.stored:,} reviews are stored beside the larger one",
            f"{each:.1f} round trips a chunk, with BEGIN and COMMIT",
        ),
        missed=tuple(missed),
        extra={"statements_a_chunk": each},
    )


def _statements(few: Seen, many: Seen) -> Table:
    rows = []
    missed = []
    for name in sorted(many.statements, key=lambda name: -median(many.statements[name])):
        after = median(many.statements[name])
        before = median(few.statements[name]) if name in few.statements else None
        ratio = after / before if before else None
        scans = ", ".join(sorted(many.scans[name])) or "none"
        times = many.executions[name] / max(1, many.chunks)
        rows.append((name, times, before and 1000 * before, 1000 * after, ratio, scans))
        if ratio is not None and ratio > ALLOWED and after > TELLING:
            missed.append(f"{name}: {ratio:.1f} times as long over {many.stored:,} pull requests")
        # A plan may hold a branch that is never run: the server's counters decide.
        if run := sorted(each for each in many.scans[name] if many.read_by_scans[each]):
            missed.append(f"{name}: a sequential scan of {', '.join(run)}")
    return Table(
        section="statements",
        title="every statement of capture, plan and status",
        columns=("statement", "a chunk", "median, few (ms)", "median, many (ms)", "ratio", "sequential scans"),
        rows=tuple(rows),
        missed=tuple(missed),
    )
