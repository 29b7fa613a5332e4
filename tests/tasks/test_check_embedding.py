"""The check says whether texts could get their vectors, by whom and where, and sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.store.db import Database
from gh_backfill.tasks.check import check
from tests.embedding_service import KEY, EmbeddingService, serving


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


def checked(url: str, **environment: str) -> dict[str, tuple[bool, str]]:
    given = settings.load({"DATABASE_URL": url, **environment}, dotenv=None)
    found = check(given, datetime.now(UTC))
    return {each.name: (each.ok, each.text) for each in found if each.name in ("embeddings", "vectors", "guide")}


def test_where_nobody_is_set_to_make_vectors_nothing_is_said(database_url: str) -> None:
    assert checked(database_url) == {}


def test_a_service_is_told_with_its_model_and_address_and_nothing_is_sent(
    database_url: str, service: EmbeddingService
) -> None:
    found = checked(database_url, **service.settings())
    assert [ok for ok, _ in found.values()] == [True, True]
    said = f"openai makes vectors with text-embedding-3-small at {service.url} (nothing was sent: "
    assert found["embeddings"][1].startswith(said)
    assert found["vectors"][1].startswith("pgvector ")
    assert KEY not in str(found)
    assert service.asked == []


def test_a_directory_without_a_model_is_named_with_what_it_lacks(database_url: str, tmp_path: Path) -> None:
    ok, text = checked(database_url, GH_BACKFILL_EMBEDDING_MODEL=str(tmp_path))["embeddings"]
    assert (ok, text.startswith(f"{tmp_path} has no model.onnx")) == (False, True)


def test_a_missing_pgvector_is_a_fault_only_where_vectors_are_wanted(database_url: str) -> None:
    with Database(database_url) as db, db.transaction() as tx:
        tx.run("drop extension vector cascade")
    for wanted in (False, True):
        more = {"GH_BACKFILL_EMBEDDING_PROVIDER": "hash"} if wanted else {}
        ok, text = checked(database_url, **more)["vectors"]
        assert (ok, text.startswith("embeddings are off: pgvector is there and not created")) == (not wanted, True)
