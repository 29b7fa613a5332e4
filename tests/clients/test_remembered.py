"""What REST has told is asked for with its ETag: nothing new costs nothing, and what is new is told."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests

from gh_backfill.clients import remembered, rest, transport
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


def asked(github: Simulator, token: str) -> requests.Response:
    with transport.session() as session:
        return transport.send(
            session, "GET", f"{github.url}/repos/octo/small/pulls", token=token, timeout=(5, 5), params={"state": "all"}
        )


def test_what_did_not_change_is_the_same_answer_and_free(github: Simulator) -> None:
    token = uuid4().hex
    first, second = asked(github, token), asked(github, token)
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == first.json() != []
    assert first.headers["X-RateLimit-Used"] == second.headers["X-RateLimit-Used"] == "1"


def test_what_changed_is_told_and_remembered_anew(github: Simulator) -> None:
    token = uuid4().hex
    asked(github, token)
    changes.edit(github.world, "octo/small", 2, title="Anew")
    for _ in range(2):
        assert "Anew" in [each["title"] for each in asked(github, token).json()]
    assert asked(github, token).headers["X-RateLimit-Used"] == "2"


def test_another_credential_is_told_its_own_answer(github: Simulator) -> None:
    first, second = asked(github, uuid4().hex), asked(github, uuid4().hex)
    assert first.headers["X-RateLimit-Used"] == second.headers["X-RateLimit-Used"] == "1"
    assert "ETag" in second.headers, "it was sent as a whole"


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
