"""A capture's gate spares the wait for the database, and is as careful as the one without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients.credentials import Credential, Credentials, fixed
from gh_backfill.clients.gate import Grant
from gh_backfill.engine.background import at_once
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.gate_ahead import GateAhead
from gh_backfill.models.github import Budget
from gh_backfill.policy.governor import RateLimitReport, Resource, Wait
from gh_backfill.store.db import Database, Row
from tests.storm.wire import Moment, Wire

LIMIT = 1_000
TOKEN = fixed("tok")


@dataclass(kw_only=True)
class Desk:
    """A gate, and a clock that only moves when it is told to."""

    db: Database
    passed: float = 0.0

    def __post_init__(self) -> None:
        self.gate = GateAhead(
            SharedGate(self.db, sleep=self.sleep, now=self.now), begin=at_once, clock=lambda: self.passed
        )

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def ask(self, points: int = 1, seconds: float = 0.5, resource: Resource = "graphql") -> Grant | Wait:
        return self.gate.reserve(TOKEN, points=points, seconds=seconds, resource=resource)

    def granted(self, points: int = 1, seconds: float = 0.5) -> Grant:
        grant = self.ask(points, seconds)
        assert isinstance(grant, Grant), grant
        return grant

    def answered(self, grant: Grant, remaining: int, seconds: float = 0.5) -> None:
        """Let an answer come after so many seconds."""
        self.passed += seconds
        reset_at = datetime(2026, 1, 1, 1, tzinfo=UTC)
        budget = Budget(limit=LIMIT, remaining=remaining, reset_at=reset_at)
        self.gate.settle(grant, RateLimitReport(seconds=seconds, budget=budget, answered=True, at=self.now()))

    def row(self) -> Row:
        (row,) = self.db.statement("select * from api_budgets where resource = 'graphql'")
        return row


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with Database(database_url) as db:
        yield Desk(db=db)


def test_the_leave_for_the_next_request_is_there_before_it_is_asked_for(desk: Desk) -> None:
    first = desk.granted()
    assert len(desk.row()["reserved"]) == 2
    desk.answered(first, 999)
    second = desk.granted()
    assert second.request != first.request
    row = desk.row()
    assert (first.request in row["reserved"], second.request in row["reserved"]) == (False, True)
    assert (len(row["reserved"]), row["remaining"]) == (2, 999)


def test_at_the_end_everything_is_settled_and_what_nobody_used_is_given_back(desk: Desk) -> None:
    desk.answered(desk.granted(), 999)
    desk.answered(desk.granted(), 998)
    desk.gate.close()
    row = desk.row()
    assert (row["reserved"], row["remaining"]) == ({}, 998)
    assert row["busy"] == pytest.approx(0.5, abs=0.6)


def test_a_gate_that_rests_keeps_nothing_back_and_goes_on_when_it_is_asked(desk: Desk) -> None:
    desk.answered(desk.granted(), 999)
    desk.gate.rest()
    row = desk.row()
    assert (row["reserved"], row["remaining"]) == ({}, 999)
    desk.answered(desk.granted(), 998)
    desk.gate.close()
    row = desk.row()
    assert (row["reserved"], row["remaining"]) == ({}, 998)


def test_near_the_reserve_nothing_is_reserved_ahead(desk: Desk) -> None:
    desk.answered(desk.granted(), 250)
    desk.gate.write()
    desk.granted()
    assert len(desk.row()["reserved"]) == 1


def test_a_request_that_costs_more_gives_back_what_was_reserved_ahead(desk: Desk) -> None:
    first = desk.granted()
    desk.answered(first, 999)
    dear = desk.granted(points=3)
    reserved = desk.row()["reserved"]
    assert first.request not in reserved
    assert reserved[dear.request][0] == 3
    assert sum(points for points, _ in reserved.values()) == 6  # and the one ahead, of as many


def test_what_was_reserved_ahead_and_lay_too_long_is_given_back(desk: Desk) -> None:
    desk.answered(desk.granted(), 999)
    desk.passed += 40
    assert len(desk.row()["reserved"]) == 2
    late = desk.granted()
    reserved = desk.row()["reserved"]
    assert (late.request in reserved, len(reserved)) == (True, 2)
    assert all(float(expires) > desk.now().timestamp() + 80 for _, expires in reserved.values())


def test_a_refusal_is_told_at_once_and_nothing_stays_reserved_ahead(desk: Desk) -> None:
    grant = desk.granted()
    resume_at = desk.now() + timedelta(seconds=70)
    desk.gate.settle(grant, RateLimitReport(seconds=0.1, budget=None, resume_at=resume_at, at=desk.now()))
    row = desk.row()
    assert row["not_before"] >= resume_at
    assert set(row["reserved"]) <= {grant.request}
    refused = desk.ask()
    assert isinstance(refused, Wait)
    assert refused.until >= resume_at


def test_what_an_answer_told_long_before_it_is_written_is_no_clock_that_is_wrong(desk: Desk) -> None:
    grant = desk.granted()
    desk.answered(grant, 999)
    desk.passed += 25
    desk.gate.close()
    assert desk.row()["reset_at"] == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_a_look_is_free_where_there_was_room_a_moment_ago_and_asks_where_it_was_not(desk: Desk) -> None:
    desk.answered(desk.granted(), 999)
    before = desk.db.busy.seconds
    assert desk.gate.look(TOKEN, 3) is None
    assert desk.db.busy.seconds == before
    desk.gate.write()
    desk.answered(desk.granted(), 101)
    refused = desk.gate.look(TOKEN, 3)
    assert isinstance(refused, Wait)
    assert desk.row()["reserved"] == {}


def test_two_budgets_are_never_locked_together(database_url: str) -> None:
    said: list[str] = []

    def hear(statement: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            said.append(statement)

    wire = Wire(database_url, hear)
    with Database(wire.url("gate")) as db:
        desk = Desk(db=db)
        desk.answered(desk.granted(), 999)
        listed = desk.ask(resource="core")
        assert isinstance(listed, Grant)
        assert desk.row()["reserved"] == {}
        desk.answered(listed, 4_999)
        desk.granted()
        desk.gate.close()
        rows = db.statement("select resource, remaining from api_budgets order by resource")
    wire.close()
    assert [(row["resource"], row["remaining"]) for row in rows] == [("core", 4_999), ("graphql", 999)]
    assert [each for each in said if "'core'" in each and "'graphql'" in each] == []
    assert [each for each in said if "'core'" in each] != []


def test_a_gate_that_is_closed_hears_nothing_more(desk: Desk) -> None:
    grant = desk.granted()
    desk.gate.close()
    desk.answered(grant, 1)
    assert desk.row()["remaining"] == 1_000


def test_several_identities_are_asked_as_ever(desk: Desk) -> None:
    several = Credentials(
        [Credential(name, lambda name=name: name, lambda name=name: name) for name in ("one", "two")]  # type: ignore[misc]
    )
    grant = desk.gate.reserve(several, points=1, seconds=0.5)
    assert isinstance(grant, Grant)
    (row,) = desk.db.statement("select reserved from api_budgets")
    assert list(row["reserved"]) == [grant.request]
    desk.gate.settle(grant, RateLimitReport(seconds=0.5, budget=None, answered=True))
    desk.gate.close()
