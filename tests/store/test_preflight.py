"""Before the first migration: strangers under our names, other encodings and other paths stop everything, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import psycopg2
import pytest

from gh_backfill import resources, settings
from gh_backfill.errors import BackfillError, ConfigurationError, StoreDenied
from gh_backfill.store import access, marks, migrations, preflight
from gh_backfill.store.db import Database
from gh_backfill.store.needs import TO_WRITE
from gh_backfill.tasks import connect, up_to_date
from tests import servers
from tests.conftest import VARIANTS, Server
from tests.store.test_migrations import catalog, contents
from tests.tasks.test_installations import as_role, needs_15, run

STRANGERS = {
    "a blog's comments": (
        "create table comments (id serial primary key, post integer not null, body text, created_at timestamptz)",
        ["comments (", "without comment_type"],
    ),
    "a bug tracker's issues": (
        """create table issues (id bigserial primary key, github_id bigint, repository_id bigint, number integer,
        title text, created_at timestamptz, updated_at timestamptz)""",
        ["issues (", "id is of type bigint", "repository_id is of type bigint"],
    ),
    "a view": ("create view reviews as select 1 as id", ["reviews (it is no table)"]),
    "a table where a view is to be": (
        "create table backfill_metrics (id integer)",
        ["backfill_metrics (it is no view)"],
    ),
    "a type": ("create type repository_size as enum ('tiny')", ["repository_size (without the value"]),
    "a ledger": ("create table gh_backfill_migrations (id integer)", ["gh_backfill_migrations"]),
}


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    with Database(empty_database_url) as database:
        yield database


@pytest.mark.parametrize(("stranger", "words"), STRANGERS.values(), ids=STRANGERS)
def test_what_only_has_our_names_stops_the_first_statement_and_is_named(
    empty: Database, stranger: str, words: list[str]
) -> None:
    with empty.transaction() as tx:
        tx.run(stranger)
    before = catalog(empty)
    with pytest.raises(ConfigurationError, match="nothing was written") as raised:
        migrations.apply(empty)
    assert [word for word in [*words, "GH_BACKFILL_SCHEMA"] if word not in str(raised.value)] == []
    assert catalog(empty) == before


@pytest.mark.parametrize("unmigrated_database_url", VARIANTS, indirect=True)
def test_the_host_application_is_no_stranger(unmigrated_database_url: str) -> None:
    with Database(unmigrated_database_url) as db:
        assert preflight.obstacles(db) == []


def test_our_own_database_is_no_stranger(db: Database) -> None:
    assert preflight.obstacles(db) == []


def test_what_is_expected_is_what_the_migrations_make(db: Database) -> None:
    made = {thing: is_.split() for thing, is_ in catalog(db).items()}
    assert set(TO_WRITE) <= set(marks.TABLES)
    assert {*marks.TABLES, *marks.VIEWS} == {
        thing for thing, words in made.items() if words[0] in ("r", "p", "v") and len(words) > 1 and "." not in thing
    }
    shown = {f"{view}.{column}" for view, columns in marks.VIEWS.items() for column in columns}
    assert shown <= set(made)
    with db.transaction(read_only=True) as tx:
        labels = tx.rows(
            "select enumtypid::regtype::text as name, array_agg(enumlabel::text) as each from pg_enum group by 1"
        )
    assert {row["name"]: set(row["each"]) for row in labels} == {name: set(each) for name, each in marks.ENUMS.items()}


def test_each_column_that_tells_a_table_is_made_with_that_type(db: Database) -> None:
    for table, types in marks.TABLES.items():
        for kind, columns in types.items():
            assert {columns_of(db, table)[column].type for column in columns} == {kind}, (table, kind)


@pytest.mark.parametrize("unmigrated_database_url", VARIANTS, indirect=True)
def test_every_column_that_we_write_or_that_must_not_be_empty_tells_the_tables_of_a_host_application(
    db: Database, unmigrated_database_url: str
) -> None:
    with Database(unmigrated_database_url) as host:
        for table, types in marks.TABLES.items():
            ours, theirs = columns_of(db, table), columns_of(host, table)
            written = TO_WRITE[table].columns if table in TO_WRITE else frozenset()
            telling = {each for each in theirs if each in written or (each in ours and ours[each].required)}
            assert telling <= frozenset().union(*types.values()), table


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column in the catalog."""

    type: str | None
    required: bool


def columns_of(db: Database, table: str) -> dict[str, Column]:
    """Return the columns of a table, none where there is no such table."""
    with db.transaction(read_only=True) as tx:
        rows = tx.rows(
            """select attname::text as name, format_type(atttypid, null) as type, attnotnull as required
               from pg_attribute where attrelid = to_regclass(%(table)s) and attnum > 0 and not attisdropped""",
            table=table,
        )
    short = {"timestamp with time zone": "timestamptz", "character varying": "varchar"}
    return {row["name"]: Column(type=short.get(row["type"], row["type"]), required=row["required"]) for row in rows}


STRANGE_HOUSE = """
create table comments (id serial primary key, body text);
create table issues (id serial primary key, title text);
create table repositories (id serial primary key, path text);
insert into comments (body) values ('theirs')
"""


