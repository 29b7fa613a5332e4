"""What GitHub says of pull requests of many repositories: there, gone by its own word, or not said."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from gh_backfill.clients import announced
from gh_backfill.clients.announced import Shown
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.policy.items import Slot

URL = "https://api.github.example/graphql"
REPOSITORY = {"nameWithOwner": "octo/small", "isPrivate": False, "pullRequests": {"totalCount": 12}}


def read(node: Any, *errors: dict[str, Any]) -> Named[Shown]:
    answer: dict[str, Any] = {"data": {"a0": node, "rateLimit": None}}
    if errors:
        answer["errors"] = list(errors)
    with responses.RequestsMock() as mocked:
        mocked.post(URL, json=answer)
        (reading,) = announced.read(GraphQL(URL, "tok"), [(NodeId("R"), 3)])
    return reading


@pytest.mark.parametrize("kind", [None, "FORBIDDEN", "RESOURCE_LIMITS_EXCEEDED", "SERVICE_UNAVAILABLE"])
def test_a_null_beside_any_other_error_is_neither_gone_nor_a_pull_request(kind: str | None) -> None:
    error = {"message": "no", **({"type": kind} if kind else {})}
    assert isinstance(read(None, {**error, "path": ["a0"]}), Unknown)
    nothing = {**REPOSITORY, "pullRequests": None}
    assert isinstance(read(nothing, {**error, "path": ["a0", "pullRequests"]}), Unknown)
    alone = read({**REPOSITORY, "one": None}, {**error, "path": ["a0", "one"]})
    assert isinstance(alone, Shown)
    assert isinstance(alone.pull_request, Slot)
    assert alone.pull_request.item is None
    assert [(each.number, each.kind) for each in alone.pull_request.unreadable] == [(3, "pull_request")]


def test_a_null_without_an_error_is_not_gone_either() -> None:
    assert isinstance(read(None), Unknown)
    alone = read({**REPOSITORY, "one": None})
    assert isinstance(alone, Shown)
    assert isinstance(alone.pull_request, Slot)
    assert alone.pull_request.item is None


def test_only_githubs_own_not_found_at_that_very_place_is_gone() -> None:
    missing = {"type": "NOT_FOUND", "message": "Could not resolve to a node"}
    assert read(None, {**missing, "path": ["a0"]}) == NotFound()
    alone = read({**REPOSITORY, "one": None}, {**missing, "path": ["a0", "one"]})
    assert isinstance(alone, Shown)
    assert alone.pull_request == NotFound()
