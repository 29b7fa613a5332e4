"""A backfill for each kind of items, side by side; the row that others read and may change says the same as ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.models.github import Spent
from gh_backfill.models.work import PULL_REQUESTS, Claim, Goal, Phase, RowCounts, TrackedRepository
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.lifecycle import CANCELLED, BackfillEvent, BackfillStatus
from gh_backfill.policy.progress import Advance
from gh_backfill.store import backfill_events, backfills, chunks, kinds, openings, recovery, untracking
from gh_backfill.store.db import Database, Row, Transaction
from tests.claims import claim, hold, must_claim
from tests.examples import NOW, tracked

ISSUES = "issues"
SAME = [
    "repository_id", "status", "gaps", "gaps_seen", "held", "held_reason", "held_by", "pause_reason", "resume_at",
    "completed_at", "planned_at", "last_processed_cursor", "last_processed_at", "points", "requests", "error_count",
    "consecutive_errors", "last_error", "last_error_at", "metadata", "created_at",
]  # fmt: skip
OURS = [*SAME, "total", "captured", "last_processed_number", "page_size"]
THEIRS = [*SAME, "total_prs", "processed_prs", "last_processed_pr_number", "chunk_size"]
# Backfills of pull requests and rows of others that do not say the same.
UNEQUAL = f"""
select b.id as ours, p.id as theirs
from (select * from backfills where kind = 'pull_requests') b
full join progressive_backfill_state p on p.id = b.id
where ({", ".join(f"b.{each}" for each in OURS)}) is distinct from ({", ".join(f"p.{each}" for each in THEIRS)})
"""  # noqa: S608  (columns of ours)


@dataclass(kw_only=True)
class Sides:
    """A repository with two kinds of items under way, and two sessions."""

    ours: Database
    other: Database
    repository: TrackedRepository

    def claim(self, kind: str = PULL_REQUESTS, *, db: Database | None = None) -> Claim:
        """Claim the next chunk of a kind; whoever has to wait for anybody fails."""
        with (db or self.ours).transaction() as tx:
            tx.run("set local lock_timeout = '1s'")
            return must_claim(tx, self.repository.id, kind, worker="w")

    def rows(self, statement: str) -> list[Row]:
        """Return rows of the database."""
        with self.ours.transaction(read_only=True) as tx:
            return tx.rows(statement)

    def statuses(self) -> dict[str, str]:
        """Return the status of each kind."""
        return {row["kind"]: row["status"] for row in self.rows("select kind, status from backfills")}


@pytest.fixture
def sides(db: Database, database_url: str) -> Iterator[Sides]:
    with Database(database_url) as other:
        with db.transaction() as tx:
            repository = tracked(tx)
            for kind in (PULL_REQUESTS, ISSUES):
                backfills.open_backfill(tx, repository.id, total=300, goal=Goal(), kind=kind)
        yield Sides(ours=db, other=other, repository=repository)


def commit(tx: Transaction, claim: Claim, *, total: int = 300, new: int = 3, **changes: Any) -> None:
    """Commit a chunk of three items."""
    hold(tx, claim)
    going_on = Advance(cursor="c1", status=BackfillStatus.ACTIVE, pass_number=1, read_down_to=None, watermark=NOW)
    chunks.complete(
        tx,
        claim,
        replace(going_on, **changes),
        numbers=[3, 2, 1],
        asked=3,
        walked=3,
        new_items=new,
        counts=RowCounts(inserted=new),
        spent=Spent(points=2, requests=2),
        total=total,
        page_size=PageSize(size=74, worked=60, too_big=80, clean=3),
        remaining=900,
    )


def walk_to_the_end(sides: Sides, kind: str, *, total: int) -> None:
    """Commit the one page of the walk and the one of its catch-up."""
    ended = BackfillStatus.COMPLETED
    for phase, start in ((Phase.HISTORY, NOW), (Phase.CATCH_UP, None)):
        claimed = sides.claim(kind)
        assert claimed.stream.phase is phase
        with sides.ours.transaction() as tx:
            commit(tx, claimed, total=total, new=0, status=ended, catch_up_from=start)


def store_issues(tx: Transaction, repository_id: str, *, count: int, are_pull_requests: bool = False) -> None:
    tx.run(
        "insert into issues (github_id, repository_id, number, title, created_at, updated_at, is_pull_request) "
        "select n + %(shift)s, %(id)s, n + %(shift)s, 't', '2020-01-01', now(), %(pulls)s "
        "from generate_series(1, %(count)s::integer) n",
        id=repository_id,
        count=count,
        pulls=are_pull_requests,
        shift=1000 if are_pull_requests else 0,
    )


def test_a_kind_is_claimed_and_committed_while_another_one_of_the_repository_holds_an_open_commit(sides: Sides) -> None:
    pulls = sides.claim()
    with sides.ours.transaction() as tx:
        commit(tx, pulls)
        issues = sides.claim(ISSUES, db=sides.other)
        with sides.other.transaction() as other:
            other.run("set local lock_timeout = '1s'")
            commit(other, issues, new=2)
    captured = {row["kind"]: row["captured"] for row in sides.rows("select kind, captured from backfills")}
    assert captured == {PULL_REQUESTS: 3, ISSUES: 2}


def test_each_kind_numbers_its_chunks_and_only_pull_requests_are_known_by_the_row_of_others(sides: Sides) -> None:
    claims = [sides.claim(), sides.claim(ISSUES)]
    assert [(each.stream.kind, each.chunk_number) for each in claims] == [(PULL_REQUESTS, 1), (ISSUES, 1)]
    for table in ("backfill_streams", "backfill_chunks"):
        rows = sides.rows(
            f"select b.kind, t.backfill_state_id = b.id as known from {table} t "  # noqa: S608
            "join backfills b on b.id = t.backfill_id"
        )
        assert {row["kind"]: row["known"] for row in rows} == {PULL_REQUESTS: True, ISSUES: None}
    assert len(sides.rows("select 1 from progressive_backfill_state")) == 1


def test_a_kind_is_complete_when_its_own_rows_are_what_github_counts(sides: Sides) -> None:
    with sides.ours.transaction() as tx:
        store_issues(tx, sides.repository.id, count=3)
        store_issues(tx, sides.repository.id, count=5, are_pull_requests=True)
    walk_to_the_end(sides, ISSUES, total=3)
    assert sides.statuses() == {PULL_REQUESTS: "active", ISSUES: "completed"}


def test_what_a_kind_lacks_is_looked_for_once_more_and_is_a_gap_then(sides: Sides) -> None:
    with sides.ours.transaction() as tx:
        store_issues(tx, sides.repository.id, count=3)
    walk_to_the_end(sides, ISSUES, total=5)
    assert sides.statuses()[ISSUES] == "active"
    walk_to_the_end(sides, ISSUES, total=8)  # the walk has listed three more
    (row,) = sides.rows("select status, gaps from backfills where kind = 'issues'")
    assert row == {"status": "completed", "gaps": 2}


def test_a_fresh_backfill_counts_the_rows_of_its_kind(db: Database) -> None:
    with db.transaction() as tx:
        repository = tracked(tx)
        store_issues(tx, repository.id, count=4)
        store_issues(tx, repository.id, count=2, are_pull_requests=True)
        backfills.open_backfill(tx, repository.id, total=9, goal=Goal(), kind=ISSUES)
        assert tx.row("select captured, total from backfills") == {"captured": 4, "total": 9}
        assert tx.rows("select 1 from progressive_backfill_state") == []


def test_an_unknown_kind_is_refused_by_name_and_opens_nothing(db: Database) -> None:
    with db.transaction() as tx:
        repository = tracked(tx)
    known = "no kind of items 'stars': name one of discussions, issues, pull_requests"
    with pytest.raises(ConfigurationError, match=known), db.transaction() as tx:
        backfills.open_backfill(tx, repository.id, total=1, goal=Goal(), kind="stars")
    with db.transaction() as tx:
        assert tx.rows("select 1 from backfills") == []


def test_what_a_person_decides_counts_for_all_kinds_unless_one_is_named(sides: Sides) -> None:
    repository_id = sides.repository.id
    with sides.ours.transaction() as tx:
        assert recovery.hold(tx, repository_id, reason="moving", who="ada", resume_at=None)
    assert sides.statuses() == {PULL_REQUESTS: "paused", ISSUES: "paused"}
    with sides.ours.transaction() as tx:
        standing = openings.lock(tx, [repository_id]).standings[repository_id]
        assert not openings.resume(tx, repository_id, standing)
        assert recovery.resume(tx, repository_id, ISSUES)
    assert sides.statuses() == {PULL_REQUESTS: "paused", ISSUES: "active"}
    with sides.ours.transaction() as tx:
        assert recovery.resume(tx, repository_id)
        assert backfills.fail(tx, repository_id, error="broken", kind=ISSUES)
        assert backfills.pause(tx, repository_id, reason="rate_limit", resume_at=NOW)
    assert sides.statuses() == {PULL_REQUESTS: "paused", ISSUES: "failed"}
    assert recovery_state(sides, ISSUES).last_error == "broken"
    assert sides.rows(UNEQUAL) == []


def recovery_state(sides: Sides, kind: str) -> recovery.State:
    with sides.ours.transaction(read_only=True) as tx:
        return recovery.state(tx, sides.repository.id, kind)


def test_a_lost_chunk_of_any_kind_goes_back_to_be_claimed_again(sides: Sides) -> None:
    lost = [sides.claim(), sides.claim(ISSUES)]
    with sides.ours.transaction() as tx:
        found = recovery.stuck(tx, None, everything=True, older_than=timedelta(0))
        assert [(each.kind, each.chunk_number) for each in found] == [(PULL_REQUESTS, 1), (ISSUES, 1)]
        assert all(recovery.give_back(tx, each, error="lost", everything=True) for each in found)
    assert [sides.claim(each.stream.kind).attempt for each in lost] == [2, 2]


def test_a_record_names_the_kind_only_where_it_is_not_pull_requests(sides: Sides) -> None:
    with sides.ours.transaction() as tx:
        for kind in (PULL_REQUESTS, ISSUES):
            details = {sides.repository.id: None}
            backfill_events.record(tx, BackfillEvent.OPENED, details, backfill_events.ITSELF, kind=kind)
        assert [each.kind for each in backfill_events.last(tx)] == [ISSUES, None]


CHANGES = [
    "status = 'failed', last_error = 'theirs', consecutive_errors = 4, error_count = 9",
    "status = 'paused', held = true, held_reason = 'moving', held_by = 'ada', pause_reason = 'r', resume_at = now()",
    "total_prs = 7, processed_prs = 6, gaps = 1, gaps_seen = 2, chunk_size = null, metadata = '{\"a\": 1}'",
    "processed_prs = null, status = null, metadata = null, consecutive_errors = null",
    "last_processed_cursor = 'x', last_processed_pr_number = 5, last_processed_at = now(), points = 8, requests = 9",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_what_others_write_in_their_row_holds_for_the_backfill(
    kind: str, change: str, request: pytest.FixtureRequest
) -> None:
    with Database(request.getfixturevalue(kind)) as db, db.transaction() as tx:
        repository = tracked(tx)
        backfills.open_backfill(tx, repository.id, total=300, goal=Goal())
        tx.run(f"update progressive_backfill_state set {change} where repository_id = %(id)s", id=repository.id)  # noqa: S608
        theirs = tx.rows("select 1 from progressive_backfill_state where processed_prs is null or status is null")
        if not theirs:  # what they leave empty is nothing or the default for us
            assert tx.rows(UNEQUAL) == []
        assert tx.row(
            "select b.status is not distinct from coalesce(p.status, 'active') as same, b.captured "
            "is not distinct from coalesce(p.processed_prs, 0) as count from backfills b "
            "join progressive_backfill_state p using (id) where b.repository_id = %(id)s",
            id=repository.id,
        ) == {"same": True, "count": True}


def test_a_row_that_others_insert_is_a_backfill_and_one_that_they_delete_is_none(sides: Sides) -> None:
    sides.claim(ISSUES)
    with sides.ours.transaction() as tx:
        tx.run("delete from progressive_backfill_state")
        assert kinds.lock(tx, sides.repository.id) == [ISSUES]
        assert tx.rows("select kind from backfill_streams") == [{"kind": ISSUES}]
        tx.run(
            "insert into progressive_backfill_state (repository_id, total_prs) values (%(id)s, 5)",
            id=sides.repository.id,
        )
        assert tx.rows(UNEQUAL) == []
        backfills.open_backfill(tx, sides.repository.id, total=6, goal=Goal())
        assert tx.rows("select total_prs as n from progressive_backfill_state") == [{"n": 6}]
    assert sides.claim().chunk_number == 1


def test_whoever_may_write_the_row_of_others_needs_no_right_to_ours(db: Database, database_url: str) -> None:
    with db.transaction() as tx:
        repository = tracked(tx)
        backfills.open_backfill(tx, repository.id, total=300, goal=Goal())
        tx.run("create role gh_backfill_test_host")
        tx.run("grant select, update on progressive_backfill_state to gh_backfill_test_host")
        tx.run("create policy test_host on progressive_backfill_state to gh_backfill_test_host using (true)")
        tx.run("set local role gh_backfill_test_host")
        assert tx.run("update progressive_backfill_state set status = 'paused'") == 1
        tx.run("reset role")
        assert tx.rows("select status from backfills") == [{"status": "paused"}]
        assert tx.rows(UNEQUAL) == []
        tx.run("drop owned by gh_backfill_test_host")
        tx.run("drop role gh_backfill_test_host")


Write = Callable[[Transaction, str, Claim], object]
WRITES: dict[str, Write] = {
    "lock to open": lambda tx, id_, _: openings.lock(tx, [id_]),
    "open": lambda tx, id_, _: backfills.open_backfill(tx, id_, total=1, goal=Goal()),
    "pause": lambda tx, id_, _: backfills.pause(tx, id_, reason="r", resume_at=None),
    "fail": lambda tx, id_, _: backfills.fail(tx, id_, error="e"),
    "plan": lambda tx, id_, _: backfills.mark_planned(tx, [id_], NOW),
    "lock": lambda tx, id_, _: backfills.lock(tx, id_),
    "hold": lambda tx, id_, _: recovery.hold(tx, id_, reason="r", who="w", resume_at=None),
    "give_up": lambda tx, id_, _: recovery.give_up(tx, id_, reason=CANCELLED, who="w"),
    "resume by hand": lambda tx, id_, _: recovery.resume(tx, id_),
    "let_go": lambda tx, id_, _: recovery.let_go(tx, id_),
    "claim": lambda tx, id_, _: claim(tx, id_),
    "commit": lambda tx, _, claimed: hold(tx, claimed),
    "error": lambda tx, _, claim: chunks.count_error(tx, claim, error="e"),
    "delete": lambda tx, id_, _: untracking.delete_rows(tx, id_),
}


@pytest.mark.parametrize("write", WRITES)
def test_whoever_writes_a_backfill_takes_the_row_of_others_first_as_they_do(sides: Sides, write: str) -> None:
    claimed = sides.claim()

    def ours() -> None:
        with sides.other.transaction() as tx:
            WRITES[write](tx, sides.repository.id, claimed)

    with ThreadPoolExecutor(1) as pool:
        with sides.ours.transaction() as host:
            host.run("set local lock_timeout = '2s'")
            host.rows("select from progressive_backfill_state for no key update")
            late = pool.submit(ours)
            await_a_waiting_session(host)
            # The trigger of this statement needs the backfill, which the other one must not hold.
            host.run("update progressive_backfill_state set status = 'active', consecutive_errors = 1, gaps = 1")
        late.result(timeout=10)
    assert sides.rows(UNEQUAL) == []


def await_a_waiting_session(tx: Transaction) -> None:
    for _ in range(500):
        if tx.rows(
            "select 1 from pg_locks l join pg_stat_activity a using (pid) "
            "where not l.granted and a.datname = current_database()"
        ):
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize(("kind", "item"), [(PULL_REQUESTS, "pull_request"), (ISSUES, "issue")])
def test_an_item_that_walk_and_catch_up_lost_by_its_place_counts_once(sides: Sides, kind: str, item: str) -> None:
    with sides.ours.transaction() as tx:
        for place in ("after Y3Vyc29y", "updated after Y3Vyc29yOjI="):
            tx.run(
                "insert into backfill_quarantine (repository_id, item_kind, kind, identity, reason) "
                "values (%(id)s, %(kind)s, %(item)s, %(place)s, 'null')",
                id=sides.repository.id,
                kind=kind,
                item=item,
                place=place,
            )
        (stored,) = kinds.stored(tx, [(sides.repository.id, kind, None, Goal())])
    assert stored.quarantined == 1
