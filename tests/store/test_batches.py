"""Rows go into statements in parts that are not too large, and each is written as JSON once."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gh_backfill.store.batches import parts
from gh_backfill.store.db import Database

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = [{"github_id": number, "body": "ä" * number} for number in (0, 100, 1, 1, 1, 100, 0)]


def test_rows_come_in_their_order_and_one_that_is_too_large_comes_alone() -> None:
    found = [list(part.rows) for part in parts(ROWS, most=100)]
    assert [row for part in found for row in part] == ROWS
    assert [[len(row["body"]) for row in part] for part in found] == [[0], [100], [1, 1], [1], [100], [0]]


@pytest.mark.parametrize("most", [1, 100, 16_000_000])
def test_the_json_of_a_part_is_its_rows(most: int) -> None:
    assert all(json.loads(part.json.text) == part.rows for part in parts(ROWS, most=most))
    assert all(part.json.text.isascii() for part in parts(ROWS, most=most))


def test_no_rows_are_no_part() -> None:
    assert list(parts([])) == []


def test_a_part_arrives_as_the_same_rows_that_a_list_would_be(db: Database) -> None:
    rows = [{"text": "it's \\ 100 % \U0001f600", "at": NOON, "on": NOON.date(), "no": None}]
    (part,) = parts(rows)
    with db.transaction() as tx:
        row = tx.row("select %(part)s = %(rows)s as same, pg_typeof(%(part)s)::text as type", part=part.json, rows=rows)
    assert row == {"same": True, "type": "jsonb"}
