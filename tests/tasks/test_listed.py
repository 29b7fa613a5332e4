"""Review comments by REST's list are, row for row, what GraphQL would have given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from gh_backfill.clients import listing, lookups
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import at_once
from gh_backfill.engine.pipeline import Pipeline
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.pull_requests.rest_comments import ListedComments
from gh_backfill.engine.sizing import Sizing
from gh_backfill.models.github import Repository
from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.models.work import Claim
from gh_backfill.policy.chunking import PageSize
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import ReviewCommentRow
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.simulator.world import World
from tests import corpus
from tests.examples import WALK

ENGINE = "octo/engine"
# One with all ids and comments of no review, one without ids and with a bot that has two logins.
REAL = ("bitcoin-core__gui", "moq-wg__moq-transport")


@contextmanager
def way(simulator: Simulator) -> Iterator[tuple[GraphQL, RestPages]]:
    graphql = GraphQL(simulator.graphql_url, "tok", sleep=lambda seconds: None)
    yield graphql, RestPages(simulator.url, graphql.credentials, lambda: graphql.gate, sleep=lambda seconds: None)


def listed(rest: RestPages, name: str, since: datetime | None = None, *, most_pages: int = 400) -> ListedComments:
    spool = ListedComments(since)
    spool.fill(listing.review_comments(rest, name, since, most_pages=most_pages))
    return spool


def walk(graphql: GraphQL, name: str, spool: ListedComments | None) -> list[CompletePullRequest]:
    """Read the whole history of a repository, page by page."""
    owner, _, short = name.partition("/")
    (repository,) = lookups.repositories_by_name(graphql, [(owner, short)])
    assert isinstance(repository, Repository)
    kind = PullRequests()
    pipeline = Pipeline(
        graphql=graphql,
        kind=kind,
        repository=repository.node_id,
        sizing=Sizing(size=PageSize(size=25), largest=None, price=kind.price),
        begin=at_once,
        listed=spool,
    )
    found: list[CompletePullRequest] = []
    after: str | None = None
    while True:
        chunk = pipeline.chunk(claim(after), lambda: None)
        found += (item for item in chunk.items if isinstance(item, CompletePullRequest))
        after = chunk.page.next
        if after is None:
            return found


def claim(after: str | None) -> Claim:
    stream = replace(WALK, cursor=after)
    return Claim(chunk_id="chunk", chunk_number=1, attempt=1, after=after, stream=stream)


def points(simulator: Simulator) -> int:
    """Return how many points were spent so far."""
    return int(simulator.stats.as_json()["identities"]["tok"]["points"])


def test_all_rows_of_a_made_up_repository_are_the_same_and_cost_fewer_points() -> None:
    with running(load(recipes=[f"{ENGINE}:400"]), Options(longest_list=500)) as simulator, way(simulator) as (g, rest):
        alone = walk(g, ENGINE, None)
        before = points(simulator)
        spool = listed(rest, ENGINE, most_pages=5)
        with_list = walk(g, ENGINE, spool)
        assert with_list == alone
        assert sum(len(each.review_comments) for each in alone) > 1_000
        assert points(simulator) - before < before * 0.8


def test_all_rows_of_real_repositories_are_the_same() -> None:
    world = load([folder for folder in corpus.folders() if folder.name in REAL])
    names = [each.full_name for each in world.repositories.values() if not each.fork]
    with running(world, Options(graphql_limit=50_000)) as simulator, way(simulator) as (graphql, rest):
        for name in names:
            assert walk(graphql, name, listed(rest, name)) == walk(graphql, name, None), name


def test_a_list_down_to_a_date_serves_what_was_created_since_and_graphql_the_rest() -> None:
    with running(load(recipes=[f"{ENGINE}:120"])) as simulator, way(simulator) as (graphql, rest):
        alone = walk(graphql, ENGINE, None)
        since = alone[60].pull_request.created_at
        spool = listed(rest, ENGINE, since)
        covered = [spool.of(each.pull_request) is not None for each in alone]
        assert covered == [each.pull_request.created_at >= since for each in alone]
        assert 0 < covered.count(True) < len(alone)
        assert walk(graphql, ENGINE, spool) == alone


def with_comments(world: World, least: int = 3) -> int:
    """Return a pull request that has some comments of a review."""
    home = world.repository(*ENGINE.split("/"))
    assert home is not None
    pulls = [world.pull(home.id, outline.number) for outline in world.shelves[home.id].outlines()]
    return next(pull.number for pull in pulls if pull and len(pull.review_comments) >= least and pull.number != 7)


Rows = list[ReviewCommentRow]
NOW = "2030-01-01T00:00:00Z"


def change_comments(world: World, number: int, at: str, change: Callable[[Rows], Rows]) -> None:
    home = world.repository(*ENGINE.split("/"))
    pull = world.pull(home.id, number) if home else None
    assert pull is not None
    changes.edit(world, ENGINE, number, at=at, review_comments=tuple(change(list(pull.review_comments))))


STALE: dict[str, Callable[[Rows], Rows]] = {
    "edited": lambda rows: [replace(rows[0], body="Anew", updated_at=NOW), *rows[1:]],
    "deleted": lambda rows: rows[:-1],
    "new": lambda rows: [*rows, replace(rows[-1], id=9_999_999, node_id="x", reply_to=None)],
    "new, of no review": lambda rows: [*rows, replace(rows[0], id=9_999_999, node_id="x", review_id=None)],
    "exchanged": lambda rows: [*rows[:-1], replace(rows[-1], id=9_999_999, node_id="x")],
}


@pytest.mark.parametrize("what", STALE)
def test_what_changes_between_the_list_and_the_page_is_as_graphql_has_it(what: str) -> None:
    world = load(recipes=[f"{ENGINE}:60"])
    with running(world) as simulator, way(simulator) as (graphql, rest):
        spool = listed(rest, ENGINE)
        change_comments(world, with_comments(world), NOW, STALE[what])
        found = walk(graphql, ENGINE, spool)
        assert found == walk(graphql, ENGINE, None)
        assert all(each.gap is None for each in found)


@pytest.mark.parametrize("what", ["deleted", "new", "new, of no review"])
def test_the_counts_find_a_stale_list_where_the_pull_request_shows_no_change(what: str) -> None:
    world = load(recipes=[f"{ENGINE}:60"])
    with running(world) as simulator, way(simulator) as (graphql, rest):
        spool = listed(rest, ENGINE)
        change_comments(world, with_comments(world), "2015-01-01T00:00:00Z", STALE[what])
        assert walk(graphql, ENGINE, spool) == walk(graphql, ENGINE, None)


def test_a_pull_request_that_the_list_does_not_know_is_read_by_graphql() -> None:
    with running(load(recipes=[f"{ENGINE}:60"])) as simulator, way(simulator) as (graphql, rest):
        spool = ListedComments(None)
        alone = walk(graphql, ENGINE, None)
        assert spool.of(alone[0].pull_request) is None
        spool.fill(islice(listing.review_comments(rest, ENGINE), 1))
        newer = replace(alone[0].pull_request, updated_at=datetime.now(UTC) + timedelta(hours=1))
        assert spool.of(newer) is None
        assert walk(graphql, ENGINE, spool) == alone
