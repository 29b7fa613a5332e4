"""Workspaces at the command line: made, filled, fetched in parallel, read again for nothing, and one retried alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill.simulator import stars
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.test_cli import ROOT, cli, refused, settings_of

NAMES = [f"octo/r{number:02}" for number in range(20)]
DAY = timedelta(days=1)
BY_HAND = ROOT / ".venv/bin/gh-backfill"


@pytest.fixture
def github() -> Iterator[Simulator]:
    """Give a GitHub with twenty repositories: the first has 150 stars in 75 days, each other one three."""
    now = datetime.now(UTC)
    with running(load(recipes=[f"{name}:1" for name in NAMES]), Options(may_list_stars=lambda: True)) as simulator:
        for name in NAMES:
            many = 150 if name == NAMES[0] else 3
            for number in range(many):
                at = now - (number + 1) * DAY / 2
                stars.star(simulator.world, name, by=f"fan{number}", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
            home = simulator.world.repository(*name.split("/"))
            assert home is not None
            simulator.world.repositories[home.id] = replace(home, created_at="2020-02-02T02:02:02Z")
        yield simulator


@pytest.fixture
def environment(database_url: str, github: Simulator, tmp_path: Path) -> dict[str, str]:
    return settings_of(database_url, github, tmp_path)


def rows(url: str) -> list[tuple[str, str]]:
    with Database(url) as db, db.reading() as tx:
        found = tx.rows("select repository_name as name, event_id as id from github_events_cache order by 1, 2")
    return [(row["name"], row["id"]) for row in found]


def test_twenty_repositories_are_fetched_in_parallel_once_and_again_for_nothing(
    environment: dict[str, str], github: Simulator, database_url: str
) -> None:
    made = cli(environment, "workspace", "create", "octos", "--name", "All of octo")
    assert made.stdout.splitlines() == [
        "octos (All of octo) is there",
        f"next: {BY_HAND} workspace add octos owner/name",
    ]
    assert "octos has no repositories yet" in refused(cli(environment, "events", "--workspace", "octos"), 2)
    added = cli(environment, "workspace", "add", "octos", "octo/*", "--yes")
    assert added.returncode == 0, added.stderr
    assert added.stdout.splitlines()[-2:] == [
        "octos: 20 repositories",
        f"next: {BY_HAND} events --workspace octos",
    ]
    assert json.loads(cli(environment, "plan", "--json").stdout)["chosen"] == []  # nothing is captured by that
    before = github.stats.points
    done = cli(environment, "events", "--workspace", "octos", "--parallel", "5", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {each["status"] for each in told} == {"completed"}
    there = rows(database_url)
    assert len(there) == 150 + 19 * 3
    with Database(database_url) as db, db.reading() as tx:  # its figures were computed at the end
        assert tx.rows("select repositories, stars from workspace_metrics where period = 'all'") == [
            {"repositories": 20, "stars": 150 + 19 * 3}
        ]
    first = github.stats.points - before
    assert first == sum(each["points"] for each in told) <= 3 * 20
    again = json.loads(cli(environment, "events", "--workspace", "octos", "--json").stdout)
    assert {found["new"] for each in again for found in each["series"]} == {0}
    assert rows(database_url) == there
    # Its newest known is where a second reading stops: one page of each list.
    assert sum(each["points"] for each in again) <= first


def test_one_that_fails_stops_no_other_and_is_fetched_alone(
    environment: dict[str, str], github: Simulator, database_url: str
) -> None:
    cli(environment, "workspace", "create", "octos")
    assert cli(environment, "workspace", "add", "octos", *NAMES[:3]).returncode == 0
    home = github.world.repository("octo", "r01")
    assert home is not None
    github.world.repositories.pop(home.id)
    done = cli(environment, "events", "--workspace", "octos", "--json")
    assert "1 repository could not be fetched: octo/r01" in refused(done, 3)
    assert {each["repository"]: each["status"] for each in json.loads(done.stdout)} == {
        "octo/r00": "completed",
        "octo/r01": "failed",
        "octo/r02": "completed",
    }
    github.world.repositories[home.id] = home
    alone = cli(environment, "events", "octo/r01", "--json")
    assert alone.returncode == 0, alone.stderr
    assert [name for name, _ in rows(database_url)].count("r01") == 3


def test_every_command_says_what_it_did_and_what_is_wrong(environment: dict[str, str], github: Simulator) -> None:
    assert "no workspaces yet: " in cli(environment, "workspace", "list").stdout
    cli(environment, "workspace", "create", "octos")
    assert "a slug has 3 to 50" in refused(cli(environment, "workspace", "create", "Oh no"), 2)
    assert "choose another" in refused(cli(environment, "workspace", "create", "octos"), 2)
    told = refused(cli(environment, "workspace", "create", "others", "octo/r00"), 2)
    assert "workspace create others, then: " in told
    assert "workspace add others octo/r00" in told
    assert "workspace add others 'two words'" in refused(
        cli(environment, "workspace", "create", "others", "two words"), 2
    )
    assert "which repositories?" in refused(cli(environment, "workspace", "add", "octos"), 2)
    assert "there is no workspace none" in refused(cli(environment, "workspace", "add", "none", "octo/r00"), 2)
    partly = cli(environment, "workspace", "add", "octos", "octo/r00", "octo/nobody", "octo/r01")
    assert "1 name can't be added to octos: octo/nobody" in refused(partly, 3)
    assert "✕ octo/nobody: " in partly.stdout
    assert "none of the names is a repository" in refused(cli(environment, "workspace", "add", "octos", "octo/no"), 2)
    known = github.stats.points
    assert "was in it" in cli(environment, "workspace", "add", "octos", "octo/r01").stdout
    assert github.stats.points == known  # what is here is not asked about
    assert "octos: 1 removed, 1 repository left" in cli(environment, "workspace", "remove", "octos", "octo/r00").stdout
    assert "not in octos: octo/r00" in refused(cli(environment, "workspace", "remove", "octos", "octo/r00"), 2)
    assert "daily, weekly, monthly or never" in refused(cli(environment, "workspace", "schedule", "octos", "hourly"), 2)
    said = cli(environment, "workspace", "schedule", "octos", "weekly", "--days", "30").stdout
    assert said.startswith("octos: events of 30 days weekly, next 20")
    shown = json.loads(cli(environment, "workspace", "show", "octos", "--json").stdout)
    assert (shown["slug"], shown["schedule"], shown["days"]) == ("octos", "weekly", 30)
    assert [each["full_name"] for each in shown["members"]] == ["octo/r01"]
    assert "octo/r01" in cli(environment, "workspace", "show", "octos").stdout
    assert "weekly, 30 days" in cli(environment, "workspace", "list").stdout
    assert "leave out names and --workspace" in refused(cli(environment, "events", "octo/r01", "--due"), 2)
    due = cli(environment, "events", "--due", "--json")
    assert due.returncode == 0, due.stderr
    assert [each["repository"] for each in json.loads(due.stdout)] == ["octo/r01"]
    after = json.loads(cli(environment, "workspace", "show", "octos", "--json").stdout)
    assert after["last_run_at"] is not None
    assert after["next_due_at"] > shown["next_due_at"]
    velocity = json.loads(cli(environment, "velocity", "--workspace", "octos", "--json").stdout)
    assert [each["full_name"] for each in velocity] == ["octo/r01"]
    assert "which repositories?" in refused(cli(environment, "coverage"), 2)
    assert "octos is deleted" in cli(environment, "workspace", "delete", "octos", "--yes").stdout
    assert "there is no workspace octos" in refused(cli(environment, "workspace", "show", "octos"), 2)


def test_a_turn_that_github_did_not_let_us_have_is_left_to_the_next_run(
    environment: dict[str, str], github: Simulator
) -> None:
    cli(environment, "workspace", "create", "octos")
    assert cli(environment, "workspace", "add", "octos", *NAMES[:3]).returncode == 0
    cli(environment, "workspace", "schedule", "octos", "monthly")
    away = cli(environment, "events", "--due", GITHUB_API_URL="http://127.0.0.1:9", GITHUB_GRAPHQL_URL="")
    assert away.returncode == 4, away.stderr
    shown = json.loads(cli(environment, "workspace", "show", "octos", "--json").stdout)
    assert shown["last_run_at"] is None
    assert datetime.fromisoformat(shown["next_due_at"]) <= datetime.now(UTC)
    assert cli(environment, "events", "--due").returncode == 0
    shown = json.loads(cli(environment, "workspace", "show", "octos", "--json").stdout)
    assert shown["last_run_at"] is not None
    assert datetime.fromisoformat(shown["next_due_at"]) > datetime.now(UTC) + timedelta(days=27)


def test_in_actions_no_command_tells_what_a_private_workspace_is_called(environment: dict[str, str]) -> None:
    public = {**environment, "GITHUB_ACTIONS": "true"}
    told = ""
    for words in (
        ("create", "secret-plans", "--private", "--name", "Secret plans", "--description", "a secret"),
        ("add", "secret-plans", "octo/r00"),
        ("list",),
        ("show", "secret-plans"),
        ("show", "secret-plans", "--json"),
        ("schedule", "secret-plans", "weekly"),
        ("remove", "secret-plans", "octo/r00"),
        ("delete", "secret-plans", "--yes"),
    ):
        done = cli(public, "workspace", *words)
        assert done.returncode == 0, done.stderr
        told += done.stdout + done.stderr
        if words == ("list",):
            (listed,) = json.loads(cli(public, "workspace", "list", "--json").stdout)
            own = cli(public, "workspace", "show", listed["slug"], "--json")
            assert json.loads(own.stdout)["slug"] == listed["slug"] != "secret-plans", "by its id, as it was told"
        if words[0] == "add":
            foreseen = cli(public, "aggressive", "octo/r00", "--dry-run")
            assert foreseen.returncode == 0, foreseen.stderr
            assert "Workspace aggregation: of " in foreseen.stdout
            told += foreseen.stdout
    assert "secret" not in told.lower()
