"""The command `verify` as a person or a workflow calls it: what it prints, writes and returns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment

__all__ = ["environment"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:5"])) as simulator:
        yield simulator


@pytest.fixture
def complete(environment: dict[str, str]) -> dict[str, str]:
    assert cli(environment, "track", "octo/small").returncode == 0
    assert cli(environment, "capture", "octo/small").returncode == 0
    return environment


def test_what_is_due_is_certified_mended_and_told_in_lines_json_and_the_summary(
    complete: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    done = cli(complete, "verify", **files)
    assert done.returncode == 0, done.stderr
    assert "octo/small: 1...5: 5 pull requests, nothing missing; proven " in done.stdout
    assert "5 pull requests, nothing missing" in (tmp_path / "summary").read_text()
    assert "no repository's turn has come" in cli(complete, "verify").stdout
    with Database(database_url) as db, db.transaction() as tx:
        tx.run("delete from pull_requests where number = 3")
    dry = cli(complete, "verify", "octo/small", "--repair", "--dry-run")
    assert "pull request #3: there is no row of it: open" in dry.stdout
    assert "dry run: nothing was written" in dry.stdout
    mended = cli(complete, "verify", "octo/small", "--repair", "--json")
    (told,) = json.loads(mended.stdout)
    assert (told["certificate"]["whole"], told["certificate"]["mended"]) == (True, 1)
    assert mended.returncode == 0


def test_what_is_not_here_and_what_github_does_not_show_is_one_line(
    complete: dict[str, str], github: Simulator
) -> None:
    unknown = cli(complete, "verify", "octo/nobody")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    github.world.remove_repository(next(iter(github.world.repositories)))
    gone = cli(complete, "verify", "octo/small")
    assert gone.returncode == 3
    assert "GitHub does not show octo/small" in gone.stderr
    assert "Traceback" not in gone.stderr
