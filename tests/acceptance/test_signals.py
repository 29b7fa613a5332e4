"""What Actions does to a step that is cancelled: an interrupt to its first process, which is ours."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from tests.acceptance.act import ActRun, copy_checkout, run_workflow

LOOKS = 600


def steps_at_work(database_url: str) -> list[int]:
    """Return the processes that capture into this database, by what the system knows of them."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if (
            b"gh_backfill" in command
            and b"capture" in command
            and f"DATABASE_URL={database_url}".encode() in environment
        ):
            found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc to find the step")
@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_step_gives_its_chunk_back(tmp_path: Path, database_url: str, word: signal.Signals) -> None:
    done: list[ActRun] = []
    with running(load(recipes=["octo/engine:400"]), Options(latency=0.3)) as github, Database(database_url) as db:
        track.track(db, GraphQL(github.graphql_url, "tok"), ["octo/engine"])
        checkout = copy_checkout(tmp_path / "checkout")

        def workflow() -> None:
            done.append(
                run_workflow(
                    checkout,
                    "progressive-backfill.yml",
                    inputs={"chunk_size": "2"},
                    env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
                    secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "tok"},
                )
            )

        thread = threading.Thread(target=workflow)
        thread.start()
        try:
            pid = _wait_for_a_chunk(db, database_url, thread)
            os.kill(pid, word)
        finally:
            thread.join()
        with db.transaction(read_only=True) as tx:
            assert tx.rows("select 1 from backfill_chunks where status = 'processing'") == []
            (job,) = tx.rows("select status, outcome from progressive_capture_jobs")
            (state,) = tx.rows("select status from progressive_backfill_state")
    assert done[0].jobs["capture octo/engine"] == "failure"
    assert job == {"status": "cancelled", "outcome": "cancelled"}
    assert state["status"] == "active"


def _wait_for_a_chunk(db: Database, database_url: str, thread: threading.Thread) -> int:
    """Return the step's process once it has committed something and is at work on more."""
    for _ in range(LOOKS):
        thread.join(0.1)
        with db.transaction(read_only=True) as tx:
            (row,) = tx.rows("select count(*) as n from backfill_chunks where status = 'completed'")
        found = steps_at_work(database_url)
        if row["n"] and found:
            return found[0]
        assert thread.is_alive(), "the workflow ended before its step could be stopped"
    raise AssertionError("the step never captured anything")
