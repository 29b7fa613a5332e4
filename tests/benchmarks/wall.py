"""Wall time: what a capture takes beyond the time that GitHub takes, at a realistic latency."""

from __future__ import annotations

from tests.benchmarks.github import github
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source, shapes

LATENCY = 0.3
LATENCY_PER_NODE = 0.002
ALLOWED = 0.05


def wall(rig: Rig, source: Source) -> list[Table]:
    """Measure one capture of each repository of a source.

    The share is of the time that the latency alone prescribes; what the simulated GitHub computes on top is neither
    counted as ours nor as GitHub's.
    """
    rows: list[tuple[str, int, float, float, float, float]] = []
    missed: list[str] = []
    with github(source, latency=LATENCY, latency_per_node=LATENCY_PER_NODE) as server:
        for shape in shapes(source):
            database = rig.database()
            rig.track([shape.name], database, server)
            done = rig.record(["capture", shape.name], database, server)
            tally = server.tally()
            prescribed = LATENCY * tally.requests + LATENCY_PER_NODE * tally.nodes
            beside = done.seconds - sum(done.request_seconds)
            statements = sum(each["seconds"] for each in done.statements)
            share = beside / prescribed
            rows.append((shape.name, tally.requests, prescribed, beside, statements, 100 * share))
            if share > ALLOWED:
                missed.append(f"{shape.name}: {100 * share:.1f} % beside the requests, allowed {100 * ALLOWED:.0f} %")
            rig.drop(database)
    return [
        Table(
            section="wall",
            title=f"time beside the requests, at {LATENCY} s + {1000 * LATENCY_PER_NODE:.0f} ms a node",
            columns=("repository", "requests", "latency (s)", "beside it (s)", "of it database (s)", "share (%)"),
            rows=tuple(rows),
            notes=("from the start of the command to its end, start of the process not included",),
            missed=tuple(missed),
        )
    ]
