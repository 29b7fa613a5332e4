"""The ten-line workflow of another repository captures a history with the tool of the version that it names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gh_backfill import __version__
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.installation import installation
from gh_backfill.simulator import workflows
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from gh_backfill.tasks.dispatch.starting import WORKER
from tests.acceptance.act import commit, copy_checkout, run_workflow, source

TOOL, VERSION, CALLER = "tools/backfill", "v1.2.3", "acme/history"

OWN = f"""
on: workflow_dispatch
jobs:
  own:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd
      - uses: {TOOL}/.github/actions/setup@{VERSION}
        id: tool
      - id: own
        env:
          TOLD: ${{{{ steps.tool.outputs.version }}}}
        run: |
          gh-backfill --help
          echo "told=$TOLD" >> "$GITHUB_OUTPUT"
"""


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    return source(copy_checkout(tmp_path / "tool"), f"{TOOL}@{VERSION}")


@pytest.fixture
def caller(tmp_path: Path) -> Path:
    """Make a repository that has an installation, and things that are called as ours are."""
    at = tmp_path / "caller"
    for path, text in installation(tool=TOOL, version=VERSION, repository=CALLER, whole=True).items():
        file = at / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (at / "gh_backfill").mkdir()
    (at / "gh_backfill" / "__init__.py").write_text("raise SystemExit('the folder of the caller was taken')")
    (at / "requirements.txt").write_text("nothing-of-that-name==0\n")
    commit(at)
    subprocess.run(["git", "remote", "add", "origin", f"https://github.com/{CALLER}"], cwd=at, check=True)
    return at


def test_ten_lines_in_another_repository_plan_capture_and_report(
    tool: Path, caller: Path, empty_database_url: str
) -> None:
    with running(load(recipes=["octo/engine:130", "octo/small:12"])) as github:
        run = run_workflow(
            caller,
            "gh-backfill.yml",
            inputs={"repository_ids": "octo/engine octo/small"},
            env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
            secrets={"DATABASE_URL": empty_database_url, "BACKFILL_TOKEN": "a-personal-token"},
            others={f"{TOOL}@{VERSION}": tool},
        )
    assert run.exit_code == 0, run.text
    assert run.jobs == {
        "plan": "success",
        "capture octo/engine": "success",
        "capture octo/small": "success",
        "report": "success",
    }
    with Database(empty_database_url) as db, db.transaction(read_only=True) as tx:
        captured = tx.rows(
            "select full_name, count(p.id) as n from repositories r join pull_requests p on p.repository_id = r.id "
            "group by full_name order by full_name"
        )
        outcomes = tx.rows("select distinct outcome from progressive_capture_jobs where job_type <> 'verify'")
    assert captured == [{"full_name": "octo/engine", "n": 130}, {"full_name": "octo/small", "n": 12}]
    assert outcomes == [{"outcome": "completed"}]
    assert run.log.count(f"gh-backfill {__version__}") == 4


def test_a_run_without_a_database_ends_before_anything_is_installed_and_says_what_to_set_where(
    tool: Path, caller: Path
) -> None:
    run = run_workflow(caller, "gh-backfill.yml", others={f"{TOOL}@{VERSION}": tool})
    assert run.jobs == {"plan": "failure", "report": "failure"}
    said = f"In {CALLER} open Settings, Secrets and variables, Actions, and make the secret DATABASE_URL"
    for job in ("plan", "report"):
        (error,) = run.errors[job]
        assert said in error
    assert "gh-backfill 0" not in run.log  # which is what an install ends with


def test_the_action_alone_gives_a_job_of_ones_own_the_command_whatever_lies_in_its_workspace(
    tool: Path, caller: Path
) -> None:
    (caller / ".github" / "workflows" / "own.yml").write_text(OWN)
    commit(caller)
    run = run_workflow(caller, "own.yml", others={f"{TOOL}@{VERSION}": tool})
    assert run.exit_code == 0, run.text
    assert run.outputs["own"]["told"] == __version__
    assert "the folder of the caller was taken" not in run.log


def test_every_night_all_that_is_due_is_done_by_the_jobs_of_one_file(
    tool: Path, caller: Path, database_url: str
) -> None:
    with running(load(recipes=["octo/small:12"])) as github:
        with Database(database_url) as db:
            track.track(db, GraphQL(github.graphql_url, "tok"), ["octo/small"])
        run = run_workflow(
            caller,
            "gh-backfill-nightly.yml",
            event="schedule",
            env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
            secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "a-personal-token"},
            others={f"{TOOL}@{VERSION}": tool},
        )
    assert run.exit_code == 0, run.text
    assert run.jobs == {"recover": "success", "verify": "success", "events": "success", "aggregate": "success"}


def test_the_tick_starts_the_callers_own_worker_which_does_what_was_handed_over(
    tool: Path, caller: Path, database_url: str
) -> None:
    with running(load(recipes=["octo/small:6", "octo/large:9", f"{CALLER}:0"])) as github:
        workflows.put(github.world, CALLER, WORKER, inputs=["run_key", "repositories", "backfills", "reason", "days"])
        with Database(database_url) as db:
            track.track(db, GraphQL(github.graphql_url, "tok"), ["octo/small"])
            track.track(db, GraphQL(github.graphql_url, "tok"), ["octo/large"])
            with db.transaction() as tx:
                tx.run(  # as another application writes one
                    "insert into progressive_capture_jobs (job_type, repository_id, status, metadata) "
                    "select 'progressive_backfill', id, 'pending', '{\"trigger_reason\": \"manual\"}' "
                    "from repositories where full_name = 'octo/large'"
                )
        at_github = {"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url}
        secrets = {"DATABASE_URL": database_url, "BACKFILL_TOKEN": "a-personal-token", "GITHUB_TOKEN": "own"}
        others = {f"{TOOL}@{VERSION}": tool}
        tick = run_workflow(caller, "dispatch.yml", event="schedule", env=at_github, secrets=secrets, others=others)
        assert tick.jobs == {"dispatch": "success"}, tick.text
        (started,) = github.world.dispatches
        assert (started.repository, started.file) == (CALLER, WORKER)
        work = run_workflow(caller, WORKER, inputs=started.inputs, env=at_github, secrets=secrets, others=others)
    assert set(work.jobs.values()) == {"success"}, work.text
    assert {"sync", "report"} < set(work.jobs)
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        jobs = tx.rows("select distinct status, outcome from progressive_capture_jobs")
    assert jobs == [{"status": "completed", "outcome": "completed"}]
