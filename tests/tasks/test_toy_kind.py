"""A kind that nobody knows is captured by what `docs/architecture.md` asks for, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest

from gh_backfill.clients import sense
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries, Node
from gh_backfill.clients.pages import Page
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import at_once
from gh_backfill.engine.claims import Claims
from gh_backfill.engine.kind import Kind, NamedPart, RestOfWalk, Supply
from gh_backfill.engine.outcome import Before, Captured, CaptureOutcome, Limits
from gh_backfill.engine.worker import Worker
from gh_backfill.models.github import Listing, Named, NodeId, Person, Unreadable
from gh_backfill.models.work import Goal, TrackedRepository
from gh_backfill.policy.issues.follow_ups import ISSUES
from gh_backfill.policy.items import CompleteItem, FollowUp, PageItem
from gh_backfill.policy.query_prices import PagePrice
from gh_backfill.resources import sql
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import backfills, kinds
from gh_backfill.store.chunk_rows import ChunkRows, Written
from gh_backfill.store.db import Transaction
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, House

KIND = "titles"
TABLE = """
create table titles (
    github_id bigint primary key, repository_id uuid not null references repositories (id), number integer not null,
    title text not null, updated_at timestamptz not null, times_written integer not null default 1
)
"""
UPSERT = """
with input as materialized (
    select *
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, number integer, title text, updated_at timestamptz)
), written as (
    insert into titles as t (github_id, repository_id, number, title, updated_at)
    select i.github_id, %(repository_id)s, i.number, i.title, i.updated_at from input i
    on conflict (github_id) do update
    set title = excluded.title, updated_at = excluded.updated_at, times_written = t.times_written + 1
    where t.updated_at < excluded.updated_at
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written
"""
STORED = """
select count(*)::integer as rows, (count(*) filter (where t.updated_at >= %(since)s::timestamptz))::integer as later,
       (select count(*)::integer from backfill_quarantine q
        where q.repository_id = %(repository_id)s and q.kind = 'title' and q.resolved_at is null) as quarantined
from titles t
where t.repository_id = %(repository_id)s
"""


# The values: an item that is complete as the page brings it.


@dataclass(frozen=True, kw_only=True, slots=True)
class Title:
    """What an issue is called."""

    node_id: NodeId
    github_id: int
    number: int
    text: str
    created_at: datetime
    updated_at: datetime
    state: str = "open"
    gap: str | None = None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TitleCollector:
    """A title on its way to completeness: it has arrived."""

    title: Title

    def follow_ups(self) -> tuple[FollowUp, ...]:
        return ()

    def take(self, follow_up: FollowUp, answer: Named[Listing[object]]) -> None:
        raise AssertionError("nothing was asked")

    def shrink(self, follow_up: FollowUp) -> None:
        raise AssertionError("nothing was asked")

    def complete(self) -> Title:
        return self.title


# The network: templates that are there already, read in another way.


def read(node: Node) -> Title:
    return Title(
        node_id=sense.node_id(node["id"]),
        github_id=sense.identity(node["fullDatabaseId"]),
        number=sense.number(node["number"]),
        text=sense.text(node["title"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
    )


QUERIES = ItemQueries(
    item="title",
    items="titles",
    connection="issues",
    page="IssuePage",
    outline="IssueOutline",
    after="IssueAfter",
    by_number="IssueByNumber",
    units=0,
    read=read,
    lists={},
)


# The kind.


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles of issues: no people, no parts, no other way to them."""

    name: str = KIND
    words: str = "titles"
    item: str = "title"
    queries: ItemQueries = QUERIES
    price: PagePrice = ISSUES

    def first_page(self, total: int, mean_size: float | None, low_budget: bool, usual: int | None) -> int:
        return 100

    def collector(self, item: PageItem) -> TitleCollector:
        assert isinstance(item, Title)
        return TitleCollector(title=item)

    def people(self, items: Sequence[CompleteItem]) -> list[Person]:
        return []

    def write(
        self,
        tx: Transaction,
        repository: TrackedRepository,
        items: Sequence[CompleteItem],
        unreadable: Sequence[Unreadable],
    ) -> Written:
        chunk = ChunkRows(tx=tx, repository_id=repository.id, kind=KIND)
        chunk.items(
            UPSERT,
            [
                {"github_id": each.github_id, "number": each.number, "title": each.text, "updated_at": each.updated_at}
                for each in map(whole, items)
            ],
        )
        return chunk.written(unreadable)

    def own_numbers(self, tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteItem]) -> int:
        return 0

    def parts(self, item: CompleteItem) -> list[NamedPart]:
        return []

    def with_parts(self, item: CompleteItem, parts: Sequence[NamedPart]) -> CompleteItem:
        return item

    def without_row(self, item: CompleteItem, reason: str) -> Unreadable:
        title = whole(item)
        return Unreadable(
            kind="title", identity=title.node_id, github_id=title.github_id, number=title.number, reason=reason
        )

    def repository_total(self, page: Page) -> int | None:
        return None

    def supply(
        self, graphql: GraphQL, lists: RestPages, items: Sequence[CompleteItem], rest: RestOfWalk
    ) -> Callable[[], Supply] | None:
        return None


