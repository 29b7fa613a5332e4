"""Discussions in the database of a host application, whose importers called them otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from tests.conftest import VARIANTS
from tests.discussion_comparison import expected
from tests.tasks.conftest import House
from tests.tasks.test_discussions import TALK, captured, wrong

each_variant = pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)
# As an application's importers made it first; later ones changed the types.
COMMENTS = """
create table discussion_comments (
    id varchar primary key, github_id varchar unique not null,
    discussion_id varchar not null references discussions (id) on delete cascade, discussion_number integer not null,
    parent_comment_id varchar references discussion_comments (id) on delete cascade,
    author_id uuid references contributors (id) on delete set null, author_login varchar, body text,
    created_at timestamptz not null, updated_at timestamptz not null, is_answer boolean default false,
    upvote_count integer default 0, reply_count integer default 0, synced_at timestamptz default now())
"""


def house_at(url: str) -> Iterator[House]:
    with running(load(recipes=[f"{TALK}:2:discussions=8"])) as github, Database(url) as db:
        house = House(db=db, url=url, github=github)
        house.track(TALK)
        yield house


@pytest.fixture
def house(existing_database_url: str) -> Iterator[House]:
    yield from house_at(existing_database_url)


@pytest.fixture
def older(unmigrated_database_url: str) -> Iterator[House]:
    """Give a host application whose comments have texts as ids and contributors as authors."""
    with Database(unmigrated_database_url) as db:
        with db.transaction() as tx:
            tx.run(COMMENTS)
        migrations.apply(db)
    yield from house_at(unmigrated_database_url)


def imported(house: House, *, id_of: str, github_id_of: str) -> list[dict[str, object]]:
    """Let an importer have stored the discussions before, with these expressions of what GitHub says."""
    wanted = [each for each in expected(house.github.world, TALK) if each["what"] == "discussion"]
    with house.db.transaction() as tx:
        for each in wanted:
            tx.run(
                "insert into discussions (id, github_id, repository_id, number, title, created_at, updated_at, url, "  # noqa: S608
                f"summary) select {id_of}, {github_id_of}, id, %(number)s, 'Old', '2010-01-01', '2010-01-01', 'old', "
                "'Ours' from repositories where full_name = %(name)s",
                name=TALK, key=each["key"], github_id=int(str(each["github_id"])), number=each["number"],
            )  # fmt: skip
    return wanted


@each_variant
def test_a_host_application_keeps_its_own_rows_and_gets_ours(house: House) -> None:
    before = house.rows("select * from discussions where number = 1795")
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert wrong(house) == []
    assert house.rows("select * from discussions where number = 1795") == before


@pytest.mark.parametrize("github_id_of", ["%(github_id)s", "%(number)s"])
@pytest.mark.parametrize("id_of", ["%(key)s", "'old' || %(number)s"])
def test_rows_of_another_importer_become_right_and_keep_their_ids_and_what_is_not_ours(
    house: House, id_of: str, github_id_of: str
) -> None:
    wanted = imported(house, id_of=id_of, github_id_of=github_id_of)
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert wrong(house) == []
    found = house.rows(
        "select d.id, d.node_id, d.number, d.summary from discussions d join repositories r on r.id = d.repository_id "
        "where r.full_name = %(name)s",
        name=TALK,
    )
    keeps = {each["key"]: each["key"] if "key" in id_of else f"old{each['number']}" for each in wanted}
    assert {row["node_id"]: row["id"] for row in found} == keeps
    assert {row["summary"] for row in found} == {"Ours"}


def test_rows_that_another_importer_dated_later_than_github_stay_and_get_their_comments(house: House) -> None:
    imported(house, id_of="%(key)s", github_id_of="%(number)s")
    with house.db.transaction() as tx:
        tx.run("update discussions set updated_at = '2040-01-01' where summary = 'Ours'")
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert [each for each in wrong(house) if "(comment" in each] == []
    assert house.rows("select distinct title from discussions where summary = 'Ours'") == [{"title": "Old"}]


def test_a_discussion_that_two_imports_stored_becomes_one_with_the_comments_of_both(house: House) -> None:
    captured(house)
    with house.db.transaction() as tx:
        (row,) = tx.rows(
            "select id, number from discussions where repository_id = (select id from repositories where full_name = "
            "%(name)s) order by number limit 1",
            name=TALK,
        )
        tx.run("update discussions set number = 9999, updated_at = '2010-01-01' where id = %(id)s", id=row["id"])
        tx.run(
            "insert into discussions (id, github_id, repository_id, number, title, created_at, updated_at, url) "
            "select 'double', 77, id, %(number)s, 'Old', '2010-01-01', '2010-01-01', 'old' from repositories "
            "where full_name = %(name)s",
            number=row["number"], name=TALK,
        )  # fmt: skip
        tx.run("update discussion_comments set discussion_id = 'double' where discussion_id = %(id)s", id=row["id"])
        tx.run("update backfills set status = 'active', completed_at = null where kind = 'discussions'")
        tx.run("delete from backfill_streams where kind = 'discussions'")
    captured(house)
    assert wrong(house) == []
    assert house.rows("select 1 from discussions where id = 'double'") == []


def test_an_application_whose_comments_have_other_types_gets_what_fits_them(older: House) -> None:
    assert captured(older).outcome is CaptureOutcome.COMPLETED
    assert wrong(older) == []
    unlike = older.rows(
        "select c.id from discussion_comments c left join contributors a on a.id = c.author_id "
        "where a.github_id is distinct from c.author_github_id"
    )
    assert unlike == []
    again = captured(older)
    assert (again.counts.inserted, again.counts.updated) == (0, 0)
