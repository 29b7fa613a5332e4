"""The commands that tell, as processes: report in Actions, costs, the budget, and the receiver of webhooks."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from gh_backfill import actions, hidden, settings
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.markdown import plain
from gh_backfill.policy.report.alerts import Alert, AlertKind
from gh_backfill.policy.report.figures import RunFigures, SystemFailure
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks.report.publish import for_others, markdown, outputs
from gh_backfill.tasks.report.report import Report
from tests.tasks.pages.worlds import Made, make
from tests.test_cli import cli, refused

HOME = "octo/pipeline"


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/engine:110", "octo/small:5", f"{HOME}:2"])) as simulator:
        yield simulator


@pytest.fixture
def environment(database_url: str, github: Simulator, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "DATABASE_URL": database_url,
        "GITHUB_TOKEN": "ghp_secret",
        "GITHUB_API_URL": github.url,
        "GITHUB_GRAPHQL_URL": github.graphql_url,
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": HOME,
        "GITHUB_RUN_ID": "77",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }


def spend(environment: dict[str, str], minutes: int) -> None:
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run(
            """insert into progressive_capture_jobs (job_type, repository_id, status, outcome, started_at, completed_at,
                                                     runner_seconds, run_key, workflow_run_id, chunks)
               select 'progressive_backfill', id, 'completed', 'completed', now(), now(), %(seconds)s, '1/1', 1, 3
               from repositories limit 1""",
            seconds=minutes * 60,
        )


def issues(github: Simulator) -> list[str]:
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    return [issue.title for issue in github.world.shelves[home.id].issues.values() if issue.open]


def clear(github: Simulator) -> None:
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    github.world.shelves[home.id].issues.clear()


@pytest.mark.parametrize("command", ["report", "costs", "webhooks"])
def test_every_command_has_help_with_an_example(environment: dict[str, str], command: str) -> None:
    done = cli(environment, command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout


def test_costs_are_shown_by_processor_with_projection_and_saving(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/small")
    spend(environment, 100)
    prices = {"GH_BACKFILL_PRICES": '{"actions_minute": 0.01}', "GH_BACKFILL_MONTHLY_BUDGET": "4"}
    found = json.loads(cli(environment, "costs", "--json", **prices).stdout)
    assert (found["total"], found["by_processor"], found["minutes"]) == (
        1.0,
        {"github_actions": 1.0},
        {"github_actions": 100},
    )
    assert (found["budget"], found["used_percent"]) == (4.0, 25.0)
    assert found["projected"] >= 1.0
    assert found["saving"] == pytest.approx(found["inngest_only"] - 1.0)
    text = cli(environment, "costs", **prices).stdout
    assert "github_actions" in text
    assert "projected" in text


def test_minutes_of_a_public_repository_cost_nothing_unless_a_price_is_given(
    environment: dict[str, str], tmp_path: Path
) -> None:
    cli(environment, "track", "octo/small")
    spend(environment, 100)
    assert json.loads(cli(environment, "costs", "--json").stdout)["total"] > 0
    event = tmp_path / "event.json"
    event.write_text('{"repository": {"private": false}}')
    cli(environment, "report", GITHUB_EVENT_PATH=str(event))
    found = json.loads(cli(environment, "costs", "--json").stdout)
    assert found["total"] == 0
    assert "is public" in found["explained"][0]
    given = json.loads(cli(environment, "costs", "--json", GH_BACKFILL_PRICES='{"actions_minute": 0.01}').stdout)
    assert given["total"] >= 1.0


def test_scheduled_work_waits_when_the_budget_is_spent_and_what_a_person_starts_does_not(
    environment: dict[str, str],
) -> None:
    cli(environment, "track", "octo/engine")
    spend(environment, 1_000)
    budget = {"GH_BACKFILL_MONTHLY_BUDGET": "1"}
    waiting = cli(environment, "plan", GITHUB_EVENT_NAME="schedule", **budget)
    assert waiting.returncode == 0, waiting.stderr
    assert "waits for the next month" in waiting.stdout
    assert "waits for the next month" in Path(environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert "count<<" in Path(environment["GITHUB_OUTPUT"]).read_text()
    by_hand = json.loads(cli(environment, "plan", "--json", GITHUB_EVENT_NAME="workflow_dispatch", **budget).stdout)
    assert "octo/engine" in json.dumps(by_hand)
    enough = cli(environment, "plan", GITHUB_EVENT_NAME="schedule", GH_BACKFILL_MONTHLY_BUDGET="1000")
    assert "waits" not in enough.stdout


def test_a_price_that_is_none_is_exit_2(environment: dict[str, str]) -> None:
    assert "GH_BACKFILL_PRICES" in refused(cli(environment, "costs", GH_BACKFILL_PRICES='{"minute": 1}'), 2)
    assert "GH_BACKFILL_PRICES" in refused(cli(environment, "costs", GH_BACKFILL_PRICES="nonsense"), 2)


def test_a_database_that_does_not_answer_is_told_in_summary_and_issue_and_closed_when_it_does(
    environment: dict[str, str], github: Simulator
) -> None:
    lost = cli(environment, "report", DATABASE_URL="postgresql://me:hunter2@127.0.0.1:1/x")
    assert lost.returncode == 4
    summary = Path(environment["GITHUB_STEP_SUMMARY"]).read_text()
    assert "the database does not answer" in summary
    assert "hunter2" not in summary + lost.stdout + lost.stderr
    assert "127.0.0.1" not in summary + lost.stdout + lost.stderr.replace(github.url, "")
    assert issues(github) == ["The backfill itself fails"]
    cli(environment, "report", GITHUB_RUN_ID="78")
    assert issues(github) == []


def test_a_plan_that_fails_says_why_in_report_issue_and_webhook(
    environment: dict[str, str], github: Simulator, tmp_path: Path
) -> None:
    outputs = Path(environment["GITHUB_OUTPUT"])
    refused(cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS="[nonsense"), 2)
    (line,) = outputs.read_text().splitlines()
    assert line.startswith("error=repository ids must be a JSON array")
    given = {"GH_BACKFILL_PLAN_RESULT": "failure", "GH_BACKFILL_PLAN_ERROR": line.removeprefix("error=")}
    done = cli(environment, "report", GITHUB_EVENT_NAME="schedule", **given)
    assert done.returncode == 3
    assert "0 of 0" not in done.stderr
    assert "Nothing was captured: the plan failed: repository ids must be a JSON array" in done.stderr
    assert "the plan failed: repository ids must be" in Path(environment["GITHUB_STEP_SUMMARY"]).read_text()
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    (issue,) = [each for each in github.world.shelves[home.id].issues.values() if each.open]
    assert "repository ids must be a JSON array" in issue.body
    assert "log of the plan job" not in issue.body
    cli(environment, "report", GITHUB_RUN_ID="79")


def test_jobs_that_are_done_are_not_told_as_failed_where_something_else_is(environment: dict[str, str]) -> None:
    assert cli(environment, "track", "octo/small", "--no-backfill").returncode == 0
    spend(environment, 1)
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run("update progressive_capture_jobs set run_key = '77', workflow_run_id = 77")
    failed = {"GH_BACKFILL_PLAN_RESULT": "failure", "GH_BACKFILL_PLAN_ERROR": "no names"}
    said = refused(cli(environment, "report", **failed), 3)
    assert said == "error: 1 job done; the plan failed: no names"


@pytest.mark.parametrize("readable", [True, False])
def test_a_database_that_can_not_be_written_is_told_with_what_can_be_read(
    environment: dict[str, str], github: Simulator, readable: bool
) -> None:
    cli(environment, "track", "octo/small")
    cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS='["octo/small"]')
    name = urlsplit(environment["DATABASE_URL"]).path[1:]
    statement = (
        f'alter database "{name}" set default_transaction_read_only = on'
        if readable
        else "drop table repositories cascade"
    )
    with Database(environment["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run(statement)
    done = cli(environment, "report")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    summary = Path(environment["GITHUB_STEP_SUMMARY"]).read_text().rpartition("## Backfill")[2]
    assert "the report can't be written" in summary
    assert ("octo/small" in summary) == readable
    assert "The backfill itself fails" in issues(github)
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    github.world.shelves[home.id].issues.clear()


WRONG = {
    "DATABASE_URL": "postgresql://u:p@ss@host/db",
    "GH_BACKFILL_MONTHLY_BUDGET": "much",
    "GH_BACKFILL_ALERT_TOKEN": "pasted…",
    "GH_BACKFILL_PRICES": '{"a_day_of_mine": 5}',
    "GITHUB_TOKEN": "two words",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_can_not_be_read_are_told_and_the_run_is_closed_as_far_as_the_others_go(
    environment: dict[str, str], github: Simulator, wrong: str
) -> None:
    cli(environment, "track", "octo/small")
    cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS='["octo/small"]')
    done = cli(environment, "report", **{wrong: WRONG[wrong]})
    assert done.returncode == 2
    assert wrong in done.stderr
    assert "Traceback" not in done.stderr
    summary = Path(environment["GITHUB_STEP_SUMMARY"]).read_text().rpartition("## Backfill")[2]
    closed = wrong != "DATABASE_URL"
    assert ("It is not known what was captured" in summary) is not closed
    assert ("octo/small" in summary) is closed
    assert wrong.replace("_", r"\_") in summary
    assert ("The backfill itself fails" in issues(github)) is (wrong != "GITHUB_TOKEN")  # there nobody lets us write
    with Database(environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
        rows = tx.rows("select status from progressive_capture_jobs where job_type <> 'plan'")
    assert {row["status"] in ("completed", "failed", "cancelled", "skipped") for row in rows} == {closed}
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    github.world.shelves[home.id].issues.clear()


def told(environment: dict[str, str]) -> str:
    """Return the last summary as a reader sees it, without Markdown's backslashes."""
    return Path(environment["GITHUB_STEP_SUMMARY"]).read_text().rpartition("## Backfill")[2].replace("\\", "")


