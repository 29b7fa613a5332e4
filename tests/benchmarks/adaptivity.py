"""Adaptivity: a GitHub that fails on large pages, against the best fixed page under the same faults."""

from __future__ import annotations

from collections.abc import Mapping

from tests.benchmarks.github import github
from tests.benchmarks.points import Cost, capture
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source, shapes

TOO_MANY = 30
FIXED = (15, 20, 25, 30)
ALLOWED = 1.05
FAULTS: dict[str, Mapping[str, object]] = {
    "RESOURCE_LIMITS_EXCEEDED over 30": {"name": "resource_limits", "size": TOO_MANY},
    "time-out over 30": {"name": "time_out_over", "size": TOO_MANY},
}


def adaptivity(rig: Rig, source: Source) -> list[Table]:
    """Measure the adaptive page against each fixed one under each fault."""
    (shape,) = shapes(source)
    rows: list[tuple[str, str, int, int, float | None]] = []
    missed: list[str] = []
    with github(source) as server:
        for title, fault in FAULTS.items():
            server.faults([fault])
            fixed: list[Cost] = []
            for size in FIXED:
                fixed.append(capture(rig, server, shape, "--chunk-size", str(size)))
                rows.append((title, f"fixed {size}", fixed[-1].tally.points, fixed[-1].tally.requests, None))
            adaptive = capture(rig, server, shape)
            best = min(cost.tally.points for cost in fixed)
            ratio = adaptive.tally.points / best
            rows.append((title, "adaptive", adaptive.tally.points, adaptive.tally.requests, ratio))
            if ratio > ALLOWED:
                missed.append(f"{title}: {adaptive.tally.points} points, best fixed page {best}")
    return [
        Table(
            section="adaptivity",
            title=f"{shape.name} ({shape.pull_requests} pull requests) where pages over {TOO_MANY} fail",
            columns=("fault", "page", "points", "requests", "against the best fixed"),
            rows=tuple(rows),
            missed=tuple(missed),
        )
    ]
