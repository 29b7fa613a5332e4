"""The states of the docstring, the enums and the database are the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
# What nothing leads out of: a page that is done is never done again, and a job that ended well or by a word stays so.
FINAL: dict[str, set[StrEnum]] = {
    "backfill and stream": set(),
    "chunk": {ChunkStatus.COMPLETED, ChunkStatus.SKIPPED},
    "job": {JobStatus.COMPLETED, JobStatus.CANCELLED, JobStatus.SKIPPED},
}
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


@pytest.mark.parametrize(("name", "states"), MACHINES)
def test_a_state_is_final_or_leads_on_to_the_end_of_its_work(name: str, states: type[StrEnum]) -> None:
    leads: dict[str, set[str]] = {state: set(arrows(name).get(state, ())) for state in states}
    assert {state for state in states if not leads[state]} == FINAL[name]
    for state in set(states) - FINAL[name]:
        assert "completed" in reached(state, leads), state


def reached(state: str, leads: Mapping[str, set[str]]) -> set[str]:
    """Return the states to which any number of arrows lead, and one at least."""
    found: set[str] = set()
    ahead = set(leads[state])
    while ahead:
        found |= ahead
        ahead = {after for before in ahead for after in leads[before]} - found
    return found


def test_a_paused_backfill_can_always_go_on() -> None:
    assert BackfillStatus.ACTIVE in arrows("backfill and stream")[BackfillStatus.PAUSED]
