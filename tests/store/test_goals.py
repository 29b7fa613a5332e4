"""What becomes of a walk whose goal is named again: the database decides as the policy says."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from gh_backfill.errors import BackfillError
from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.models.work import Goal, TrackedRepository
from gh_backfill.policy.goals import covers, goes_on
from gh_backfill.store import backfills, goals
from gh_backfill.store.db import Database, Row, Transaction
from tests.examples import tracked

OPEN, CLOSED, MERGED = PullRequestState
DAYS = (None, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
STATES: tuple[tuple[PullRequestState, ...], ...] = ((), (MERGED,), (CLOSED, MERGED), (OPEN,))
GOALS = [
    Goal(max_items=most, since=since, until=until, states=states)
    for most, since, until, states in product((None, 10, 20), DAYS, DAYS, STATES)
]
WALK = (
    "select status, cursor, items_done, watermark is null as fresh, goal_max_items, goal_since, goal_until, "
    "goal_states, goal_wanted, goal_captured from backfill_streams where stream = 'history'"
)
HALF_WAY = (
    "update backfill_streams set status = %(status)s, cursor = 'c', items_done = 5, watermark = now(), "
    "goal_wanted = 7, goal_captured = 6, goal_max_items = %(max_items)s, "
    "goal_since = %(goal_since)s, goal_until = %(goal_until)s, "
    "goal_states = %(goal_states)s where stream = 'history'"
)


def opened(tx: Transaction) -> TrackedRepository:
    repository = tracked(tx)
    backfills.open_backfill(tx, repository.id, total=300, goal=Goal())
    return repository


def walk(tx: Transaction) -> Row:
    row = tx.row(WALK)
    assert row is not None
    return row


@pytest.mark.parametrize("status", ["active", "completed"])
def test_the_database_keeps_a_goal_goes_on_or_begins_again_as_the_policy_says(db: Database, status: str) -> None:
    with db.transaction() as tx:
        repository = opened(tx)
        for goal, other in product(GOALS[::7], GOALS[::2]):
            tx.run(HALF_WAY, status=status, **goals.params(goal))
            backfills.open_backfill(tx, repository.id, total=300, goal=other)
            row, kept = walk(tx), covers(goal, other)
            again = status == "completed" if kept else not goes_on(goal, other)
            assert goals.from_row(row) == (goal if kept else other), (goal.words, other.words)
            assert (row["cursor"], row["items_done"], row["fresh"]) == (
                (None, 0, True) if again else ("c", 5, False)
            ), (goal.words, other.words)
            assert row["status"] == "active"
            assert (row["goal_wanted"], row["goal_captured"]) == ((7, 6) if kept and not again else (None, None))


def test_the_open_chunk_of_a_walk_with_another_goal_is_void_and_of_a_smaller_one_goes_on(db: Database) -> None:
    with db.transaction() as tx:
        repository = opened(tx)
        tx.run(HALF_WAY, status="active", **goals.params(Goal(states=(MERGED, CLOSED))))
        chunk = (
            "insert into backfill_chunks (repository_id, backfill_id, stream_id, chunk_number, status, attempt) "
            "select repository_id, backfill_id, id, 1, 'processing', 1 from backfill_streams where stream = 'history'"
        )
        tx.run(chunk)
        backfills.open_backfill(tx, repository.id, total=300, goal=Goal(states=(MERGED,)))
        assert tx.rows("select status from backfill_chunks") == [{"status": "processing"}]
        backfills.open_backfill(tx, repository.id, total=300, goal=Goal(states=(OPEN,)))
        assert tx.rows("select status from backfill_chunks") == [{"status": "skipped"}]


def test_a_state_that_github_does_not_know_is_refused(db: Database) -> None:
    with db.transaction() as tx:
        opened(tx)
    for words in ("'{closed,draft}'", "'{}'"):
        with pytest.raises(BackfillError), db.transaction() as tx:
            tx.run(f"update backfill_streams set goal_states = {words}")  # noqa: S608
