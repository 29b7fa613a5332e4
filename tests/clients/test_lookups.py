"""Repositories by name and by id: what GitHub says, what it does not say, and how often it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.lookups import repositories_by_id, repositories_by_name
from gh_backfill.errors import BadCredentials, Denied, GitHubError, RateLimited, Unreachable
from gh_backfill.models.github import NodeId, NotFound, Repository, Unknown
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running

NAME = ("octo", "small")


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


@pytest.fixture
def graphql(github: Simulator) -> GraphQL:
    return GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None)


def small(graphql: GraphQL) -> Repository:
    (found,) = repositories_by_name(graphql, [NAME])
    assert isinstance(found, Repository)
    return found


def test_only_githubs_own_word_makes_a_repository_not_found(graphql: GraphQL) -> None:
    found, missing = repositories_by_name(graphql, [NAME, ("octo", "none")])
    assert isinstance(found, Repository)
    assert missing == NotFound()
    assert repositories_by_id(graphql, [found.node_id, NodeId("R_none")]) == [found, NotFound()]


@pytest.mark.parametrize("fault", ["node_unread", "node_forbidden", "node_untyped"])
def test_a_null_with_another_error_at_it_is_unknown_and_says_why(
    github: Simulator, graphql: GraphQL, fault: str
) -> None:
    known = small(graphql)
    github.faults.add(Fault(name=fault))
    for (told,) in (repositories_by_name(graphql, [NAME]), repositories_by_id(graphql, [known.node_id])):
        assert isinstance(told, Unknown)
        assert "SAML" in told.reason or "Resource limits" in told.reason or "is wrong" in told.reason


def test_what_is_unknown_is_asked_again_in_smaller_queries_and_then_alone_with_an_end(
    github: Simulator, graphql: GraphQL
) -> None:
    known = small(graphql)
    github.faults.add(Fault(name="node_forbidden"))
    before = github.stats.requests
    told = repositories_by_id(graphql, [known.node_id] * 100)
    assert {type(each) for each in told} == {Unknown}
    assert github.stats.requests - before == 1 + 10 + 10


def test_what_is_unknown_once_is_known_after_all(github: Simulator, graphql: GraphQL) -> None:
    known = small(graphql)
    github.faults.add(Fault(name="node_unread", count=2))
    assert repositories_by_name(graphql, [NAME, ("octo", "none")]) == [known, NotFound()]


@pytest.mark.parametrize("fault", ["504", "200_timeout"])
def test_a_query_that_is_too_heavy_is_asked_in_parts(github: Simulator, graphql: GraphQL, fault: str) -> None:
    known = small(graphql)
    github.faults.add(Fault(name=fault, count=1))
    assert repositories_by_name(graphql, [NAME] * 12) == [known] * 12


def test_what_was_answered_before_github_went_away_is_kept(github: Simulator, graphql: GraphQL) -> None:
    known = small(graphql)
    github.faults.add(Fault(name="502_html", skip=1))
    told = repositories_by_id(graphql, [known.node_id] * 101)
    assert told[:100] == [known] * 100
    assert isinstance(told[100], Unknown)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("502_html", Unreachable),
        ("rate_limited", RateLimited),
        ("bad_credentials", BadCredentials),
        ("forbidden", Denied),
    ],
)
def test_where_nothing_is_answered_it_says_so(
    github: Simulator, graphql: GraphQL, fault: str, error: type[GitHubError]
) -> None:
    github.faults.add(Fault(name=fault))
    with pytest.raises(error):
        repositories_by_name(graphql, [NAME])
