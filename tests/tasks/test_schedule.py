"""Hours of the day and histories that are read again, with a real database: planned, waited for, and exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.store import schedules
from gh_backfill.tasks import track
from gh_backfill.tasks.plan import Plan, plan
from gh_backfill.tasks.schedule import ScheduleWish, schedule
from tests.tasks.conftest import ENGINE, SMALL, House

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def planned(house: House, now: datetime, *, usual: str | None = None) -> Plan:
    return plan(house.db, house.graphql(), house.run, now, thresholds=Thresholds(), limit=12, off_peak=usual)


def reasons(made: Plan) -> dict[str, str]:
    return {each.repository.full_name: each.words for each in made.verdicts}


def said(house: House, *names: str, off_peak: str | None = None, every_days: str | None = None) -> list[str]:
    wish = ScheduleWish.of(off_peak, every_days)
    return [each.text for each in schedule(house.db, names, wish, NOON, usual=None)]


def test_a_plan_of_the_day_leaves_it_and_one_of_the_night_takes_it(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    said(house, ENGINE, off_peak="22:00-06:00")
    made = planned(house, NOON)
    assert reasons(made) == {ENGINE: "waits for its hours until 2026-03-01 22:00 UTC"}
    assert (made.matrix(), house.rows("select 1 from progressive_capture_jobs")) == ({"include": []}, [])
    assert reasons(planned(house, NOON + 10 * HOUR)) == {ENGINE: PlanReason.NEW}


def test_a_history_that_is_read_again_is_walked_whole_and_nothing_is_doubled(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    planned(house, NOON)
    house.capture()
    before = house.rows("select github_id, title, updated_at from pull_requests order by github_id")
    assert said(house, ENGINE, every_days="30")[0].startswith(
        "plans take it at any hour; its history is read again every 30"
    )
    with house.db.transaction() as tx:
        tx.run("update pull_requests set title = 'not what GitHub says' where number % 2 = 0")
        tx.run("update backfills set completed_at = %(at)s", at=NOON - timedelta(days=31))
        tx.run("update progressive_backfill_state set completed_at = %(at)s", at=NOON - timedelta(days=31))
    assert reasons(planned(house, NOON - 2 * timedelta(days=1))) == {ENGINE: PlanReason.COMPLETE}
    assert reasons(planned(house, NOON)) == {ENGINE: PlanReason.AGAIN}
    house.capture()
    assert house.rows("select github_id, title, updated_at from pull_requests order by github_id") == before
    assert house.state()["status"] == "completed"
    assert reasons(planned(house, datetime.now(UTC))) == {ENGINE: PlanReason.COMPLETE}


def test_what_was_said_stays_until_it_is_taken_back(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    (text,) = said(house, ENGINE, off_peak="22:00-06:00", every_days="7")
    assert text.split("; ") == [
        "plans take it in the hours 22:00-06:00 UTC: next at 2026-03-01 22:00 UTC",
        "its history is read again every 7 days once it is complete",
    ]
    track.track(house.db, house.graphql(), [ENGINE])
    assert len(said(house)) == 1
    assert said(house, ENGINE, off_peak="none") == [
        "plans take it at any hour, whatever is set for all; its history is read again every 7 days once it is complete"
    ]
    assert said(house, ENGINE, every_days="none") == ["plans take it at any hour, whatever is set for all"]


def test_a_dry_run_and_a_wrong_name_write_nothing(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    schedule(house.db, [ENGINE], ScheduleWish.of("learned", None), NOON, usual=None, dry_run=True)
    with pytest.raises(ConfigurationError, match="not tracked here: nobody/nothing"):
        said(house, ENGINE, "nobody/nothing", off_peak="learned")
    assert house.rows("select 1 from tracked_repositories where off_peak is not null") == []


@pytest.mark.parametrize("days", ["0", "-1", "many", "3661", "1.5"])
def test_days_that_are_none_are_told_in_a_line(days: str) -> None:
    with pytest.raises(ConfigurationError, match="--every-days must be a number of days, 1 to 3660, or none"):
        ScheduleWish.of(None, days)


def look(house: House, at: datetime, used: int, identity: str = "one") -> None:
    """Write that so much of an identity's hour was gone at a moment, half an hour before its reset."""
    with house.db.transaction() as tx:
        tx.run(
            "insert into budget_samples (run_key, identity, resource, at, budget_limit, remaining, reset_at) "
            "values (%(key)s, %(identity)s, 'graphql', %(at)s, 5000, %(left)s, %(reset)s)",
            key=f"run {at.isoformat()}", identity=identity, at=at, left=5000 - used, reset=at + HOUR / 2,
        )  # fmt: skip


def worked(house: House, begins: datetime, ends: datetime, points: int) -> None:
    with house.db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs (job_type, processor_type, status, points, started_at, completed_at) "
            "values ('progressive_backfill', 'local', 'completed', %(points)s, %(begins)s, %(ends)s)",
            points=points, begins=begins, ends=ends,
        )  # fmt: skip


def test_the_quiet_hours_are_learned_from_what_others_used_and_not_from_what_we_did(house: House) -> None:
    """By day others use half of the budget; by night nobody but our own job does, which spends as much."""
    for day in range(3):
        for hour in range(24):
            at = NOON.replace(hour=hour, minute=30) - timedelta(days=day)
            look(house, at, 1_250)
            if hour < 8:
                worked(house, at - HOUR / 2, at, 1_250)
    with house.db.reading() as tx:
        learned = schedules.learned(tx)
    assert (learned.hours, learned.days) == (frozenset(range(8)), 3)
    track.track(house.db, house.graphql(), [ENGINE, SMALL])
    said(house, ENGINE, off_peak="learned")
    assert reasons(planned(house, NOON))[ENGINE] == "waits for its hours until 2026-03-02 00:00 UTC"
    assert reasons(planned(house, NOON - 10 * HOUR))[ENGINE] == PlanReason.NEW


def test_before_anything_is_learned_nothing_waits(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    look(house, NOON, 5_000)
    assert "not learned yet: 0 of 3 days are known" in said(house, ENGINE, off_peak="learned")[0]
    assert reasons(planned(house, NOON)) == {ENGINE: PlanReason.NEW}


def test_what_is_set_for_all_leaves_small_batches_alone_and_takes_no_wish_back(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    assert reasons(planned(house, NOON, usual="22:00-06:00")) == {ENGINE: PlanReason.NEW}
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set off_peak = '22:00-06:00'")
    assert reasons(planned(house, NOON, usual="none"))[ENGINE].startswith("waits for its hours")
