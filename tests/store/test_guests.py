"""What Supabase's guests can do: read nothing of private repositories, write nothing at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from gh_backfill.errors import StoreDenied
from gh_backfill.resources import sql
from gh_backfill.store import migrations, repositories
from gh_backfill.store.db import Database, Row
from gh_backfill.store.needs import TO_WRITE
from tests.store.test_schema import SUPABASE

PRIVATE, PUBLIC = "octo/secret-plans", "octo/open"
each_guest = pytest.mark.parametrize("guest", ["anon", "authenticated"])
each_kind = pytest.mark.parametrize("supabase", ["ours", "theirs"], indirect=True)


# A row without a partition is refused before anybody asks who sends it.
INSERTS = {"github_events_cache": "insert into github_events_cache (created_at) values (now())"}


@pytest.fixture
def supabase(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give a database with Supabase's roles, made by us or by a host application, that holds a row of everything."""
    if request.param == "ours":
        with Database(request.getfixturevalue("empty_database_url")) as db:
            with db.transaction() as tx:
                tx.run(SUPABASE)
            migrations.apply(db)
            fill(db)
            yield db
    else:
        with Database(request.getfixturevalue("existing_database_url")) as db:
            fill(db)
            yield db


def fill(db: Database) -> None:
    """Write one row of each table for a private and for a public repository, as the proofs of our rights do."""
    for name, number in ((PRIVATE, 1), (PUBLIC, 2)):
        owner, _, short = name.partition("/")
        with db.transaction() as tx:
            for statement in (text for name, text in sql("proofs").items() if name.startswith("insert_")):
                tx.run(statement, id=f"00000000-0000-4000-8000-00000000000{number}", github_id=number)
            tx.run(
                "update repositories set full_name = %(name)s, owner = %(owner)s, name = %(short)s, "
                "is_private = %(private)s where github_id = %(number)s",
                name=name, owner=owner, short=short, private=name == PRIVATE, number=number,
            )  # fmt: skip
            tx.run(
                "update tracked_repositories set organization_name = %(owner)s, repository_name = %(short)s "
                "where repository_id = (select id from repositories where full_name = %(name)s)",
                name=name, owner=owner, short=short,
            )  # fmt: skip


def relations(db: Database) -> list[str]:
    """Return all tables and views of ours and of the host application."""
    with db.transaction(read_only=True) as tx:
        found = tx.rows("""
            select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
              and not relispartition
            order by relname""")
    return [row["relname"] for row in found]


def as_guest(db: Database, guest: str, statement: str) -> list[Row]:
    """Return what a guest gets to read; nothing where it is refused."""
    with suppress(StoreDenied), db.transaction(read_only=True) as tx:
        tx.run(f"set local role {guest}")
        return tx.rows(statement)
    return []


def told(db: Database, guest: str, *marks: str) -> set[str]:
    """Return the relations in which a guest finds anything that leads to a repository: its id, or its name."""
    return {
        name
        for name in relations(db)
        if any(mark in str(as_guest(db, guest, f"select * from {name}")) for mark in marks)  # noqa: S608
    }


@each_guest
@each_kind
def test_a_guest_finds_nothing_of_a_private_repository_in_any_table_or_view(supabase: Database, guest: str) -> None:
    assert told(supabase, guest, "00000000-0000-4000-8000-000000000001", "secret-plans") == set()


@each_guest
@each_kind
def test_a_guest_has_no_right_to_the_views_of_progress(supabase: Database, guest: str) -> None:
    with supabase.transaction(read_only=True) as tx:
        for view in ("backfill_goals", "backfill_progress"):
            row = tx.row("select has_table_privilege(%(guest)s, %(view)s, 'select') as may", guest=guest, view=view)
            assert row == {"may": False}


@each_guest
@pytest.mark.parametrize("supabase", ["theirs"], indirect=True)
def test_a_guest_of_a_host_application_goes_on_seeing_what_is_public(supabase: Database, guest: str) -> None:
    for name in ("repositories", "tracked_repositories", "backfill_progress_summary"):
        column = {"repositories": "name", "tracked_repositories": "repository_name"}.get(name, "name")
        assert "open" in {row[column] for row in as_guest(supabase, guest, f"select {column} from {name}")}  # noqa: S608
    assert len(as_guest(supabase, guest, "select id from pull_requests where github_id = 2")) == 1
    assert len(as_guest(supabase, guest, "select id from contributors where github_id = 2")) == 1


