"""The word that the database gives a backfill is the one that is shown: a filter finds what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from gh_backfill.policy import shown
from gh_backfill.policy.shown import PageState
from gh_backfill.store import pages
from gh_backfill.store.db import Database
from gh_backfill.store.pages import Wanted
from gh_backfill.store.pages_rows import Standings
from gh_backfill.tasks.pages import listing
from gh_backfill.tasks.pages.query import FILTERS
from tests.tasks.pages.worlds import Made, insert, make

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(minutes=22), NOW - timedelta(minutes=22)

OF_JOBS = {PageState.SILENT, PageState.SKIPPED}  # only a job can have them
STOPS: list[dict[str, Any]] = [
    {},
    {"held": True, "held_reason": "move", "held_by": "mona"},
    {"held": True, "held_reason": "move", "resume_at": EARLIER},
    {"held": True, "held_reason": "cancelled"},
    {"held": True, "held_reason": "untracked", "resume_at": EARLIER},
    {"pause_reason": "graphql_rate_limit_low", "resume_at": LATER},
    {"pause_reason": "rate_limit"},
    {"pause_reason": "too_many_errors", "resume_at": LATER, "last_error": "502"},
    {"pause_reason": "credential_refused", "resume_at": EARLIER},
]
CHUNKS: list[dict[str, Any] | None] = [
    None,
    {"status": "processing", "lease_until": LATER},
    {"status": "processing", "lease_until": EARLIER},
    {"status": "pending", "retry_count": 2, "retry_at": LATER, "error": "502"},
    {"status": "processing", "retry_count": 1, "lease_until": LATER},
]
JOBS: list[dict[str, Any] | None] = [
    None,
    {"status": "processing", "started_at": EARLIER, "heartbeat_at": EARLIER},
    {"status": "processing", "started_at": NOW - timedelta(hours=4)},
    {"status": "pending"},
]
STATUSES = ("active", "paused", "completed", "failed", None)


def standings(db: Database, **wanted: Any) -> Standings:
    """Return what the pages read of all backfills."""
    with pages.reading(db) as tx:
        (rows,) = tx.together(pages.standings_question(Wanted(most=2000, **wanted), NOW))
    return pages.standings(rows)


def every_world() -> list[Made]:
    """Return a repository for each combination of what a state follows from."""
    return [
        Made(status=status, columns={**stop, "last_processed_at": ran}, chunk=chunk, job=job)
        for status, stop, ran, chunk, job in product(STATUSES, STOPS, (None, EARLIER), CHUNKS, JOBS)
    ]


def test_the_word_in_the_database_is_the_word_that_is_shown(db: Database) -> None:
    make(db, *every_world())
    for left in (1000, 50):
        with db.transaction() as tx:
            tx.run("truncate api_budgets")
            budget = {"identity": "user:1", "resource": "graphql", "budget_limit": 1000, "remaining": left}
            insert(tx, "api_budgets", {**budget, "reset_at": LATER})
        found = standings(db)
        assert found.matching == len(found.listed) > 1500
        wrong = {
            (each.facts, each.state) for each in found.listed if shown.of_backfill(each.facts, NOW).state != each.state
        }
        assert wrong == set()
        assert {each.state for each in found.listed} == {str(state) for state in set(PageState) - OF_JOBS}


def test_each_filter_finds_what_it_says_and_counts_it(db: Database) -> None:
    make(db, *every_world()[::7])
    everything = standings(db).listed
    for name, states in FILTERS.items():
        expected = [each.full_name for each in everything if states is None or each.state in states]
        found = listing.listing(db, {"state": name}, NOW)
        assert [row.full_name for row in found.rows] == expected[: listing.A_PAGE]
        assert found.matching == len(expected)
        (told,) = (each.number for each in found.filters if each.name == name)
        assert told == len(expected)
        assert list(listing.matching(db, {"state": name}, NOW, most=1000).names) == expected


def test_what_nobody_tracks_and_nobody_ever_captured_is_not_listed(db: Database) -> None:
    make(db, Made(tracked=False, status=None), Made(tracked=False, status="completed"), Made(status=None))
    assert len(standings(db).listed) == 2
