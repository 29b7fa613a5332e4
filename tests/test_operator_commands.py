"""The operator's commands as a person or a workflow calls them: what they print, write and return."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gh_backfill.simulator.server import Simulator
from gh_backfill.store.db import Database
from tests.conftest import Server
from tests.test_cli import cli, environment, github, refused, settings_of

__all__ = ["environment", "github"]


@pytest.fixture(scope="module")
def begun(server: Server, github: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a database to be cloned, in which one repository is tracked and of another one a chunk is captured."""
    name = server.make(server.migrated())
    settings = settings_of(server.url_of(name), github, tmp_path_factory.mktemp("begun"))
    assert cli(settings, "track", "octo/engine", "octo/small").returncode == 0
    assert cli(settings, "capture", "octo/engine", "--chunk-size", "20", "--max-chunks", "1").returncode == 0
    yield name
    server.drop(name)


@pytest.fixture
def database_url(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give a clone of it to whoever asks for `db`, an empty one to the others."""
    name = server.make(request.getfixturevalue("begun") if "db" in request.fixturenames else server.migrated())
    yield server.url_of(name)
    server.drop(name)


@pytest.fixture
def db(environment: dict[str, str]) -> Iterator[Database]:
    """Give the database of a tracked repository whose first chunk lost its worker an hour ago."""
    with Database(environment["DATABASE_URL"]) as database:
        with database.transaction() as tx:
            tx.run("""
                insert into backfill_chunks (repository_id, backfill_state_id, stream_id, chunk_number, status, attempt,
                                             started_at, lease_until, page_size, after_cursor)
                select repository_id, backfill_state_id, id, 9, 'processing', 1, now() - interval '1 hour',
                       now() - interval '55 minutes', 20, cursor
                from backfill_streams where items_done > 0""")
        yield database


def chunk(db: Database) -> tuple[str, int]:
    with db.transaction(read_only=True) as tx:
        row = tx.row("select status, attempt from backfill_chunks where chunk_number = 9")
    assert row is not None
    return row["status"], row["attempt"]


def states(db: Database) -> dict[str, tuple[str, str | None]]:
    with db.transaction(read_only=True) as tx:
        rows = tx.rows("select r.full_name, b.status, b.pause_reason from progressive_backfill_state b "
                       "join repositories r on r.id = b.repository_id")  # fmt: skip
    return {row["full_name"]: (row["status"], row["pause_reason"]) for row in rows}


def test_recover_says_what_it_did_in_lines_json_outputs_and_summary(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    dry = cli(environment, "recover", "--dry-run")
    assert "would recover octo/engine: chunk 9" in dry.stdout
    assert chunk(db) == ("processing", 1)
    done = cli(environment, "recover", "octo/engine", "--json", **files)
    assert json.loads(done.stdout)["returned"] == 1
    assert "octo/engine: chunk 9 goes back to be claimed again: its worker stopped renewing its lease" in done.stderr
    assert "returned<<" in (tmp_path / "output").read_text()
    assert "1 chunk given back" in (tmp_path / "summary").read_text()
    assert chunk(db) == ("pending", 1)
    assert cli(environment, "recover").stdout == "nothing is stuck\n"


def test_options_of_recover_reach_it_by_the_environment_and_empty_ones_are_not_given(
    environment: dict[str, str], db: Database
) -> None:
    with db.transaction() as tx:
        tx.run("update backfill_chunks set lease_until = now() + interval '5 minutes' where chunk_number = 9")
    given = {"GH_BACKFILL_RECOVER_ALL": "", "GH_BACKFILL_OLDER_THAN": "", "GH_BACKFILL_DRY_RUN": ""}
    assert cli(environment, "recover", **given).stdout == "nothing is stuck\n"
    assert cli(environment, "recover", **given | {"GH_BACKFILL_RECOVER_ALL": "true"}).returncode == 0
    assert chunk(db) == ("pending", 1)


def test_a_capture_begins_with_the_recovery_of_its_repository(environment: dict[str, str], db: Database) -> None:
    with db.transaction() as tx:
        tx.run("update backfill_chunks set lease_until = null where chunk_number = 9")
    done = cli(environment, "capture", "octo/engine")
    assert done.returncode == 0, done.stderr
    assert "chunk 9 goes back" in done.stderr
    assert chunk(db) == ("completed", 2)


def test_a_plan_begins_with_the_recovery_of_what_it_may_plan(environment: dict[str, str], db: Database) -> None:
    done = cli(environment, "plan")
    assert done.returncode == 0, done.stderr
    assert chunk(db) == ("pending", 1)


def test_pause_resume_cancel_and_retry_by_their_names(environment: dict[str, str], db: Database) -> None:
    done = cli(environment, "pause", "octo/engine", "octo/small", "--reason", "release day")
    lines = zip(done.stdout.splitlines(), ("octo/engine", "octo/small"), strict=True)
    for line, name in lines:
        assert line.startswith(f"{name}: paused (release day), goes on with ")
        assert line.endswith(f"gh-backfill resume {name}")
    assert states(db) == dict.fromkeys(("octo/engine", "octo/small"), ("paused", "release day"))
    assert cli(environment, "resume", "octo/engine").returncode == 0
    (cancelled,) = json.loads(cli(environment, "cancel", "octo/engine", "--json").stdout)
    assert (cancelled["changed"], cancelled["status"]) == (True, "paused")
    assert states(db)["octo/engine"] == ("paused", "cancelled")
    assert "gh-backfill resume octo/small lets it go on" in refused(cli(environment, "retry", "octo/small"), 3)
    stopped = cli(environment, "capture", "octo/engine")
    assert stopped.returncode == 0
    assert "octo/engine: paused: cancelled" in stopped.stdout


@pytest.mark.parametrize("command", ["pause", "resume", "retry", "cancel"])
def test_unknown_names_are_exit_2_and_some_of_them_exit_3(
    environment: dict[str, str], db: Database, command: str
) -> None:
    assert "octo/nowhere" in refused(cli(environment, command, "octo/nowhere"), 2)
    assert "octo/nowhere" in refused(cli(environment, command, "octo/engine", "octo/nowhere"), 3)


@pytest.mark.parametrize(
    "arguments",
    [
        ("pause", "octo/engine", "--for", "soon"),
        ("pause", "octo/engine", "--for", "0"),
        ("recover", "--older-than", "-1"),
        ("recover", "octo/nowhere"),
    ],
)
def test_bad_input_changes_nothing(environment: dict[str, str], db: Database, arguments: tuple[str, ...]) -> None:
    refused(cli(environment, *arguments), 2)
    assert chunk(db) == ("processing", 1)
    assert states(db)["octo/engine"][0] == "active"


def test_whose_name_it_is_stands_beside_githubs_id(environment: dict[str, str], db: Database) -> None:
    with db.transaction(read_only=True) as tx:
        row = tx.row("select github_id from repositories where full_name = 'octo/small'")
    assert row is not None
    done = cli(environment, "track", str(row["github_id"]))
    assert done.stdout == f"{row['github_id']}: already tracked (octo/small), keeps its goal: everything\n"
    cli(environment, "untrack", "octo/small", "--delete-rows", "--yes")
    done = cli(environment, "track", str(row["github_id"]), "--dry-run")
    assert done.stdout.splitlines()[0] == f"{row['github_id']}: would be tracked (octo/small)"


def test_an_account_is_shown_and_asked_about_and_a_dry_run_writes_nothing(environment: dict[str, str]) -> None:
    asked = cli(environment, "track", "octo/*")
    assert "track these repositories? nobody can be asked here: say --yes" in refused(asked, 2)
    assert "octo: 2 repositories with 115 pull requests, about " in asked.stderr
    dry = cli(environment, "track", "octo/*", "--dry-run")
    assert dry.stdout.splitlines() == [
        "octo/engine: would be tracked",
        "octo/small: would be tracked",
        "dry run: nothing was written",
    ]
    assert json.loads(cli(environment, "status", "--json").stdout) == []
    done = cli(environment, "track", "@octo/*", "nobody/*", "--yes", "--min-prs", "100", "--json")
    assert "nobody/*" in refused(done, 3)
    told = {each["given"]: each["result"] for each in json.loads(done.stdout)}
    assert told == {"octo/engine": "added", "nobody/*": "GitHub has no such account"}
    assert "--min-prs" in refused(cli(environment, "track", "octo/small", "--min-prs", "3"), 2)


def test_of_what_is_only_registered_nothing_is_promised(environment: dict[str, str]) -> None:
    done = cli(environment, "track", "octo/*", "--yes", GH_BACKFILL_MINIMUM_PULL_REQUESTS="40")
    assert done.stdout.splitlines() == ["octo/engine: added", "octo/small: added"]
    assert "plans take those with more than 40 pull requests, --backfill brings the newest of all" in done.stderr
    again = cli(environment, "track", "octo/engine")
    (what, when) = again.stdout.splitlines()
    assert what == "octo/engine: already tracked, and its first backfill begins", "once it is named"
    assert when.startswith("their newest pull requests come with the next run")


def test_untrack_asks_first_and_names_what_is_unknown(environment: dict[str, str], db: Database) -> None:
    asked = cli(environment, "untrack", "octo/engine")
    assert "untrack these repositories? nobody can be asked here: say --yes" in refused(asked, 2)
    assert "octo/engine: would be untracked; 20 pull requests, " in asked.stderr
    done = cli(environment, "untrack", "octo/engine", "octo/nowhere", "--yes", "--delete-rows", "--json")
    assert "octo/nowhere: not tracked here" in refused(done, 3)
    (engine, nowhere) = json.loads(done.stdout)
    assert (engine["deleted"], engine["rows"]["pull_requests"], nowhere["failed"]) == (True, 20, True)


def test_why_and_runs_tell_times_as_others_can_read_them(environment: dict[str, str], db: Database) -> None:
    told = json.loads(cli(environment, "why", "octo/small", "--events", "--json").stdout)
    assert told["repositories"][0]["capturing"] is False
    assert [each["event"] for each in told["events"]] == ["opened", "tracked"]
    assert all(datetime.fromisoformat(each["at"]).tzinfo for each in told["events"])
    (run,) = json.loads(cli(environment, "runs", "--json").stdout)
    assert (run["run_key"], run["jobs"], run["items"]) == ("run-1", 1, 20)
    assert datetime.fromisoformat(run["began_at"]).tzinfo
    (job,) = json.loads(cli(environment, "runs", "run-1", "--json").stdout)
    assert (job["name"], job["items"]) == ("octo/engine", 20)
    assert cli(environment, "runs").stdout.startswith("run-1  ")
    cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS='["octo/small"]', GH_BACKFILL_RUN_KEY="p")
    assert "local  1 job, 1 planned, 0 pull requests" in cli(environment, "runs").stdout
    (planned, _) = json.loads(cli(environment, "runs", "--json").stdout)
    assert (planned["run_key"], planned["waiting"], planned["running"]) == ("p", 1, 0)
    assert "there is no run nope" in refused(cli(environment, "runs", "nope"), 2)


def test_a_capture_of_what_a_person_stopped_does_not_say_that_it_goes_on_by_itself(
    environment: dict[str, str], db: Database
) -> None:
    cli(environment, "pause", "octo/small", "--reason", "release day")
    stopped = cli(environment, "capture", "octo/small", GITHUB_ACTIONS="true")
    assert stopped.returncode == 0
    assert re.search(r"octo/small: paused by .*: release day, goes on with gh-backfill resume; 0 pull", stopped.stdout)
    assert "by itself" not in stopped.stdout + stopped.stderr


def test_an_empty_list_means_none_and_a_part_that_is_none_is_refused(environment: dict[str, str], db: Database) -> None:
    made = json.loads(cli(environment, "plan", "--repository-ids", "[]", "--json").stdout)
    assert (made["chosen"], made["reason"]) == ([], "the list of repositories that was given is empty")
    assert "is read whole, not in parts" in refused(cli(environment, "capture", "octo/small", "--part", "99"), 2)
    with db.transaction(read_only=True) as tx:
        assert tx.row("select count(*) as n from pull_requests") == {"n": 20}


def test_check_is_green_or_says_what_to_do(environment: dict[str, str], empty_database_url: str) -> None:
    done = cli(environment, "check")
    assert done.returncode == 0, done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ok"] * 7
    bad = cli(environment, "check", "--json", DATABASE_URL=empty_database_url)
    refused(bad, 2)
    assert [each["name"] for each in json.loads(bad.stdout) if not each["ok"]] == ["migrations"]


def test_a_command_that_writes_does_not_begin_where_a_column_is_missing(environment: dict[str, str]) -> None:
    with Database(environment["DATABASE_URL"]) as database, database.transaction() as tx:
        tx.run("alter table backfill_chunks drop column error")
    for arguments in (("track", "octo/small"), ("recover",), ("cancel", "octo/small")):
        assert "backfill_chunks.error is missing" in refused(cli(environment, *arguments), 2)


def test_a_retry_of_the_quarantine_in_vain_is_exit_3(environment: dict[str, str], db: Database) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, kind, identity, number, reason) "
            "select id, 'pull_request', '1', 1, 'odd' from repositories where full_name = 'octo/small'"
        )
        tx.run("alter table pull_requests add constraint picky check (number > 1) not valid")
    done = cli(environment, "retry", "octo/small", "--quarantined", "--json")
    assert "octo/small: 1 pull request read again, 0 entries closed, 1 still fail" in refused(done, 3)
    (told,) = json.loads(done.stdout)
    assert (told["changed"], told["failed"]) == (False, True)


def test_a_table_that_somebody_dropped_is_told_as_migrate_leaves_it(environment: dict[str, str]) -> None:
    with Database(environment["DATABASE_URL"]) as database, database.transaction() as tx:
        tx.run("drop table backfill_quarantine cascade")
    said = refused(cli(environment, "status"), 2)
    assert "gh-backfill migrate (and see" in said
    assert "somebody has removed it: restore it from a backup" in said
    assert "up to date" in said
    assert "up to date" in cli(environment, "migrate").stdout


def test_check_shows_our_prices_beside_githubs(environment: dict[str, str]) -> None:
    shown = cli(environment, "check", "--prices")
    assert shown.returncode == 0
    (row,) = [line for line in shown.stdout.splitlines() if "one larger" in line]
    assert row.split()[-4:] == ["151", "2", "2", "GITHUB_TOKEN"]
    told = json.loads(cli(environment, "check", "--prices", "--json").stdout)
    assert {each["ok"] for each in told["findings"]} == {True}
    assert [(each["expected"], each["told"]) for each in told["prices"]][:2] == [(1, 1), (1, 1)]
