"""A database from before there were kinds goes on where it was, and the row that others read stays equal to ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.policy.selection import PlanReason
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import chunks, migrations, recovery
from gh_backfill.store.db import Database, Transaction
from tests.claims import must_claim
from tests.comparison import compare
from tests.expected import UNKNOWN, PullRequest
from tests.store.test_kinds import UNEQUAL
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, WORLD, House
from tests.tasks.test_plan import planned, reasons

KINDS = "20261129110000"
# In the order in which their rows refer to each other.
TABLES = [
    "repositories", "contributors", "tracked_repositories", "pull_requests", "reviews", "comments",
    "progressive_backfill_state", "backfill_streams", "backfill_chunks",
]  # fmt: skip
RESET = "UPDATE progressive_backfill_state SET consecutive_errors = 0, status = 'active' WHERE status = 'paused'"
SOME = Limits(chunk_size=50, max_chunks=2)


@pytest.fixture
def older(empty_database_url: str) -> Iterator[Database]:
    """Give a database of the version before there were kinds."""
    with Database(empty_database_url) as db:
        for migration in migrations.known():
            if migration.version < KINDS:
                migrations.apply_one(db, migration)
        yield db


def copy(source: Transaction, target: Transaction, table: str) -> None:
    """Copy the rows of a table, with the columns that it has in the older database."""
    found = target.rows(
        "select attname from pg_attribute where attrelid = %(table)s::regclass and attnum > 0 "
        "and not attisdropped and attgenerated = ''",
        table=table,
    )
    columns = ", ".join(row["attname"] for row in found)
    target.run(
        f"insert into {table} ({columns}) select {columns} from jsonb_populate_recordset(null::{table}, %(rows)s)",  # noqa: S608
        rows=[row["it"] for row in source.rows(f"select to_jsonb(t) as it from {table} t")],  # noqa: S608
    )


def leave_a_chunk_open(house: House) -> str:
    repository_id = str(house.state()["repository_id"])
    with house.db.transaction() as tx:
        claimed = must_claim(tx, repository_id, worker="before")
        chunks.release(tx, claimed)
    return claimed.chunk_id


def assert_whole(house: House, *, with_marks: bool = True) -> None:
    world = expected_world(house.github.world, ENGINE)
    if not with_marks:
        world = [replace(each, pull_requests=tuple(map(without_marks, each.pull_requests))) for each in world]
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, world)
    assert not differences, differences
    assert house.state()["status"] == "completed"
    assert house.rows(UNEQUAL) == []


def without_marks(pull: PullRequest) -> PullRequest:
    """Return what is known of one that a version captured which asked for no labels and the like."""
    return replace(pull, labels=UNKNOWN, assignees=UNKNOWN, requested_reviewers=UNKNOWN, milestone=UNKNOWN)


def test_a_backfill_under_way_in_an_older_database_goes_on_from_its_open_chunk_once_it_is_migrated(
    house: House, older: Database
) -> None:
    house.track(ENGINE)
    done = house.capture(limits=SOME).items
    chunk = leave_a_chunk_open(house)
    with house.db.transaction(read_only=True) as source, older.transaction() as target:
        for table in TABLES:
            copy(source, target, table)
    before = replace(house, db=older).state()
    assert KINDS in {each.version for each in migrations.apply(older)}
    there = replace(house, db=older)
    assert there.rows(UNEQUAL) == []
    assert there.state() == before
    assert there.capture().items == 180 - done
    assert there.only("select attempt from backfill_chunks where id = %(id)s", id=chunk) == {"attempt": 2}
    assert there.rows("select 1 from backfill_chunks where backfill_id is distinct from backfill_state_id") == []
    assert_whole(there, with_marks=False)


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_the_row_that_others_read_says_what_ours_says_after_every_chunk(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    with running(load(recipes=WORLD)) as github, Database(url) as db:
        house = House(db=db, url=url, github=github)
        house.track(ENGINE)
        unequal: list[object] = []

        def look(_: Progress) -> None:
            unequal.extend(house.rows(UNEQUAL))

        captured = house.capture(limits=Limits(chunk_size=50), listen=look)
        assert (captured.outcome, captured.items, unequal) == (CaptureOutcome.COMPLETED, 180, [])
        assert_whole(house)


def test_the_guides_reset_lets_a_held_backfill_go_on_in_the_next_plan_and_capture(house: House) -> None:
    house.track(ENGINE)
    done = house.capture(limits=SOME).items
    repository_id = str(house.state()["repository_id"])
    with house.db.transaction() as tx:
        recovery.hold(tx, repository_id, reason="moving", who="ada", resume_at=None)
    assert reasons(planned(house))[ENGINE] is not PlanReason.GOES_ON
    with house.db.transaction() as tx:
        assert tx.run(RESET) == 1
    columns = "status, held, pause_reason, resume_at, consecutive_errors"
    going_on = {"status": "active", "held": False, "pause_reason": None, "resume_at": None, "consecutive_errors": 0}
    assert house.only(f"select {columns} from backfills") == going_on  # noqa: S608
    assert house.rows(UNEQUAL) == []
    assert reasons(planned(house))[ENGINE] is PlanReason.GOES_ON
    assert house.capture().items == 180 - done
    assert_whole(house)
