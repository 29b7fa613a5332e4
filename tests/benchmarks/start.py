"""Start: the processor time until a command has told of itself or has looked, here and in another checkout in turns."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from tests.benchmarks.github import ROOT
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table

COMMANDS = (("--version",), ("--help",), ("status", "--help"), ("status",))
TURNS = 9


def start(rig: Rig, other: Path | None) -> list[Table]:
    """Measure the commands; what another checkout takes is measured in turns, so that what else runs disturbs both."""
    database = rig.database()
    rows: list[tuple[str, int, int | None, float | None]] = []
    for command in COMMANDS:
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(TURNS):
            ours.append(_seconds(ROOT, command, database))
            if other is not None:
                theirs.append(_seconds(other, command, database))
        ratio = median(mine / its for mine, its in zip(ours, theirs, strict=True)) if theirs else None
        there = round(1000 * min(theirs)) if theirs else None
        rows.append((" ".join(command), round(1000 * min(ours)), there, ratio))
    return [
        Table(
            section="start",
            title=f"processor time of a command, the least of {TURNS}",
            columns=(
                "command",
                "ms",
                f"ms in {other.name}" if other else "ms elsewhere",
                "ratio, median of pairs",
            ),
            rows=tuple(rows),
        )
    ]


def _seconds(checkout: Path, command: tuple[str, ...], database: str) -> float:
    environment = {"PATH": os.environ["PATH"], "HOME": "/", "PYTHONPATH": str(checkout), "DATABASE_URL": database}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "gh_backfill", *command],
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
