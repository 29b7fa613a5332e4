"""The states of the docstring, the enums, the arrows and the database are the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.data())
def test_no_walk_along_the_arrows_leaves_a_final_state(data: st.DataObject) -> None:
    _, states, arrows = data.draw(st.sampled_from(MACHINES))
    state = data.draw(st.sampled_from(list(states)))
    for _ in range(10):
        if not arrows[state]:
            break
        following = data.draw(st.sampled_from(sorted(arrows[state])))
        assert following in set(states)
        state = following
    assert ChunkStatus.COMPLETED not in {before for before, after in CHUNK_ARROWS.items() if after}


def test_a_paused_backfill_can_always_go_on() -> None:
    assert BackfillStatus.ACTIVE in BACKFILL_ARROWS[BackfillStatus.PAUSED]
