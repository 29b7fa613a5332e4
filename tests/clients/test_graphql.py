"""The client counts what it spends, asks again where that can help, and waits no longer than it should."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients import documents
from gh_backfill.clients.attempts import TRIES
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Denied, RateLimited, TooBig, Unreachable
from gh_backfill.models.github import Spent
from gh_backfill.policy.governor import Cause
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running

QUERY = documents.aliases(("RepositoryByName",))
VARIABLES = {"owner0": "octo", "name0": "small"}


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def graphql(github: Simulator, slept: list[float]) -> GraphQL:
    return GraphQL(github.graphql_url, "tok", sleep=slept.append)


def test_an_answer_tells_its_cost_and_the_budget(graphql: GraphQL, github: Simulator) -> None:
    answer = graphql.execute(QUERY, VARIABLES)
    assert (answer.spent.points, answer.spent.requests) == (1, 1)
    assert graphql.budget is not None
    assert (graphql.budget.limit, graphql.budget.remaining) == (5_000, 4_999)


def test_passing_faults_are_tried_again_with_growing_pauses(
    graphql: GraphQL, github: Simulator, slept: list[float]
) -> None:
    github.faults.add(Fault(name="502_html", count=3))
    assert graphql.execute(QUERY, VARIABLES).data["a0"]["name"] == "small"
    assert len(slept) == 3
    assert all(most / 2 <= pause <= most for pause, most in zip(slept, (1, 2, 4), strict=True)), slept
    assert graphql.spent.requests == 4


@pytest.mark.parametrize("fault", ["reset", "502_html"])
def test_the_time_of_requests_and_of_pauses_between_tries_is_counted(
    github: Simulator, slept: list[float], fault: str
) -> None:
    ticks = iter(range(100))
    graphql = GraphQL(github.graphql_url, "tok", sleep=slept.append, clock=lambda: float(next(ticks)))
    github.faults.add(Fault(name=fault, count=2))
    graphql.execute(QUERY, VARIABLES)
    assert (graphql.attempts.times.requests, graphql.attempts.times.retries) == (3.0, sum(slept))


def test_a_short_wait_is_counted_by_its_cause(github: Simulator, slept: list[float]) -> None:
    moment = [datetime(2026, 3, 1, tzinfo=UTC)]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        moment[0] += timedelta(seconds=seconds)

    graphql = GraphQL(github.graphql_url, "tok", sleep=sleep, now=lambda: moment[0])
    github.faults.add(Fault(name="secondary_a", count=1, size=7))
    graphql.execute(QUERY, VARIABLES)
    assert (graphql.attempts.times.slow_down, graphql.attempts.held_up) == (sum(slept), None)
    assert graphql.attempts.times.slow_down > 0


def test_a_long_wait_is_left_to_the_caller_with_its_cause(graphql: GraphQL, github: Simulator) -> None:
    github.faults.add(Fault(name="secondary_a", count=1, size=70))
    with pytest.raises(RateLimited):
        graphql.execute(QUERY, VARIABLES)
    assert (graphql.attempts.times.slow_down, graphql.attempts.held_up) == (0.0, Cause.TOLD)


def test_it_gives_up_after_the_last_try(graphql: GraphQL, github: Simulator, slept: list[float]) -> None:
    github.faults.add(Fault(name="reset"))
    with pytest.raises(Unreachable):
        graphql.execute(QUERY, VARIABLES)
    assert (len(slept), graphql.spent.requests) == (TRIES - 1, TRIES)


@pytest.mark.parametrize(
    ("fault", "expected"), [("bad_credentials", Denied), ("rate_limited", RateLimited), ("504", TooBig)]
)
def test_what_no_retry_can_help_is_not_tried_again(
    graphql: GraphQL, github: Simulator, slept: list[float], fault: str, expected: type[Exception]
) -> None:
    github.faults.add(Fault(name=fault))
    with pytest.raises(expected):
        graphql.execute(QUERY, VARIABLES, divisible=True)
    assert (slept, graphql.spent.requests) == ([], 1)


def test_a_query_that_cannot_be_made_smaller_is_tried_again_when_it_times_out(
    graphql: GraphQL, github: Simulator, slept: list[float]
) -> None:
    github.faults.add(Fault(name="504", count=2))
    assert graphql.execute(QUERY, VARIABLES).data
    assert (len(slept), graphql.spent.requests) == (2, 3)


def test_nobody_at_the_address_is_one_clear_word() -> None:
    client = GraphQL("http://127.0.0.1:1/graphql", "ghp_secret", sleep=lambda seconds: None)
    with pytest.raises(
        Unreachable, match=r"can't be reached at http://127\.0\.0\.1:1/graphql: no connection"
    ) as caught:
        client.execute(QUERY, VARIABLES)
    assert "ghp_secret" not in str(caught.value)


def test_it_says_who_it_is(graphql: GraphQL, github: Simulator) -> None:
    graphql.execute(QUERY, VARIABLES)
    assert github.stats.as_json()["tokens"]["tok"]["without_user_agent"] == 0


def test_what_is_spent_adds_up_its_seconds_too() -> None:
    assert Spent(points=1, requests=2, seconds=0.5) + Spent(points=3, requests=4, seconds=0.1) == Spent(
        points=4, requests=6, seconds=0.6
    )
