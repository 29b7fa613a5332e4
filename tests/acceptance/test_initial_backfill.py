"""Somebody with only a browser can begin: with an empty database, and names that nobody tracks, one unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from tests.acceptance.act import ActRun, copy_checkout, run_workflow

RECIPES = ["octo/engine:420", "octo/web:230", "octo/docs:30"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=RECIPES)) as simulator:
        yield simulator


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


def run(checkout: Path, github: Simulator, database_url: str, workflow: str, **inputs: str) -> ActRun:
    return run_workflow(
        checkout,
        workflow,
        inputs=inputs,
        env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
        secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "a-personal-token"},
    )


def rows(database_url: str, statement: str) -> list[Row]:
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        return tx.rows(statement)


STATES = """select full_name, initial_backfill_status as status,
                   (select count(*) from pull_requests p where p.repository_id = r.id) as here
            from repositories r order by full_name"""


def test_names_that_nobody_tracks_get_their_newest_200_and_the_unknown_one_is_named(
    checkout: Path, github: Simulator, empty_database_url: str
) -> None:
    asked = json.dumps(["octo/engine", "octo/web", "octo/docs", "octo/nothing"])
    done = run(checkout, github, empty_database_url, "initial-backfill.yml", repository_ids=asked)
    assert done.jobs == {
        "setup": "success",
        "backfill octo/engine": "success",
        "backfill octo/web": "success",
        "backfill octo/docs": "success",
        "report": "failure",
    }
    assert "<given name 4>: GitHub has no such repository" in done.log
    assert "octo/nothing" not in done.summaries["report"]
    assert rows(empty_database_url, STATES) == [
        {"full_name": "octo/docs", "status": "completed", "here": 30},
        {"full_name": "octo/engine", "status": "completed", "here": 200},
        {"full_name": "octo/web", "status": "completed", "here": 230},
    ]
    assert '"jobs"' in done.logs["report"].partition("kept as report:")[2]


def test_the_setup_makes_the_database_ready_proves_everything_and_tracks_the_list(
    checkout: Path, github: Simulator, empty_database_url: str
) -> None:
    pasted = "octo/engine, https://github.com/octo/web.git octo/nothing"
    done = run(checkout, github, empty_database_url, "setup.yml", repositories=pasted)
    assert done.jobs == {"setup": "failure"}  # for one of the names leads to nothing
    summary = done.summaries["setup"].replace("\\", "")
    assert "## Database" in summary
    assert "| ok | database |" in summary
    assert "| octo/engine | added |" in summary
    assert "GitHub has no such repository, or the token may not see it" in summary
    assert [row["status"] for row in rows(empty_database_url, STATES)] == ["pending", "pending"]


def test_the_setup_takes_all_repositories_of_an_account(
    checkout: Path, github: Simulator, empty_database_url: str
) -> None:
    done = run(checkout, github, empty_database_url, "setup.yml", repositories="octo/docs, octo/*")
    assert done.jobs == {"setup": "success"}
    # What is named itself gets its newest at once; of an account's, plans take those that need it.
    assert [(row["full_name"], row["status"]) for row in rows(empty_database_url, STATES)] == [
        ("octo/docs", "pending"),
        ("octo/engine", None),
        ("octo/web", None),
    ]
    assert "octo: 3 repositories with 680 pull requests" in done.log


def test_the_progressive_workflow_tracks_what_it_is_asked_for_first(
    checkout: Path, github: Simulator, empty_database_url: str
) -> None:
    assert run(checkout, github, empty_database_url, "setup.yml").jobs == {"setup": "success"}
    done = run(checkout, github, empty_database_url, "progressive-backfill.yml", repository_ids='["octo/engine"]')
    assert done.jobs == {"plan": "success", "capture octo/engine": "success", "report": "success"}
    assert rows(empty_database_url, STATES) == [{"full_name": "octo/engine", "status": None, "here": 420}]
