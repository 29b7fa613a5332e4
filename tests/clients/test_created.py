"""How many items were created since a day, as GitHub's search counts them."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_backfill.clients.created import created_since
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running

EVER = datetime(2000, 1, 1, tzinfo=UTC)


def test_kinds_are_counted_from_a_moment_on_for_a_point_together() -> None:
    with running(load(recipes=["octo/small:15"])) as github:
        graphql = GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None)
        changes.open_pull_request(github.world, "octo/small", author="ada", title="late", at="2026-10-05T00:00:00Z")
        changes.open_issue(github.world, "octo/small", author="ada", title="later", at="2026-10-06T00:00:00Z")
        day = datetime(2026, 10, 5, tzinfo=UTC)
        told = created_since(graphql, "octo/small", {PULL_REQUESTS: day, "issues": day, "discussions": day})
        assert told == {PULL_REQUESTS: 1, "issues": 1}
        assert graphql.spent.points == 1
        assert created_since(graphql, "octo/small", {PULL_REQUESTS: EVER}) == {PULL_REQUESTS: 16}
        assert created_since(graphql, "octo/small", {"discussions": EVER}) == {}
        assert graphql.spent.requests == 2


def test_of_a_repository_that_may_not_be_searched_none_are_counted() -> None:
    with running(load(recipes=["octo/small:15"])) as github:
        changes.make_private(github.world, "octo/small")
        graphql = GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None)
        assert created_since(graphql, "octo/small", {PULL_REQUESTS: EVER}) == {PULL_REQUESTS: 0}
