"""Counts are right beyond a thousand rows, and nothing is called complete while something is missing."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.policy.selection import Thresholds
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.report import report
from tests import forks
from tests.tasks.conftest import ENGINE, SMALL, House

MANY = 1_001
ROOT = Path(__file__).parents[2]
REPOSITORIES = """
    with home as (
        insert into repositories (github_id, full_name, owner, name, github_pull_requests)
        select 7000000 + n, 'many/r' || n, 'many', 'r' || n, 2000 from generate_series(1, %(many)s) n returning id, name
    )
    insert into tracked_repositories (repository_id, organization_name, repository_name)
    select id, 'many', name from home"""
PULL_REQUESTS = """
    insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name, head_branch,
                               created_at, updated_at)
    select 9000000 + n, n, 'one of many', 'open', r.id, r.full_name, 'topic', now(), now()
    from repositories r, generate_series(1, %(many)s) n where r.name = 'r1'"""
JOBS = """
    insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, outcome, run_key, points,
                                          items)
    select 'progressive_backfill', id, 'local', 'completed', 'completed', 'run-many', 2, 3
    from repositories where owner = 'many'"""


@pytest.fixture
def many(house: House) -> House:
    """Give a database with 1,001 repositories, the first of which has 1,001 pull requests, and a job for each."""
    with house.db.transaction() as tx:
        for statement in (REPOSITORIES, PULL_REQUESTS, JOBS):
            tx.run(statement, many=MANY)
    return house


def cli(house: House, *arguments: str) -> Any:
    """Return the JSON that a command prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(ROOT),
        "DATABASE_URL": house.url,
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": house.github.url,
    }
    done = forks.run([*arguments, "--json"], env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_status_counts_beyond_a_thousand_rows(many: House) -> None:
    states = cli(many, "status")
    assert len(states) == MANY
    (first,) = [each for each in states if each["full_name"] == "many/r1"]
    assert (first["captured"], first["total"], first["percent"]) == (MANY, 2000, 50.0)


def test_a_report_counts_beyond_a_thousand_jobs(many: House) -> None:
    made = report(many.db, "run-many")
    assert (len(made.jobs), made.totals()["jobs"], made.totals()["succeeded"]) == (MANY, MANY, MANY)
    assert (made.totals()["points"], made.totals()["pull_requests"]) == (2 * MANY, 3 * MANY)


def test_a_plan_judges_more_than_a_thousand_repositories(many: House) -> None:
    many.track(ENGINE)
    made = plan(many.db, many.graphql(), many.run, datetime.now(UTC), thresholds=Thresholds(), limit=12)
    assert [each.repository.full_name for each in made.verdicts] == [ENGINE]
    assert len({each.full_name for each in made.gone}) == MANY  # this GitHub has none of them: asked for, one by one
    assert many.only("select count(*) as n from repositories where is_private")["n"] == MANY


def test_a_captured_history_of_more_than_a_thousand_is_counted_whole(database_url: str) -> None:
    with running(load(recipes=[f"{ENGINE}:{MANY}"])) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track(ENGINE)
        assert house.capture().items == MANY
        (state,) = cli(house, "status")
        assert (state["captured"], state["total"], state["percent"]) == (MANY, MANY, 100.0)
        assert house.state()["processed_prs"] == house.count("pull_requests") == MANY


def test_what_is_missing_is_listed_by_number_and_counted_against_the_whole(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="missing_id", size=0.15, seed=1))
    house.capture(SMALL)
    here = {row["number"] for row in house.rows("select number from pull_requests")}
    everywhere = {outline.number for outline in _outlines(house)}
    lost = house.rows("select number from backfill_quarantine where kind = 'pull_request' and resolved_at is null")
    assert {row["number"] for row in lost} == everywhere - here != set()
    (state,) = cli(house, "status")
    assert (state["captured"], state["total"]) == (len(here), 12)
    assert state["percent"] < 100
    assert state["quarantined"] > 0


def _outlines(house: House) -> Any:
    world = house.github.world
    (home,) = [each for each in world.repositories.values() if each.full_name == SMALL]
    return world.shelves[home.id].outlines()
