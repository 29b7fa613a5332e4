"""`track --via inngest`: what was added is an event each, and what was added stays where Inngest takes none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.test_cli import cli, environment, refused
from tests.web.inngest_executor import EVENT_KEY, Events, taking_events

__all__ = ["environment"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:5", "octo/other:4"])) as simulator:
        yield simulator


@pytest.fixture
def events() -> Iterator[Events]:
    with taking_events() as server:
        yield server


def test_each_that_is_new_is_an_event_of_its_own(environment: dict[str, str], events: Events) -> None:
    keys = {"INNGEST_EVENT_KEY": EVENT_KEY, "INNGEST_BASE_URL": events.url}
    done = cli(environment, "track", "octo/small", "octo/other", "octo/nowhere", "--via", "inngest", **keys)
    assert "their newest pull requests come through Inngest: it took 2 events" in done.stdout, done.stderr
    assert {(each["name"], each["data"]["owner"], each["data"]["name"]) for each in events.taken} == {
        ("repository/backfill.initial", "octo", "small"),
        ("repository/backfill.initial", "octo", "other"),
    }
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        ids = {row["id"] for row in tx.rows("select id::text as id from repositories")}
    assert {each["data"]["repositoryId"] for each in events.taken} == ids
    assert len({each["data"]["requestId"] for each in events.taken}) == 2
    assert cli(environment, "track", "octo/small", "--via", "inngest", **keys).returncode == 0
    assert len(events.taken) == 2, "it is here already"


def test_where_inngest_takes_nothing_what_was_added_waits(environment: dict[str, str], events: Events) -> None:
    events.answers.append((401, b'{"error": "Event key not found", "status": 401}'))
    keys = {"INNGEST_EVENT_KEY": EVENT_KEY, "INNGEST_BASE_URL": events.url}
    said = refused(cli(environment, "track", "octo/small", "--via", "inngest", **keys), 3)
    assert "Event key not found; what was added stays, and waits for the next run" in said
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select initial_backfill_status as s from repositories") == [{"s": "pending"}]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--via", "inngest"], "--via inngest needs INNGEST_EVENT_KEY"),
        (["--via", "pigeon"], "--via takes inngest alone"),
        (["--via", "inngest", "--local"], "neither --local nor --no-backfill"),
    ],
    ids=["no key", "another way", "two ways"],
)
def test_what_can_not_be_sent_is_told_before_anything_is_written(
    environment: dict[str, str], options: list[str], said: str
) -> None:
    assert said in refused(cli(environment, "track", "octo/small", *options), 2)
