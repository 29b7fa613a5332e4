"""The workflow that brings everything of a repository, unchanged, against a simulated GitHub."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.aggressive.steps import wanted
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks.aggressive import asking
from tests.acceptance.act import copy_checkout, run_workflow


@pytest.mark.parametrize("event", ["workflow_dispatch", "schedule"])
def test_a_named_repository_comes_whole_and_what_waits_goes_on_by_the_schedule(
    event: str, tmp_path: Path, database_url: str
) -> None:
    checkout = copy_checkout(tmp_path / "checkout", installs=True)
    inputs = {"repository": "octo/engine"} if event == "workflow_dispatch" else {}
    with running(load(recipes=["octo/engine:12"])) as github, Database(database_url) as db:
        if event == "schedule":
            _asked(db, github.graphql_url)
        done = run_workflow(
            checkout,
            "aggressive-backfill.yml",
            event=event,
            inputs=inputs,
            env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
            secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "tok"},
        )
        assert (done.exit_code, done.jobs) == (0, {"aggressive": "success"}), done.text
        assert "PR count matches GitHub" in done.summaries["aggressive"]
        with db.transaction(read_only=True) as tx:
            (row,) = tx.rows("select status from aggressive_backfills")
            (count,) = tx.rows("select count(*) as n from pull_requests")
        assert (row["status"], count["n"]) == ("completed", 12)


def _asked(db: Database, graphql_url: str) -> None:
    """Ask for everything of the repository, as its page does."""
    asking.ask(
        db,
        GraphQL(graphql_url, "tok"),
        "octo/engine",
        asking.AggressiveWish(steps=wanted()),
        name_of=lambda number: pytest.fail("no id was given"),
        actor=Actor(who="somebody"),
        now=datetime.now(UTC),
    )
