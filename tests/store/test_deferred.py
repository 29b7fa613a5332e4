"""What is deferred travels with the next message, in a transaction of its own, and is never left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients.credentials import fixed
from gh_backfill.clients.gate import Grant
from gh_backfill.engine.gate import SharedGate
from gh_backfill.errors import RowRefused
from gh_backfill.models.github import Budget
from gh_backfill.policy.governor import RateLimitReport
from gh_backfill.store.db import Database, Statement
from tests.storm.wire import Moment, Wire

NOTED = "select text from notes order by text"


def note(text: str) -> Statement:
    return "insert into notes (text) values (%(text)s) returning text", {"text": text}


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watched(database_url: str, said: list[str]) -> Iterator[Database]:
    """Give a database whose messages are heard, with a table for notes."""

    def hear(statement: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            said.append(statement)

    with Database(database_url) as db:
        db.statements(("create table notes (text text primary key)", {}), ("select 1", {}))
    wire = Wire(database_url, hear)
    with Database(wire.url("watched")) as db:
        yield db
    wire.close()


def texts(db: Database) -> list[str]:
    return [row["text"] for row in db.statement(NOTED)]


def test_what_is_deferred_takes_no_message_of_its_own_and_comes_first(watched: Database, said: list[str]) -> None:
    watched.defer(lambda: note("deferred"))
    assert said == []
    assert texts(watched) == ["deferred"]
    assert len(said) == 1


def test_what_is_deferred_stays_though_the_transaction_that_it_travels_with_is_rolled_back(watched: Database) -> None:
    watched.defer(lambda: note("deferred"))
    with pytest.raises(LookupError), watched.transaction() as tx:
        tx.run(note("")[0], text="of the transaction")
        raise LookupError
    assert texts(watched) == ["deferred"]


def test_what_is_deferred_and_fails_takes_nothing_else_with_it(watched: Database) -> None:
    watched.statement(*note("one")[:1], text="one")
    watched.defer(lambda: note("one"))
    assert texts(watched) == ["one"]
    watched.defer(lambda: note("one"))
    with watched.transaction() as tx:
        tx.run(note("")[0], text="two")
    assert texts(watched) == ["one", "two"]


def test_what_fails_beside_something_deferred_is_told_and_the_deferred_stays(watched: Database) -> None:
    watched.defer(lambda: note("one"))
    with pytest.raises(RowRefused):
        watched.statement(note("")[0], text=None)
    assert texts(watched) == ["one"]


def test_what_has_not_travelled_is_sent_in_the_end(watched: Database, said: list[str]) -> None:
    watched.defer(lambda: note("one"))
    watched.defer(lambda: note("two"))
    watched.flush()
    watched.flush()
    assert len(said) == 1
    assert texts(watched) == ["one", "two"]


def test_a_lazy_gate_settles_with_the_next_message_and_what_is_left_when_it_rests(
    watched: Database, said: list[str]
) -> None:
    gate = SharedGate(watched, lazy=True)
    for remaining in (999, 998):
        granted = gate.reserve(fixed("tok"), points=1, seconds=0.5)
        assert isinstance(granted, Grant)
        now = datetime.now(UTC)
        budget = Budget(limit=1_000, remaining=remaining, reset_at=now + timedelta(minutes=30))
        gate.settle(granted, RateLimitReport(seconds=0.5, budget=budget, answered=True, at=now))
    settled = [each.count("slowdowns = case") for each in said]
    assert sum(settled) == 1
    gate.rest()
    (row,) = watched.statement("select remaining, reserved from api_budgets")
    assert (row["remaining"], row["reserved"]) == (998, {})
