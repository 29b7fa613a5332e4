"""A plan after an update: it brings the database up to date where its role may, else one line says what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment, refused

__all__ = ["environment"]

WRITER_ROLE = (Path(__file__).parents[1] / "docs" / "writer_role.sql").read_text(encoding="utf-8")

LOCK = "select pg_advisory_xact_lock(hashtextextended('gh_backfill migrations', 0))"


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


def forget_the_last(url: str) -> str:
    """Let the database be of the version before: the ledger lacks the last migration, which is repeatable."""
    with Database(url) as db, db.transaction() as tx:
        last = migrations.known()[-1].version
        assert tx.run("delete from gh_backfill_migrations where version = %(last)s", last=last) == 1
    return last


def left(url: str) -> list[str]:
    with Database(url) as db, db.reading() as tx:
        return [each.version for each in migrations.pending(tx)]


def test_a_plan_brings_the_database_of_an_older_version_up_to_date_and_says_so(environment: dict[str, str]) -> None:
    last = forget_the_last(environment["DATABASE_URL"])
    assert "gh-backfill migrate first" in refused(cli(environment, "status"), 2), "no other command does"
    done = cli(environment, "plan", "--json")
    assert done.returncode == 0, done.stderr
    assert f"notice: the database was brought up to date: 1 migration, to {last}" in done.stderr
    assert json.loads(done.stdout)["chosen"] == [], "standard output is the plan's"
    assert left(environment["DATABASE_URL"]) == []
    assert "brought up to date" not in cli(environment, "plan").stderr


def test_in_actions_it_is_a_notice_and_a_dry_run_changes_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    last = forget_the_last(environment["DATABASE_URL"])
    assert "gh-backfill migrate first" in refused(cli(environment, "plan", "--dry-run"), 2)
    assert left(environment["DATABASE_URL"]) == [last]
    files = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = cli(environment, "plan", **files)
    assert done.returncode == 0, done.stderr
    assert "::notice::the database was brought up to date: 1 migration" in done.stdout + done.stderr


def test_a_named_repository_comes_into_an_empty_database_with_the_first_plan(
    environment: dict[str, str], empty_database_url: str
) -> None:
    here = environment | {"DATABASE_URL": empty_database_url}
    done = cli(here, "plan", "--track", "--repository-ids", '["octo/small"]')
    assert done.returncode == 0, done.stderr
    assert "octo/small" in done.stdout
    assert left(empty_database_url) == []


@pytest.mark.parametrize(
    ("setting", "beside", "told"),
    [
        ("default_transaction_read_only = on", "select 1", "the database takes no writes"),
        # Another one that migrates is waited for, longer than the limit.
        ("statement_timeout = '100ms'", LOCK, "set statement_timeout = '5min'"),
    ],
)
def test_what_no_role_could_bring_is_told_by_its_own_cause_alone(
    environment: dict[str, str], empty_database_url: str, setting: str, beside: str, told: str
) -> None:
    with Database(empty_database_url) as db, db.transaction() as tx:
        (name,) = tx.rows("select current_database() as name")
        tx.run(beside)
        with Database(empty_database_url) as another, another.transaction() as own:
            own.run(f'alter database "{name["name"]}" set {setting}')
        said = refused(cli(environment, "plan", DATABASE_URL=empty_database_url), 2)
    assert told in said
    assert "as the role that owns the tables" not in said


def test_a_role_that_may_not_is_told_in_one_line_who_does_it(environment: dict[str, str]) -> None:
    url = environment["DATABASE_URL"]
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(WRITER_ROLE)
    connection.close()
    last = forget_the_last(url)
    parts = urlsplit(url)
    theirs = parts._replace(netloc=f"gh_backfill_writer@{parts.netloc.rpartition('@')[2]}").geturl()
    said = refused(cli(environment, "plan", DATABASE_URL=theirs), 2)
    assert "migrate as the role that owns the tables" in said
    assert left(url) == [last]
