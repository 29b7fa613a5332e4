"""What REST has told is asked for with its ETag: nothing new costs nothing, and what is new is told."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

from gh_backfill.clients import remembered, rest
from gh_backfill.errors import GitHubError
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


def asked(github: Simulator, token: str) -> list[str]:
    """Return the titles of the pull requests of a repository, by the library."""
    with rest.client(github.url, token) as client:
        return [each.title for each in client.get_repo("octo/small").get_pulls(state="all")]


def used(github: Simulator, token: str) -> int:
    found = requests.get(f"{github.url}/rate_limit", headers={"Authorization": f"bearer {token}"}, timeout=5).json()
    return int(found["resources"]["core"]["used"])


def test_what_did_not_change_is_the_same_answer_and_free(github: Simulator) -> None:
    token = uuid4().hex
    first = asked(github, token)
    paid = used(github, token)
    assert asked(github, token) == first != []
    assert used(github, token) == paid == 2


def test_what_changed_is_told_and_remembered_anew(github: Simulator) -> None:
    token = uuid4().hex
    asked(github, token)
    changes.edit(github.world, "octo/small", 2, title="Anew")
    for _ in range(2):
        assert "Anew" in asked(github, token)
    assert used(github, token) == 3


def test_another_credential_is_told_its_own_answer(github: Simulator) -> None:
    for token in (uuid4().hex, uuid4().hex):
        asked(github, token)
        assert used(github, token) == 2


def test_what_was_cut_on_its_way_is_not_remembered(github: Simulator) -> None:
    token = uuid4().hex
    github.faults.add(Fault(name="truncated", count=1, match={"path": "/pulls"}))
    with pytest.raises(GitHubError), rest.own_errors(github.url, "GITHUB_TOKEN"):
        asked(github, token)
    assert len(asked(github, token)) == 3


def test_a_name_is_looked_up_through_the_library_as_well(github: Simulator) -> None:
    token = uuid4().hex
    home = github.world.repository("octo", "small")
    assert home is not None
    assert [rest.full_name(github.url, token, home.id) for _ in range(2)] == ["octo/small"] * 2
    changes.rename_repository(github.world, "octo/small", name="smaller")
    assert rest.full_name(github.url, token, home.id) == "octo/smaller"


def test_few_answers_are_kept_and_no_large_one() -> None:
    memory = remembered.Remembered()

    def told(url: str, body: bytes, status: int = 200) -> tuple[requests.PreparedRequest, bytes]:
        request = requests.Request("GET", url).prepare()
        memory.ask_for_change(request)
        response = requests.Response()
        response.status_code, response.headers["ETag"] = status, '"tag"'
        return request, memory.whole(request, response, body)

    for place in range(remembered.MOST + 1):
        told(f"http://localhost/{place}", b"{}")
    told("http://localhost/large", b"x" * (remembered.LARGEST_BODY + 1))
    for url, kept in (("1", True), (str(remembered.MOST), True), ("large", False), ("0", False)):
        request, _ = told(f"http://localhost/{url}", b"{}")
        assert ("If-None-Match" in request.headers) == kept, url
