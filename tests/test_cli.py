"""The command line as a user meets it: one clear line for bad input, honest exit codes, JSON where it is offered."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill import __version__
from gh_backfill.cli import app
from gh_backfill.commands import workspace
from gh_backfill.commands.work import failure
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests import forks

ROOT = Path(__file__).parents[1]
COMMANDS = (
    *("migrate", "track", "plan", "capture", "report", "status", "run", "psql", "simulate"),
    *("recover", "pause", "resume", "retry", "cancel", "check", "grant-reader", "serve", "sync", "verify"),
)


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/engine:110", "octo/small:5"])) as simulator:
        yield simulator


@pytest.fixture
def environment(database_url: str, github: Simulator, tmp_path: Path) -> dict[str, str]:
    return settings_of(database_url, github, tmp_path)


def settings_of(database_url: str, github: Simulator, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "GITHUB_TOKEN": "ghp_secret",
        "GITHUB_API_URL": github.url,
        "GH_BACKFILL_RUN_KEY": "run-1",
        "GH_BACKFILL_HOME": str(home / "home"),
    }


def cli(environment: dict[str, str], *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return forks.run([*arguments], env=environment | changes, cwd=environment["HOME"])


def refused(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one line with which a command ended."""
    lines = [line for line in done.stderr.splitlines() if line]
    assert done.returncode == code, done.stderr
    assert lines[-1].startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr
    return lines[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(environment: dict[str, str], command: str) -> None:
    done = cli(environment, command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout


def test_help_is_broken_where_the_terminal_ends_and_nowhere_else() -> None:
    every = [*app.registered_commands, *workspace.app.registered_commands]
    assert len(every) > 40
    for command in every:
        *sentences, example = (command.help or "").rstrip().splitlines()
        assert example.startswith("Example:"), command.callback
        assert all(not line or line.endswith(".") for line in sentences), command.callback


def test_the_version_is_the_packages(environment: dict[str, str]) -> None:
    assert cli(environment, "--version").stdout.strip() == __version__


def test_the_whole_job_by_hand(environment: dict[str, str]) -> None:
    assert cli(environment, "track", "octo/engine", "octo/small", "--no-backfill").returncode == 0
    made = json.loads(cli(environment, "plan", "--json").stdout)
    assert [each["full_name"] for each in made["chosen"]] == ["octo/engine"]
    assert [each["full_name"] for each in made["not_chosen"]] == ["octo/small"]
    captured = cli(environment, "capture", "octo/engine")
    assert captured.returncode == 0, captured.stderr
    assert "octo/engine: completed" in captured.stdout
    report = json.loads(cli(environment, "report", "--json").stdout)
    assert (report["jobs"], report["failed"], report["pull_requests"]) == (1, 0, 110)
    (state,) = json.loads(cli(environment, "status", "octo/engine", "--json").stdout)
    assert (state["captured"], state["total"], state["percent"], state["status"]) == (110, 110, 100.0, "completed")
    table = cli(environment, "status").stdout
    assert "octo/engine" in table
    assert "octo/small" in table


def test_the_guides_way_to_name_a_repository_works(environment: dict[str, str]) -> None:
    tracked = json.loads(cli(environment, "track", "octo/small", "--json").stdout)
    done = cli(
        environment, "capture", f"--repository-id={tracked[0]['repository_id']}", "--chunk-size=3", "--max-chunks=1"
    )
    assert done.returncode == 0, done.stderr
    assert "3 pull requests in 1 chunk," in done.stdout
    assert done.stdout.startswith("octo/small: "), "it is told by its name, whatever named it"


def test_inputs_arrive_by_the_environment_and_empty_ones_are_not_given(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/engine")
    inputs = {
        "GH_BACKFILL_REPOSITORY_IDS": '["octo/engine"]',
        "GH_BACKFILL_REPOSITORY_ID": "",
        "GH_BACKFILL_CHUNK_SIZE": "",
        "GH_BACKFILL_MAX_CHUNKS": "",
        "GH_BACKFILL_DRY_RUN": "false",
    }
    made = json.loads(cli(environment, "plan", "--json", **inputs).stdout)
    assert [each["why"] for each in made["chosen"]] == ["asked for"]


def test_a_dry_run_writes_nothing_though_it_could_not_either(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/engine")
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        (name,) = tx.rows("select current_database() as name")
        tx.run(f'alter database "{name["name"]}" set default_transaction_read_only = on')
    for arguments in (
        ("capture", "octo/engine", "--dry-run"),
        ("plan", "--dry-run"),
        ("track", "octo/small", "--dry-run"),
    ):
        done = cli(environment, *arguments)
        assert done.returncode == 0, done.stderr
    assert "nothing was written" in cli(environment, "capture", "octo/engine", "--dry-run").stdout
    assert cli(environment, "track", "octo/small").returncode != 0


def test_a_dry_run_of_a_plan_foresees_what_it_would_track_first_and_writes_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    asked = ("plan", "--dry-run", "--repository-ids", "octo/engine octo/nothing")
    told = cli(environment, *asked, "--initial", "--max-prs", "20", GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    engine = "octo/engine: would be tracked first, and captured: the newest 20 of 110 pull requests"
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[0] == engine
    assert "octo/nothing: GitHub has no such repository" in told.stdout
    assert "No repositories need" not in told.stdout
    assert engine in (tmp_path / "summary").read_text().replace("\\", "")
    with Database(environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
        assert tx.rows("select full_name from repositories") == []
    cli(environment, "track", "octo/small")
    both = cli(environment, "plan", "--dry-run", "--track", "--json", "--repository-ids", "octo/engine octo/small")
    made = json.loads(both.stdout)
    assert ([each["full_name"] for each in made["chosen"]], made["tracked_first"]) == (["octo/small"], ["octo/engine"])
    nothing = cli(environment, "plan", "--dry-run", "--track", "--repository-ids", "octo/nothing")
    assert "octo/nothing" in refused(nothing, 2)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("capture", "octo/engine", "--chunk-size", "0"), "--chunk-size"),
        (("capture", "octo/engine", "--chunk-size", "101"), "--chunk-size"),
        (("capture", "octo/engine", "--chunk-size", "2x"), "--chunk-size"),
        (("capture", "octo/engine", "--max-chunks", "-1"), "--max-chunks"),
        (("capture", "octo/engine", "--time-limit", "soon"), "--time-limit"),
        (("capture",), "which repository"),
        (("capture", "octo/unknown"), "octo/unknown"),
        (("plan", "--repository-ids", "[1,"), "JSON array"),
        (("plan", "--repository-ids", '["octo/unknown"]'), "octo/unknown"),
        (("status", "octo/unknown"), "octo/unknown"),
        (("track", "not a name"), "not a name"),
        (("simulate",), "nothing to serve"),
        (("simulate", "--synthetic", "wrong"), "OWNER/NAME:N"),
        (("simulate", "--data", "/nowhere"), "/nowhere"),
        (("simulate", "--synthetic", "a/b:1", "--dry-run-prices", "never"), "honest, refused, wrong, charged"),
        (("simulate", "--synthetic", "a/b:1", "--charge-percent", "-5"), "--charge-percent"),
        (("simulate", "--synthetic", "a/b:1:stars=many"), "'many' is no number"),
        (("simulate", "--synthetic", "a/b:1", "--list-stars", "2,"), "yes, no or turns"),
        (("simulate", "--synthetic", "a/b:1", "--closed-stars", "never"), "forbidden, not_found, empty"),
        (("simulate", "--synthetic", "a/b:1", "--star-history", "odd"), "shift=HOURS, repeat, future=N or off"),
    ],
)
def test_bad_input_gets_one_clear_line_and_exit_2(
    environment: dict[str, str], arguments: tuple[str, ...], word: str
) -> None:
    assert word in refused(cli(environment, *arguments), 2)


def test_some_bad_names_are_exit_3_and_the_good_ones_are_tracked(environment: dict[str, str]) -> None:
    assert "octo/unknown" in refused(cli(environment, "track", "octo/small", "octo/unknown"), 3)
    assert json.loads(cli(environment, "status", "--json").stdout)[0]["full_name"] == "octo/small"


def test_a_missing_token_is_exit_2_and_says_where_to_get_one(environment: dict[str, str]) -> None:
    assert "settings/tokens" in refused(cli(environment, "track", "octo/small", GITHUB_TOKEN=""), 2)


def test_a_refused_token_is_exit_2_and_says_so(environment: dict[str, str], github: Simulator) -> None:
    done = cli(environment, "track", "octo/small", GITHUB_API_URL=f"{github.url}/nowhere")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_a_database_without_our_tables_is_exit_2_and_says_what_to_do(
    environment: dict[str, str], empty_database_url: str
) -> None:
    done = cli(environment, "status", DATABASE_URL=empty_database_url)
    assert "gh-backfill migrate" in refused(done, 2)
    assert cli(environment, "migrate", DATABASE_URL=empty_database_url).stdout.startswith("applied: ")
    assert cli(environment, "migrate", DATABASE_URL=empty_database_url).stdout == "the database is up to date\n"


def test_a_role_without_rights_gets_one_line_and_a_reader_sees_once_it_is_granted(environment: dict[str, str]) -> None:
    role, url = f"reader_of_{os.getpid()}", environment["DATABASE_URL"]
    with Database(url) as db:
        with db.transaction() as tx:
            tx.run(f"create role {role} login")
        try:
            own = url.replace("postgres@", f"{role}@", 1)
            assert f"role {role} may not do this" in refused(cli(environment, "status", DATABASE_URL=own), 2)
            granted = cli(environment, "grant-reader", role).stdout
            assert granted.startswith(f"{role} reads all rows of: absences, aggressive_backfills, ")
            assert cli(environment, "status", "--json", DATABASE_URL=own).returncode == 0
        finally:
            with db.transaction() as tx:
                tx.run(f"drop owned by {role}; drop role {role}")


def test_an_unreachable_database_is_exit_4_and_shows_no_password(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "status", DATABASE_URL="postgresql://u:hunter2@127.0.0.1:1/x"), 4)
    assert "hunter2" not in line


def test_a_database_is_needed_in_actions(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "plan", DATABASE_URL="", GITHUB_ACTIONS="true"), 2)
    assert "DATABASE_URL" in line


def test_invented_rows_do_not_go_into_a_database_elsewhere(environment: dict[str, str]) -> None:
    line = refused(cli(environment, "plan", DATABASE_URL="postgresql://u@db.example.com/x"), 2)
    assert "GH_BACKFILL_ALLOW_SIMULATED" in line


def test_no_output_shows_the_token(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/small")
    for arguments in (("capture", "octo/small"), ("plan",), ("report",), ("status",), ("capture", "octo/nowhere")):
        done = cli(environment, *arguments)
        assert "ghp_secret" not in done.stdout + done.stderr


def actions_of(folder: Path) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "77",
        "GH_BACKFILL_RUN_KEY": "",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("bad_credentials", 2, "does not accept"),
        ("forbidden", 2, "Resource not accessible"),
        ("rate_limited", 0, "GraphQL rate limit too low"),
    ],
)
def test_a_plan_that_can_plan_nothing_says_why_and_starts_no_captures(
    environment: dict[str, str], github: Simulator, tmp_path: Path, fault: str, code: int, words: str
) -> None:
    cli(environment, "track", "octo/engine")
    github.faults.add(Fault(name=fault, match={"operation": "RepositoriesById", "token": "^other$"}))
    done = cli(environment, "plan", GITHUB_TOKEN="other", **actions_of(tmp_path))
    assert done.returncode == code, done.stderr
    output, summary = (tmp_path / "output").read_text(), (tmp_path / "summary").read_text()
    assert '\n{"include": []}\n' in output
    assert "\n0\n" in output
    assert "Nothing is planned" in summary
    assert words in summary
    github.faults.clear()


