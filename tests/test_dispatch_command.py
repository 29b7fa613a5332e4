"""The command `dispatch` as a person or a workflow calls it, and the worker that does what it handed over."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator import changes, workflows
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks.dispatch.starting import WORKER
from tests.test_cli import cli, environment

__all__ = ["environment"]
SMALL, OTHER, HOME = "octo/small", "octo/other", "octo/home"
INPUTS = ("run_key", "repositories", "backfills", "reason")


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=[f"{SMALL}:5", f"{OTHER}:4", f"{HOME}:0"])) as simulator:
        workflows.put(simulator.world, HOME, WORKER, inputs=INPUTS)
        yield simulator


@pytest.fixture
def complete(environment: dict[str, str]) -> dict[str, str]:
    environment |= {"GITHUB_REPOSITORY": HOME}
    assert cli(environment, "track", SMALL, OTHER).returncode == 0
    for name in (SMALL, OTHER):
        assert cli(environment, "capture", name).returncode == 0
    return environment


def jobs(environment: dict[str, str]) -> list[dict[str, Any]]:
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        return tx.rows("select * from progressive_capture_jobs where job_type = 'sync' order by created_at")


def test_a_finished_repository_gets_its_new_pull_request_by_the_next_tick_without_a_webhook(
    complete: dict[str, str], github: Simulator, tmp_path: Path
) -> None:
    number = changes.open_pull_request(github.world, SMALL, author="octo", title="New").number
    done = cli(complete, "dispatch", GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert done.returncode == 0, done.stderr
    assert "2 repositories due" in done.stdout
    assert "1 unchanged, 1 changed; 1 point" in done.stdout
    assert "there are no Inngest keys: everything goes to GitHub Actions" in done.stdout
    assert "1 job handed over" in (tmp_path / "summary").read_text()
    (started,) = github.world.dispatches
    (job,) = jobs(complete)
    assert (started.file, started.inputs["repositories"]) == (WORKER, job["repository_id"])
    assert started.inputs["run_key"] == job["run_key"]
    worked = cli(
        complete,
        "sync",
        GH_BACKFILL_PLANNED="true",
        GH_BACKFILL_RUN_KEY=started.inputs["run_key"],
        GH_BACKFILL_REPOSITORY_IDS="",
    )
    assert worked.returncode == 0, worked.stderr
    assert f"{SMALL}: 1 pull request read, 1 of 1 rows changed" in worked.stdout
    (job,) = jobs(complete)
    assert (job["status"], job["outcome"]) == ("completed", "completed")
    with Database(complete["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select 1 from pull_requests where number = %(n)s", n=number)
    again = cli(complete, "dispatch", "--json")
    assert json.loads(again.stdout)["due"] == 0


def test_a_job_of_another_application_obeys_the_twelve_hours_and_says_so(
    complete: dict[str, str], github: Simulator
) -> None:
    assert cli(complete, "sync", SMALL).returncode == 0
    with Database(complete["DATABASE_URL"]) as db, db.transaction() as tx:
        tx.run("delete from progressive_capture_jobs")
        tx.run("update repository_syncs set next_due_at = clock_timestamp() + interval '1 hour'")
        tx.run("update tracked_repositories set tracking_enabled = false where repository_name = 'other'")
        for reason in ("scheduled", "manual"):
            tx.run(
                "insert into progressive_capture_jobs (job_type, repository_id, status, time_range_days, metadata) "
                "select 'sync', id, 'pending', 7, jsonb_build_object('reason', %(reason)s::text) from repositories "
                "where full_name = case %(reason)s when 'manual' then 'octo/other' else 'octo/small' end",
                reason=reason,
            )
    told = json.loads(cli(complete, "dispatch", "--json").stdout)
    assert (told["due"], len(told["jobs"]), told["actions_percent"]) == (0, 2, 100.0)
    key = github.world.dispatches[0].inputs["run_key"]
    worked = cli(complete, "sync", "--planned", GH_BACKFILL_RUN_KEY=key)
    assert "Repository octo/small was synced 0 hours ago. Skipping to prevent excessive API usage." in worked.stdout
    assert "octo/other is not tracked any more" in worked.stdout
    assert [(row["status"], row["outcome"]) for row in jobs(complete)] == [("skipped", "not_possible")] * 2
    assert any("hours ago" in row["error"] for row in jobs(complete))


def test_a_dry_run_says_what_is_due_and_writes_nothing(complete: dict[str, str], github: Simulator) -> None:
    done = cli(complete, "dispatch", "--dry-run")
    assert f"{SMALL}: due since 20" in done.stdout
    assert "dry run: nothing was written" in done.stdout
    assert len(json.loads(cli(complete, "dispatch", "--dry-run", "--json").stdout)["due"]) == 2
    with Database(complete["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select 1 from repository_syncs") == []
    assert github.world.dispatches == []


def test_a_worker_that_is_disabled_leaves_the_jobs_for_the_next_tick(
    complete: dict[str, str], github: Simulator
) -> None:
    changes.open_pull_request(github.world, SMALL, author="octo", title="New")
    workflows.disable(github.world, HOME, WORKER)
    done = cli(complete, "dispatch")
    assert done.returncode == 0, done.stderr
    assert f"the workflow {WORKER} is disabled_inactivity: open Actions in {HOME}" in done.stdout
    (job,) = jobs(complete)
    assert (job["status"], job["run_key"]) == ("pending", None)
    workflows.put(github.world, HOME, WORKER, inputs=INPUTS)
    assert "1 job handed over" in cli(complete, "dispatch").stdout


def test_a_tick_tells_a_dead_mans_switch_how_it_went(complete: dict[str, str]) -> None:
    told: list[str] = []

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Switch) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/ping/abc"
        assert cli(complete, "dispatch", GH_BACKFILL_HEARTBEAT_URL=url).returncode == 0
        assert cli(complete, "dispatch", GH_BACKFILL_HEARTBEAT_URL=url, GITHUB_TOKEN="").returncode == 2
        server.shutdown()
    assert told == ["/ping/abc/start", "/ping/abc", "/ping/abc/start", "/ping/abc/fail"]
