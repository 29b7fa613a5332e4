"""Where a stream stands after a page."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.models.work import Goal, Phase
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import (
    MARGIN,
    MAX_PASSES,
    Complete,
    LookAgain,
    advance,
    at_the_end,
    of_wanted,
    percent,
    why_no_progress,
)
from tests.examples import WALK

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
CATCH_UP = replace(WALK, phase=Phase.CATCH_UP, read_down_to=NOW - MARGIN)


def test_the_walk_goes_on_from_the_next_cursor_and_keeps_the_time_of_its_first_page() -> None:
    first = advance(WALK, read=10, kept=10, next_cursor="c1", end_cursor="c1", server_time=NOW)
    assert (first.cursor, first.status, first.watermark) == ("c1", BackfillStatus.ACTIVE, NOW)
    second = advance(
        replace(WALK, watermark=NOW), read=10, kept=10, next_cursor="c2", end_cursor="c2", server_time=LATER
    )
    assert second.watermark == NOW


def test_after_the_last_page_the_catch_up_reads_what_changed_since_the_walk_began() -> None:
    last = advance(replace(WALK, watermark=NOW), read=3, kept=3, next_cursor=None, end_cursor="e", server_time=LATER)
    assert (last.status, last.catch_up_from) == (BackfillStatus.COMPLETED, NOW - timedelta(minutes=5))


def test_the_walk_ends_at_its_goal_and_remembers_where() -> None:
    stream = replace(WALK, goal=Goal(max_items=200), items_done=148)
    done = advance(stream, read=52, kept=52, next_cursor="c3", end_cursor="c3", server_time=NOW)
    assert (done.status, done.cursor) == (BackfillStatus.COMPLETED, "c3")


def test_an_empty_repository_is_complete() -> None:
    done = advance(WALK, read=0, kept=0, next_cursor=None, end_cursor=None, server_time=NOW)
    assert done.status is BackfillStatus.COMPLETED


def test_a_catch_up_that_fits_into_one_page_ends_and_leaves_its_watermark() -> None:
    done = advance(CATCH_UP, read=10, kept=2, next_cursor="c", end_cursor="c", server_time=LATER)
    assert (done.status, done.watermark) == (BackfillStatus.COMPLETED, LATER)


def test_a_longer_pass_is_followed_by_one_over_what_changed_meanwhile() -> None:
    first = advance(CATCH_UP, read=10, kept=10, next_cursor="c", end_cursor="c", server_time=NOW)
    assert (first.status, first.cursor, first.pass_number) == (BackfillStatus.ACTIVE, "c", 1)
    second = advance(
        replace(CATCH_UP, cursor="c", watermark=NOW),
        read=10,
        kept=1,
        next_cursor="d",
        end_cursor="d",
        server_time=LATER,
    )
    assert (second.status, second.cursor, second.pass_number) == (BackfillStatus.ACTIVE, None, 2)
    assert second.read_down_to == NOW - MARGIN


def test_a_repository_that_never_rests_is_left_to_the_sync_after_five_passes() -> None:
    stream = replace(CATCH_UP, cursor="c", watermark=NOW, pass_number=MAX_PASSES)
    done = advance(stream, read=10, kept=1, next_cursor="d", end_cursor="d", server_time=LATER)
    assert (done.status, done.watermark) == (BackfillStatus.COMPLETED, NOW)


@pytest.mark.parametrize(
    ("captured", "total", "shown"),
    [
        (0, 0, 100.0),
        (0, 3, 0.0),
        (1, 3, 33.3),
        (9_999, 10_000, 99.9),
        (99_999, 100_000, 99.9),
        (7, 7, 100.0),
        (8, 7, 100.0),
    ],
)
def test_a_hundred_percent_means_that_nothing_is_missing(captured: int, total: int, shown: float) -> None:
    assert percent(captured, total) == shown


@pytest.mark.parametrize(
    ("following", "listed", "why"),
    [(None, 5, "does not say where"), ("c1", 5, "in a circle"), ("c2", 5, "in a circle"), ("c3", 0, "lists nothing")],
)
def test_a_list_that_is_to_go_on_and_does_not_says_why(following: str | None, listed: int, why: str) -> None:
    assert why in (why_no_progress(following, {"c1", "c2", None}, listed=listed) or "")
    assert why_no_progress("c3", {"c1", "c2", None}, listed=5) is None


def test_what_is_missing_is_looked_for_until_two_readings_agree() -> None:
    assert at_the_end(0, None) == Complete(gaps=0)
    assert at_the_end(-2, None) == Complete(gaps=0)
    assert at_the_end(3, None) == LookAgain()
    assert at_the_end(2, 3) == LookAgain()
    assert at_the_end(3, 3) == Complete(gaps=3)
    assert at_the_end(4, 3) == Complete(gaps=4)


def test_a_walk_that_is_stuck_ends_where_it_can_go_on_and_a_catch_up_keeps_its_bound() -> None:
    walk = advance(
        replace(WALK, cursor="c1"), read=5, kept=5, next_cursor=None, end_cursor="c1", server_time=NOW, stuck=True
    )
    assert (walk.status, walk.cursor, walk.stuck) == (BackfillStatus.COMPLETED, "c1", True)
    done = advance(CATCH_UP, read=5, kept=5, next_cursor=None, end_cursor=None, server_time=LATER, stuck=True)
    assert (done.status, done.watermark, done.stuck) == (BackfillStatus.COMPLETED, NOW, True)


def test_a_goal_is_counted_towards_and_the_total_named_beside_it() -> None:
    assert of_wanted(120, 1000, 300) == "120 of 300 (of 1000 in all)"
    assert of_wanted(120, 200, 300) == of_wanted(120, 200, None) == "120 of 200"
    assert of_wanted(120, None, 300) == "120 of ?"
