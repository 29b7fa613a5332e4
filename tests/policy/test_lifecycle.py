"""The states of the docstring, the enums and the database are the same words."""

from __future__ import annotations

import re
from enum import StrEnum

import pytest

from gh_backfill.policy.lifecycle import BackfillStatus, ChunkStatus, JobStatus
from gh_backfill.store.db import Database
from tests.arrows import arrows

MACHINES: list[tuple[str, type[StrEnum]]] = [
    ("backfill and stream", BackfillStatus),
    ("chunk", ChunkStatus),
    ("job", JobStatus),
]
TABLES = [
    ("progressive_backfill_state", BackfillStatus),
    ("backfill_streams", BackfillStatus),
    ("backfill_chunks", ChunkStatus),
    ("progressive_capture_jobs", JobStatus),
]


@pytest.mark.parametrize(("name", "states"), MACHINES)
def test_the_docstring_draws_an_arrow_to_or_from_every_state_and_no_other(name: str, states: type[StrEnum]) -> None:
    drawn = arrows(name)
    assert set(drawn).union(*drawn.values()) == set(states)


@pytest.mark.parametrize(("table", "states"), TABLES)
def test_the_database_admits_exactly_these_words(db: Database, table: str, states: type[StrEnum]) -> None:
    with db.transaction(read_only=True) as tx:
        row = tx.row(
            "select pg_get_constraintdef(oid) as text from pg_constraint "
            "where conrelid = %(table)s::regclass and contype = 'c' and pg_get_constraintdef(oid) like '%%status%%'",
            table=table,
        )
    assert row is not None
    assert set(re.findall(r"'(\w+)'", row["text"])) == {str(state) for state in states}


def test_a_completed_chunk_never_changes_again() -> None:
    assert ChunkStatus.COMPLETED not in arrows("chunk")


def test_a_paused_backfill_can_always_go_on() -> None:
    assert BackfillStatus.ACTIVE in arrows("backfill and stream")[BackfillStatus.PAUSED]
