"""Whatever shape an answer has, what leaves the clients is a value of ours or one of our errors, in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.clients import account, announced, credentials, github, listing, lookups, owners
from gh_backfill.clients.gate import OwnGate
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.pages import KnownNumber, NumbersAsked, Page, PageAsked
from gh_backfill.clients.pull_requests import QUERIES
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.errors import GitHubError, TooBig
from gh_backfill.models.github import NodeId, Repository, Spent, Unknown
from gh_backfill.policy import waits
from gh_backfill.policy.items import FollowUp, Slot
from gh_backfill.policy.pull_requests.follow_ups import (
    CommentsOfReview,
    MoreComments,
    MoreReviews,
    PagePullRequest,
    Threads,
)
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from tests.forged import Forged, Seen, serving, whole

NAME = "octo/small"
GONE = object()
ODD: list[Any] = [
    GONE,
    *(None, True, -100, 0, 10**10, 2**63, 2**70, 1e308, "", "x", "9" * 5_000, [], {}, [[]], [None], {"x": None}),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-45", "2026-01-01", "\ud83d", "\x00"),
]


@dataclass(kw_only=True)
class Relay:
    """A server between the client and the simulated GitHub, which spoils what passes."""

    github: Simulator
    url: str = ""
    spoil: Callable[[Any], Any] = lambda body: body
    known: dict[tuple[str, bytes], Any] = field(default_factory=dict)

    def answer(self, forged: Forged, seen: Seen) -> list[bytes]:
        key = (seen.path, seen.body)
        if key not in self.known:
            headers = {"Authorization": "bearer tok", "User-Agent": "relay"}
            self.known[key] = requests.request(
                seen.method, f"{self.github.url}{seen.path}", data=seen.body, headers=headers, timeout=10
            ).json()
        return whole(self.spoil(copy.deepcopy(self.known[key])))

    def graphql(self) -> GraphQL:
        return GraphQL(f"{self.url}/graphql", "tok", sleep=lambda seconds: None)


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with running(load(recipes=[f"{NAME}:6"])) as github:
        made = Relay(github=github)
        with serving(made.answer) as forged:
            made.url = forged.url
            yield made


@dataclass(frozen=True, kw_only=True)
class Ids:
    """The node ids that the questions need."""

    repository: NodeId
    pull_requests: tuple[NodeId, ...]
    review: NodeId


@pytest.fixture(scope="module")
def ids(relay: Relay) -> Ids:
    graphql = GraphQL(relay.github.graphql_url, "tok")
    (found,) = lookups.repositories_by_name(graphql, [("octo", "small")])
    assert isinstance(found, Repository)
    asked = PageAsked(repository=found.node_id, first=6, after=None, order="CREATED_AT")
    page = github.ask(graphql, QUERIES, [], asked, points=1).page
    assert isinstance(page, Page)
    items = [slot.item for slot in page.slots if isinstance(slot.item, PagePullRequest)]
    review = next(review.node_id for item in items for review in item.reviews.items)
    return Ids(
        repository=found.node_id,
        pull_requests=tuple(item.pull_request.node_id for item in items),
        review=review,
    )


def everything(graphql: GraphQL, ids: Ids, url: str) -> dict[str, Callable[[], object]]:
    """Return every question that the clients ask."""
    pull, *_ = ids.pull_requests
    slot = Slot(after=None, item=None, unreadable=())
    page = PageAsked(repository=ids.repository, first=3, after=None, order="CREATED_AT")
    numbers = NumbersAsked(
        repository=ids.repository,
        after=None,
        known=(KnownNumber(number=6, node_id=pull), KnownNumber(number=5, node_id=None)),
        numbers=(4, 3),
    )
    follow_ups: list[FollowUp] = [
        MoreReviews(node_id=pull, after=None),
        MoreComments(node_id=pull, after=None),
        Threads(node_id=pull, after=None, first=5),
        CommentsOfReview(node_id=ids.review, after=None, review_id=1),
    ]
    rest = RestPages(url, credentials.fixed("tok"), OwnGate, sleep=lambda seconds: None)
    return {
        "login": lambda: account.login(graphql),
        "repositories by name": lambda: lookups.repositories_by_name(graphql, [("octo", "small"), ("octo", "none")]),
        "repositories by id": lambda: lookups.repositories_by_id(graphql, [ids.repository, NodeId("R_none")]),
        "page and follow-ups": lambda: github.ask(graphql, QUERIES, follow_ups, page, points=1),
        "numbers and follow-ups": lambda: github.ask(graphql, QUERIES, follow_ups, numbers, points=1),
        "outline": lambda: github.outline(graphql, QUERIES, page),
        "outline of numbers": lambda: github.outline(graphql, QUERIES, numbers),
        "again": lambda: github.again(graphql, QUERIES, ids.repository, [slot], "CREATED_AT"),
        "again by number": lambda: github.again_by_number(
            graphql, QUERIES, ids.repository, [Slot(after="6", item=None, unreadable=())]
        ),
        "announced": lambda: announced.read(graphql, [(ids.repository, 6), (ids.repository, 5)]),
        "repositories of an account": lambda: list(owners.repositories_of(graphql, "octo")),
        "list": lambda: list(listing.review_comments(rest, NAME, most_pages=1)),
    }


QUESTIONS = (
    *("login", "repositories by name", "repositories by id", "page and follow-ups", "numbers and follow-ups"),
    *("outline", "outline of numbers", "again", "again by number", "announced", "repositories of an account", "list"),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


def spoilt(body: Any, where: int, odd: Any) -> Any:
    """Put something odd at one place of an answer, or take away what is there."""
    odd = odd if odd is GONE else copy.deepcopy(odd)
    found = list(places(body))
    path = found[where % len(found)]
    if not path:
        return body if odd is GONE else odd
    holder = body
    for step in path[:-1]:
        holder = holder[step]
    if odd is GONE:
        del holder[path[-1]]
    else:
        holder[path[-1]] = odd
    return body


@pytest.mark.parametrize("question", QUESTIONS)
@settings(max_examples=40)
@given(damage=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, len(ODD) - 1)), min_size=1, max_size=3))
def test_no_answer_makes_anything_but_an_error_of_ours(
    relay: Relay, ids: Ids, question: str, damage: list[tuple[int, int]]
) -> None:
    def spoil(body: Any) -> Any:
        for where, odd in damage:
            body = spoilt(body, where, ODD[odd])
        return body

    relay.spoil = spoil
    graphql = relay.graphql()
    with suppress(GitHubError):
        everything(graphql, ids, relay.url)[question]()
    assert 0 <= graphql.spent.points <= 5_000_000


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("body", [{"data": {}}, {"data": {"nodes": 5, "a0": 5, "node": 5, "numbers": 5}}])
def test_an_answer_to_another_question_tells_nothing(relay: Relay, ids: Ids, question: str, body: object) -> None:
    relay.spoil = lambda true: body
    try:
        found = everything(relay.graphql(), ids, relay.url)[question]()
    except GitHubError:
        return
    assert isinstance(found, list)
    assert found
    assert all(isinstance(each, Unknown) for each in found)


DATA: dict[str, Any] = {
    "viewer": {"login": "octo"},
    "rateLimit": {"cost": 1, "limit": 5000, "remaining": 4999, "resetAt": "x"},
}
FORGED: dict[str, Any] = {
    "errors that are a text": {"data": DATA, "errors": "no"},
    "errors that are an object": {"data": DATA, "errors": {"message": "no"}},
    "errors that are texts": {"data": DATA, "errors": ["no", "never"]},
    "errors that are numbers": {"data": None, "errors": [1, 2.5, None]},
    "errors that are true": {"data": DATA, "errors": True},
    "a path of lists": {"data": DATA, "errors": [{"message": "m", "path": [["viewer"], {}]}]},
    "a path that is a text": {"data": DATA, "errors": [{"message": "m", "path": "viewer"}]},
    "a path of numbers": {"data": DATA, "errors": [{"message": "m", "path": [0, 1.5, True]}]},
    "a type that is a list": {"data": None, "errors": [{"message": ["m"], "type": ["RATE_LIMITED"], "code": {}}]},
    "a message with lines": {"data": None, "errors": [{"message": "a\nb\r\n::error::c"}]},
    "no data": {},
    "data that is empty": {"data": {}},
    "data that is a list": {"data": []},
    "data that is a text": {"data": "x"},
    "a list of texts that no database takes": {"data": {"nodes": ["\ud83d"]}},
    "a body that is a list": [],
    "a body that is a number": 5,
    "a body that is no JSON": b"{no",
    "NaN": b'{"data": {"viewer": {"login": NaN}}}',
    "deep nesting of lists": b"[" * 200_000,
    "deep nesting of objects": b'{"data": ' + b'{"a":' * 100_000,
    "nesting below the limit of the reader": b'{"data": ' + b'{"a":' * 900 + b'"\\u0000"' + b"}" * 901,
    "not UTF-8": b'{"data": {"viewer": {"login": "\xff\xfe"}}}',
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_answer_is_an_error_of_ours_in_one_line(relay: Relay, forged: str) -> None:
    relay.spoil = lambda body: FORGED[forged]
    with pytest.raises(GitHubError) as caught:
        account.login(relay.graphql())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cost", [-100, 10**10, "1", None, True, 1.5, [], {}])
def test_a_price_that_can_not_be_counts_as_what_was_expected(relay: Relay, cost: object) -> None:
    relay.spoil = lambda body: {"data": {**DATA, "rateLimit": {**DATA["rateLimit"], "cost": cost}}}
    graphql = relay.graphql()
    answer = graphql.execute("{ viewer { login } }", {}, points=3)
    assert (answer.spent.points, graphql.spent) == (
        (1, Spent(points=1, requests=1)) if cost == "1" else (3, Spent(points=3, requests=1))
    )


@pytest.mark.parametrize("limit", ["x", {"limit": -1}, {"limit": 10**12, "remaining": 1}, {"resetAt": 5}, [], 7])
def test_a_budget_that_can_not_be_is_none(relay: Relay, limit: object) -> None:
    relay.spoil = lambda body: {"data": {"viewer": {"login": "octo"}, "rateLimit": limit}}
    graphql = relay.graphql()
    assert account.login(graphql) == "octo"
    assert graphql.budget is None


def test_a_retry_after_of_nothing_is_no_hot_loop(relay: Relay) -> None:
    slept: list[float] = []
    refusal = whole({"message": "You have exceeded a secondary rate limit."}, "403 Forbidden", Retry_After="0")
    with serving(lambda forged, seen: refusal) as forged:
        graphql = GraphQL(f"{forged.url}/graphql", "tok", sleep=slept.append)
        with pytest.raises(GitHubError):
            graphql.execute("{ viewer { login } }", {})
        assert len(forged.seen) <= len(slept) + 1
    assert all(wait > 0.9 for wait in slept)
    assert waits.LEAST.total_seconds() == 1


def test_an_answer_that_is_too_large_is_told_as_too_big(relay: Relay) -> None:
    relay.spoil = lambda body: {"data": {**DATA, "x": "y" * 10_000}}
    graphql = GraphQL(f"{relay.url}/graphql", "tok", largest=5_000, sleep=lambda seconds: None)
    with pytest.raises(TooBig):
        graphql.execute("{ viewer { login } }", {}, divisible=True)


def test_the_json_of_this_test_is_what_it_says() -> None:
    with pytest.raises(RecursionError):
        json.loads(FORGED["deep nesting of lists"])
