"""The list of repositories: its order, its pages, its search, and its figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from gh_backfill.store import pages
from gh_backfill.store.db import Database
from gh_backfill.store.pages import Wanted
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.pages import listing
from gh_backfill.tasks.pages.query import SORTS
from gh_backfill.tasks.pages.rows import BackfillRow
from tests.tasks.pages.worlds import Made, insert, make

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def world(many: int) -> list[Made]:
    """Return repositories of which several are equal in everything that one sorts by."""
    return [
        Made(
            name=f"octo/same-{place:03}",
            captured=place % 4 * 10,
            total=None if place % 5 == 0 else 100,
            fresh_at=NOW - timedelta(hours=place % 3) if place % 3 else None,
            columns={"last_processed_at": NOW - timedelta(minutes=place % 2) if place % 2 else None},
        )
        for place in range(many)
    ]


def whole(db: Database, **query: str) -> list[BackfillRow]:
    """Return the rows of all pages, one after the other."""
    found: list[BackfillRow] = []
    page = listing.listing(db, query, NOW)
    while True:
        found += page.rows
        if page.next is None:
            return found
        page = listing.listing(db, dict(parse_qsl(page.next.removeprefix("?"))), NOW)


@pytest.mark.parametrize("order", [*SORTS, *(f"-{sort}" for sort in SORTS if sort != "name")])
def test_all_pages_together_have_every_repository_once_in_every_order(db: Database, order: str) -> None:
    make(db, *world(130))
    names = [row.full_name for row in whole(db, sort=order)]
    assert len(names) == 130
    assert len(set(names)) == 130


def test_the_most_complete_come_first_where_progress_is_asked_for(db: Database) -> None:
    make(db, Made(name="o/half", captured=50), Made(name="o/all", captured=100), Made(name="o/unknown", total=None))
    assert [row.full_name for row in whole(db, sort="-progress")] == ["o/all", "o/half", "o/unknown"]


def test_a_search_finds_parts_of_names_in_any_case_and_nothing_is_a_pattern(db: Database) -> None:
    make(db, Made(name="Octo/Engine"), Made(name="octo/100%_done"), Made(name="other/thing"))
    assert [row.full_name for row in whole(db, q="octo/e")] == ["Octo/Engine"]
    assert [row.full_name for row in whole(db, q="%_")] == ["octo/100%_done"]
    assert whole(db, q="'; drop table") == []


def test_an_address_that_makes_no_sense_shows_the_usual_page(db: Database) -> None:
    make(db, Made(name="o/one"))
    query = {"state": "nonsense", "sort": "--", "after": "bm9uc2Vuc2U", "q": "\0"}
    assert [row.full_name for row in whole(db, **query)] == ["o/one"]


def test_a_row_has_the_figures_of_status(db: Database) -> None:
    ids = make(
        db, Made(captured=40, total=400, goal=200, columns={"points": 12}), Made(status=None), Made(streams=False)
    )
    states = {state.id: state for state in outlook(db).states}
    rows = {row.repository_id: row for row in listing.listing(db, {}, NOW).rows}
    assert rows.keys() == set(ids) == states.keys()
    for each, state in states.items():
        row = rows[each]
        assert (row.captured, row.total, row.wanted, row.percent, row.points, row.gaps, row.quarantined) == (
            state.captured,
            state.total,
            state.wanted,
            state.percent,
            state.points,
            state.gaps,
            state.quarantined,
        )
    assert rows[ids[0]].how_many == "40 of 200 newest"


def test_pull_requests_of_what_was_never_walked_are_counted_for_the_rows_that_are_shown_and_no_others(
    db: Database,
) -> None:
    older = Made(name="o/older", streams=False, captured=7)
    made = [Made(name="o/first", status=None), older, Made(name="o/walked", captured=2)]
    make(db, *made)
    text = {"title": "x", "state": "open", "head_branch": "x", "base_branch": "x", "created_at": NOW, "updated_at": NOW}
    with db.transaction() as tx:
        for number in range(1, 16):
            each = made[number % 3]
            of = {"repository_id": each.id, "repository_full_name": each.name, "number": number, "github_id": number}
            insert(tx, "pull_requests", {**of, **text})
    captured = {state.full_name: state.captured for state in outlook(db).states}
    assert captured == {"o/first": 5, "o/older": 5, "o/walked": 2}
    assert {row.full_name: row.captured for row in listing.listing(db, {}, NOW).rows} == captured
    with pages.reading(db) as tx:
        (answer,) = tx.together(pages.standings_question(Wanted(most=1, counted=False), NOW))
    found = pages.standings(answer)
    assert [(each.full_name, each.captured) for each in found.listed] == [("o/first", 0)]
    assert sum(group.captured for group in found.groups) == 0 + 7 + 2
    assert [row.full_name for row in whole(db, sort="-captured")] == ["o/older", "o/walked", "o/first"]


def test_a_private_repository_is_named_and_marked(db: Database) -> None:
    make(db, Made(name="o/secret", is_private=True))
    (row,) = listing.listing(db, {}, NOW).rows
    assert (row.full_name, row.is_private) == ("o/secret", True)


def test_a_row_tells_how_many_an_hour_its_own_pages_bring(db: Database) -> None:
    measured = Made(name="o/measured", captured=74, total=1_000)
    ended = {"status": "completed", "pr_numbers": tuple(range(74)), "points": 2, "api_calls_made": 2}
    measured.chunk = {**ended, "completed_at": NOW}
    make(db, measured, Made(name="o/new"))
    speeds = {row.full_name: row.speed for row in listing.listing(db, {}, NOW).rows}
    assert speeds["o/new"] is None
    assert speeds["o/measured"] is not None
    assert 74_000 < speeds["o/measured"] < 300_000