def statuses(url: str) -> list[str]:
    with Database(url) as db, db.transaction(read_only=True) as tx:
        return [
            row["status"] for row in tx.rows("select status from progressive_capture_jobs where job_type <> 'plan'")
        ]


def planned(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/small")
    cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS='["octo/small"]')


def test_notes_in_the_summary_show_neither_hosts_nor_secrets(environment: dict[str, str], tmp_path: Path) -> None:
    there = "https://ghe.secret-corp.example:1/api"
    done = cli(
        environment,
        "report",
        GITHUB_API_URL=f"{there}/v3",
        GITHUB_GRAPHQL_URL=f"{there}/graphql",
        GH_BACKFILL_PLAN_IDLE=f"waits for {there} and ghp-secret.value",
        REPORT_WEBHOOK_URL="http://10.20.30.40:1/ghp-secret.value",
        WEBHOOK_SECRET="ghp-secret.value",
        HTTP_PROXY="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
    )
    outputs = Path(environment["GITHUB_OUTPUT"]).read_text()
    summary = told(environment)
    assert "could not be looked at" in summary + done.stderr
    everything = summary + outputs + done.stdout.replace("\\", "") + done.stderr
    assert [each for each in ("secret-corp", "10.20.30", "ghp-secret.value") if each in everything] == []


