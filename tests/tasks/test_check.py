"""The preflight: one line each, what is wrong by its name, and nothing left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.resources import sql
from gh_backfill.simulator import workflows
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store import access
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.needs import TO_WRITE
from gh_backfill.tasks import connect
from gh_backfill.tasks.check import check
from gh_backfill.tasks.finding import Finding
from tests.conftest import Server
from tests.tasks.test_installations import WRITER_ROLE, as_role, run

each_kind = pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/small:3"])) as simulator:
        yield simulator


@pytest.fixture
def environment(github: Simulator) -> dict[str, str]:
    return {"GITHUB_TOKEN": "tok", "GITHUB_API_URL": github.url}


def checked(environment: dict[str, str], url: str | None = None, **changes: str) -> dict[str, Finding]:
    given = environment | ({"DATABASE_URL": url} if url else {}) | changes
    return {each.name: each for each in check(settings.load(given, dotenv=None), datetime.now(UTC))}


def wrong(found: dict[str, Finding]) -> dict[str, str]:
    return {name: each.text for name, each in found.items() if not each.ok}


@each_kind
def test_everything_is_fine_and_is_said_one_by_one(
    environment: dict[str, str], kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    found = checked(environment, url)
    assert wrong(found) == {}
    assert list(found) == ["settings", "token", "budget", "database", "migrations", "columns", "rights"]
    with Database(url) as db, db.transaction(read_only=True) as tx:
        assert tx.rows("select 1 from repositories where owner = 'gh-backfill'") == []


def track(tx: Transaction) -> None:
    """Track one repository, which has 1 as GitHub's id."""
    tx.run("insert into repositories (github_id, full_name, owner, name) values (1, 'o/n', 'o', 'n')")
    tx.run(
        "insert into tracked_repositories (repository_id, organization_name, repository_name) "
        "select id, owner, name from repositories"
    )


def test_what_webhooks_announced_and_nobody_could_fetch_is_told_and_is_no_fault_of_the_settings(
    environment: dict[str, str], database_url: str, db: Database
) -> None:
    with db.transaction() as tx:
        track(tx)
        tx.run(
            "insert into webhook_pending (repository_github_id, kind, identity, event, attempts, retry_at, reason) "
            "values "
            "(1, 'capture', '3', 'pull_request', 2, now(), 'GitHub did not say what it is'), "
            "(1, 'capture', '4', 'pull_request', 0, null, null), (1, 'event', 'star 1', 'star', 0, null, null)"
        )
    finding = checked(environment, database_url)["webhooks"]
    assert finding.ok
    assert finding.text.startswith("2 announced, not fetched yet")
    assert "1 could not be fetched and are tried again: GitHub did not say what it is" in finding.text


def test_a_stored_budget_is_corrected_whatever_is_told_of_readers_and_announcements(
    environment: dict[str, str], database_url: str, db: Database
) -> None:
    run(database_url, WRITER_ROLE + "drop policy gh_backfill_writer_all on reviews")
    with db.transaction() as tx:
        track(tx)
        tx.run(
            "insert into webhook_pending (repository_github_id, kind, identity, event) "
            "values (1, 'capture', '3', 'pull_request')"
        )
        tx.run(
            "insert into api_budgets (identity, resource, budget_limit, remaining, reset_at, not_before, slowdowns) "
            "values ('installation:unnamed@127.0.0.1', 'graphql', 5000, 0, now() + interval '50 minutes', "
            "now() + interval '50 minutes', 3)"
        )
    found = checked(environment, database_url, GITHUB_TOKEN="ghs_tok")
    assert {"readers", "webhooks"} <= found.keys()
    with db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select remaining, not_before <= now() as free from api_budgets where resource = 'graphql'")
    assert row["free"]
    assert row["remaining"] > 4_000


def test_all_missing_settings_are_named_at_once(environment: dict[str, str]) -> None:
    found = checked({"GITHUB_ACTIONS": "true"})
    assert list(wrong(found)) == ["settings"]
    assert "GITHUB_TOKEN" in found["settings"].text
    assert "DATABASE_URL" in found["settings"].text


def test_a_token_that_github_refuses_is_named_and_the_database_is_checked_all_the_same(
    environment: dict[str, str], database_url: str
) -> None:
    with running(load(recipes=["octo/small:3"]), Options(only_known_tokens=True, identities={"other": "x"})) as strict:
        found = checked(environment, database_url, GITHUB_API_URL=strict.url)
    assert list(wrong(found)) == ["token"]
    assert found["rights"].ok


