"""The migrations on an empty database and on that of a host application, in all its variants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from gh_backfill import resources
from gh_backfill.errors import RowRefused
from gh_backfill.store import migrations
from gh_backfill.store.db import Database, Transaction
from tests.conftest import VARIANTS

ALL_VARIANTS = pytest.mark.parametrize("unmigrated_database_url", VARIANTS, indirect=True)

CATALOG = """
select c.relname || '.' || a.attname as thing,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated,
                 pg_get_expr(d.adbin, d.adrelid)) as is
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
union all
select conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) from pg_constraint where conrelid <> 0
   and connamespace = 'public'::regnamespace and contype <> 'n'
union all
select tablename || ' ' || indexname, indexdef from pg_indexes where schemaname = 'public'
union all
select viewname, definition from pg_views where schemaname = 'public'
union all
select tablename || ' policy ' || policyname, concat_ws(' ', cmd, roles, qual) from pg_policies
where schemaname = 'public'
union all
select tgrelid::regclass || ' trigger ' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
union all
select relname, concat_ws(' ', relkind, relrowsecurity, reloptions, relacl) from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    with Database(empty_database_url) as database:
        yield database


@pytest.fixture
def existing(unmigrated_database_url: str) -> Iterator[Database]:
    with Database(unmigrated_database_url) as database:
        yield database


def versions(found: list[migrations.Migration]) -> list[str]:
    return [migration.version for migration in found]


def catalog(db: Database) -> dict[str, str]:
    with db.transaction(read_only=True) as tx:
        return {row["thing"]: row["is"] for row in tx.rows(CATALOG)}


def tables(db: Database) -> set[str]:
    """Return the names of all tables of ours or of others; also used by the tests of the schema."""
    with db.transaction(read_only=True) as tx:
        found = tx.rows("""
            select relname as name from pg_class
            where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace""")
    return {row["name"] for row in found}


def contents(db: Database) -> dict[str, list[dict[str, Any]]]:
    with db.transaction(read_only=True) as tx:
        return {name: tx.rows(f"select * from {name}") for name in tables_with_rows(tx)}  # noqa: S608 (a catalog's names)


