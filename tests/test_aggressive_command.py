"""The command `aggressive` and its script, as a person or a workflow calls them: what they print, write and return."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from tests.test_cli import cli, environment, refused
from tests.test_commands_in_texts import ROOT

__all__ = ["environment"]

HASH = {"GH_BACKFILL_EMBEDDING_PROVIDER": "hash"}
CHECKLIST = [
    "Repository data appears in app",
    "PR count matches GitHub",
    "Issue count matches GitHub",
    "Contributors list is complete",
    "Embeddings are generated (check SQL query)",
    "Workspace metrics are updated",
    "No errors in Inngest logs",
    "No errors in Supabase logs",
]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:5", "octo/other:4"])) as simulator:
        yield simulator


def rows(environment: dict[str, str], statement: str) -> list[Row]:
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        return tx.rows(statement)


@pytest.mark.parametrize("named", [("octo/small",), ("octo", "small"), ("https://github.com/octo/small",)])
def test_everything_comes_by_one_command_and_the_checklist_is_printed(
    environment: dict[str, str], named: tuple[str, ...], tmp_path: Path
) -> None:
    done = cli(environment, "aggressive", *named, **HASH, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert done.returncode == 0, done.stderr
    told = [line.strip() for line in done.stdout.splitlines()]
    assert [name for name in CHECKLIST if not any(name in line for line in told)] == []
    assert any(line.startswith("✓ PR count matches GitHub: 5 of 5") for line in told)
    assert "step 3 of 3, Workspace aggregation" in done.stdout
    assert told[-1].startswith("octo/small: complete")
    assert "PR count matches GitHub" in (tmp_path / "summary").read_text()
    (row,) = rows(environment, "select status, checklist from aggressive_backfills")
    assert (row["status"], [each["name"] for each in row["checklist"]]) == ("completed", CHECKLIST)


def test_a_dry_run_says_steps_points_times_and_four_costs_and_writes_nothing(environment: dict[str, str]) -> None:
    done = cli(environment, "aggressive", "octo/small", "--dry-run")
    assert done.returncode == 0, done.stderr
    for said in (
        "octo/small: 3 steps; it is tracked first",
        "1. Data sync: 5 pull requests (0 here)",
        "2. Embeddings generation: embeddings are off",
        "Time by the guide's table: Small (<100 PRs): data sync 2-5 min, embeddings 5-10 min, in all 7-15 min",
        "GitHub API: free",
        "Inngest: free (not used: this process does the work; by its event: 2 steps, $0.00",
        "Supabase: free",
        "OpenAI Embeddings: free (none are made, as said above)",
        "dry run: nothing was written",
    ):
        assert said in done.stdout
    assert done.stdout.count("embeddings are off") == 1
    assert rows(environment, "select 1 from repositories") == []
    told = json.loads(cli(environment, "aggressive", "octo/small", "--dry-run", "--json", **HASH).stdout)
    assert (told["tracked"], told["size"], set(told["costs"])) == (
        False,
        "Small (<100 PRs)",
        {"GitHub API", "Inngest", "Supabase", "OpenAI Embeddings"},
    )
    assert told["embeddings"]["items"] >= 5
    assert told["points"] >= 6, "a page and the end of each of three lists"


def test_what_is_only_asked_for_waits_and_goes_on_with_all_that_is_due(environment: dict[str, str]) -> None:
    asked = cli(environment, "aggressive", "octo/small", "--wait", "0")
    assert asked.returncode == 0
    assert "octo/small goes on" in asked.stdout
    assert "nobody works on it yet: " in asked.stdout
    assert "octo/small: pending" in cli(environment, "aggressive", "--status").stdout
    assert "octo/small" in cli(environment, "aggressive", "--due", "--dry-run").stdout
    done = cli(environment, "aggressive", "--due", **HASH)
    assert (done.returncode, "octo/small: complete" in done.stdout) == (0, True), done.stderr
    again = cli(environment, "aggressive", "--due", "--json")
    assert json.loads(again.stdout) == []


def test_what_goes_on_says_whether_somebody_works_on_it_and_what_to_do(environment: dict[str, str]) -> None:
    def told_as(statement: str) -> str:
        with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
            tx.run("update aggressive_backfills set started_at = now()")
            tx.run(statement)
        done = cli(environment, "aggressive", "octo/small", "--wait", "0")
        assert done.returncode == 0, done.stderr
        assert "--embeddings-only once the sync is complete" in done.stdout
        return done.stdout

    cli(environment, "aggressive", "octo/small", "--wait", "0")
    busy = told_as(
        "update aggressive_backfills set status = 'processing', worker = 'other:1:a', beat_at = now(), run_key = 'a'"
    )
    assert "the job may still be running in the background, and nothing is lost" in busy
    assert "may still be running" not in told_as("update aggressive_backfills set status = 'pending', worker = null")


def test_one_that_is_cancelled_is_told_so(environment: dict[str, str]) -> None:
    cli(environment, "aggressive", "octo/small", "--wait", "0")
    assert "cancelled: what is here stays" in cli(environment, "aggressive", "octo/small", "--cancel").stdout
    assert "nothing to cancel" in cli(environment, "aggressive", "octo/small", "--cancel").stdout


def test_steps_that_are_left_out_are_no_part_of_the_checklist(environment: dict[str, str]) -> None:
    done = cli(environment, "aggressive", "octo/small", "--skip-embeddings", "--skip-workspace", "--json")
    (told,) = json.loads(done.stdout)
    assert [each["step"] for each in told["steps"]] == ["sync"]
    assert {each["name"]: each["holds"] for each in told["checklist"]}["Workspace metrics are updated"] is None
    only = cli(environment, "aggressive", "octo/small", "--embeddings-only", "--json", **HASH)
    (told,) = json.loads(only.stdout)
    assert [(each["step"], each["status"]) for each in told["steps"]] == [("embeddings", "completed")]


def test_a_line_that_does_not_hold_ends_in_the_exit_code_of_a_failure(environment: dict[str, str]) -> None:
    assert cli(environment, "aggressive", "octo/small", **HASH).returncode == 0
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run("delete from pull_requests where number = (select max(number) from pull_requests)")
    done = cli(environment, "aggressive", "octo/small", **HASH)
    assert done.returncode == 3
    assert "✕ PR count matches GitHub: 4 of 5: 1 is missing" in done.stdout
    assert "PR count matches GitHub" in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "aggressive owner/name, or --due for all that waits"),
        (("octo/small", "octo/other"), "one repository at a time, not 2"),
        (("octo/small", "--due"), "--due takes all that waits"),
        (("octo/small", "--skip-embeddings", "--embeddings-only"), "leave nothing to do"),
        (("octo/small", "--time-range", "0"), "--time-range must be a whole number from 1 to 36500"),
        (("octo/small", "--wait", "soon"), "--wait must be a whole number"),
        (("octo/small", "--kinds", "stars"), "name some of"),
        (("octo/nobody",), "none of the names can be tracked"),
        (("octo/small", "--embeddings-only"), "is not here"),
        (("--cancel",), "which repository?"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused_in_one_line(
    environment: dict[str, str], given: tuple[str, ...], said: str
) -> None:
    assert said in refused(cli(environment, "aggressive", *given), 2)


def test_the_script_hands_its_words_to_the_command() -> None:
    script = ROOT / "scripts" / "aggressive-backfill-repo.sh"
    checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert 'gh-backfill" aggressive "$@"' in script.read_text(encoding="utf-8")
