"""The states of the docstring, the enums, the arrows and the database are the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest

from gh_backfill.policy import lifecycle
from gh_backfill.policy.lifecycle import (
    BACKFILL_ARROWS,
    CHUNK_ARROWS,
    JOB_ARROWS,
    BackfillStatus,
    ChunkStatus,
    JobStatus,
)
from gh_backfill.store.db import Database

MACHINES: list[tuple[str, type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]]] = [
    ("backfill and stream", BackfillStatus, BACKFILL_ARROWS),  # type: ignore[list-item]
    ("chunk", ChunkStatus, CHUNK_ARROWS),  # type: ignore[list-item]
    ("job", JobStatus, JOB_ARROWS),  # type: ignore[list-item]
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


def documented(name: str) -> dict[str, set[str]]:
    text = lifecycle.__doc__ or ""
    block = text[text.index(f"\n{name} ") + 1 :].split("\n\n")[0]
    lines = [line for line in block.splitlines() if "->" in line]
    arrows: dict[str, set[str]] = {}
    for number, line in enumerate(lines):
        if number and not line.startswith(" "):
            break
        before, after = line.removeprefix(name).split("->")
        arrows[before.strip()] = {word.strip() for word in after.split(",")}
    return arrows


@pytest.mark.parametrize(("name", "states", "arrows"), MACHINES)
def test_the_docstring_draws_the_arrows(
    name: str, states: type[StrEnum], arrows: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    assert set(arrows) == set(states)
    drawn = {str(before): {str(each) for each in after} for before, after in arrows.items() if after}
    assert documented(name) == drawn


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


@pytest.mark.parametrize(("name", "states", "arrows"), MACHINES)
def test_a_state_is_final_or_leads_on_to_the_end_of_its_work(
    name: str, states: type[StrEnum], arrows: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    assert {state for state in states if not arrows[state]} == FINAL[name]
    for state in set(states) - FINAL[name]:
        assert "completed" in reached(state, arrows), state


def reached(state: StrEnum, arrows: Mapping[StrEnum, frozenset[StrEnum]]) -> set[StrEnum]:
    """Return the states to which any number of arrows lead, and one at least."""
    found: set[StrEnum] = set()
    ahead = set(arrows[state])
    while ahead:
        found |= ahead
        ahead = {after for before in ahead for after in arrows[before]} - found
    return found


def test_a_paused_backfill_can_always_go_on() -> None:
    assert BackfillStatus.ACTIVE in BACKFILL_ARROWS[BackfillStatus.PAUSED]