@each_guest
@pytest.mark.parametrize("supabase", ["theirs"], indirect=True)
def test_a_person_is_shown_who_is_known_from_anything_public_or_from_nothing_at_all(
    supabase: Database, guest: str
) -> None:
    def seen() -> list[Row]:
        return as_guest(supabase, guest, "select github_id from contributors where github_id in (1, 3) order by 1")

    with supabase.transaction() as tx:
        tx.run("insert into contributors (github_id, username) values (3, 'known-from-nowhere')")
    assert [row["github_id"] for row in seen()] == [3]
    with supabase.transaction() as tx:
        tx.run(
            "update comments set commenter_id = (select id from contributors where github_id = 1) where github_id = 2"
        )
    assert [row["github_id"] for row in seen()] == [1, 3]


@each_guest
@pytest.mark.parametrize("supabase", ["theirs"], indirect=True)
def test_a_person_who_discusses_is_shown_once_that_is_in_public(supabase: Database, guest: str) -> None:
    def seen() -> list[Row]:
        return as_guest(supabase, guest, "select github_id from contributors where github_id = 4")

    with supabase.transaction() as tx:
        tx.run("insert into contributors (github_id, username) values (4, 'who-discusses')")
        tx.run("update discussions set author_id = 4 where github_id = 1")
        tx.run("update discussion_comments set author_github_id = 4 where github_id = 1")
    assert seen() == []
    with supabase.transaction() as tx:
        tx.run("update discussion_comments set author_github_id = 4 where github_id = 2")
    assert seen() == [{"github_id": 4}]


@pytest.mark.parametrize("supabase", ["theirs"], indirect=True)
def test_the_application_itself_sees_all_of_its_summary(supabase: Database) -> None:
    assert {"secret-plans", "open"} <= {
        row["name"] for row in as_guest(supabase, "service_role", "select name from backfill_progress_summary")
    }


@each_guest
@each_kind
def test_a_guest_can_write_nothing(supabase: Database, guest: str) -> None:
    written = [
        statement
        for name in {*TO_WRITE, "gh_backfill_migrations"}
        for statement in (
            INSERTS.get(name, f"insert into {name} default values"),
            f"update {name} set {first_column(supabase, name)} = default",  # noqa: S608
            f"delete from {name}",  # noqa: S608
        )
        if writes(supabase, guest, statement)
    ]
    assert written == []


def first_column(db: Database, table: str) -> str:
    with db.transaction(read_only=True) as tx:
        row = tx.row(
            "select attname from pg_attribute where attrelid = to_regclass(%(table)s) and attnum = 1", table=table
        )
    assert row is not None
    return str(row["attname"])


def writes(db: Database, guest: str, statement: str) -> bool:
    """Say whether a statement changed a row; one that gets as far as a constraint had the right to."""
    try:
        with db.transaction() as tx:
            tx.run(f"set local role {guest}")
            return tx.run(statement) > 0
    except StoreDenied:
        return False


@each_guest
@pytest.mark.parametrize("supabase", ["theirs"], indirect=True)
def test_a_repository_that_stops_being_public_vanishes_with_all_its_rows_at_once(
    supabase: Database, guest: str
) -> None:
    tables = ("pull_requests", "reviews", "comments")
    before = {name: len(as_guest(supabase, guest, f"select 1 from {name} where github_id = 2")) for name in tables}  # noqa: S608
    assert before == dict.fromkeys(tables, 1)
    with supabase.transaction() as tx:
        known = repositories.find(tx, [PUBLIC])[PUBLIC]
        assert known is not None
        repositories.follow(tx, known.id, full_name=PUBLIC, is_private=True, total=1)
    after = {name: len(as_guest(supabase, guest, f"select 1 from {name} where github_id = 2")) for name in tables}  # noqa: S608
    assert after == dict.fromkeys(tables, 0)
    assert as_guest(supabase, guest, "select 1 from contributors where github_id = 2") == []
    assert told(supabase, guest, known.id, PUBLIC) == set()
