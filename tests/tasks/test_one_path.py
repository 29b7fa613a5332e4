"""Whoever starts a capture, the same code does it: command line, workflow, one machine, worker."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import gh_backfill
from gh_backfill.store.db import Row
from tests import forks
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import SMALL, House

ROOT = Path(__file__).parents[2]
PACKAGE = Path(gh_backfill.__file__).parent
ROLLED_BACK = "proofs.sql"  # proves rights by writing a row and taking it back
ITEMS = ("pull_requests", "reviews", "comments", "contributors")
LEDGER = (
    "select job_type, status, outcome, points, requests, chunks, items, warnings "
    "from progressive_capture_jobs where job_type <> 'verify'"
)
CHUNKS = "select chunk_number, pr_count, pr_numbers, status from backfill_chunks order by chunk_number"


def cli(house: House, *arguments: str, **changes: str) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": os.environ["HOME"],
        "DATABASE_URL": house.url,
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": house.github.url,
        "GH_BACKFILL_RUN_KEY": "run-1",
        **changes,
    }
    done = forks.run([*arguments], env=environment)
    assert done.returncode == 0, done.stderr + done.stdout


def as_the_workflow_does(house: House) -> None:
    cli(house, "plan", GH_BACKFILL_REPOSITORY_IDS=f'["{SMALL}"]')
    cli(house, "capture", GH_BACKFILL_REPOSITORY_ID=SMALL)
    cli(house, "report")


WAYS: dict[str, Callable[[House], object]] = {
    "the command line": lambda house: cli(house, "capture", SMALL),
    "the workflow's commands": as_the_workflow_does,
    "one machine": lambda house: cli(house, "run", SMALL),
    "a worker": lambda house: house.capture(SMALL),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_leaves_the_same_rows_chunks_and_figures(
    house: House, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    house.track(SMALL)
    WAYS["a worker"](house)
    first = left_behind(house)
    first[0][0]["requests"] += way != "a worker"  # a command asks for GitHub's prices once a week, and pays no point
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors, progressive_capture_jobs cascade")
    house.track(SMALL)
    WAYS[way](house)
    assert left_behind(house) == first
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, expected_world(house.github.world, SMALL))
    assert not differences, differences


def left_behind(house: House) -> tuple[list[Row], list[Row]]:
    return house.rows(LEDGER), house.rows(CHUNKS)


@pytest.mark.parametrize("table", [*ITEMS, "backfill_chunks", "backfill_quarantine", "repositories"])
def test_each_table_is_filled_by_one_statement_of_the_whole_product(table: str) -> None:
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".sql", ".py") and path.name != ROLLED_BACK]
    found = [
        path.name for path in files for _ in re.findall(rf"insert into {table}\b", path.read_text(encoding="utf-8"))
    ]
    assert len(found) == 1, found
