"""The kinds of items by the command line: what `--kinds` and `GH_BACKFILL_KINDS` do, and what is told of each kind."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.server import Simulator
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment, github, refused

__all__ = ["environment", "github"]
ENGINE, SMALL = "octo/engine", "octo/small"
WHOLE = {"status": "completed", "held": False, "unlisted": 0, "gaps": 0}
UNKNOWN = "{given}: releases: name some of pull_requests, issues, discussions"


def counted(environment: dict[str, str], table: str) -> int:
    with Database(environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
        row = tx.row(f"select count(*)::integer as n from {table}")  # noqa: S608  (a name in a test)
    assert row is not None
    return int(row["n"])


def kinds_of(environment: dict[str, str]) -> list[list[str] | None]:
    with Database(environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
        return [row["kinds"] for row in tx.rows("select kinds from tracked_repositories order by repository_name")]


def issues_there(github: Simulator, name: str) -> int:
    (home,) = [each for each in github.world.repositories.values() if each.full_name == name]
    return len(github.world.shelves[home.id].issues)


@pytest.mark.parametrize("command", ["track", "capture"])
def test_an_unknown_kind_is_one_line_and_nothing_is_written(environment: dict[str, str], command: str) -> None:
    line = refused(cli(environment, command, SMALL, "--kinds", "issues,releases"), 2)
    assert UNKNOWN.format(given="--kinds") in line
    assert counted(environment, "repositories") == 0


@pytest.mark.parametrize("command", [("plan",), ("capture", SMALL)])
def test_a_malformed_setting_of_kinds_is_one_line_that_names_it(
    environment: dict[str, str], command: tuple[str, ...]
) -> None:
    assert cli(environment, "track", SMALL).returncode == 0
    line = refused(cli(environment, *command, GH_BACKFILL_KINDS="releases"), 2)
    assert UNKNOWN.format(given="GH_BACKFILL_KINDS") in line
    assert counted(environment, "pull_requests") == 0


def test_empty_kinds_are_not_given_and_what_was_said_of_a_repository_stays(environment: dict[str, str]) -> None:
    assert cli(environment, "track", SMALL, "--kinds", " ").returncode == 0
    assert kinds_of(environment) == [None]
    assert cli(environment, "track", SMALL, "--kinds", "Issues, pull-requests").returncode == 0
    assert cli(environment, "track", SMALL, "--kinds", "").returncode == 0
    assert kinds_of(environment) == [["pull_requests", "issues"]]


def test_empty_kinds_of_a_capture_are_the_default(environment: dict[str, str]) -> None:
    assert cli(environment, "track", ENGINE).returncode == 0
    done = cli(environment, "capture", ENGINE, "--kinds", "", GH_BACKFILL_KINDS="")
    assert done.returncode == 0, done.stderr
    assert (counted(environment, "pull_requests"), counted(environment, "issues")) == (110, 0)


def test_a_capture_takes_the_kinds_of_the_option_else_of_the_repository_else_of_the_setting(
    environment: dict[str, str], github: Simulator
) -> None:
    there = issues_there(github, ENGINE)
    assert there > 0
    assert cli(environment, "track", ENGINE, "--no-backfill").returncode == 0
    assert cli(environment, "capture", ENGINE, GH_BACKFILL_KINDS="issues").returncode == 0
    assert (counted(environment, "pull_requests"), counted(environment, "issues")) == (0, there)
    assert cli(environment, "track", ENGINE, "--no-backfill", "--kinds", "issues").returncode == 0
    assert cli(environment, "capture", ENGINE, GH_BACKFILL_KINDS="pull_requests").returncode == 0
    assert counted(environment, "pull_requests") == 0
    assert cli(environment, "capture", ENGINE, "--kinds", "pull_requests").returncode == 0
    assert counted(environment, "pull_requests") == 110


def test_status_tells_of_the_other_kinds_of_a_repository(environment: dict[str, str], github: Simulator) -> None:
    there = issues_there(github, ENGINE)
    assert cli(environment, "track", ENGINE, "--kinds", "pull_requests,issues").returncode == 0
    assert cli(environment, "capture", ENGINE).returncode == 0
    assert f"issues: {there} of {there}, completed" in cli(environment, "status").stdout
    (row,) = json.loads(cli(environment, "status", "--json").stdout)
    assert (row["captured"], row["status"]) == (110, "completed")
    assert row["others"] == [{"kind": "issues", "captured": there, "total": there, **WHOLE}]


def test_issues_that_github_denies_do_not_keep_the_pull_requests_from_capture_and_both_are_told(
    environment: dict[str, str], github: Simulator
) -> None:
    assert cli(environment, "track", ENGINE, "--kinds", "pull_requests,issues").returncode == 0
    github.faults.add(Fault(name="forbidden", match={"operation": "IssuePage"}))
    try:
        done = cli(environment, "capture", ENGINE)
    finally:
        github.faults.clear()
    line = refused(done, 3)
    assert line.startswith(f"error: {ENGINE}: issues: GitHub refuses the credential: Resource not accessible")
    assert line.endswith("; pull requests: everything that was asked for is captured")
    assert f"{ENGINE}: failed; 110 items in " in done.stdout
    assert (done.stdout + done.stderr).count("Resource not accessible") == 1
    assert (counted(environment, "pull_requests"), counted(environment, "issues")) == (110, 0)
    shown = cli(environment, "status").stdout
    assert "issues: 0 of ?, paused" in shown
    (row,) = json.loads(cli(environment, "status", "--json").stdout)
    assert row["others"] == [{**WHOLE, "kind": "issues", "status": "paused", "captured": 0, "total": None}]
    assert "completed" in shown


def test_kinds_that_github_all_denies_are_the_credentials_fault(environment: dict[str, str], github: Simulator) -> None:
    assert cli(environment, "track", ENGINE, "--kinds", "pull_requests,issues").returncode == 0
    github.faults.add(Fault(name="forbidden", match={"operation": "Page$"}))
    try:
        done = cli(environment, "capture", ENGINE)
    finally:
        github.faults.clear()
    line = refused(done, 2)
    assert "issues: GitHub refuses the credential" in line
    assert "pull requests: GitHub refuses the credential" in line


def test_a_repository_with_issues_disabled_is_complete_without_any(
    environment: dict[str, str], github: Simulator
) -> None:
    (home,) = [each for each in github.world.repositories.values() if each.full_name == SMALL]
    github.world.repositories[home.id] = replace(home, has_issues=False)
    try:
        assert cli(environment, "track", SMALL).returncode == 0
        done = cli(environment, "capture", SMALL, "--kinds", "issues")
    finally:
        github.world.repositories[home.id] = home
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout
    assert counted(environment, "issues") == 0
    (row,) = json.loads(cli(environment, "status", "--json").stdout)
    assert row["others"] == [{"kind": "issues", "captured": 0, "total": 0, **WHOLE}]


def test_a_list_of_kinds_that_names_none_is_one_line(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "track", SMALL, "--kinds", ","), 2)
    assert "--kinds: no kind is named: name some of pull_requests, issues, discussions" in line


def test_a_wrong_kind_in_the_settings_is_told_by_whoever_looks_at_them(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "track", SMALL, "--dry-run", GH_BACKFILL_KINDS="releases"), 2)
    assert UNKNOWN.format(given="GH_BACKFILL_KINDS") in line
    done = cli(environment, "check", GH_BACKFILL_KINDS="releases")
    assert done.returncode == 2
    assert UNKNOWN.format(given="GH_BACKFILL_KINDS") in " ".join(done.stdout.split())


def test_a_priority_is_one_of_three_words(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "track", SMALL, "--priority", "urgent"), 2)
    assert "--priority must be high, medium, low, not urgent" in line
    assert cli(environment, "track", SMALL, "--priority", "High", "--no-backfill").returncode == 0
    assert counted(environment, "tracked_repositories where priority = 'high'") == 1
