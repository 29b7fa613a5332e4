"""Queries are filled to their point; what is fetched ahead counts only if it is what is claimed next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import Done, at_once, in_thread
from gh_backfill.engine.follow_ups import Chunk
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.engine.pipeline import Pipeline
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.sizing import Sizing
from gh_backfill.errors import Unreachable
from gh_backfill.models.github import NodeId
from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.models.work import Claim, Goal, Stream
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.query_prices import PULL_REQUESTS
from gh_backfill.policy.surcharges import Surcharges
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.pricing import Charges
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.tasks import capture
from tests.examples import WALK
from tests.tasks.conftest import ENGINE, House


def sizing() -> Sizing:
    """Return what a worker begins with that knows nothing of a walk."""
    return Sizing(size=PageSize(size=25), largest=None, price=PULL_REQUESTS)


@dataclass(kw_only=True)
class Walk:
    """A walk without a database: each chunk is claimed, fetched and taken for committed."""

    github: Simulator
    pipeline: Pipeline
    stream: Stream = WALK
    chunks: list[Chunk] = field(default_factory=list)

    def begin_again(self) -> None:
        """Forget everything, as a new process does."""
        self.stream, self.chunks = WALK, []
        self.pipeline = Pipeline(
            graphql=self.pipeline.graphql,
            kind=self.pipeline.kind,
            repository=self.pipeline.repository,
            sizing=sizing(),
            begin=at_once,
        )

    def claim(self) -> Claim:
        return Claim(chunk_id="c", chunk_number=1, attempt=1, after=self.stream.cursor, stream=self.stream)

    def step(self, *, most: int | None = None) -> Chunk:
        """Fetch one chunk and go on to the next cursor."""
        claim = self.claim()
        chunk = self.pipeline.chunk(claim, lambda: None, most=most)
        self.pipeline.ask_ahead(claim, chunk, most=None if most is None else most - 1)
        watermark = self.stream.watermark or chunk.page.server_time
        done = self.stream.items_done + chunk.kept
        self.stream = replace(self.stream, cursor=chunk.page.next, items_done=done, watermark=watermark)
        self.chunks.append(chunk)
        return chunk

    def to_the_end(self) -> list[int]:
        """Walk on to the last page; returns the numbers of all pull requests."""
        while not self.chunks or self.stream.cursor is not None:
            self.step()
        return self.numbers()

    def numbers(self) -> list[int]:
        return [item.number for chunk in self.chunks for item in chunk.items]

    def all_numbers(self) -> list[int]:
        (shelf,) = (shelf for shelf in self.github.world.shelves.values() if len(shelf))
        return sorted((outline.number for outline in shelf.outlines()), reverse=True)


@pytest.fixture
def options() -> Options:
    return Options()


@pytest.fixture
def walk(options: Options) -> Iterator[Walk]:
    world = load(recipes=(f"{ENGINE}:180",))
    with running(world, options) as github:
        (repository,) = world.repositories.values()
        graphql = GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None)
        pipeline = Pipeline(
            graphql=graphql,
            kind=PullRequests(),
            repository=NodeId(repository.node_id),
            sizing=sizing(),
            begin=at_once,
        )
        yield Walk(github=github, pipeline=pipeline)


def test_every_pull_request_comes_once_complete_and_in_order(walk: Walk) -> None:
    assert walk.to_the_end() == walk.all_numbers()
    assert all(item.gap is None for chunk in walk.chunks for item in chunk.items)


def test_no_query_costs_a_second_point_and_all_that_was_spent_is_told(walk: Walk) -> None:
    walk.to_the_end()
    stats = walk.github.stats
    assert stats.points == stats.requests == sum(chunk.spent.points for chunk in walk.chunks)


def edited(walk: Walk) -> int:
    """Edit the pull request that comes next, which was asked for ahead; returns its number."""
    following = walk.numbers()[-1] - 1
    assert following in walk.all_numbers()
    changes.edit(walk.github.world, ENGINE, following, title="Edited after it was read ahead")
    return following


def title_of_next(walk: Walk) -> tuple[int, str]:
    (first, *_) = walk.pipeline.chunk(walk.claim(), lambda: None).items
    assert isinstance(first, CompletePullRequest)
    return first.number, first.pull_request.title


def test_what_was_asked_for_ahead_is_used_where_it_is_claimed_next(walk: Walk) -> None:
    walk.step()
    number = edited(walk)
    assert title_of_next(walk) != (number, "Edited after it was read ahead")


def test_a_guess_for_another_place_is_dropped(walk: Walk) -> None:
    walk.step()
    ahead = edited(walk)
    walk.stream = replace(walk.stream, cursor=None)
    assert title_of_next(walk)[0] == walk.all_numbers()[0] != ahead


def test_a_guess_of_another_stream_is_dropped(walk: Walk) -> None:
    walk.step()
    number = edited(walk)
    walk.stream = replace(walk.stream, id="another")
    assert title_of_next(walk) == (number, "Edited after it was read ahead")


def test_a_page_read_before_the_walk_began_again_does_not_count(walk: Walk) -> None:
    walk.step()
    number = edited(walk)
    assert walk.stream.watermark is not None
    walk.stream = replace(walk.stream, watermark=walk.stream.watermark + timedelta(hours=1))
    assert title_of_next(walk) == (number, "Edited after it was read ahead")


def test_no_page_is_asked_for_beyond_the_chunks_that_may_be_begun(walk: Walk) -> None:
    walk.step(most=2)
    walk.step(most=1)
    operations = walk.github.stats.as_json()["tokens"]["tok"]["operations"]
    assert operations["PullRequestPage"] == 2


def test_no_pull_request_is_asked_for_beyond_the_goal(walk: Walk) -> None:
    walk.stream = replace(walk.stream, goal=Goal(max_items=60))
    for _ in range(10):
        walk.step()
        if walk.stream.items_done >= 60:
            break
    assert sum(chunk.read for chunk in walk.chunks) == 60
    before = walk.github.stats.requests
    walk.pipeline.drain()
    assert walk.github.stats.requests == before


def test_what_one_pull_request_lacks_and_github_never_answers_is_given_up_alone(walk: Walk) -> None:
    (shelf,) = (shelf for shelf in walk.github.world.shelves.values() if len(shelf))
    pulls = [shelf.pull(outline.number) for outline in shelf.outlines()]
    poison = next(pull for pull in pulls if pull and len(pull.review_comments) > 1)
    reviews = "|".join(review.node_id for review in poison.reviews)
    walk.github.faults.add(Fault(name="504", match={"variables": f"{reviews}|{poison.node_id}"}))
    assert walk.to_the_end() == walk.all_numbers()
    items = [item for chunk in walk.chunks for item in chunk.items]
    assert {item.number for item in items if item.gap} == {poison.number}
    assert {lost.number for item in items for lost in item.unreadable} == {poison.number}


def test_a_pull_request_that_no_page_can_carry_is_stepped_over_with_its_number(walk: Walk) -> None:
    walk.github.faults.add(Fault(name="504", match={"operation": "^PullRequestPage$", "variables": '"after": ?null'}))
    numbers = walk.to_the_end()
    lost = [each for chunk in walk.chunks for each in chunk.unreadable]
    assert [each.number for each in lost] == walk.all_numbers()[:1]
    assert all("can't deliver" in each.reason for each in lost)
    assert numbers == walk.all_numbers()[1:]


def test_a_failure_loses_nothing_of_what_was_fetched_before(walk: Walk) -> None:
    walk.to_the_end()
    undisturbed = walk.github.stats.points
    walk.begin_again()
    walk.step()
    walk.github.faults.add(Fault(name="502_html"))
    with pytest.raises(Unreachable):
        walk.to_the_end()
    walk.github.faults.clear()
    assert walk.to_the_end() == walk.all_numbers()
    assert walk.github.stats.points == 2 * undisturbed


def test_a_query_in_a_thread_brings_its_result_or_its_error() -> None:
    assert in_thread(lambda: 7).result() == 7
    with pytest.raises(ZeroDivisionError):
        in_thread(lambda: 1 // 0).result()


def test_the_next_query_travels_before_the_chunk_is_committed(house: House) -> None:
    house.track(ENGINE)
    stored: list[int] = []

    def begin(action: Callable[[], Done], /) -> Future[Done]:
        stored.append(house_count(house))
        return at_once(action)

    captured = capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        Limits(),
        listen=lambda progress: None,
        sleep=house.wait,
        begin=begin,
    )
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert stored[0] == 0
    assert stored == sorted(stored)
    assert len(stored) > 1


def house_count(house: House) -> int:
    with house.db.another() as other, other.transaction(read_only=True) as tx:
        row = tx.row("select count(*) as n from pull_requests")
    assert row is not None
    return int(row["n"])


def test_a_capture_with_its_queries_in_a_thread_stores_what_one_without_does(house: House) -> None:
    house.track(ENGINE)
    capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        Limits(),
        listen=lambda progress: None,
        sleep=house.wait,
    )
    tables = ("pull_requests", "reviews", "comments", "contributors")
    threaded = [house.count(table) for table in tables]
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors cascade")
    house.track(ENGINE)
    house.capture()
    assert [house.count(table) for table in tables] == threaded


def test_a_rival_that_takes_the_next_chunk_makes_the_guess_void(house: House) -> None:
    house.track(ENGINE)

    def rival(progress: Progress) -> None:
        if progress.chunks == 1:
            house.capture(limits=Limits(max_chunks=1), token="other")

    captured = house.capture(listen=rival)
    assert captured.outcome is CaptureOutcome.COMPLETED
    stream = house.only("select items_done from backfill_streams where stream = 'history'")
    assert (stream["items_done"], house.count("pull_requests")) == (180, 180)
    numbers = house.rows(
        "select unnest(pr_numbers) as n from backfill_chunks c join backfill_streams s "
        "on s.id = c.stream_id where s.stream = 'history'"
    )
    assert sorted(row["n"] for row in numbers) == sorted({row["n"] for row in numbers})


@pytest.mark.parametrize("options", [Options(charges=Charges(counts=True))])
def test_where_github_charges_otherwise_its_word_counts_and_the_plan_follows_without_a_warning(
    walk: Walk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert walk.to_the_end() == walk.all_numbers()
    said = [record for record in caplog.records if "planning with its prices" in record.getMessage()]
    assert [record.levelname for record in said] == ["INFO"]
    assert walk.github.stats.points == sum(chunk.spent.points for chunk in walk.chunks)
    assert walk.pipeline.sizing.prices.believed == Surcharges(count=1)
    assert walk.github.stats.points <= 1.1 * 180 + 3


@pytest.mark.parametrize("options", [Options(charges=Charges(ids=True))])
def test_one_unit_more_for_a_list_of_ids_costs_one_point_once_and_later_walks_nothing(walk: Walk) -> None:
    walk.to_the_end()
    first = walk.github.stats
    assert first.points == first.requests + 1
    learned = walk.pipeline.sizing.prices
    walk.begin_again()
    walk.pipeline.sizing.prices = learned
    before = first.points, first.requests
    assert walk.to_the_end() == walk.all_numbers()
    assert first.points - before[0] == first.requests - before[1]


@pytest.mark.parametrize("options", [Options(charges=Charges(percent=10))])
def test_ten_percent_more_are_found_out_for_two_points_at_most(walk: Walk) -> None:
    assert walk.to_the_end() == walk.all_numbers()
    stats = walk.github.stats
    assert stats.points <= stats.requests + 2
    assert walk.pipeline.sizing.prices.cheapest_page() == 67


def test_a_query_is_under_way_also_while_chunks_that_are_complete_are_committed() -> None:
    world = load(recipes=(f"{ENGINE}:350",))
    with running(world, Options()) as github:
        (repository,) = world.repositories.values()
        pipeline = Pipeline(
            graphql=GraphQL(github.graphql_url, "tok", sleep=lambda seconds: None),
            kind=PullRequests(),
            repository=NodeId(repository.node_id),
            sizing=sizing(),
            begin=at_once,
        )
        walk, under_way = Walk(github=github, pipeline=pipeline), list[bool]()
        while not walk.chunks or walk.stream.cursor is not None:
            walk.step()
            under_way.append(pipeline.under_way)
    was_complete = [chunk.spent.requests == 0 for chunk in walk.chunks[1:]]
    assert [asked for asked, complete in zip(under_way, was_complete, strict=False) if complete] == [True, True]
    assert walk.numbers() == walk.all_numbers()