def test_a_text_is_hidden_before_markdown_escapes_it() -> None:
    hidden.secret("s3cr*t.value-of_ours")
    failure = SystemFailure(error_type=ErrorType.CONFIGURATION, error="s3cr*t.value-of_ours at db.abc.supabase.co")
    alert = Alert(kind=AlertKind.SYSTEM, text="no way to 10.1.2.3:5432", advice="ask s3cr*t.value-of_ours")
    run = RunFigures(run_key="1", system_errors=(failure,), notes=("see https://ghe.corp.example: no",))
    made = Report(run=run, alerts=(alert,))
    text = markdown(made, ["s3cr*t.value-of_ours", "no way to postgresql://u@db.corp.example/x: no"])
    text += json.dumps(outputs(for_others(made)))
    hints = ("s3cr", "supabase", "10.1.2", "corp")
    assert [hint for hint in hints if hint in text.replace("\\", "")] == []


def test_a_plans_summary_hides_a_secret_that_markdown_has_escaped(tmp_path: Path) -> None:
    hidden.secret("s3cr*t.value-of_ours")
    summary = tmp_path / "summary"
    actions.write_summary(
        settings.load({"GITHUB_STEP_SUMMARY": str(summary)}, dotenv=None), plain("it is s3cr*t.value-of_ours")
    )
    assert "s3cr" not in summary.read_text()


@pytest.mark.parametrize("name", ["GH_BACKFILL_GITHUB_API_URL", "GH_BACKFILL_GITHUB_GRAPHQL_URL"])
def test_a_malformed_address_of_github_sends_the_token_to_no_other_one(
    environment: dict[str, str], github: Simulator, name: str
) -> None:
    planned(environment)
    before = github.stats.requests
    done = cli(environment, "report", **{name: "https:/ghe.example.com/api"})
    assert done.returncode == 2
    assert github.stats.requests == before
    assert f"{name} is malformed and says where they may go" in told(environment)
    assert "is missing" not in told(environment)


