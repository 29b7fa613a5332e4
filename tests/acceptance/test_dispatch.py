"""The clock and its worker, and the workflows that capture by hand, unchanged, against a simulated GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import Limits
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes, workflows
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.dispatch.starting import WORKER
from tests.acceptance.act import ActRun, copy_checkout, run_workflow

SMALL, LARGE, HOME = "octo/small", "octo/large", "octo/home"
RUN = Run(key="before", run_id=None, attempt=1, processor="local")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A copy of this checkout, a simulated GitHub and a database in which one repository is complete."""

    checkout: Path
    github: Simulator
    database_url: str

    def run(self, workflow: str, *, event: str = "workflow_dispatch", **inputs: str) -> ActRun:
        done = run_workflow(
            self.checkout,
            workflow,
            event=event,
            inputs=inputs,
            env={
                "GITHUB_API_URL": self.github.url,
                "GITHUB_GRAPHQL_URL": self.github.graphql_url,
                "GITHUB_REPOSITORY": HOME,
            },
            secrets={"DATABASE_URL": self.database_url, "BACKFILL_TOKEN": "a-personal-token", "GITHUB_TOKEN": "own"},
        )
        assert done.exit_code == 0, done.text
        return done

    def rows(self, statement: str, **params: object) -> list[Row]:
        with Database(self.database_url) as db, db.reading() as tx:
            return tx.rows(statement, **params)

    def numbers(self, name: str) -> list[int]:
        """Return the pull requests that are here of a repository."""
        found = self.rows(
            "select number from pull_requests where repository_full_name = %(name)s order by number", name=name
        )
        return [row["number"] for row in found]


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    with running(load(recipes=[f"{SMALL}:6", f"{LARGE}:9", f"{HOME}:0"])) as github:
        workflows.put(github.world, HOME, WORKER, inputs=["run_key", "repositories", "backfills", "reason", "days"])
        graphql = GraphQL(github.graphql_url, "a-personal-token")
        with Database(database_url) as db:
            track.track(db, graphql, [SMALL], backfill=Goal())
            track.track(db, graphql, [LARGE])
            capture.run(db, graphql, RUN, SMALL, Limits(), listen=lambda progress: None)
        yield Stage(checkout=copy_checkout(tmp_path / "checkout"), github=github, database_url=database_url)


def test_the_clock_starts_the_worker_once_and_it_does_what_was_handed_over(stage: Stage) -> None:
    new = changes.open_pull_request(stage.github.world, SMALL, author="octo", title="New").number
    with Database(stage.database_url) as db, db.transaction() as tx:
        tx.run(  # as another application writes one
            "insert into progressive_capture_jobs (job_type, repository_id, status, metadata) "
            "select 'progressive_backfill', id, 'pending', '{\"trigger_reason\": \"manual\"}' from repositories "
            "where full_name = %(name)s",
            name=LARGE,
        )
    ticked = stage.run("dispatch.yml", event="schedule")
    assert ticked.jobs == {"dispatch": "success"}
    assert "there are no Inngest keys: everything goes to GitHub Actions" in ticked.summaries["dispatch"]
    (started,) = stage.github.world.dispatches
    assert (started.file, started.ref) == (WORKER, "main")

    worked = stage.run(WORKER, **started.inputs)
    assert set(worked.jobs.values()) == {"success"}, worked.jobs
    assert new in stage.numbers(SMALL)
    assert len(stage.numbers(LARGE)) == 9
    ended = stage.rows(
        "select job_type, status, outcome from progressive_capture_jobs where run_key <> 'before' order by job_type"
    )
    assert {(row["job_type"], row["status"], row["outcome"]) for row in ended} == {
        ("progressive_backfill", "completed", "completed"),
        ("sync", "completed", "completed"),
    }


def test_a_chunk_and_the_details_of_given_pull_requests_are_captured_by_hand(stage: Stage) -> None:
    chunk = stage.run("capture-pr-chunk.yml", repository_id=LARGE, chunk_size="4", max_chunks="1")
    assert list(chunk.jobs.values()) == ["success"]
    assert len(stage.numbers(LARGE)) == 4
    changes.review(stage.github.world, SMALL, 3, author="octo", state="APPROVED", comments=["a"])
    for what in ("reviews", "comments"):
        with Database(stage.database_url) as db, db.transaction() as tx:
            tx.run(f"delete from {what}")  # noqa: S608
        done = stage.run(f"capture-pr-{what}.yml", repository_id=SMALL, pr_numbers="3, 4")
        assert done.jobs == {"capture": "success"}
        assert "2 pull requests complete" in done.log
        (there,) = stage.rows(f"select count(*)::integer as n from {what}")  # noqa: S608
        assert there["n"] > 0
