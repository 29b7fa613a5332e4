"""The workflow that returns stuck chunks for retry, unchanged, against a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.models.work import Goal
from gh_backfill.store import backfills
from gh_backfill.store.db import Database
from tests.acceptance.act import ActRun, copy_checkout, run_workflow
from tests.claims import claim
from tests.examples import tracked


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Give a database in which one worker lost its lease and another one is at work."""
    with Database(database_url) as database:
        with database.transaction() as tx:
            repository = tracked(tx)
            backfills.open_backfill(tx, repository.id, total=300, goal=Goal())
            assert claim(tx, repository.id, worker="lost", processor="github_actions")
            tx.run("update backfill_chunks set lease_until = clock_timestamp() - interval '1 minute'")
        yield database


def status(db: Database) -> str:
    with db.transaction(read_only=True) as tx:
        row = tx.row("select status from backfill_chunks")
    assert row is not None
    return str(row["status"])


def test_the_scheduled_run_returns_what_lost_its_worker_and_says_so(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    checkout = copy_checkout(tmp_path / "checkout", installs=True)

    def run(event: str, **inputs: str) -> ActRun:
        return run_workflow(
            checkout, "recover-chunks.yml", event=event, inputs=inputs, secrets={"DATABASE_URL": database_url}
        )

    dry = run("workflow_dispatch", dry_run="true")
    assert (dry.exit_code, dry.jobs) == (0, {"recover": "success"}), dry.text
    assert "would recover" in dry.log
    assert status(db) == "processing"

    done = run("schedule")
    assert (done.exit_code, done.jobs) == (0, {"recover": "success"}), done.text
    assert "1 chunk given back" in done.summaries["recover"]
    assert done.outputs["recover"]["returned"] == "1"
    assert status(db) == "pending"

    with db.transaction() as tx:
        tx.run(
            "update backfill_chunks set status = 'processing', lease_until = clock_timestamp() + interval '5 minutes'"
        )
    assert "nothing is stuck" in run("schedule").log
    assert status(db) == "processing"
    assert run("workflow_dispatch", all="true").exit_code == 0
    assert status(db) == "pending"
