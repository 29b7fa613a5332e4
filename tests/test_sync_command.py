"""The command `sync` as a person or a workflow calls it: what it prints, writes and returns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment, refused

__all__ = ["environment"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:5", "octo/other:4"])) as simulator:
        yield simulator


@pytest.fixture
def complete(environment: dict[str, str]) -> dict[str, str]:
    assert cli(environment, "track", "octo/small", "octo/other").returncode == 0
    for name in ("octo/small", "octo/other"):
        assert cli(environment, "capture", name).returncode == 0
    return environment


def test_what_is_due_is_synced_and_told_in_lines_json_and_the_summary(
    complete: dict[str, str], github: Simulator, tmp_path: Path
) -> None:
    changes.open_pull_request(github.world, "octo/small", author="octo", title="New")
    files = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    done = cli(complete, "sync", "--all-due", **files)
    assert done.returncode == 0, done.stderr
    assert "octo/small: 1 pull request read, 1 of 1 rows changed: everything that changed is here" in done.stdout
    assert "1 repository has not changed since" in done.stdout
    assert "octo/other" not in done.stdout
    assert "| octo/small | 1 pull request read" in (tmp_path / "summary").read_text()
    again = cli(complete, "sync", "--all-due", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, []), "nothing is due any more"
    row = json.loads(cli(complete, "sync", "octo/small", "--json").stdout)[0]
    assert (row["name"], row["rows_changed"], row["points"], row["outcome"]) == ("octo/small", 0, 1, "completed")


def test_a_dry_run_says_since_when_it_would_read_and_writes_nothing(complete: dict[str, str]) -> None:
    first = cli(complete, "sync", "octo/small", "--dry-run")
    assert "octo/small: would read what changed since its backfill" in first.stdout
    assert "dry run: nothing was written" in first.stdout
    seven = cli(complete, "sync", "octo/small", "--days", "7", "--dry-run", "--json")
    assert "would read what changed since 20" in json.loads(seven.stdout)[0]
    with Database(complete["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select 1 from repository_syncs") == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "which repositories?"),
        (("octo/small", "--all-due"), "name repositories, or give --all-due, not both"),
        (("octo/small", "--days", "0"), "--days must be a whole number from 1 to 90"),
        (("octo/small", "--days", "91"), "--days must be a whole number from 1 to 90"),
        (("octo/small", "--reason", "why not"), "--reason must be of manual, scheduled, automatic, auto-fix, webhook"),
        (("octo/nobody",), "octo/nobody is not tracked here"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused_in_one_line(
    environment: dict[str, str], given: tuple[str, ...], said: str
) -> None:
    assert said in refused(cli(environment, "sync", *given), 2)


def test_one_that_fails_does_not_stop_the_others(complete: dict[str, str], github: Simulator) -> None:
    changes.make_private(github.world, "octo/other")
    changes.open_pull_request(github.world, "octo/small", author="octo", title="New")
    done = cli(complete, "sync", "octo/other", "octo/small")
    assert "1 repository could not be synced: octo/other" in refused(done, 3)
    assert "octo/small: 1 pull request read" in done.stdout
