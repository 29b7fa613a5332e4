"""Claim, fence and commit: every page once, whoever comes late commits nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from gh_backfill.errors import StaleClaim
from gh_backfill.models.github import Spent
from gh_backfill.models.work import Claim, Goal, RowCounts, TrackedRepository
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import Advance
from gh_backfill.store import backfills, chunks, openings, people, pull_requests
from gh_backfill.store.db import Database, Row
from tests import claims
from tests.examples import NOW, complete, tracked

DONE = RowCounts(inserted=3)
PAGES = PageSize(size=74, worked=60, too_big=80, clean=3)


@pytest.fixture
def repository(db: Database) -> TrackedRepository:
    return opened(db)


@pytest.fixture
def rivals(database_url: str) -> Iterator[list[Database]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Database(database_url)) for _ in range(4)]


def opened(db: Database, goal: Goal = Goal()) -> TrackedRepository:  # noqa: B008  (frozen)
    with db.transaction() as tx:
        repository = tracked(tx)
        backfills.open_backfill(tx, repository.id, total=300, goal=goal)
    return repository


def claim(db: Database, repository: TrackedRepository, worker: str = "w") -> Claim | None:
    with db.transaction() as tx:
        return claims.claim(tx, repository.id, worker=worker)


def must_claim(db: Database, repository: TrackedRepository) -> Claim:
    claimed = claim(db, repository)
    assert claimed is not None
    return claimed


def commit(db: Database, claim: Claim, cursor: str | None, *, total: int = 301, **changes: Any) -> None:
    going_on = Advance(cursor=cursor, status=BackfillStatus.ACTIVE, pass_number=1, read_down_to=None, watermark=NOW)
    advance = replace(going_on, **changes)
    with db.transaction() as tx:
        claims.hold(tx, claim)
        chunks.complete(
            tx,
            claim,
            advance,
            numbers=[3, 2, 1],
            asked=3,
            walked=3,
            new_items=3,
            counts=DONE,
            spent=Spent(points=2, requests=2),
            total=total,
            page_size=PAGES,
            remaining=900,
        )


def only(db: Database, statement: str) -> Row:
    with db.transaction(read_only=True) as tx:
        row = tx.row(statement)
    assert row is not None
    return row


def expire(db: Database, claim: Claim) -> None:
    with db.transaction() as tx:
        tx.run(
            "update backfill_chunks set lease_until = now() - interval '1 second' where id = %(id)s", id=claim.chunk_id
        )


def test_the_next_page_starts_from_the_committed_cursor(db: Database, repository: TrackedRepository) -> None:
    first = must_claim(db, repository)
    assert (first.after, first.attempt, first.chunk_number) == (None, 1, 1)
    commit(db, first, "c1")
    second = must_claim(db, repository)
    assert (second.after, second.attempt, second.chunk_number) == ("c1", 1, 2)
    assert PageSize.remembered(second.stream, first=25) == PAGES
    assert second.stream.watermark == NOW


def test_a_commit_counts_where_others_look(db: Database, repository: TrackedRepository) -> None:
    commit(db, must_claim(db, repository), "c1")
    state = only(
        db, "select processed_prs, total_prs, last_processed_cursor, points, requests from progressive_backfill_state"
    )
    assert state == {"processed_prs": 3, "total_prs": 301, "last_processed_cursor": "c1", "points": 2, "requests": 2}
    chunk = only(db, "select status, pr_count, end_cursor, points, api_calls_made, rows_inserted from backfill_chunks")
    assert chunk == {
        "status": "completed",
        "pr_count": 3,
        "end_cursor": "c1",
        "points": 2,
        "api_calls_made": 2,
        "rows_inserted": 3,
    }


def test_a_chunk_under_lease_belongs_to_one_worker(db: Database, repository: TrackedRepository) -> None:
    must_claim(db, repository)
    assert claim(db, repository, "rival") is None
    with db.transaction(read_only=True) as tx:
        assert chunks.why_no_claim(tx, repository.id).chunk_status == "processing"


def test_rivals_that_claim_at_the_same_moment_get_one_chunk_between_them(
    db: Database, repository: TrackedRepository, rivals: list[Database]
) -> None:
    taken: list[tuple[str | None, int]] = []

    def attempt(rival: Database, name: str) -> Claim | None:
        return claim(rival, repository, name)

    with ThreadPoolExecutor(len(rivals)) as pool:
        for page in range(8):
            claims = [each for each in pool.map(attempt, rivals, "abcd") if each]
            assert len(claims) == 1
            taken.append((claims[0].after, claims[0].attempt))
            commit(db, claims[0], f"c{page}")
    assert taken == [(None, 1)] + [(f"c{page}", 1) for page in range(7)]


def test_an_expired_claim_is_taken_over_and_the_late_worker_commits_nothing(
    db: Database, repository: TrackedRepository, rivals: list[Database]
) -> None:
    slow = must_claim(db, repository)
    expire(db, slow)
    fast = claim(rivals[0], repository, "fast")
    assert fast is not None
    assert (fast.chunk_id, fast.attempt, fast.after) == (slow.chunk_id, 2, slow.after)
    commit(rivals[0], fast, "c1")
    with pytest.raises(StaleClaim), db.transaction() as tx:
        people.store_people(tx, [])
        written = pull_requests.write(tx, repository, [], [])
        assert written.counts == RowCounts()
        claims.hold(tx, slow)
    assert only(db, "select processed_prs from progressive_backfill_state")["processed_prs"] == 3


def test_rows_written_before_a_claim_turns_out_lost_are_rolled_back(
    db: Database, repository: TrackedRepository
) -> None:
    slow = must_claim(db, repository)
    with db.transaction() as tx:
        tx.run("update backfill_chunks set attempt = attempt + 1")
    with pytest.raises(StaleClaim), db.transaction() as tx:
        pull_requests.write(tx, repository, [complete(1)], [])
        claims.hold(tx, slow)
    assert only(db, "select count(*) as rows from pull_requests") == {"rows": 0}


def test_a_commit_whose_answer_was_lost_is_found_out(db: Database, repository: TrackedRepository) -> None:
    mine = must_claim(db, repository)
    commit(db, mine, "c1")
    with db.transaction(read_only=True) as tx:
        assert chunks.committed(tx, mine)
    with pytest.raises(StaleClaim):
        commit(db, mine, "c1")


def test_a_chunk_given_back_waits_for_its_time(db: Database, repository: TrackedRepository) -> None:
    mine = must_claim(db, repository)
    with db.transaction() as tx:
        chunks.give_back(tx, mine, error="502", retry_at=datetime.now(tz=NOW.tzinfo) + timedelta(minutes=1))
    assert claim(db, repository) is None
    with db.transaction() as tx:
        tx.run("update backfill_chunks set retry_at = now()")
    again = must_claim(db, repository)
    assert (again.chunk_id, again.attempt) == (mine.chunk_id, 2)


def test_a_released_chunk_is_free_at_once(db: Database, repository: TrackedRepository) -> None:
    mine = must_claim(db, repository)
    with db.transaction() as tx:
        chunks.release(tx, mine)
    assert must_claim(db, repository).chunk_id == mine.chunk_id


def test_a_paused_backfill_gives_no_claim_and_says_why(db: Database, repository: TrackedRepository) -> None:
    with db.transaction() as tx:
        assert backfills.pause(tx, repository.id, reason="rate_limit", resume_at=NOW)
        assert not backfills.pause(tx, repository.id, reason="again", resume_at=None)
    assert claim(db, repository) is None
    with db.transaction() as tx:
        still = chunks.why_no_claim(tx, repository.id)
        assert (still.status, still.pause_reason, still.resume_at) == (BackfillStatus.PAUSED, "rate_limit", NOW)
        standing = openings.lock(tx, [repository.id]).standings[repository.id]
        assert openings.resume(tx, repository.id, standing)
    assert claim(db, repository) is not None


def test_the_end_of_the_walk_opens_the_catch_up_and_its_end_completes_the_backfill(
    db: Database, repository: TrackedRepository
) -> None:
    commit(db, must_claim(db, repository), "end", total=3, status=BackfillStatus.COMPLETED, catch_up_from=NOW)
    catch_up = must_claim(db, repository)
    assert (catch_up.stream.phase, catch_up.after, catch_up.stream.read_down_to) == ("catch_up", None, NOW)
    assert only(db, "select status from progressive_backfill_state")["status"] == "active"
    commit(db, catch_up, None, total=3, status=BackfillStatus.COMPLETED)
    assert only(db, "select status from progressive_backfill_state")["status"] == "completed"
    assert claim(db, repository) is None


def test_a_raised_goal_goes_on_from_the_cursor_of_the_initial_backfill(db: Database) -> None:
    repository = opened(db, Goal(max_items=200))
    commit(db, must_claim(db, repository), "c200", total=3, status=BackfillStatus.COMPLETED, catch_up_from=NOW)
    commit(db, must_claim(db, repository), None, total=3, status=BackfillStatus.COMPLETED)
    opened(db, Goal())
    going_on = must_claim(db, repository)
    assert (going_on.after, going_on.stream.goal, going_on.stream.items_done) == ("c200", Goal(), 3)
    assert going_on.stream.watermark == NOW


def test_a_finished_walk_that_is_asked_for_again_starts_at_the_top(db: Database, repository: TrackedRepository) -> None:
    commit(db, must_claim(db, repository), "end", total=3, status=BackfillStatus.COMPLETED, catch_up_from=NOW)
    commit(db, must_claim(db, repository), None, total=3, status=BackfillStatus.COMPLETED)
    opened(db)
    again = must_claim(db, repository)
    assert (again.after, again.stream.phase, again.stream.items_done) == (None, "history", 0)


def test_opening_an_open_backfill_changes_neither_its_place_nor_its_goal(
    db: Database, repository: TrackedRepository
) -> None:
    commit(db, must_claim(db, repository), "c1")
    opened(db, Goal(max_items=10))
    going_on = must_claim(db, repository)
    assert (going_on.after, going_on.stream.goal) == ("c1", Goal())


def test_errors_are_counted_in_one_statement_so_that_rivals_lose_none(
    db: Database, repository: TrackedRepository, rivals: list[Database]
) -> None:
    mine = must_claim(db, repository)

    def charge(rival: Database) -> None:
        for _ in range(5):
            with rival.transaction() as tx:
                chunks.count_error(tx, mine, error="boom")

    with ThreadPoolExecutor(len(rivals)) as pool:
        list(pool.map(charge, rivals))
    state = only(db, "select error_count, consecutive_errors, last_error from progressive_backfill_state")
    assert state == {"error_count": 20, "consecutive_errors": 20, "last_error": "boom"}


def test_the_damaged_backfill_of_an_existing_installation_goes_on_from_the_top(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        repository_id = "a0000000-0000-4000-8000-000000000003"
        with db.transaction() as tx:
            backfills.open_backfill(tx, repository_id, total=400, goal=Goal())
            mine = claims.must_claim(tx, repository_id)
        assert (mine.after, mine.chunk_number) == (None, 45)
        commit(db, mine, "c1")
        state = only(db, "select processed_prs, status from progressive_backfill_state")
        assert state == {"processed_prs": 3 + 3, "status": "active"}


def test_a_worker_whose_claim_got_no_answer_finds_it_again(db: Database, repository: TrackedRepository) -> None:
    lost = must_claim(db, repository)
    found = must_claim(db, repository)
    assert (found.chunk_id, found.attempt) == (lost.chunk_id, 2)


def test_a_claim_is_renewed_by_its_owner_only(db: Database, repository: TrackedRepository) -> None:
    mine = must_claim(db, repository)
    expire(db, mine)
    with db.transaction() as tx:
        chunks.renew(tx, mine)
    assert claim(db, repository, "rival") is None
    expire(db, mine)
    assert claim(db, repository, "rival") is not None
    with pytest.raises(StaleClaim), db.transaction() as tx:
        chunks.renew(tx, mine)


def test_a_raised_goal_closes_the_catch_up_with_its_open_chunk_and_goes_on_from_its_own_cursor(db: Database) -> None:
    repository = opened(db, Goal(max_items=200))
    commit(db, must_claim(db, repository), "c200", total=3, status=BackfillStatus.COMPLETED, catch_up_from=NOW)
    commit(db, must_claim(db, repository), "middle of the catch-up", total=3)
    late = must_claim(db, repository)
    assert (late.stream.phase, late.after) == ("catch_up", "middle of the catch-up")
    opened(db, Goal())
    with pytest.raises(StaleClaim):
        commit(db, late, "further on", total=3)
    assert only(db, "select status from backfill_chunks order by chunk_number desc limit 1")["status"] == "skipped"
    going_on = must_claim(db, repository)
    assert (going_on.stream.phase, going_on.after) == ("history", "c200")
    commit(db, going_on, "end", total=6, status=BackfillStatus.COMPLETED, catch_up_from=NOW)
    anew = must_claim(db, repository)
    assert (anew.stream.phase, anew.after, anew.stream.pass_number) == ("catch_up", None, 1)
