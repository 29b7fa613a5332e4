"""`gh-backfill embed` elsewhere: a model of this machine, no pgvector, and the database of an application."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.store.db import Database
from tests import minilm
from tests.embedding_rows import add, embedded, rows
from tests.test_cli import cli, environment, github, refused

__all__ = ["environment", "github"]


def told(given: dict[str, str], *arguments: str, **changes: str) -> dict[str, Any]:
    """Return what a command that succeeds says as JSON."""
    done = cli(given, "embed", *arguments, "--json", **changes)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)
    return dict(found)


def test_a_model_of_this_machine_embeds_without_any_key(
    environment: dict[str, str], db: Database, tmp_path: Path
) -> None:
    add(db, issues=2)
    done = told(environment, GH_BACKFILL_EMBEDDING_MODEL=str(minilm.directory(tmp_path)))
    assert (done["done"], done["cost"]) == (2, 0.0)
    assert embedded(db)["issues"] == 2


def test_where_the_extension_is_not_there_every_form_says_so_and_everything_else_works(
    environment: dict[str, str], db: Database
) -> None:
    with db.transaction() as tx:
        tx.run("drop extension vector cascade")
    for form in ((), ("--dry-run",), ("--status",), ("--retry",)):
        line = refused(cli(environment, "embed", "--provider", "hash", *form), 2)
        assert "embeddings are off: pgvector is there and not created in this database" in line
    for command in (("track", "octo/small"), ("capture", "octo/small"), ("sync", "octo/small"), ("status",)):
        done = cli(environment, *command)
        assert done.returncode == 0, done.stderr
    assert rows(db, "select count(*)::int as n from pull_requests") == [{"n": 5}]


@pytest.mark.parametrize("existing_database_url", ["default", "without vector"], indirect=True)
def test_in_the_database_of_an_application_its_columns_are_used_and_its_view_is_left_alone(
    environment: dict[str, str], existing_database_url: str
) -> None:
    given = environment | {"DATABASE_URL": existing_database_url}
    view = "select pg_get_viewdef('items_needing_embeddings_priority'::regclass) as text"
    with Database(existing_database_url) as db:
        before = rows(db, view)
        done = told(given, "--provider", "hash")
        status = told(given, "--provider", "hash", "--status")
        assert rows(db, view) == before
        assert rows(db, "select 1 from items_needing_embeddings_priority") == []
    types = status["types"].values()
    assert {each["missing"] for each in types} == {0}
    assert done["done"] == sum(each["embedded"] for each in types) > 3
