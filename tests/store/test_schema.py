"""The tables themselves: their keys, who may see them, and the queries that the guide promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill.errors import RowRefused, StoreDenied
from gh_backfill.store import events, migrations
from gh_backfill.store.db import Database, Transaction
from tests.conftest import SHARED
from tests.velocity_by_hand import Plain, Told
from tests.velocity_rows import at, store

ROOT = Path(__file__).parents[2]
GUIDE = SHARED / "requirements" / "2_progressive_backfill_guide.md"
OURS = {"backfills", "backfill_streams", "backfill_quarantine", "api_budgets", "gh_backfill_migrations"}

# What Supabase does to every new table of `public`.
SUPABASE = """
do $$
declare name text;
begin
    foreach name in array array['anon', 'authenticated', 'service_role'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin %s', name, case name when 'service_role' then 'bypassrls' end);
        end if;
    end loop;
end $$;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
create schema auth;
create function auth.role() returns text language sql stable as
$$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $$;
grant usage on schema auth to anon, authenticated, service_role
"""


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    with Database(empty_database_url) as database:
        yield database


@pytest.fixture
def existing(unmigrated_database_url: str) -> Iterator[Database]:
    with Database(unmigrated_database_url) as database:
        yield database


def tables(db: Database) -> set[str]:
    with db.transaction(read_only=True) as tx:
        found = tx.rows("""
            select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace""")
    return {row["relname"] for row in found}


def ids(db: Database) -> tuple[str, str]:
    """Return a repository and its backfill, made where there is none."""
    with db.transaction() as tx:
        tx.run("""
            insert into repositories (github_id, full_name, owner, name) values (7, 'o/migrated', 'o', 'migrated')
            on conflict do nothing""")
        row = tx.row("select id from repositories where github_id = 7")
        assert row is not None
        state = tx.row(
            "insert into progressive_backfill_state (repository_id, total_prs) values (%(id)s, 3) returning id",
            id=row["id"],
        )
        assert state is not None
        return row["id"], state["id"]


def open_chunk(tx: Transaction, repository: str, state: str, number: int, stream: str | None) -> None:
    tx.run(
        """insert into backfill_chunks (repository_id, backfill_state_id, chunk_number, status, stream_id)
        values (%(repository)s, %(state)s, %(number)s, 'processing', %(stream)s)""",
        repository=repository,
        state=state,
        number=number,
        stream=stream,
    )


def new_stream(tx: Transaction, repository: str, state: str) -> str:
    row = tx.row(
        """insert into backfill_streams (repository_id, backfill_id, backfill_state_id, stream, ordering)
        values (%(repository)s, %(state)s, %(state)s, 'history', 'CREATED_AT') returning id""",
        repository=repository,
        state=state,
    )
    assert row is not None
    return str(row["id"])


def test_a_stream_has_one_open_chunk_at_most(db: Database) -> None:
    repository, state = ids(db)
    with db.transaction() as tx:
        stream = new_stream(tx, repository, state)
        open_chunk(tx, repository, state, 1, stream)
        tx.run("update backfill_chunks set status = 'completed'")
        open_chunk(tx, repository, state, 2, stream)
    with pytest.raises(RowRefused), db.transaction() as tx:
        open_chunk(tx, repository, state, 3, stream)


def test_open_chunks_of_an_older_backfill_do_not_collide(existing: Database) -> None:
    with existing.transaction() as tx:
        tx.run("update backfill_chunks set status = 'processing'")
    migrations.apply(existing)
    with existing.transaction() as tx:
        assert tx.row("select count(*) as n, count(stream_id) as streams from backfill_chunks") == {
            "n": 4,
            "streams": 0,
        }


def comments(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        tx.run(
            """
            with p as (
                insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name,
                                           head_branch, created_at, updated_at)
                values (71, 1, 't', 'open', %(repository)s, 'o/migrated', 'b', now(), now()) returning id
            )
            insert into comments (github_id, comment_type, repository_id, pull_request_id, body, created_at, updated_at)
            select 72, kind, %(repository)s, id, '', now(), now()
            from p, unnest(array['issue_comment', 'review_comment']) kind""",
            repository=repository,
        )


def test_the_two_kinds_of_comments_may_share_a_number_in_a_database_of_ours(db: Database) -> None:
    comments(db)
    with db.transaction(read_only=True) as tx:
        assert tx.row("select count(*) as n from comments where github_id = 72") == {"n": 2}


def test_an_existing_database_keeps_its_key_of_comments(existing: Database) -> None:
    migrations.apply(existing)
    with pytest.raises(RowRefused):
        comments(existing)


def test_every_table_has_row_level_security(db: Database) -> None:
    with db.transaction(read_only=True) as tx:
        open_tables = tx.rows("""
            select relname from pg_class
            where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity""")
    assert open_tables == []


def refuses(db: Database, role: str, statement: str) -> bool:
    try:
        with db.transaction() as tx:
            tx.run(f"set local role {role}")
            tx.run(statement)
    except StoreDenied:
        return True
    return False


def closed(db: Database, role: str, names: set[str]) -> set[str]:
    """Return which of the tables a role may neither read nor write."""
    return {
        name
        for name in names
        if refuses(db, role, f"select from {name}") and refuses(db, role, f"delete from {name}")  # noqa: S608
    }


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_guests_of_supabase_can_neither_read_nor_write_what_we_create(empty: Database, role: str) -> None:
    with empty.transaction() as tx:
        tx.run(SUPABASE)
    migrations.apply(empty)
    everything = tables(empty)
    assert everything > OURS
    assert closed(empty, role, everything) == everything
    assert refuses(empty, role, "select from backfill_progress_summary")


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_in_an_existing_database_guests_are_kept_from_ours_and_not_from_its_own(existing: Database, role: str) -> None:
    its_own = tables(existing)
    before = closed(existing, role, its_own)
    migrations.apply(existing)
    assert closed(existing, role, OURS) == OURS
    assert closed(existing, role, its_own) == before


def test_the_service_role_of_supabase_can_work_with_what_we_create(empty: Database) -> None:
    with empty.transaction() as tx:
        tx.run(SUPABASE)
    migrations.apply(empty)
    with empty.transaction() as tx:
        tx.run("set local role service_role")
        tx.run("insert into repositories (github_id, full_name, owner, name) values (1, 'o/r', 'o', 'r')")
        assert tx.row("select count(*) as n from repositories") == {"n": 1}


def guide_statements() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL) + re.findall(r"`(SELECT .*?)`", text)
    return [statement for block in blocks for statement in block.split(";") if statement.strip()]


NO_ROUND = "function round(double precision, integer) does not exist"
ON_A_HOST = [NO_ROUND, None, NO_ROUND, None, None, None, None, None]


@pytest.mark.skipif(not GUIDE.exists(), reason=f"the guide is not at {GUIDE}")
@pytest.mark.parametrize(
    ("kind", "expected"), [("database_url", [None] * 8), ("existing_database_url", ON_A_HOST)], ids=["ours", "theirs"]
)
def test_the_queries_of_the_guide_run_as_they_stand_but_for_the_ids(
    kind: str, expected: list[str | None], request: pytest.FixtureRequest
) -> None:
    with Database(request.getfixturevalue(kind)) as db:
        repository, _ = ids(db)
        outcomes = [try_out(db, statement.replace("'xxx'", f"'{repository}'")) for statement in guide_statements()]
    assert outcomes == expected


EVENTS_GUIDE = SHARED / "requirements" / "5_workspace_events_guide.md"


@pytest.mark.skipif(not EVENTS_GUIDE.exists(), reason=f"the guide is not at {EVENTS_GUIDE}")
@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])
def test_both_queries_of_the_guide_of_events_run_as_they_stand_but_for_the_names(
    kind: str, request: pytest.FixtureRequest
) -> None:
    coverage, count = re.findall(
        r"```sql\n(.*?)```", EVENTS_GUIDE.read_text(encoding="utf-8").replace("   ", ""), re.DOTALL
    )
    names = {"'owner'": "'octo'", "'repo'": "'kit'", "'name'": "'kit'"}
    for old, new in names.items():
        coverage, count = coverage.replace(old, new), count.replace(old, new)
    now = datetime.now(UTC)
    told = [Told("WatchEvent", f"u{back}", back, now.timestamp() - back * 86_400) for back in (1, 1, 89, 91)]
    told += [Told("ForkEvent", "f/kit", 5, now.timestamp() - 86_400)]
    with Database(request.getfixturevalue(kind)) as db:
        events.make_months(db, [at(each.at) for each in told])
        with db.transaction() as tx:
            store(tx, Plain(told=told), name="kit")
            days = [(str(row["date"]), row["event_type"], row["event_count"]) for row in tx.rows(coverage)]
            (row,) = tx.rows(count)
    yesterday, long_ago = (str((now - timedelta(days=back)).date()) for back in (1, 89))
    assert days == [(yesterday, "ForkEvent", 1), (yesterday, "WatchEvent", 2), (long_ago, "WatchEvent", 1)]
    assert row == {"count": 4}


QUERIES = re.split(r"^-- name: (\w+)$", (ROOT / "docs" / "queries.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])
def test_each_statement_of_the_file_of_queries_runs_on_a_database_of_ours_and_on_an_existing_one(
    kind: str, request: pytest.FixtureRequest
) -> None:
    with Database(request.getfixturevalue(kind)) as db:
        repository, _ = ids(db)
        for name, text in zip(QUERIES[1::2], QUERIES[2::2], strict=True):
            with db.transaction() as tx:
                tx.run(text.replace(":'repository'", f"'{repository}'").replace("%", "%%"))
            assert re.search(r"^-- .*(guide|migration)", text, re.MULTILINE), name
    assert len(QUERIES) > 20


def try_out(db: Database, statement: str) -> str | None:
    """Run a statement of the guide; where a function is missing, return which, and run it with numeric."""
    try:
        with db.transaction() as tx:
            tx.run(statement)
    except StoreDenied as error:
        with db.transaction() as tx:
            tx.run(statement.replace("::float", "::numeric"))
        return NO_ROUND if NO_ROUND in str(error) else str(error)
    return None


@pytest.mark.skipif(not GUIDE.exists(), reason=f"the guide is not at {GUIDE}")
@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_the_reset_of_the_guide_leaves_no_reason_and_no_time_behind(kind: str, request: pytest.FixtureRequest) -> None:
    (reset,) = [statement for statement in guide_statements() if "UPDATE progressive_backfill_state" in statement]
    with Database(request.getfixturevalue(kind)) as db:
        repository, state = ids(db)
        with db.transaction() as tx:
            tx.run(
                "update progressive_backfill_state set status = 'paused', held = true, pause_reason = 'by hand', "
                "resume_at = now(), consecutive_errors = 5 where id = %(id)s",
                id=state,
            )
            tx.run(reset.replace("'xxx'", f"'{repository}'"))
            row = tx.row(
                "select status, held, pause_reason, resume_at, consecutive_errors from progressive_backfill_state "
                "where id = %(id)s",
                id=state,
            )
    assert row == {"status": "active", "held": False, "pause_reason": None, "resume_at": None, "consecutive_errors": 0}


def test_numbers_are_rounded_as_the_guide_expects(db: Database) -> None:
    with db.transaction(read_only=True) as tx:
        assert tx.row("select round((2::float / 3 * 100)::float, 2)::text as percent") == {"percent": "66.67"}


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_the_summary_view_counts_percent_and_chunks(kind: str, request: pytest.FixtureRequest) -> None:
    with Database(request.getfixturevalue(kind)) as db:
        repository, state = ids(db)
        with db.transaction() as tx:
            tx.run("update progressive_backfill_state set processed_prs = 2 where id = %(id)s", id=state)
            open_chunk(tx, repository, state, 1, None)
            tx.run("update backfill_chunks set status = 'completed' where backfill_state_id = %(id)s", id=state)
            row = tx.row("select * from backfill_progress_summary where backfill_id = %(id)s", id=state)
    assert row is not None
    assert (row["owner"], row["name"], float(row["progress_percentage"])) == ("o", "migrated", 66.67)
    assert (row["completed_chunks"], row["failed_chunks"]) == (1, 0)
