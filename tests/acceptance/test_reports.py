"""A run explains itself: a runner that was killed, a rate limit, bad data and two that go well, over three runs."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import IssueRow
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import track
from tests.acceptance.act import ActRun, copy_checkout, run_workflow

HOME = "octo/pipeline"
DEAD, LIMITED, BAD, ONE, TWO = "octo/dead", "octo/limited", "octo/bad", "octo/one", "octo/two"
SIZES = {DEAD: 150, LIMITED: 140, BAD: 130, ONE: 120, TWO: 110}
PATIENCE = 300.0


@dataclass(kw_only=True)
class Stage:
    """The workflow's checkout, its GitHub, its database, and what a test does while it runs."""

    checkout: Path
    github: Simulator
    database_url: str
    trouble: list[str] = field(default_factory=list)

    def run(self, run_id: int, jobs: dict[str, str], *, token: str) -> ActRun:
        """Run the workflow on its schedule; `jobs` are the conclusions that GitHub will tell."""
        told = [
            {
                "id": number,
                "name": name,
                "status": "completed",
                "conclusion": conclusion,
                "run_attempt": 1,
                "started_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "completed_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
            for number, (name, conclusion) in enumerate(jobs.items(), 1)
        ]
        changes.set_run(self.github.world, HOME, {"id": run_id, "run_attempt": 1, "status": "in_progress"}, told)
        return run_workflow(
            self.checkout,
            "progressive-backfill.yml",
            event="schedule",
            env={
                "GITHUB_API_URL": self.github.url,
                "GITHUB_GRAPHQL_URL": self.github.graphql_url,
                "GITHUB_REPOSITORY": HOME,
            },
            secrets={"DATABASE_URL": self.database_url, "BACKFILL_TOKEN": token, "GITHUB_TOKEN": "the-runs-own"},
            run_id=run_id,
        )

    def rows(self, statement: str) -> list[Row]:
        with Database(self.database_url) as db, db.transaction(read_only=True) as tx:
            return tx.rows(statement)

    def ledger(self, run_key: str) -> dict[str, Row]:
        rows = self.rows(
            "select r.full_name, j.* from progressive_capture_jobs j join repositories r on r.id = j.repository_id "
            "where j.job_type <> 'verify'"
        )
        return {row["full_name"]: row for row in rows if row["run_key"] == run_key}

    def issues(self) -> list[IssueRow]:
        home = self.github.world.repository(*HOME.split("/"))
        assert home is not None
        return [issue for _, issue in sorted(self.github.world.shelves[home.id].issues.items())]

    def fault(self, name: str, repository: str, *, operation: str = "PullRequest(Page|Outline)", **given: Any) -> None:
        """Let a fault strike what is captured of one repository, but not what the plan asks of all."""
        found = self.github.world.repository(*repository.split("/"))
        assert found is not None
        pull = self.github.world.pull(found.id, 1)
        assert pull is not None
        below = pull.node_id[: len("PR_") + 11]  # the node ids of one repository's items begin alike
        match = {"operation": operation, "variables": f"{found.node_id}|{below}"}
        self.github.faults.add(Fault(name=name, match=match, **given))

    @contextmanager
    def meanwhile(self, *actions: Callable[[], None]) -> Iterator[None]:
        """Do something beside the run; what goes wrong there fails the test."""

        def act() -> None:
            try:
                for action in actions:
                    action()
            except AssertionError as error:
                self.trouble.append(str(error))

        thread = threading.Thread(target=act)
        thread.start()
        yield
        thread.join()
        assert self.trouble == []

    def kill_runner_of(self, repository: str, run_key: str) -> Callable[[], None]:
        """Kill the process that captures a repository, as soon as it is at work."""

        def kill() -> None:
            wait_for(lambda: run_key in self._working(repository), f"{repository} is at work")
            (row,) = self.rows(f"select id from repositories where full_name = '{repository}'")  # noqa: S608
            os.kill(process_of(row["id"]), signal.SIGKILL)

        return kill

    def limit_when_the_others_are_done(self, run_key: str) -> Callable[[], None]:
        """Let GitHub's points be used up once everybody else has ended: one token is one budget."""

        def limit() -> None:
            def ended() -> bool:
                rows = self.ledger(run_key)
                return all(name in rows and rows[name]["outcome"] is not None for name in (BAD, ONE, TWO))

            wait_for(ended, "the others are done")
            self.github.faults.clear()
            self.fault("rate_limited", LIMITED)

        return limit

    def _working(self, repository: str) -> set[str]:
        rows = self.rows("""select j.run_key, r.full_name from backfill_chunks c
                            join repositories r on r.id = c.repository_id
                            join progressive_capture_jobs j on j.repository_id = r.id
                            where c.status = 'processing' and j.status = 'processing'""")
        return {row["run_key"] for row in rows if row["full_name"] == repository}


def wait_for(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"it never came to pass that {what}"
        time.sleep(0.2)


def process_of(repository_id: str) -> int:
    """Return the process of a capture job, by what the workflow gave to it."""
    mark = f"GH_BACKFILL_REPOSITORY_ID={repository_id}".encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if b"gh_backfill" in command and mark in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            continue
    raise AssertionError(f"no process captures {repository_id}")


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    with running(load(recipes=[f"{HOME}:2", *(f"{name}:{size}" for name, size in SIZES.items())])) as github:
        with Database(database_url) as db:
            tracked = track.track(db, GraphQL(github.graphql_url, "first"), list(SIZES), backfill=Goal())
        assert not any(each.failed for each in tracked)
        yield Stage(checkout=copy_checkout(tmp_path / "checkout"), github=github, database_url=database_url)


def conclusions(**ended: str) -> dict[str, str]:
    jobs = {f"capture octo/{name}": conclusion for name, conclusion in ended.items()}
    return {"plan": "success", **jobs}


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
def test_a_run_explains_itself_and_its_issue_lives_from_the_first_failure_to_the_repair(stage: Stage) -> None:
    _the_first_run_ends_with_five_final_jobs_and_one_issue(stage)
    _the_next_run_opens_no_second_issue(stage)
    _the_run_after_the_repair_closes_the_issue(stage)


def _the_first_run_ends_with_five_final_jobs_and_one_issue(stage: Stage) -> None:
    stage.fault("stall", DEAD)
    stage.fault("stall", LIMITED)  # until the others are done, however slow the machine is
    stage.fault("missing_id", BAD, operation="", size=0.05)
    ended = conclusions(dead="failure", limited="success", bad="success", one="success", two="success")
    with stage.meanwhile(stage.kill_runner_of(DEAD, "101"), stage.limit_when_the_others_are_done("101")):
        run = stage.run(101, ended, token="first")
    assert run.jobs == {
        "plan": "success",
        f"capture {DEAD}": "failure",
        **{f"capture {name}": "success" for name in (LIMITED, BAD, ONE, TWO)},
        "report": "failure",
    }, run.text
    rows = stage.ledger("101")
    assert len(rows) == 5
    assert {name: (row["status"], row["outcome"]) for name, row in rows.items()} == {
        DEAD: ("failed", "died"),
        LIMITED: ("completed", "paused"),
        BAD: ("completed", "completed"),
        ONE: ("completed", "completed"),
        TWO: ("completed", "completed"),
    }
    assert rows[BAD]["warnings"] > 0
    assert rows[DEAD]["error_summary"]["critical"] == 1
    _the_figures_are_the_same_everywhere(stage, run, rows)
    (issue,) = stage.issues()
    assert issue.open
    assert issue.title == f"Backfill of {DEAD} stands still"
    assert "https://github.com/octo/pipeline/actions/runs/101" in issue.body


def _the_figures_are_the_same_everywhere(stage: Stage, run: ActRun, rows: dict[str, Row]) -> None:
    (kept,) = stage.rows("select report, error_summary from backfill_reports where run_key = '101'")
    outputs = run.outputs["report"]
    sums = {
        "pull_requests": sum(row["items"] or 0 for row in rows.values()),
        "points": sum(row["points"] or 0 for row in rows.values()),
        "chunks": sum(row["chunks"] or 0 for row in rows.values()),
        "warnings": sum(row["warnings"] or 0 for row in rows.values()),
        "jobs": 5,
        "succeeded": 4,
        "failed": 1,
        "paused": 1,
        "critical": 1,
    }
    assert {name: kept["report"][name] for name in sums} == sums
    assert {name: int(outputs[name]) for name in sums} == sums
    assert json.loads(outputs["error_summary"]) == kept["error_summary"]
    summary = run.summaries["report"]
    assert f"{sums['pull_requests']} pull requests in {sums['chunks']} chunks for {sums['points']} points" in summary
    assert "4 of 5 jobs succeeded; 1 failed; 1 paused" in summary
    for name, row in rows.items():
        (line,) = (line for line in summary.splitlines() if line.startswith("| ") and f"| {name} |" in line)
        assert f"| {row['items'] or 0} | {row['chunks'] or 0} | {row['points'] or 0} |" in line, line


def _the_next_run_opens_no_second_issue(stage: Stage) -> None:
    with stage.meanwhile(stage.kill_runner_of(DEAD, "102")):
        run = stage.run(102, conclusions(dead="failure"), token="second")
    assert run.jobs[f"capture {DEAD}"] == "failure", run.text
    assert stage.ledger("102")[DEAD]["outcome"] == "died"
    (issue,) = stage.issues()
    assert issue.open
    assert "runs/101" in issue.body
    assert "runs/102" in issue.body
    assert issue.comments == ()


def _the_run_after_the_repair_closes_the_issue(stage: Stage) -> None:
    stage.github.faults.clear()
    run = stage.run(103, conclusions(dead="success"), token="third")
    assert run.jobs[f"capture {DEAD}"] == "success", run.text
    assert run.jobs["report"] == "success", run.text
    (issue,) = stage.issues()
    assert not issue.open
    assert [comment.body.startswith("Recovered") for comment in issue.comments] == [True]
    assert stage.rows("select count(*) as n from pull_requests where repository_full_name = 'octo/dead'") == [
        {"n": 150}
    ]
