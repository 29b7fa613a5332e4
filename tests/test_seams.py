"""Where one part of the program meets another: what a person decided, what a job reports, what advice is good for."""

from __future__ import annotations

import psycopg2
import pytest

from gh_backfill.errors import StoreReadOnly
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.server import Simulator
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment, github

__all__ = ["environment", "github"]


@pytest.mark.parametrize(("verb", "options", "goal"), [("cancel", (), "20"), ("untrack", ("--yes",), "all")])
def test_a_capture_of_what_a_person_gave_up_says_so_and_not_that_it_is_complete_or_goes_on_by_itself(
    environment: dict[str, str], verb: str, options: tuple[str, ...], goal: str
) -> None:
    cli(environment, "track", "octo/engine", "--backfill", "--max-prs", goal)
    cli(environment, "capture", "octo/engine", "--chunk-size", "10", "--max-chunks", "1")
    assert cli(environment, verb, "octo/engine", *options).returncode == 0
    done = cli(environment, "capture", "octo/engine", GITHUB_ACTIONS="true")
    said = done.stdout + done.stderr
    assert done.returncode == 0
    assert {"cancel": "cancelled", "untrack": "untracked"}[verb] in said
    assert "gh-backfill resume takes it up again" in said
    assert "everything" not in said
    assert "by itself" not in said
    reported = cli(environment, "report", GITHUB_ACTIONS="true")
    assert "by itself" not in reported.stdout + reported.stderr


def test_why_says_that_a_goal_is_reached_and_what_sets_a_larger_one(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/engine", "--backfill", "--max-prs", "20", "--only-newest")
    cli(environment, "capture", "octo/engine")
    said = cli(environment, "why", "octo/engine").stdout
    assert "its goal is reached" in said
    assert "--max-prs" in said
    assert "None" not in said


def test_a_job_whose_token_is_not_known_yet_reports_a_refusal_in_the_ledger(
    environment: dict[str, str], github: Simulator
) -> None:
    cli(environment, "track", "octo/engine", "--backfill")
    with Database(environment["DATABASE_URL"]) as db:
        with db.transaction() as tx:
            tx.run("delete from api_budgets")
        github.faults.add(Fault(name="secondary_a", match={"path": "/user$"}))
        try:
            done = cli(environment, "capture", "octo/engine", "--time-limit", "1")
        finally:
            github.faults.clear()
        assert "paused" in done.stdout, done.stderr
        with db.transaction(read_only=True) as tx:
            (job,) = tx.rows("select status, error from progressive_capture_jobs")
    assert (done.returncode, job["status"]) == (0, "completed")
    assert "GitHub" in job["error"]


def test_the_advice_for_a_database_that_was_made_read_only_can_be_followed(database_url: str) -> None:
    with Database(database_url) as db, db.transaction() as tx:
        name = str(tx.rows("select current_database() as name")[0]["name"])
        tx.run(f'alter database "{name}" set default_transaction_read_only = on')
    with Database(database_url) as db, pytest.raises(StoreReadOnly) as caught, db.transaction() as tx:
        tx.run("create table mine ()")
    advice = str(caught.value).partition("make room and then run: ")[2]
    person = psycopg2.connect(database_url)
    person.autocommit = True
    for statement in advice.split(";"):
        person.cursor().execute(statement)
    person.close()
    with Database(database_url) as db, db.transaction() as tx:
        tx.run("create table mine ()")
