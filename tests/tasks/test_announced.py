"""A repository that GitHub refuses spoils the query of the others at most once."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
import requests
import responses

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Denied
from gh_backfill.models.github import NodeId
from gh_backfill.models.work import TrackedRepository
from gh_backfill.store.webhooks import Announcement
from gh_backfill.tasks.webhooks import announced
from gh_backfill.tasks.webhooks.announced import Failed, NotThere, Result

URL = "https://api.github.example/graphql"


def announcement(node_id: str, number: int) -> Announcement:
    repository = TrackedRepository(
        id=node_id, github_id=1, owner="octo", name=node_id, node_id=NodeId(node_id), is_private=False, total=None,
        captured=0, status=None, pause_reason=None, resume_at=None, planned_at=None, tracked_at=None, leased=False,
        has_stream=False,
    )  # fmt: skip
    return Announcement(repository=repository, number=number, version="", attempts=0)


def read(batch: Sequence[Announcement], *, refused: set[str]) -> tuple[list[Result], int]:
    """Read from a GitHub that has no such pull requests, and refuses whole queries that name some repositories."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        variables = json.loads(request.body or "{}")["variables"]
        named = {name.removeprefix("id"): value for name, value in variables.items() if name.startswith("id")}
        if refused & set(named.values()):
            return 200, {}, json.dumps({"errors": [{"type": "FORBIDDEN", "message": "not from this address"}]})
        repository = {
            "nameWithOwner": "o/n",
            "isPrivate": False,
            "pullRequests": {"totalCount": 1},
            "one": None,
        }
        errors = [{"type": "NOT_FOUND", "message": "no", "path": [f"a{place}", "one"]} for place in named]
        return 200, {}, json.dumps({"data": {f"a{place}": repository for place in named}, "errors": errors})

    with responses.RequestsMock() as mocked:
        mocked.add_callback(responses.POST, URL, callback=answer)
        try:
            return announced.read(GraphQL(URL, "tok"), batch), len(mocked.calls)
        except Denied as error:
            error.add_note(str(len(mocked.calls)))
            raise


def test_a_repository_that_is_refused_fails_alone() -> None:
    results, _ = read([announcement("A", 1), announcement("B", 2), announcement("A", 3)], refused={"B"})
    assert {(type(each), each.announcement.number) for each in results} == {(NotThere, 1), (NotThere, 3), (Failed, 2)}


def test_where_everything_is_refused_it_is_nobodys_own_fault_and_asked_but_a_few_times() -> None:
    names = [f"R{number}" for number in range(50)]
    with pytest.raises(Denied) as caught:
        read([announcement(name, 1) for name in names], refused=set(names))
    assert int(caught.value.__notes__[0]) == 1 + announced.MOST_REFUSALS


def test_a_single_repository_that_is_refused_is_charged_with_nothing() -> None:
    with pytest.raises(Denied):
        read([announcement("A", 1), announcement("A", 2)], refused={"A"})
