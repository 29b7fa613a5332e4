"""Roles that read: they see every row or are told that they do not, and guests stay guests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.store import migrations, readers
from gh_backfill.store.db import Database
from tests.store.test_guests import fill, relations
from tests.tasks.test_installations import as_role, run

READER_ROLE = (Path(__file__).parents[2] / "docs" / "reader_role.sql").read_text(encoding="utf-8")
each_kind = pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])


@pytest.fixture
def reporting(empty_database_url: str) -> Iterator[str]:
    """Give a role of this test, which is gone after it."""
    name = "Reporting of gh_backfill_tests"
    run(empty_database_url, f'create role "{name}" login')
    yield name
    run(empty_database_url, f'drop role if exists "{name}"')


def seen(url: str, role: str, tables: list[str]) -> dict[str, int]:
    """Return how many rows a role finds in each table or view."""
    counts = {}
    with Database(url) as db, db.transaction(read_only=True) as tx:
        tx.run(f'set local role "{role}"')
        for name in tables:
            row = tx.row(f"select count(*) as n from {name}")  # noqa: S608 (a catalog's names)
            assert row is not None
            counts[name] = int(row["n"])
    return counts


def test_a_role_from_which_all_rows_are_hidden_hears_that_and_not_that_migrations_lack(
    reporting: str, database_url: str
) -> None:
    run(database_url, f'grant usage on schema public to "{reporting}"')
    run(database_url, f'grant select on all tables in schema public to "{reporting}"')
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        tx.run(f'set local role "{reporting}"')
        with pytest.raises(ConfigurationError, match="row level security hides them: gh-backfill grant-reader"):
            migrations.pending(tx)
    with Database(database_url) as db:
        with db.transaction() as tx:
            readers.grant(tx, reporting)
        with db.transaction(read_only=True) as tx:
            tx.run(f'set local role "{reporting}"')
            assert migrations.pending(tx) == []


@each_kind
def test_a_role_that_may_select_and_sees_nothing_is_found_and_sees_everything_once_it_is_granted(
    kind: str, reporting: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    with Database(url) as db:
        fill(db)
        run(url, "update repositories set initial_backfill_status = 'pending'")
        run(url, "update discussions set author_id = github_id")
        run(url, "update pull_request_diffs set rows = '[{}]'")
        run(url, "insert into pull_request_diffs select pull_request_id, 'commits', rows from pull_request_diffs")
        run(url, f'grant usage on schema public to "{reporting}"')
        run(url, f'grant select on backfill_streams, backfill_quarantine to "{reporting}"')
        with db.transaction(read_only=True) as tx:
            assert readers.blind(tx)[reporting] == ["backfill_quarantine", "backfill_streams"]
        assert seen(url, reporting, ["backfill_streams"]) == {"backfill_streams": 0}
        with db.transaction() as tx:
            names = readers.grant(tx, reporting)
            assert readers.grant(tx, reporting) == names
        with db.transaction(read_only=True) as tx:
            assert reporting not in readers.blind(tx)
        assert set(names) <= set(relations(db))
        assert seen(url, reporting, names) == seen(url, "postgres", names)
        assert [name for name, rows in seen(url, reporting, names).items() if not rows and name != "issues"] == []
    run(url, f'drop owned by "{reporting}"')


def test_the_shipped_file_grants_what_the_command_grants(database_url: str) -> None:
    for _ in range(2):
        run(database_url, READER_ROLE)
    with Database(as_role(database_url, "gh_backfill_reader")) as reader, Database(database_url) as db:
        fill(db)
        with db.transaction(read_only=True) as tx:
            names = readers.readable(tx, "gh_backfill_reader")
        assert len(names) == len(relations(db))
        assert seen(database_url, "gh_backfill_reader", names) == seen(database_url, "postgres", names)
        with reader.transaction(read_only=True) as tx:
            assert "gh_backfill_reader" not in readers.blind(tx)
    run(database_url, "drop owned by gh_backfill_reader")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "PUBLIC"])
def test_guests_are_never_let_in(db: Database, role: str) -> None:
    with pytest.raises(ConfigurationError, match="Supabase"), db.transaction() as tx:
        readers.grant(tx, role)


def test_a_role_that_is_not_there_is_named_with_the_statement_that_makes_it(db: Database) -> None:
    with pytest.raises(ConfigurationError, match='create role "No-Body" login'), db.transaction() as tx:
        readers.grant(tx, "No-Body")
