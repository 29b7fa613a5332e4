"""Review comments by REST's list are, row for row, what GraphQL would have given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from gh_backfill.clients import github, listing
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.models import Claim, CompletePullRequest, Goal, Stream
from gh_backfill.policy.chunking import PageSize
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.tasks.background import at_once
from gh_backfill.tasks.listed import ListedComments
from gh_backfill.tasks.pipeline import Pipeline
from tests import corpus

ENGINE = "octo/engine"
# One with all ids and comments of no review, one without ids and with a bot that has two logins.
REAL = ("bitcoin-core__secp256k1", "moq-wg__moq-transport")


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
    repository = github.repositories_by_name(graphql, [(owner, short)])[0]
    assert repository is not None
    size = PageSize(size=25, worked=0)
    pipeline = Pipeline(
        graphql=graphql, repository=repository.node_id, size=size, largest=None, begin=at_once, listed=spool
    )
    found: list[CompletePullRequest] = []
    after: str | None = None
    while True:
        chunk = pipeline.chunk(claim(after), lambda: None)
        found += chunk.items
        after = chunk.page.next
        if after is None:
            return found


def claim(after: str | None) -> Claim:
    stream = Stream(
        id="stream",
        state_id="state",
        repository_id="repository",
        kind="history",
        goal=Goal(),
        cursor=after,
        pass_number=0,
        read_down_to=None,
        watermark=None,
        page_size=None,
        page_worked=0,
        page_too_big=None,
        pages_clean=0,
        items_done=0,
    )
    return Claim(chunk_id="chunk", chunk_number=1, attempt=1, after=after, page_size=25, stream=stream)


def asked_comments(simulator: Simulator) -> int:
    """Return how many points were spent so far."""
    return int(simulator.stats.as_json()["identities"]["tok"]["points"])


def test_all_rows_of_a_made_up_repository_are_the_same_and_cost_fewer_points() -> None:
    with running(load(recipes=[f"{ENGINE}:400"]), Options(longest_list=500)) as simulator, way(simulator) as (g, rest):
        alone = walk(g, ENGINE, None)
        before = asked_comments(simulator)
        spool = listed(rest, ENGINE, most_pages=5)
        with_list = walk(g, ENGINE, spool)
        assert with_list == alone
        assert sum(len(each.review_comments) for each in alone) > 1_000
        assert asked_comments(simulator) - before < before * 0.7


def test_all_rows_of_real_repositories_are_the_same() -> None:
    world = load([folder for folder in corpus.folders() if folder.name in REAL])
    names = [each.full_name for each in world.repositories.values() if not each.fork]
    with running(world, Options(graphql_limit=50_000)) as simulator, way(simulator) as (graphql, rest):
        for name in names:
            assert walk(graphql, name, listed(rest, name)) == walk(graphql, name, None), name
