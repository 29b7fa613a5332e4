"""A job's row in the ledger says where its time went, and the report what limits the rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.policy.bottleneck import Limit, Times, limit
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.store import bottlenecks
from gh_backfill.tasks.report.publish import markdown
from gh_backfill.tasks.report.report import report
from tests.tasks.conftest import ENGINE, House


def times_of(house: House) -> Times:
    return Times.of(house.only("select times from progressive_capture_jobs")["times"])


def test_requests_and_transactions_are_counted_within_the_whole(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    times = times_of(house)
    assert times.requests > 0
    assert times.database > 0
    assert times.requests + times.database <= times.total
    assert times.points == times.server_time == times.slow_down == times.retries == 0


@pytest.mark.parametrize("options", [Options(limits={"tok": 12})])
def test_a_pause_for_points_is_time_waited_for_points(house: House) -> None:
    house.track(ENGINE)
    soon = datetime.now(UTC) + timedelta(minutes=10)
    captured = house.capture(limits=Limits(chunk_size=5, deadline=soon))
    times = times_of(house)
    assert captured.outcome is CaptureOutcome.PAUSED
    assert captured.resume_at is not None
    assert times.points > (captured.resume_at - soon).total_seconds()
    assert limit(times) is Limit.POINTS
    made = report(house.db, "run-1")
    assert made.run.limited_by is not None
    assert made.as_json()["limited_by"].startswith("points limit the rate: ")
    assert "Points limit the rate: " in markdown(made)
    with house.db.transaction(read_only=True) as tx:
        assert list(bottlenecks.times(*tx.together(bottlenecks.question())).values()) == [times]


def test_a_wish_to_slow_down_is_the_secondary_limit(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="secondary_a", count=1, size=900))
    captured = house.capture(limits=Limits(deadline=datetime.now(UTC) + timedelta(minutes=10)))
    assert captured.outcome is CaptureOutcome.PAUSED
    assert limit(times_of(house)) is Limit.SECONDARY


def test_a_job_that_dies_leaves_the_times_of_its_last_heartbeat(house: House) -> None:
    house.track(ENGINE)
    seen: list[Times] = []

    def look(progress: Progress) -> None:
        if progress.chunks > 1:
            seen.append(times_of(house))

    house.capture(listen=look)
    assert seen[0].requests > 0
    assert seen[0].total < times_of(house).total
