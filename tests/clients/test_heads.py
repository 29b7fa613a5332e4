"""The newest updates of many repositories: what they cost, and that a bad one spoils none of the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set

import pytest
import requests
import responses

from gh_backfill.clients import heads
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.heads import HeadsWanted
from gh_backfill.clients.lookups import repositories_by_name
from gh_backfill.errors import BadCredentials, Denied, RateLimited, Unreachable
from gh_backfill.models.events import StarsAndForks
from gh_backfill.models.github import NodeId, NotFound, Repository, Unknown
from gh_backfill.models.heads import Updates
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running

URL = "https://api.github.example/graphql"
PULLS = ("pull_requests",)
BOTH = ("pull_requests", "issues")


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:15", "octo/tiny:2", "octo/none:0"])) as simulator:
        yield simulator


@pytest.fixture
def graphql(github: Simulator) -> GraphQL:
    return GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None)


def known(graphql: GraphQL, *names: str) -> list[NodeId]:
    found = repositories_by_name(graphql, [("octo", name) for name in names])
    return [each.node_id for each in found if isinstance(each, Repository)]


def test_the_newest_of_each_kind_come_in_their_order_with_their_number_in_all(
    github: Simulator, graphql: GraphQL
) -> None:
    changes.comment(github.world, "octo/small", 3, author="somebody", body="news")
    small, tiny, none = known(graphql, "small", "tiny", "none")
    wanted = [HeadsWanted(repository=small, kinds=BOTH), HeadsWanted(repository=tiny, kinds=PULLS)]
    told = heads.read(graphql, [*wanted, HeadsWanted(repository=none, kinds=BOTH)])
    first, second, third = told.answers
    assert isinstance(first, Updates)
    assert isinstance(second, Updates)
    assert isinstance(third, Updates)
    pulls = first.newest["pull_requests"]
    assert (first.full_name, first.is_private, pulls.total, len(pulls.heads)) == ("octo/small", False, 15, 10)
    assert pulls.heads[0].number == 3
    assert [each.updated_at for each in pulls.heads] == sorted((each.updated_at for each in pulls.heads), reverse=True)
    assert not pulls.are_all
    assert {kind: (len(each.heads), each.are_all) for kind, each in second.newest.items()} == {
        "pull_requests": (2, True)
    }
    assert {kind: each.total for kind, each in third.newest.items()} == {"pull_requests": 0, "issues": 0}


def test_what_github_does_not_show_is_not_found_and_spoils_nothing(graphql: GraphQL) -> None:
    (small,) = known(graphql, "small")
    wanted = [HeadsWanted(repository=each, kinds=BOTH) for each in (NodeId("R_none"), small)]
    gone, there = heads.read(graphql, wanted).answers
    assert gone == NotFound()
    assert isinstance(there, Updates)


@pytest.mark.parametrize("fault", ["node_unread", "node_forbidden", "node_untyped"])
def test_what_github_does_not_say_is_unknown_and_asked_for_once_more(
    github: Simulator, graphql: GraphQL, fault: str
) -> None:
    (small,) = known(graphql, "small")
    github.faults.add(Fault(name=fault))
    before = github.stats.requests
    (told,) = heads.read(graphql, [HeadsWanted(repository=small, kinds=PULLS)]).answers
    assert isinstance(told, Unknown)
    assert github.stats.requests - before == 2


@pytest.mark.parametrize(("kinds", "points"), [(PULLS, 10), (BOTH, 14)])
def test_a_thousand_repositories_cost_a_dozen_points(
    github: Simulator, graphql: GraphQL, kinds: tuple[str, ...], points: int
) -> None:
    (small,) = known(graphql, "tiny")
    before = github.stats.points
    told = heads.read(graphql, [HeadsWanted(repository=small, kinds=kinds)] * 1_000)
    assert all(isinstance(each, Updates) for each in told.answers)
    assert github.stats.points - before == points


def told_by(wanted: int, *, refused: Set[str] = frozenset(), limited_after: int = 99) -> tuple[heads.HeadsTold, int]:
    """Ask a GitHub that refuses whole queries which name some repositories, and after some queries all of them."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if len(mocked.calls) >= limited_after:
            return 200, {}, json.dumps({"errors": [{"type": "RATE_LIMITED", "message": "enough"}]})
        ids = json.loads(request.body or "{}")["variables"]["pulls"]
        if refused & set(ids):
            return 200, {}, json.dumps({"errors": [{"type": "FORBIDDEN", "message": "not from this address"}]})
        node = {"id": "R", "nameWithOwner": "o/n", "isPrivate": False, "list": {"totalCount": 0, "nodes": []}}
        return 200, {}, json.dumps({"data": {"pulls": [node for _ in ids]}})

    with responses.RequestsMock() as mocked:
        mocked.add_callback(responses.POST, URL, callback=answer)
        asked = [HeadsWanted(repository=NodeId(f"R{number}"), kinds=PULLS) for number in range(wanted)]
        try:
            return heads.read(GraphQL(URL, "tok", sleep=lambda seconds: None), asked), len(mocked.calls)
        except Denied as error:
            error.add_note(str(len(mocked.calls)))
            raise


def counts_read(counts: Mapping[str, object]) -> StarsAndForks | None:
    node = {"id": "R", "nameWithOwner": "o/n", "isPrivate": False, "list": {"totalCount": 0, "nodes": []}, **counts}
    with responses.RequestsMock() as mocked:
        mocked.add(responses.POST, URL, json={"data": {"pulls": [node]}})
        (told,) = heads.read(GraphQL(URL, "tok"), [HeadsWanted(repository=NodeId("R"), kinds=PULLS)]).answers
    assert isinstance(told, Updates)
    return told.counted


def test_counts_of_stars_and_forks_that_are_missing_or_odd_are_unknown_and_spoil_nothing() -> None:
    assert counts_read({"stargazerCount": 7, "forkCount": 0}) == StarsAndForks(stars=7, forks=0)
    every: list[object] = [None, -1, 2**31, 1.5, True, "", "many", [], {}]
    for odd in every:
        assert counts_read({"stargazerCount": odd, "forkCount": 1}) is None
        assert counts_read({"stargazerCount": 1, "forkCount": odd}) is None
    assert counts_read({"stargazerCount": 1}) is None


def test_one_that_is_refused_is_found_by_halves_and_unknown_alone() -> None:
    told, asked = told_by(300, refused={"R7"})
    assert [place for place, each in enumerate(told.answers) if not isinstance(each, Updates)] == [7]
    assert asked < 20


def test_where_everything_is_refused_it_is_the_credential_and_asked_but_a_few_times() -> None:
    with pytest.raises(Denied) as caught:
        told_by(300, refused={f"R{number}" for number in range(300)})
    assert int(caught.value.__notes__[0]) < 15


def test_a_limit_leaves_what_was_told_before_it() -> None:
    told, _ = told_by(300, limited_after=2)
    assert isinstance(told.limited, RateLimited)
    assert [isinstance(each, Updates) for each in told.answers] == [True] * 200 + [False] * 100


def test_what_is_nobodys_own_fault_is_raised(github: Simulator, graphql: GraphQL) -> None:
    (small,) = known(graphql, "small")
    for fault, error in (("502_html", Unreachable), ("bad_credentials", BadCredentials)):
        github.faults.clear()
        github.faults.add(Fault(name=fault))
        with pytest.raises(error):
            heads.read(graphql, [HeadsWanted(repository=small, kinds=PULLS)])
