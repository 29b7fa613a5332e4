"""The workflow that proves every night that nothing is missing, unchanged, against a simulated GitHub."""

from __future__ import annotations

from pathlib import Path

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import Limits
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, track
from tests.acceptance.act import copy_checkout, run_workflow

NAME = "octo/small"
LOCAL = Run(key="before", run_id=None, attempt=1, processor="local")


def test_the_nightly_run_mends_what_is_missing_and_certifies_it(tmp_path: Path, database_url: str) -> None:
    checkout = copy_checkout(tmp_path / "checkout", installs=True)
    with running(load(recipes=[f"{NAME}:6"])) as github, Database(database_url) as db:
        graphql = GraphQL(github.graphql_url, "tok")
        track.track(db, graphql, [NAME], backfill=Goal())
        capture.run(db, graphql, LOCAL, NAME, Limits(), listen=lambda progress: None)
        with db.transaction() as tx:
            tx.run("delete from pull_requests where number = 4")
        done = run_workflow(
            checkout,
            "verify.yml",
            event="schedule",
            env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
            secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "tok"},
        )
        assert (done.exit_code, done.jobs) == (0, {"verify": "success"}), done.text
        assert "6 pull requests, nothing missing" in done.summaries["verify"]
        with db.transaction(read_only=True) as tx:
            row = tx.row("select score, certificate ->> 'mended' as mended from verifications")
            job = tx.row("select processor_type, outcome from progressive_capture_jobs where job_type = 'verify'")
        assert row == {"score": 100.0, "mended": "1"}
        assert job == {"processor_type": "github_actions", "outcome": "completed"}