def test_a_plan_that_finds_nothing_missing_says_so_in_the_guides_words(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/small", "--no-backfill")
    assert "No repositories need backfilling" in cli(environment, "plan").stdout


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        ({ErrorType.NETWORK}, 4),
        ({ErrorType.DENIED}, 2),
        ({ErrorType.NETWORK, ErrorType.GONE}, 3),
        ({ErrorType.UNEXPECTED}, 3),
        ({None}, 3),
    ],
)
def test_a_capture_ends_with_the_code_of_what_failed_it(causes: set[ErrorType | None], code: int) -> None:
    assert failure("octo/small: it failed", causes).exit_code == code


def test_what_github_does_not_say_is_exit_4_and_to_be_tried_again(
    environment: dict[str, str], github: Simulator
) -> None:
    github.faults.add(Fault(name="node_forbidden", match={"operation": "RepositoryByName", "token": "^other$"}))
    done = cli(environment, "track", "octo/small", GITHUB_TOKEN="other")
    assert "try again" in refused(done, 4)
    assert "GitHub did not say, try again (GitHub refuses: " in done.stdout
    github.faults.clear()


def test_outputs_and_summary_are_written_for_actions(environment: dict[str, str], tmp_path: Path) -> None:
    cli(environment, "track", "octo/engine")
    output, summary = tmp_path / "output", tmp_path / "summary"
    actions = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "77",
        "GH_BACKFILL_RUN_KEY": "",
        "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    assert cli(environment, "plan", **actions).returncode == 0
    lines = output.read_text().splitlines()
    matrix = json.loads(lines[lines.index(next(line for line in lines if line.startswith("matrix<<"))) + 1])
    assert [entry["name"] for entry in matrix["include"]] == ["octo/engine"]
    done = cli(environment, "report", **actions)
    assert done.returncode == 3
    assert "::error::octo/engine: the job never started" in done.stderr
    assert "::error::" not in done.stdout
    assert "the job never started" in summary.read_text()


def test_psql_comes_along(environment: dict[str, str]) -> None:
    done = cli(environment, "psql", "--", "--tuples-only", "--no-align", "--command", "select 6 * 7")
    assert (done.returncode, done.stdout.strip()) == (0, "42")
