"""What limits the rate is what takes most of the time."""

from __future__ import annotations

import pytest

from gh_backfill.policy.bottleneck import Limit, Times, limit, line
from gh_backfill.policy.governor import Cause


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (Times(total=60.0, requests=10.0, points=40.0), Limit.POINTS),
        (Times(total=60.0, requests=40.0, database=10.0), Limit.LATENCY),
        (Times(total=60.0, requests=10.0, retries=15.0, database=20.0), Limit.LATENCY),
        (Times(total=60.0, requests=20.0, server_time=15.0, slow_down=15.0), Limit.SECONDARY),
        (Times(total=60.0, requests=20.0, database=30.0), Limit.DATABASE),
        (Times(total=60.0), None),
        (Times(), None),
    ],
)
def test_the_largest_share_limits(times: Times, expected: Limit | None) -> None:
    assert limit(times) is expected
    assert (line(times) is None) is (expected is None)


def test_one_line_tells_every_share() -> None:
    times = Times(total=200.0, requests=40.0, points=100.0, server_time=10.0, slow_down=10.0, database=20.0)
    assert line(times) == (
        "points limit the rate: 50 % of the time (latency 20 %, secondary limit 10 %, database 10 %)"
    )


def test_nothing_is_said_of_the_rate_before_there_was_some_work() -> None:
    assert line(Times(total=29.0, requests=20.0)) is None
    assert line(Times(total=31.0, requests=20.0)) is not None
    assert line(Times(total=2.0, requests=1.0, points=600.0)) is not None  # a wait is work enough


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_of_waiting_is_counted_and_is_no_work(cause: Cause) -> None:
    times = Times(total=10.0).waited(cause, 4.0)
    assert (sum(times.by_limit().values()), times.working) == (4.0, 6.0)


def test_what_is_kept_is_read_again_whatever_the_version() -> None:
    times = Times(total=3.0, requests=1.25, database=0.5)
    assert Times.of({**times.as_json(), "of a later version": 1.0}) == times
    assert Times.of(None) == Times()
    assert times + times == Times(total=6.0, requests=2.5, database=1.0)