def test_a_github_that_cannot_be_reached_is_named(environment: dict[str, str], database_url: str) -> None:
    assert list(wrong(checked(environment, database_url, GITHUB_API_URL="http://127.0.0.1:9"))) == ["token"]


def test_a_database_that_cannot_be_reached_is_named_without_its_password(environment: dict[str, str]) -> None:
    found = checked(environment, "postgresql://u:hunter2@127.0.0.1:1/x")
    assert list(wrong(found)) == ["database"]
    assert "hunter2" not in str(found)


def test_pending_migrations_are_named_with_the_command_that_applies_them(
    environment: dict[str, str], empty_database_url: str
) -> None:
    found = checked(environment, empty_database_url)
    assert list(wrong(found)) == ["migrations"]
    assert "gh-backfill migrate" in found["migrations"].text


def test_what_migrate_would_stumble_over_is_found_without_running_it(
    environment: dict[str, str], empty_database_url: str
) -> None:
    assert checked(environment, empty_database_url)["migrate"].ok
    run(empty_database_url, "create table comments (id serial primary key, body text)")
    found = checked(environment, empty_database_url)
    assert "comments (id is of type integer, without" in wrong(found)["migrate"]
    assert checked(environment, empty_database_url, GH_BACKFILL_SCHEMA="history")["migrate"].ok
    with Database(empty_database_url) as db, db.transaction(read_only=True) as tx:
        assert tx.rows("select 1 from pg_namespace where nspname = 'history'") == []
        assert tx.rows("select to_regclass('pull_requests')::text as it") == [{"it": None}]


def test_a_database_that_takes_no_writes_is_one_line_and_not_one_for_each_table(
    environment: dict[str, str], database_url: str, server: Server
) -> None:
    name = urlsplit(database_url).path[1:]
    run(server.url, f'alter database "{name}" set default_transaction_read_only = on')
    text = wrong(checked(environment, database_url))["rights"]
    assert text.count("takes no writes") == 1
    assert "set default_transaction_read_only = off" in text


def test_a_role_that_may_not_create_tables_is_told_before_it_migrates(
    environment: dict[str, str], empty_database_url: str
) -> None:
    run(empty_database_url, WRITER_ROLE.partition("grant select, insert")[0])
    text = wrong(checked(environment, as_role(empty_database_url, "gh_backfill_writer")))["migrate"]
    assert "grant usage, create on schema public to gh_backfill_writer" in text


def test_roles_that_may_select_and_see_nothing_are_named_though_nothing_is_wrong_with_us(
    environment: dict[str, str], database_url: str
) -> None:
    run(database_url, WRITER_ROLE)
    assert "readers" not in checked(environment, database_url)
    run(database_url, "drop policy gh_backfill_writer_all on reviews")
    found = checked(environment, database_url)
    assert wrong(found) == {}
    assert "gh_backfill_writer may select from reviews, and sees no row there" in found["readers"].text
    assert "gh-backfill grant-reader gh_backfill_writer" in found["readers"].text


def test_an_encoding_that_cannot_hold_every_text_is_named(environment: dict[str, str], server: Server) -> None:
    name = f"gh_backfill_test_latin_{os.getpid()}"
    run(server.url, f"create database {name} encoding 'LATIN1' template template0 locale 'C' locale_provider libc")
    try:
        text = wrong(checked(environment, server.url_of(name)))["encoding"]
    finally:
        server.drop(name)
    assert "LATIN1" in text
    assert "encoding 'UTF8'" in text


