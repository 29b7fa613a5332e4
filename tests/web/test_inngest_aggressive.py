"""The event of an aggressive backfill: everything comes in steps, and how it ended is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.web.inngest_executor import Run, taking_events
from tests.web.test_inngest import NAME, Place

AGGRESSIVE = "backfill-repository-aggressive"


@pytest.fixture
def place(db: Database, database_url: str) -> Iterator[Place]:
    with running(load(recipes=[f"{NAME}:27"])) as github, taking_events() as events, ExitStack() as stack:
        made = Place(db=db, database_url=database_url, github=github, events=events, stack=stack)
        made.serve()
        yield made


def run_of(place: Place, **data: object) -> Run:
    given = {"repositoryId": place.id, "owner": "octo", "name": "engine", "requestId": "r-1", **data}
    return Run(url=place.url, function=AGGRESSIVE, event="repository/backfill.aggressive", data=given, run_id="run-1")


def standing(place: Place) -> dict[str, object]:
    (row,) = place.rows("select status, run_key, reason from aggressive_backfills")
    return dict(row)


def test_everything_comes_by_an_event_and_its_job_ends(place: Place) -> None:
    place.track()
    ended = run_of(place, skipEmbeddings=True).to_the_end()
    assert (ended.status, ended.body["status"], ended.body["goes_on"]) == (200, "completed", False)
    assert place.is_whole()
    assert standing(place)["status"] == "completed"
    jobs = place.jobs()
    assert [(job["processor_type"], job["outcome"]) for job in jobs] == [("inngest", "completed")] * len(jobs)


def test_of_days_only_what_was_created_in_them_comes(place: Place) -> None:
    place.track()
    ended = run_of(place, timeRange=2, skipEmbeddings=True, skipWorkspace=True).to_the_end()
    assert ended.body["status"] == "completed"
    (row,) = place.rows("select since from aggressive_backfills")
    assert row["since"] is not None
    assert place.rows("select 1 from pull_requests where created_at < %(since)s", since=row["since"]) == []


def test_a_repository_that_is_not_here_ends_it_with_a_sentence(place: Place) -> None:
    place.id = "6f6f6f6f-0000-4000-8000-000000000000"
    ended = run_of(place).to_the_end()
    assert ended.status != 200
    assert "Repository not found" in str(ended.body)


def test_what_leaves_nothing_to_do_is_refused(place: Place) -> None:
    place.track()
    ended = run_of(place, skipEmbeddings=True, embeddingsOnly=True).to_the_end()
    assert ended.status != 200
    assert "leave nothing to do" in str(ended.body)
