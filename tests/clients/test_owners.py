"""The list of an account's repositories: it advances, and it has what it counts."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import responses

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.owners import repositories_of
from gh_backfill.errors import Unreachable
from gh_backfill.models.github import Repository, Unknown
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running

URL = "https://github.test/graphql"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Return an answer as GitHub gives it: three repositories of one account."""
    seen: list[dict[str, Any]] = []
    with running(load(recipes=["octo/a:1", "octo/b:1", "octo/c:1"])) as github:
        graphql = GraphQL(github.graphql_url, "tok")
        execute = graphql.execute

        def keep(*given: Any, **named: Any) -> Any:
            answer = execute(*given, **named)
            seen.append(copy.deepcopy(dict(answer.data)))
            return answer

        graphql.execute = keep  # type: ignore[method-assign]
        list(repositories_of(graphql, "octo"))
    (data,) = seen
    return {"data": data | {"rateLimit": data.get("rateLimit")}}


def told(*pages: dict[str, Any]) -> list[Repository | Unknown]:
    with responses.RequestsMock() as mock:
        for each in pages:
            mock.add(responses.POST, URL, json=each)
        return [each for found in repositories_of(GraphQL(URL, "tok", sleep=lambda s: None), "octo") for each in found]


def changed(page: dict[str, Any], **fields: object) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(page))
    made["data"]["repositoryOwner"]["repositories"] |= fields
    return made


def test_a_list_that_has_what_it_counts_is_whole(page: dict[str, Any]) -> None:
    assert [type(each) for each in told(page)] == [Repository] * 3


@pytest.mark.parametrize("cursor", [None, "again"])
def test_a_list_that_goes_on_and_does_not_advance_is_no_end(page: dict[str, Any], cursor: str | None) -> None:
    endless = changed(page, pageInfo={"hasNextPage": True, "endCursor": cursor})
    with pytest.raises(Unreachable, match="does not lead on"):
        told(*[endless] * (1 if cursor is None else 2))


def test_what_is_counted_and_not_listed_is_unknown(page: dict[str, Any]) -> None:
    assert [type(each) for each in told(changed(page, totalCount=5))] == [Repository] * 3 + [Unknown] * 2


def test_a_null_in_the_list_is_unknown_alone(page: dict[str, Any]) -> None:
    nodes = page["data"]["repositoryOwner"]["repositories"]["nodes"]
    assert [type(each) for each in told(changed(page, nodes=[nodes[0], None, nodes[2]]))] == [
        Repository,
        Unknown,
        Repository,
    ]