def test_a_malformed_database_is_not_taken_for_the_other_one(environment: dict[str, str], github: Simulator) -> None:
    planned(environment)
    before = statuses(environment["DATABASE_URL"])
    done = cli(
        environment, "report", DATABASE_URL="postgrsql://h.example/db", SUPABASE_DB_URL=environment["DATABASE_URL"]
    )
    assert done.returncode == 2
    assert "It is not known what was captured" in told(environment)
    assert statuses(environment["DATABASE_URL"]) == before
    clear(github)


def test_a_malformed_schema_is_not_taken_for_public(environment: dict[str, str], github: Simulator) -> None:
    planned(environment)
    before = statuses(environment["DATABASE_URL"])
    done = cli(environment, "report", GH_BACKFILL_SCHEMA="GHB")
    assert done.returncode == 2
    assert "It is not known what was captured" in told(environment)
    assert "octo/small" not in told(environment)
    assert statuses(environment["DATABASE_URL"]) == before
    clear(github)


def test_a_malformed_run_is_not_taken_for_the_last_one(environment: dict[str, str], github: Simulator) -> None:
    planned(environment)
    before = statuses(environment["DATABASE_URL"])
    done = cli(environment, "report", GITHUB_RUN_ID="abc")
    assert done.returncode == 2
    assert "It is not known what was captured" in told(environment)
    assert statuses(environment["DATABASE_URL"]) == before
    clear(github)


@pytest.mark.parametrize("name", ["GH_BACKFILL_DEBUG", "GH_BACKFILL_DRY_RUN"])
def test_a_switch_that_is_neither_yes_nor_no_is_told_by_summary_and_issue(
    environment: dict[str, str], github: Simulator, name: str
) -> None:
    planned(environment)
    done = cli(environment, "report", **{name: "maybe"})
    assert done.returncode == 2
    assert name in told(environment)
    assert "octo/small" in told(environment)
    assert "The backfill itself fails" in issues(github)
    clear(github)


def test_a_dry_run_may_be_asked_for_by_the_setting(environment: dict[str, str], github: Simulator) -> None:
    planned(environment)
    before = github.stats.requests, statuses(environment["DATABASE_URL"])
    done = cli(environment, "report", GH_BACKFILL_DRY_RUN="true")
    assert done.returncode == 0, done.stderr
    assert (github.stats.requests, statuses(environment["DATABASE_URL"])) == before


def test_an_option_that_the_plan_refuses_is_told_to_the_report(environment: dict[str, str]) -> None:
    refused(cli(environment, "plan", GH_BACKFILL_DRY_RUN="maybe"), 2)
    assert Path(environment["GITHUB_OUTPUT"]).read_text().startswith("error=Invalid value for '--dry-run'")


def test_a_token_that_would_travel_in_clear_text_is_not_called_missing(environment: dict[str, str]) -> None:
    planned(environment)
    done = cli(environment, "report", GITHUB_API_URL="http://ghe.example.com/api/v3")
    assert done.returncode == 2
    assert "got no issue: the credentials were not used, for GITHUB_API_URL" in told(environment)
    assert "would show the token to all on the way" in told(environment)
    assert "GITHUB_TOKEN is missing" not in told(environment)
    assert "ghe.example" not in told(environment)


def test_outputs_that_can_not_be_written_cost_neither_summary_nor_annotations(
    environment: dict[str, str], tmp_path: Path, github: Simulator
) -> None:
    planned(environment)
    failed = {"GH_BACKFILL_PLAN_RESULT": "failure", "GITHUB_EVENT_NAME": "schedule"}
    done = cli(environment, "report", GITHUB_OUTPUT=str(tmp_path), GITHUB_RUN_ID="78", **failed)
    assert done.returncode == 3
    assert "::error::the plan failed" in done.stderr
    assert "::warning::the step has no outputs: GITHUB_OUTPUT names" in done.stderr
    assert "the step has no outputs" in told(environment)
    clear(github)
    assert "GITHUB_OUTPUT" in refused(cli(environment, "report", GITHUB_OUTPUT=str(tmp_path), GITHUB_RUN_ID="79"), 2)