def tables_with_rows(tx: Transaction) -> list[str]:
    found = tx.rows("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
    return [row["relname"] for row in found]


def test_an_empty_database_needs_every_migration_and_then_none(empty: Database) -> None:
    files = [path.name.partition("_")[0] for path in resources.migrations()]
    assert versions(migrations.apply(empty)) == files
    assert migrations.apply(empty) == []
    with empty.transaction(read_only=True) as tx:
        assert migrations.pending(tx) == []


def test_asking_what_is_pending_writes_nothing(empty: Database) -> None:
    with empty.transaction(read_only=True) as tx:
        assert len(migrations.pending(tx)) == len(resources.migrations())
    assert tables(empty) == set()


def test_an_empty_database_takes_no_extension_but_the_one_for_vectors(empty: Database) -> None:
    migrations.apply(empty)
    with empty.transaction(read_only=True) as tx:
        assert tx.rows("select extname from pg_extension order by 1") == [{"extname": "plpgsql"}, {"extname": "vector"}]


def test_versions_are_unique_time_stamps() -> None:
    names = [path.name for path in resources.migrations()]
    assert [name for name in names if not re.fullmatch(r"20\d{12}_[a-z_]+\.sql", name)] == []
    assert len({name[:14] for name in names}) == len(names)


def test_applying_every_file_once_more_changes_nothing(empty: Database) -> None:
    migrations.apply(empty)
    before = catalog(empty)
    with empty.transaction() as tx:
        for path in resources.migrations():
            tx.run(path.read_text(encoding="utf-8"))
    assert catalog(empty) == before


def test_what_another_tool_has_applied_statement_by_statement_is_taken_over(
    empty: Database, empty_database_url: str
) -> None:
    foreign = psycopg2.connect(empty_database_url)
    foreign.autocommit = True
    with foreign.cursor() as cursor:
        for path in resources.migrations():
            for statement in re.split(r";\n(?=\n|\Z|--|alter|create|do)", path.read_text(encoding="utf-8")):
                cursor.execute(statement or "select 1")
    foreign.close()
    before = catalog(empty)
    migrations.apply(empty)
    after = catalog(empty)
    assert {thing for thing in after if before.get(thing) != after[thing]} == {
        thing for thing in after if thing.startswith("gh_backfill_migrations")
    }


# A chunk of another kind than pull requests belongs to no row of the application's.
LOOSENED = {"backfill_chunks.backfill_state_id": ("uuid t ", "uuid f ")}


@ALL_VARIANTS
def test_nothing_of_an_existing_database_is_changed_only_added_to_and_loosened(existing: Database) -> None:
    definitions, rows = catalog(existing), contents(existing)
    migrations.apply(existing)
    after = catalog(existing)
    assert {thing: (definitions[thing], after[thing]) for thing in LOOSENED} == LOOSENED
    assert {thing: after.get(thing) for thing in definitions if thing not in LOOSENED} == {
        thing: is_ for thing, is_ in definitions.items() if thing not in LOOSENED
    }
    kept = {
        table: [{column: row[column] for column in rows[table][index]} for index, row in enumerate(now)]
        for table, now in contents(existing).items()
        if table in rows
    }
    assert kept == rows


@ALL_VARIANTS
def test_what_is_added_to_an_existing_database_burdens_no_writer(existing: Database) -> None:
    before = catalog(existing)
    old_tables = {thing.partition(".")[0] for thing in before if "." in thing}
    migrations.apply(existing)
    with existing.transaction(read_only=True) as tx:
        columns = tx.rows("""
            select table_name || '.' || column_name as thing, table_name, is_nullable, column_default
            from information_schema.columns where table_schema = 'public'""")
    added = [column for column in columns if column["thing"] not in before and column["table_name"] in old_tables]
    assert added
    assert [column for column in added if column["is_nullable"] == "NO" and column["column_default"] is None] == []


@ALL_VARIANTS
def test_an_existing_database_is_done_after_one_run(existing: Database) -> None:
    assert len(migrations.apply(existing)) == len(resources.migrations())
    before = catalog(existing)
    with existing.transaction() as tx:
        for path in resources.migrations():
            tx.run(path.read_text(encoding="utf-8"))
    assert catalog(existing) == before
    assert migrations.apply(existing) == []


@ALL_VARIANTS
def test_both_kinds_of_database_agree_on_names_types_and_vocabulary(existing: Database, empty: Database) -> None:
    for db in (existing, empty):
        migrations.apply(db)
    there, here = catalog(existing), catalog(empty)

    def made(definition: str) -> str:
        return definition.replace("uuid_generate_v4()", "gen_random_uuid()")

    ours = {"repositories.pull_request_count", "repositories.total_pull_requests"}  # generated where we make them
    ours |= {f"backfill_progress_summary.{name}" for name in ("wanted_prs", "goal_percentage", "gaps")}
    columns = {thing: made(is_) for thing, is_ in here.items() if "." in thing and thing not in ours}
    other = {thing: made(there.get(thing, "")) for thing in columns}
    assert other == columns
    checks = {(thing.split()[0], is_) for thing, is_ in here.items() if is_.startswith("CHECK")}
    known = {(thing.split()[0], is_) for thing, is_ in there.items() if is_.startswith("CHECK")}
    tighter = {table for table, _ in checks - known}
    assert tighter <= {"progressive_capture_jobs", "pull_requests"}


def test_several_runs_at_once_apply_each_migration_once(empty_database_url: str) -> None:
    def run(_: int) -> list[str]:
        with Database(empty_database_url) as db:
            return versions(migrations.apply(db))

    with ThreadPoolExecutor(4) as pool:
        applied = [version for done in pool.map(run, range(4)) for version in done]
    assert sorted(applied) == [path.name.partition("_")[0] for path in resources.migrations()]


def test_a_file_that_was_edited_since_is_applied_again(empty: Database) -> None:
    migrations.apply(empty)
    with empty.transaction() as tx:
        tx.run("update gh_backfill_migrations set checksum = 'older', applied_at = '2026-01-01' where name = 'views'")
        tx.run("drop view backfill_progress_summary")
    assert [migration.name for migration in migrations.apply(empty)] == ["views"]
    with empty.transaction() as tx:
        assert tx.rows("select * from backfill_progress_summary") == []
        assert tx.rows("select * from gh_backfill_migrations where checksum = 'older'") == []


def test_the_worker_of_a_job_of_an_earlier_version_moves_into_its_column(db: Database) -> None:
    with db.transaction() as tx:
        tx.run("alter table progressive_capture_jobs drop column worker")
        tx.run("update gh_backfill_migrations set checksum = 'older' where name = 'job_worker'")
        tx.run("""insert into progressive_capture_jobs (job_type, metadata) values
                      ('first', '{"worker": "here:7", "reason": "asked"}'), ('second', '{"reason": "asked"}'),
                      ('third', null)""")
    assert [migration.name for migration in migrations.apply(db)] == ["job_worker"]
    with db.transaction() as tx:
        assert tx.rows("select worker from progressive_capture_jobs order by job_type") == [
            {"worker": "here:7"},
            {"worker": None},
            {"worker": None},
        ]
        tx.run("update progressive_capture_jobs set worker = 'there:8' where job_type = 'first'")
        tx.run("update gh_backfill_migrations set checksum = 'older' where name = 'job_worker'")
    migrations.apply(db)
    with db.transaction(read_only=True) as tx:
        assert tx.row("select worker from progressive_capture_jobs where job_type = 'first'") == {"worker": "there:8"}


def test_what_a_newer_installation_has_applied_is_left_alone(empty: Database) -> None:
    migrations.apply(empty)
    with empty.transaction() as tx:
        tx.run("insert into gh_backfill_migrations (version, name, checksum) values ('29991231235959', 'later', 'x')")
    assert migrations.apply(empty) == []


def test_a_migration_that_fails_leaves_nothing_of_itself_behind(empty: Database) -> None:
    with empty.transaction() as tx:
        tx.run("""
            create function refuse() returns event_trigger language plpgsql as
                $$ begin raise exception 'no views'; end $$;
            create event trigger refuse on ddl_command_start when tag in ('CREATE VIEW') execute function refuse()""")
    with pytest.raises(RowRefused, match="no views"):
        migrations.apply(empty)
    with empty.transaction() as tx:
        applied = [row["name"] for row in tx.rows("select name from gh_backfill_migrations order by version")]
        assert applied == ["core_tables", "backfill_control", "capture_jobs"]
        tx.run("drop event trigger refuse")
    assert len(migrations.apply(empty)) == len(resources.migrations()) - 3


def test_the_migrations_lie_where_the_supabase_tools_look_for_them() -> None:
    assert {path.parent for path in resources.migrations()} == {Path(__file__).parents[2] / "supabase" / "migrations"}