def test_a_schema_of_its_own_holds_everything_of_ours_and_leaves_the_rest_alone(
    empty: Database, empty_database_url: str
) -> None:
    with empty.transaction() as tx:
        tx.run(STRANGE_HOUSE)
    before, rows = catalog(empty), contents(empty)
    with Database(f"{empty_database_url}&schema=history") as ours:
        assert len(migrations.apply(ours)) > 0
        assert migrations.apply(ours) == []
        assert access.prove(ours) == []
        with ours.transaction(read_only=True) as tx:
            assert migrations.pending(tx) == []
            found = tx.rows("""
                select n.nspname, count(*) filter (where c.relkind in ('r', 'p') and not c.relispartition) as tables,
                       count(*) filter (where c.relkind = 'v') as views
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname in ('public', 'history') group by 1 order by 1""")
            functions = tx.rows("""
                select distinct pronamespace::regnamespace::text as at from pg_proc
                where proname ~ 'gh_backfill' or (proname = 'round' and pronamespace <> 'pg_catalog'::regnamespace)""")
    assert [(row["nspname"], row["views"]) for row in found] == [("history", len(marks.VIEWS)), ("public", 0)]
    assert [row["tables"] for row in found] == [len(set(TO_WRITE) | {"issues", "gh_backfill_migrations"}), 3]
    assert functions == [{"at": "history"}]
    after = {thing: is_ for thing, is_ in catalog(empty).items() if not thing.startswith("history.")}
    assert (after, contents(empty)) == (before, rows)


def test_two_installations_lie_side_by_side(empty: Database, empty_database_url: str) -> None:
    migrations.apply(empty)
    with Database(f"{empty_database_url}&schema=second") as second:
        migrations.apply(second)
        with second.transaction() as tx:
            tx.run("insert into repositories (github_id, full_name, owner, name) values (1, 'o/r', 'o', 'r')")
    with empty.transaction(read_only=True) as tx:
        assert tx.rows("select 1 from repositories") == []


def test_a_path_that_leads_elsewhere_is_named_before_anything_is_written(
    empty_database_url: str, server: Server
) -> None:
    name = urlsplit(empty_database_url).path[1:]
    run(empty_database_url, "create schema app")
    run(empty_database_url, f'alter database "{name}" set search_path to app, public')
    words = "leads to schema app, not to public: say which schema is meant, GH_BACKFILL_SCHEMA=public"
    with Database(empty_database_url) as db, pytest.raises(ConfigurationError, match=words):
        migrations.apply(db)
    with Database(f"{empty_database_url}&schema=public") as db:
        migrations.apply(db)
        with db.transaction(read_only=True) as tx:
            assert tx.row("select to_regclass('public.pull_requests')::text as it") == {"it": "pull_requests"}


def test_tables_of_ours_that_the_path_misses_are_pointed_to_instead_of_made_again(
    empty_database_url: str,
) -> None:
    with Database(f"{empty_database_url}&schema=history") as db:
        migrations.apply(db)
    given = settings.load({"DATABASE_URL": empty_database_url}, dotenv=None)
    with Database(empty_database_url) as db:
        for do in (lambda: migrations.apply(db), lambda: up_to_date.prepare(db, given, writing=False)):
            with pytest.raises(ConfigurationError, match=r"lie in schema history.*set GH_BACKFILL_SCHEMA=history"):
                do()
    chosen = settings.load({"DATABASE_URL": empty_database_url, "GH_BACKFILL_SCHEMA": "history"}, dotenv=None)
    with connect.database(chosen) as db:
        assert access.prove(db) == []


def test_a_server_that_is_too_old_for_the_views_is_refused(empty: Database) -> None:
    with empty.transaction(read_only=True) as tx:
        here = preflight.place(tx)
    assert here.major >= 15
    assert replace(here, major=15).obstacles(chosen=False) == []
    (told,) = replace(here, major=14, version="14.9").obstacles(chosen=False)
    assert "PostgreSQL 14.9 is too old" in told
    assert "15 or newer" in told


@needs_15
def test_another_encoding_and_a_role_that_owns_nothing_but_its_database(server: Server) -> None:
    with servers.postgres(servers.DEBIANS_15) as fifteen:
        run(fifteen.url, "create role owner login")
        run(fifteen.url, "create role visitor login")
        run(fifteen.url, "create database latin owner owner encoding 'LATIN1' template template0 locale 'C'")
        run(fifteen.url, "create database history owner owner")
        latin, history = (urlsplit(fifteen.url)._replace(path=f"/{name}").geturl() for name in ("latin", "history"))
        owner, visitor = as_role(history, "owner"), as_role(history, "visitor")
        refusals: list[tuple[str, type[BackfillError], str]] = [
            (as_role(latin, "owner"), ConfigurationError, "LATIN1, which cannot hold"),
            (visitor, StoreDenied, "grant usage, create on schema public to visitor"),
            (f"{visitor}&schema=mine", StoreDenied, "grant connect, create on database history to visitor"),
        ]
        for url, error, words in refusals:
            with Database(url) as db, pytest.raises(error, match=words):
                migrations.apply(db)
        for schema in ("", "&schema=mine"):
            with Database(owner + schema) as db:
                migrations.rehearse(db)
                assert len(migrations.apply(db)) == len(resources.migrations())
                assert access.prove(db) == []


def test_a_rehearsal_leaves_nothing_behind(empty: Database) -> None:
    before = catalog(empty)
    migrations.rehearse(empty)
    assert catalog(empty) == before


def test_a_rehearsal_finds_what_a_migration_would_stumble_over(empty: Database, empty_database_url: str) -> None:
    migrations.apply(empty)
    with empty.transaction() as tx:
        tx.run("update gh_backfill_migrations set checksum = 'older'")
        tx.run("create role bystander_of_rehearsals login")
        tx.run("grant select on gh_backfill_migrations to bystander_of_rehearsals")
        tx.run("create policy everybody on gh_backfill_migrations using (true)")
    try:
        with Database(as_role(empty_database_url, "bystander_of_rehearsals")) as db, pytest.raises(StoreDenied):
            migrations.rehearse(db)
    finally:
        connection = psycopg2.connect(empty_database_url)
        connection.autocommit = True
        connection.cursor().execute("drop owned by bystander_of_rehearsals")
        connection.cursor().execute("drop role bystander_of_rehearsals")
        connection.close()