def test_a_report_keeps_where_the_issues_of_its_alerts_are(environment: dict[str, str], github: Simulator) -> None:
    now = datetime.now(UTC)
    dead = {"status": "failed", "outcome": "failed", "error": "GitHub answers 404", "error_type": "gone"}
    times = {"created_at": now, "started_at": now, "completed_at": now}
    with Database(environment["DATABASE_URL"]) as db:
        (id_,) = make(db, Made(name="octo/small", job={**dead, **times, "run_key": "77", "workflow_run_id": 77}))
    cli(environment, "report")
    home = github.world.repository(*HOME.split("/"))
    assert home is not None
    (issue,) = [each for each in github.world.shelves[home.id].issues.values() if each.open]
    assert id_ in issue.body
    with Database(environment["DATABASE_URL"]) as db:
        (kept,) = db.statement("select report -> 'issues' as issues from backfill_reports")
    assert list(kept["issues"]) == [id_]
    assert kept["issues"][id_].endswith(f"/{HOME}/issues/{issue.number}")
    github.world.shelves[home.id].issues.clear()


def test_alerts_of_settings_that_can_not_be_read_go_where_all_alerts_go(
    environment: dict[str, str], github: Simulator
) -> None:
    cli(environment, "report", GH_BACKFILL_MONTHLY_BUDGET="much", GH_BACKFILL_ALERT_REPOSITORY="octo/small")
    there, home = (github.world.repository(*name.split("/")) for name in ("octo/small", HOME))
    assert there is not None
    assert home is not None
    (issue,) = github.world.shelves[there.id].issues.values()
    assert r"GH\_BACKFILL\_MONTHLY\_BUDGET" in issue.body
    assert github.world.shelves[home.id].issues == {}
    github.world.shelves[there.id].issues.clear()


def test_a_report_that_is_repeated_alone_tells_of_the_first_attempt(environment: dict[str, str]) -> None:
    cli(environment, "track", "octo/small")
    cli(environment, "plan", GH_BACKFILL_REPOSITORY_IDS='["octo/small"]')
    cli(environment, "capture", "octo/small")
    made = json.loads(cli(environment, "report", "--json", GITHUB_RUN_ATTEMPT="2", GITHUB_ACTIONS="").stdout)
    assert (made["jobs"], made["succeeded"], made["attempt"]) == (1, 1, 2)
    assert [each["name"] for each in made["repositories"]] == ["octo/small"]


def test_a_dry_run_tells_nobody(environment: dict[str, str], github: Simulator) -> None:
    before = github.stats.requests
    done = cli(environment, "report", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["jobs"] == 0
    assert github.stats.requests == before


def test_without_a_secret_nothing_is_received(environment: dict[str, str]) -> None:
    assert "WEBHOOK_SECRET" in refused(cli(environment, "webhooks"), 2)


def test_the_receiver_listens(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "webhooks", "--port", str(port)],
        env=environment | {"WEBHOOK_SECRET": "x"},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert _listening(port, process) == {"status": "listening"}
    finally:
        process.terminate()
        process.wait()


def _listening(port: int, process: subprocess.Popen[bytes]) -> object:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        try:
            return requests.get(f"http://127.0.0.1:{port}/webhooks/health", timeout=5).json()
        except requests.ConnectionError:
            time.sleep(0.1)
    return None


def test_what_a_run_brought_is_called_by_its_name_also_where_it_is_of_several_kinds(
    environment: dict[str, str],
) -> None:
    said = {}
    for kinds, key in (("pull_requests", "pulls"), ("issues", "issues"), ("pull_requests,issues", "both")):
        run = {"GH_BACKFILL_RUN_KEY": key}
        assert cli(environment, "track", "octo/engine", "--kinds", kinds).returncode == 0
        assert cli(environment, "capture", "octo/engine", "--kinds", kinds, "--max-chunks", "2", **run).returncode == 0
        said[key] = cli(environment, "report", **run).stdout
    assert "pull requests in 2 chunks" in said["pulls"]
    assert "issues in" in said["issues"]
    assert "items in" in said["both"]
    assert "pull requests in" not in said["issues"] + said["both"]
    runs = cli(environment, "runs").stdout
    assert {word for word in ("issues, ", "pull requests, ", "items, ") if word in runs} == {
        "issues, ",
        "pull requests, ",
        "items, ",
    }