def whole(item: CompleteItem) -> Title:
    assert isinstance(item, Title)
    return item


TITLES: Kind = Titles()


@pytest.fixture
def toy(house: House) -> Iterator[House]:
    """Give a house with the table of titles, their section among the statements, and their backfill open."""
    sections = cast("MutableMapping[str, str]", sql("kinds"))
    sections[f"stored_{KIND}"] = STORED
    house.track(ENGINE)
    repository = capture.find(house.db, ENGINE)
    with house.db.transaction() as tx:
        tx.run(TABLE)
        backfills.open_backfill(tx, repository.id, total=0, goal=Goal(), kind=KIND)
    yield house
    del sections[f"stored_{KIND}"]


def captured(house: House, limits: Limits) -> Captured:
    repository = capture.find(house.db, ENGINE)
    with house.db.transaction(read_only=True) as tx:
        (here,) = kinds.stored(tx, [(repository.id, KIND, None, Goal())])
    claims = Claims(
        db=house.db,
        repository_id=repository.id,
        kind=KIND,
        worker="toy",
        processor="local",
        part=None,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
    )
    return Worker(
        db=house.db,
        graphql=house.graphql(),
        kind=TITLES,
        repository=repository,
        before=Before(captured=here.rows, total=0),
        limits=limits,
        claims=claims,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        listen=lambda progress: None,
        begin=at_once,
    ).run()


def titles(house: House) -> list[tuple[int, str]]:
    return [(row["number"], row["title"]) for row in house.rows("select number, title from titles order by number")]


def there(house: House) -> list[tuple[int, str]]:
    (home,) = [each for each in house.github.world.repositories.values() if each.full_name == ENGINE]
    issues = house.github.world.shelves[home.id].issues.values()
    return sorted((issue.number, issue.title) for issue in issues)


def test_a_toy_kind_is_stored_exactly_once_though_it_is_interrupted_and_resumed(toy: House) -> None:
    first = captured(toy, Limits(chunk_size=5, max_chunks=1))
    assert (first.outcome, first.items, toy.count("titles")) == (CaptureOutcome.STOPPED, 5, 5)
    changes.edit_issue(toy.github.world, ENGINE, titles(toy)[0][0], title="called otherwise meanwhile")
    rest = captured(toy, Limits(chunk_size=5))
    assert rest.outcome is CaptureOutcome.COMPLETED
    assert titles(toy) == there(toy)
    written = {row["times_written"] for row in toy.rows("select times_written from titles where title !~ 'otherwise'")}
    assert written == {1}
    columns = "status, captured, total, gaps"
    backfill = toy.only(f"select {columns} from backfills where kind = %(kind)s", kind=KIND)  # noqa: S608
    assert backfill == {"status": "completed", "captured": 14, "total": 14, "gaps": 0}
    assert toy.count("pull_requests") == toy.count("issues") == 0


@pytest.mark.parametrize("name", ["null_with_error", "null_edge", "wrong_cursors", "shrink", "missing_id"])
def test_odd_answers_about_a_toy_kind_lose_nothing(toy: House, name: str) -> None:
    toy.github.faults.add(Fault(name=name, count=2, match={"operation": "Issue"}))
    assert captured(toy, Limits()).outcome is CaptureOutcome.COMPLETED
    assert titles(toy) == there(toy)
