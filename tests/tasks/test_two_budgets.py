"""A capture lives on two budgets: points, and REST requests for the review comments where that pays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count

import pytest

from gh_backfill.clients import credentials, listing
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import at_once
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.errors import RateLimited
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store import budgets
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, track
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, RUN
from tests.tasks.test_shared_budget import Clock

TOKENS = ("ghs_0", "ghs_1")


@dataclass(kw_only=True, slots=True)
class Office:
    """A simulated GitHub, a database, and jobs of one identity that share both."""

    url: str
    github: Simulator
    clock: Clock

    def capture(self, *, with_list: bool, seconds: float | None = None) -> Captured:
        """Capture the history of `ENGINE`; each answer of GraphQL takes so many `seconds`."""
        with Database(self.url) as own, Database(self.url) as db:
            graphql = self.graphql(TOKENS[0], own, seconds=seconds)
            track.track(db, graphql, [ENGINE], backfill=Goal())
            now, sleep = self.clock.now, self.clock.sleep
            lists = self.lists(graphql) if with_list else None
            return capture.run(
                db,
                graphql,
                RUN,
                ENGINE,
                Limits(),
                lists=lists,
                listen=lambda progress: None,
                now=now,
                sleep=sleep,
                begin=at_once,
            )

    def graphql(self, token: str, own: Database, *, seconds: float | None = None) -> GraphQL:
        shown = credentials.of_token(token, token, api_url=self.github.url, workflow_of="octo/hello")
        gate = SharedGate(own, sleep=self.clock.sleep, now=self.clock.now)
        every = credentials.Credentials([shown])
        now, sleep = self.clock.now, self.clock.sleep
        if seconds is None:
            return GraphQL(self.github.graphql_url, every, gate=gate, sleep=sleep, now=now)
        ticks = (seconds * tick for tick in count())
        return GraphQL(self.github.graphql_url, every, gate=gate, sleep=sleep, now=now, clock=lambda: next(ticks))

    def lists(self, graphql: GraphQL) -> RestPages:
        clock = self.clock
        return RestPages(self.github.url, graphql.credentials, lambda: graphql.gate, sleep=clock.sleep, now=clock.now)

    def read_list(self, token: str) -> int:
        """Read the list again and again until the budget ends it; returns how many requests that were."""
        with Database(self.url) as own:
            lists = self.lists(self.graphql(token, own))
            with pytest.raises(RateLimited, match="requests left"):
                while True:
                    list(listing.review_comments(lists, ENGINE))
            return lists.requests


@pytest.fixture
def options() -> Options:
    return Options(graphql_limit=8, rest_limit=60)


@pytest.fixture
def office(database_url: str, options: Options) -> Iterator[Office]:
    clock = Clock()
    identities = dict.fromkeys(TOKENS, "octo")
    told = {**vars(options), "identities": identities, "clock": lambda: clock.now().timestamp()}
    with running(load(recipes=[f"{ENGINE}:400"]), Options(**told)) as github:
        yield Office(url=database_url, github=github, clock=clock)


def differences(office: Office) -> object:
    with Database(office.url) as db, db.transaction(read_only=True) as tx:
        return compare(tx, expected_world(office.github.world))


def points_and_requests(office: Office) -> tuple[int, int]:
    octo = office.github.stats.as_json()["identities"]["octo"]
    return octo["points"], octo["rest"]


@pytest.mark.parametrize("options", [Options(graphql_limit=8, rest_limit=500)])
def test_where_the_points_are_short_the_list_spares_them_and_the_rows_are_those_of_the_world(office: Office) -> None:
    captured = office.capture(with_list=True)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert not differences(office)
    points, requests = points_and_requests(office)
    assert (captured.gaps, requests > 20, points < 15) == (0, True, True), (points, requests)


def test_without_the_list_the_same_rows_cost_more_points(office: Office) -> None:
    assert office.capture(with_list=False).outcome is CaptureOutcome.COMPLETED
    assert not differences(office)
    points, requests = points_and_requests(office)
    assert (points >= 15, requests) == (True, 0), points


@pytest.mark.parametrize("options", [Options()])
def test_where_the_points_suffice_no_request_is_made(office: Office) -> None:
    assert office.capture(with_list=True).outcome is CaptureOutcome.COMPLETED
    assert points_and_requests(office)[1] == 0


@pytest.mark.parametrize("options", [Options()])
@pytest.mark.parametrize(("seconds", "spares_time"), [(40.0, True), (20.0, False)])
def test_the_list_is_read_where_all_the_seconds_that_answers_took_say_that_it_spares_time(
    office: Office, seconds: float, spares_time: bool
) -> None:
    assert office.capture(with_list=True, seconds=seconds).outcome is CaptureOutcome.COMPLETED
    assert (points_and_requests(office)[1] > 1) is spares_time


@pytest.mark.parametrize("options", [Options(graphql_limit=8, rest_limit=20)])
def test_where_the_requests_do_not_suffice_for_all_a_part_comes_by_them(office: Office) -> None:
    captured = office.capture(with_list=True)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert not differences(office)
    assert points_and_requests(office)[1] <= 18


def test_what_rest_has_left_is_not_guessed(office: Office) -> None:
    office.github.ledger.set("octo", "core", remaining=7)
    assert office.capture(with_list=True).outcome is CaptureOutcome.COMPLETED
    assert not differences(office)
    assert points_and_requests(office)[1] == 1


def test_two_jobs_at_once_leave_a_tenth_of_the_requests_and_are_never_refused(office: Office) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(office.read_list, TOKENS))
    octo = office.github.stats.as_json()["identities"]["octo"]
    assert (sum(made), octo["rest"], octo["refused"]) == (60 - 6, 60 - 6, 0)
    with Database(office.url) as db:
        (standing,) = budgets.standings(db, resource="core", now=office.clock.now())
        assert (standing.limit, standing.left) == (60, 6)
        assert budgets.standings(db, now=office.clock.now()) == []
