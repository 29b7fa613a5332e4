"""Room for vectors: columns, index, trigger and view come with pgvector, whenever it comes; an application's stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from gh_backfill.store import migrations, vectors
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks.migrate import migrate
from tests import servers
from tests.conftest import EXISTING_SCHEMA
from tests.store.test_migrations import catalog
from tests.tasks.test_installations import as_role, needs_15, run

VIEW = "items_needing_embeddings_priority"
ITEMS = ("issues", "pull_requests")
A_VECTOR = "array_fill(0.5::real, array[384])"


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    with Database(empty_database_url) as database:
        yield database


@pytest.fixture
def existing(unmigrated_database_url: str) -> Iterator[Database]:
    with Database(unmigrated_database_url) as database:
        yield database


def never(seconds: float) -> None:
    raise AssertionError(f"nothing waits here, not {seconds} seconds")


def obstacle(db: Database) -> str | None:
    with db.reading() as tx:
        return vectors.standing(tx).obstacle


def rows(db: Database, statement: str, **params: object) -> list[Row]:
    with db.transaction() as tx:
        return tx.rows(statement, **params)


def add(db: Database, name: str = "octo/one") -> str:
    """Add a repository with one issue and one pull request, which have vectors, and return its id."""
    with db.transaction() as tx:
        row = tx.row(
            "insert into repositories (github_id, full_name, owner, name) "
            "values ((select count(*) + 1000 from repositories), %(name)s, 'octo', %(name)s) returning id",
            name=name,
        )
        assert row is not None
        for table, extra in (("issues", ""), ("pull_requests", ", repository_full_name, base_branch, head_branch")):
            values = f", '{name}', 'main', 'topic'" if extra else ""
            tx.run(
                f"insert into {table} (github_id, repository_id, number, title, body, state, created_at, updated_at, "  # noqa: S608
                f"embedding, embedding_generated_at, content_hash{extra}) "
                f"values ((select count(*) + 5000 from {table}), %(id)s, "
                f"1, 'a title', 'a body', 'open', now(), now(), {A_VECTOR}, now(), 'hash'{values})",
                id=row["id"],
            )
        return str(row["id"])


def embedded(db: Database) -> dict[str, bool]:
    return {
        table: rows(
            db,
            f"select embedding is not null and embedding_generated_at is not null and content_hash is not null as is "  # noqa: S608
            f"from {table}",
        )[0]["is"]
        for table in ITEMS
    }


def test_a_database_of_ours_has_room_for_vectors(db: Database) -> None:
    assert obstacle(db) is None
    made = catalog(db)
    for table in ITEMS:
        assert made[f"{table}.embedding"].startswith("vector(384)")
        assert (
            "USING hnsw (embedding vector_cosine_ops) WHERE (embedding IS NOT NULL)"
            in made[f"{table} idx_{table}_embedding"]
        )


@pytest.mark.parametrize("column", ["title", "body"])
def test_a_changed_text_loses_its_vector_in_the_same_statement_and_an_unchanged_one_keeps_it(
    db: Database, column: str
) -> None:
    add(db)
    rows(db, f"with a as (update issues set {column} = {column}, state = 'closed', updated_at = now() + '1 hour' "  # noqa: S608
             "returning 1) select * from a")  # fmt: skip
    assert embedded(db) == {"issues": True, "pull_requests": True}
    for table in ITEMS:
        left = rows(db, f"update {table} set {column} = 'another' returning embedding, content_hash")  # noqa: S608
        assert left == [{"embedding": None, "content_hash": None}]
    assert embedded(db) == {"issues": False, "pull_requests": False}


def test_who_brings_text_and_vector_in_one_statement_keeps_both(db: Database) -> None:
    add(db)
    rows(db, f"update issues set title = 'new', embedding = {A_VECTOR}, embedding_generated_at = clock_timestamp() "  # noqa: S608
             "returning 1")  # fmt: skip
    assert embedded(db)["issues"]


def test_the_view_lists_what_has_no_vector_workspaces_first_and_cuts_nothing(db: Database) -> None:
    plain, favoured = add(db, "octo/plain"), add(db, "octo/favoured")
    with db.transaction() as tx:
        tx.run("insert into workspaces (id, name, slug, owner_id) values (%(id)s, 'team', 'team', %(id)s)", id=plain)
        tx.run(
            "insert into workspace_repositories (workspace_id, repository_id, added_by) values (%(w)s, %(r)s, %(w)s)",
            w=plain, r=favoured,
        )  # fmt: skip
        tx.run("update issues set body = 'changed'; update pull_requests set title = 'changed'")
        tx.run(
            "insert into issues (github_id, repository_id, number, title, created_at, updated_at) "
            "select 100000 + n, %(id)s, 100 + n, 'more', now(), now() from generate_series(1, 300) n", id=plain,
        )  # fmt: skip
    counted = "select repository_id, item_type, priority_score, count(*) as n from {} group by 1, 2, 3 order by 3 desc"
    found = rows(db, counted.format(VIEW))
    assert [(row["repository_id"] == favoured, row["item_type"], row["n"]) for row in found] == [
        (True, "issue", 1),
        (True, "pull_request", 1),
        (False, "issue", 301),
        (False, "pull_request", 1),
    ]


def test_pgvector_that_goes_takes_only_vectors_along_and_one_that_comes_brings_them_back(db: Database) -> None:
    add(db)
    before = catalog(db)
    run_in(db, "drop extension vector cascade")
    assert "create extension vector" in str(obstacle(db))
    assert not [thing for thing in catalog(db) if thing.endswith(".embedding") or thing == VIEW]
    for table in ITEMS:
        for column in ("title", "body"):
            left = rows(db, f"update {table} set {column} = 'another' returning {column}, content_hash")  # noqa: S608
            assert left == [{column: "another", "content_hash": None}]
    assert migrate(db, never) == []
    assert obstacle(db) is None
    assert without_rights(catalog(db)) == without_rights(before)


def without_rights(found: dict[str, str]) -> dict[str, str]:
    """Leave out who may do what: the roles of guests may have come meanwhile, made by another test."""
    return {thing: re.sub(r" \{[^{}]*=[^{}]*/[^{}]*\}$", "", told) for thing, told in found.items()}


def run_in(db: Database, statement: str) -> None:
    with db.transaction() as tx:
        tx.run(statement)


def test_what_an_application_has_for_its_vectors_is_left_alone(existing: Database) -> None:
    before = catalog(existing)
    migrations.apply(existing)
    after = catalog(existing)
    assert after[VIEW] == before[VIEW]
    assert {thing for thing in after if "hnsw" in after[thing]} == set()
    assert {thing.split()[0] for thing in after if thing.endswith("trigger gh_backfill_text_changed")} == {
        "issues", "pull_requests", "discussions",
    }  # fmt: skip


@pytest.mark.parametrize("unmigrated_database_url", ["without vector"], indirect=True)
def test_an_application_without_vectors_gets_columns_and_keeps_its_view(existing: Database) -> None:
    before = catalog(existing)
    migrations.apply(existing)
    after = catalog(existing)
    assert after[VIEW] == before[VIEW]
    assert [after[f"{name}.embedding"][:11] for name in (*ITEMS, "discussions")] == ["vector(384)"] * 3


@pytest.mark.parametrize("column", ["embedding", "content_hash", "embedding_generated_at"])
def test_a_column_that_is_missing_is_told_and_migrate_brings_it_back(db: Database, column: str) -> None:
    before = catalog(db)
    run_in(db, f"alter table issues drop column {column} cascade")
    assert obstacle(db) == "embeddings are off: issues lack a column for them: gh-backfill migrate adds it"
    migrate(db, never)
    assert obstacle(db) is None
    assert without_rights(catalog(db)) == without_rights(before)


@pytest.mark.parametrize("column", ["vector(1536)", "halfvec(384)", "jsonb"])
def test_a_column_that_takes_no_vectors_of_ours_is_told_before_anybody_is_asked(db: Database, column: str) -> None:
    run_in(db, f"drop view {VIEW}; alter table issues drop embedding; alter table issues add embedding {column}")
    assert str(obstacle(db)).startswith(f"embeddings are off: issues.embedding is {column} here, and takes no vectors")
    migrate(db, never)
    run_in(db, "alter table issues drop embedding; alter table issues add embedding vector")
    assert obstacle(db) is None


def test_an_extension_that_lies_elsewhere_is_used_where_it_is(empty: Database, empty_database_url: str) -> None:
    run_in(empty, "create schema extensions; create extension vector with schema extensions")
    with Database(f"{empty_database_url}&schema=history") as ours:
        migrations.apply(ours)
        assert obstacle(ours) is None
        with ours.reading() as tx:
            assert vectors.standing(tx).schema == "extensions"


def test_a_new_extension_lies_where_supabase_keeps_them(empty: Database) -> None:
    run_in(empty, "create schema extensions")
    migrations.apply(empty)
    with empty.reading() as tx:
        assert vectors.standing(tx).schema == "extensions"
    add(empty)
    assert embedded(empty) == {"issues": True, "pull_requests": True}


def test_who_may_not_reach_the_schema_of_the_extension_is_told_the_right_to_grant(
    empty: Database, empty_database_url: str
) -> None:
    run_in(empty, "create schema extensions; create extension vector with schema extensions; create schema history; "
                  "do $$ begin create role owner_of_history login; exception when duplicate_object then end $$; "
                  "grant all on schema history to owner_of_history")  # fmt: skip
    with Database(f"{as_role(empty_database_url, 'owner_of_history')}&schema=history") as ours:
        migrations.apply(ours)
        assert "grant usage on schema extensions to owner_of_history" in str(obstacle(ours))
    run(empty_database_url, "drop owned by owner_of_history; drop role owner_of_history")


@needs_15
def test_on_a_server_without_pgvector_all_else_is_made_and_the_obstacle_is_told_in_a_sentence() -> None:
    with servers.postgres(servers.DEBIANS_15) as server:
        for name, schema in (("ours", None), ("theirs", EXISTING_SCHEMA)):
            run(server.url, f"create database {name}")
            there = urlsplit(server.url)._replace(path=f"/{name}").geturl()
            if schema is not None and schema.exists():
                run(there, schema.read_text(encoding="utf-8"))
            with Database(there) as db:
                migrate(db, never)
                said = str(obstacle(db))
                assert said.startswith("embeddings are off: this PostgreSQL has no pgvector: install it there")
                assert "embedding_attempts.attempts" in catalog(db)
                assert migrate(db, never) == []