@each_kind
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter table backfill_chunks drop column api_calls_made", "backfill_chunks.api_calls_made is missing"),
        ("alter table backfill_chunks drop column retry_count", "backfill_chunks.retry_count is missing"),
        ("alter table reviews add column tenant integer not null", "reviews.tenant must not be empty"),
        ("alter table comments rename to old_comments", "table comments is missing"),
    ],
)
def test_a_column_that_is_missing_or_that_nobody_fills_is_named_and_no_command_writes(
    environment: dict[str, str], kind: str, change: str, words: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    if "add column" in change:
        run(url, "truncate reviews")
    run(url, change)
    assert words in wrong(checked(environment, url))["columns"]
    assert words in refusal(environment, url)


def test_a_new_column_with_a_default_or_a_trigger_that_fills_it_is_nobodys_business(
    environment: dict[str, str], database_url: str
) -> None:
    run(
        database_url,
        """
        alter table reviews add column a integer not null default 0,
                            add column b integer not null generated always as identity,
                            add column c integer not null generated always as (1) stored;
        alter table comments add column tenant integer not null;
        create function fill() returns trigger language plpgsql as $$ begin new.tenant = 1; return new; end $$;
        create trigger fill before insert on comments for each row execute function fill()""",
    )
    assert wrong(checked(environment, database_url)) == {}


@each_kind
def test_a_role_without_rights_is_told_which_and_where(
    environment: dict[str, str], kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    run(url, WRITER_ROLE + "revoke update on reviews, comments from gh_backfill_writer")
    writer = as_role(url, "gh_backfill_writer")
    text = wrong(checked(environment, writer))["rights"]
    assert "no right to update comments, reviews: grant update on comments, reviews to gh_backfill_writer" in text
    assert "docs/writer_role.sql" in text
    assert "no right to update comments, reviews" in refusal(environment, writer)


@each_kind
def test_row_level_security_that_hides_rows_is_told_by_table(
    environment: dict[str, str], kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    run(url, WRITER_ROLE + "drop policy gh_backfill_writer_all on backfill_chunks")
    writer = as_role(url, "gh_backfill_writer")
    assert wrong(checked(environment, writer)).keys() == {"rights"}
    assert "backfill_chunks: " in wrong(checked(environment, writer))["rights"]
    assert "row-level security" in refusal(environment, writer)


def test_rows_that_may_be_written_and_not_seen_again_are_no_success(
    environment: dict[str, str], database_url: str
) -> None:
    run(
        database_url,
        WRITER_ROLE
        + """
        drop policy gh_backfill_writer_all on reviews;
        create policy blind on reviews for insert to gh_backfill_writer with check (true)""",
    )
    writer = as_role(database_url, "gh_backfill_writer")
    assert "reviews: the row that was written can't be seen or changed" in wrong(checked(environment, writer))["rights"]
    assert "reviews: the row that was written" in refusal(environment, writer)


def test_policies_of_another_wording_that_admit_us_are_enough(environment: dict[str, str], database_url: str) -> None:
    run(
        database_url,
        WRITER_ROLE
        + """
        drop policy gh_backfill_writer_all on reviews;
        create policy mine on reviews using (current_user = 'gh_backfill_writer')""",
    )
    writer = as_role(database_url, "gh_backfill_writer")
    assert wrong(checked(environment, writer)) == {}
    assert refusal(environment, writer) == ""


def test_what_is_read_needs_no_right_to_write(environment: dict[str, str], database_url: str) -> None:
    run(database_url, WRITER_ROLE + "revoke insert, update on all tables in schema public from gh_backfill_writer")
    given = settings.load(environment | {"DATABASE_URL": as_role(database_url, "gh_backfill_writer")}, dotenv=None)
    with connect.database(given, writing=False) as db, db.transaction(read_only=True) as tx:
        assert tx.rows("select 1 as one from repositories") == []


def test_every_table_that_is_written_has_its_proof(database_url: str) -> None:
    with Database(database_url) as db:
        assert access.prove(db) == []
    assert set(sql("proofs")) == {f"{what}_{table}" for what in ("insert", "update") for table in TO_WRITE}


def refusal(environment: dict[str, str], url: str) -> str:
    """Return with which words a command that writes refuses to begin; empty if it does begin."""
    try:
        with connect.database(settings.load(environment | {"DATABASE_URL": url}, dotenv=None)):
            return ""
    except ConfigurationError as error:
        return str(error)


def test_a_clock_that_is_late_says_since_when_repositories_are_due(
    environment: dict[str, str], database_url: str, db: Database
) -> None:
    with db.transaction() as tx:
        track(tx)
        tx.run(
            "update repositories set node_id = 'R_1';"
            "insert into repository_syncs (repository_id, next_due_at) select id, '2026-01-02 03:04Z' from repositories"
        )
    found = checked(environment, database_url)
    assert wrong(found) == {}
    assert found["schedule"].text.startswith(
        "late: 1 repository is due for a sync, the longest since 2026-01-02 03:04 UTC; "
    )


def test_a_workflow_that_github_disabled_is_named_with_what_to_do(
    environment: dict[str, str], github: Simulator
) -> None:
    workflows.put(github.world, "octo/small", "dispatch.yml")
    assert "schedule" not in checked(environment, GITHUB_REPOSITORY="octo/small")
    workflows.disable(github.world, "octo/small", "dispatch.yml")
    told = checked(environment, GITHUB_REPOSITORY="octo/small")["schedule"].text
    assert told.startswith(
        "the workflow dispatch.yml is disabled_inactivity since 2026-01-01: open Actions in octo/small"
    )
