"""What is to be seen of a run: who works, who waits, for what and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gh_backfill.engine.outcome import Limits
from gh_backfill.tasks.scene import Look, Scene
from tests.storm.wire import Wire
from tests.tasks.conftest import ENGINE, SMALL, House


def soon() -> datetime:
    """Return a whole second two minutes from now: a suite runs longer than that, so it is asked for in each test."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=2)


def scene(house: House, look: Look, *running: str) -> Scene:
    """Look at a run in which these repositories are being captured."""
    seen: list[Scene] = []
    rows = house.rows("select id from repositories where full_name = any(%(names)s)", names=running)
    look.show([row["id"] for row in rows], seen.append)
    (only,) = seen
    return only


def look(house: House) -> Look:
    return Look(house.db, [row["id"] for row in house.rows("select id from repositories order by full_name")])


def test_a_lane_tells_points_of_this_run_what_is_left_and_whose_turn_has_not_come(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(limits=Limits(max_chunks=1, chunk_size=10))
    eye = look(house)
    assert [lane.points for lane in scene(house, eye, ENGINE).lanes] == [0, 0]
    spent = house.capture(limits=Limits(max_chunks=2, chunk_size=10)).spent.points
    now = scene(house, eye, ENGINE)
    engine, small = now.lanes
    assert (engine.points, engine.running, engine.waits) == (spent, True, None)
    assert engine.left is not None
    assert engine.left.pull_requests == 150
    assert (small.running, small.waits) == (False, "waits its turn")
    assert (now.running, now.waits) == (1, None)


def test_who_waits_for_the_next_try_or_pauses_says_until_when(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(limits=Limits(max_chunks=1, chunk_size=10))
    eye, retry = look(house), soon()
    with house.db.transaction() as tx:
        tx.run("update backfill_chunks set status = 'pending', retry_at = %(at)s, completed_at = null", at=retry)
        tx.run(
            "update progressive_backfill_state b set status = 'paused', resume_at = %(at)s from repositories r "
            "where r.id = b.repository_id and r.full_name = %(name)s",
            at=retry,
            name=SMALL,
        )
    engine, small = scene(house, eye, ENGINE, SMALL).lanes
    assert engine.waits == f"tries again {retry:%H:%M:%S} UTC"
    assert small.waits == f"paused until {retry:%H:%M:%S} UTC"


def test_what_all_wait_for_is_said_once(house: House) -> None:
    house.track(ENGINE)
    reset = soon() + timedelta(minutes=10)
    with house.db.transaction() as tx:
        tx.run(
            "insert into api_budgets (identity, resource, budget_limit, remaining, reset_at) "
            "values ('user:1', 'graphql', 1000, 101, %(reset)s)",
            reset=reset,
        )
    waits = scene(house, look(house), ENGINE).waits
    until = reset + timedelta(seconds=5)
    assert waits == f"waiting until {until:%H:%M:%S} UTC: 101 of 1000 points left, 100 are kept in reserve"


def test_a_database_that_is_away_shows_nothing_and_ends_nothing(house: House, database_url: str) -> None:
    house.track(ENGINE)
    wire = Wire(database_url, lambda statement, moment: None)
    ids = [row["id"] for row in house.rows("select id from repositories")]
    with type(house.db)(wire.url("look")) as db:
        seen: list[Scene] = []
        eye = Look(db, ids)
        eye.show(ids, seen.append)
        wire.close()
        eye.show(ids, seen.append)
    assert len(seen) == 1
