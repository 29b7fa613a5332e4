"""A goal of a span of time is one of every kind: just that is captured, and a longer one adds only the difference."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.plan import plan
from tests.expected import Issue, Known, PullRequest
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, House

BOTH = ("pull_requests", "issues")


def tracked(house: House, *, only_newest: bool) -> None:
    found = track.ask(house.graphql(), [ENGINE], name_of=lambda number: ENGINE)
    opening = track.FirstBackfill(goal_of=lambda _: Goal(), only_newest=only_newest)
    track.register(house.db, found, kinds=BOTH, opening=None)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set only_newest = %(only)s", only=opening.only_newest)


def captured(house: House, goal: Goal | None) -> Captured:
    return capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        Limits(),
        goal=goal,
        kinds=BOTH,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def created(known: Known[datetime]) -> datetime:
    assert isinstance(known, datetime)
    return known


def of_world(house: House, since: datetime | None) -> dict[str, list[int]]:
    (whole,) = expected_world(house.github.world, ENGINE)
    items: dict[str, tuple[PullRequest, ...] | tuple[Issue, ...]] = {
        "pull_requests": whole.pull_requests,
        "issues": whole.issues,
    }
    return {
        table: sorted(each.number for each in rows if since is None or created(each.created_at) >= since)
        for table, rows in items.items()
    }


def stored(house: House) -> dict[str, list[int]]:
    return {
        table: [row["number"] for row in house.rows(f"select number from {table} order by number")]  # noqa: S608
        for table in BOTH
    }


def middle(house: House, part: float) -> datetime:
    (whole,) = expected_world(house.github.world, ENGINE)
    times = sorted(created(each.created_at) for each in whole.issues)
    return times[int(len(times) * part)]


def planned(house: House) -> tuple[bool, PlanReason]:
    made = plan(house.db, house.graphql(), house.run, datetime.now(UTC), asked=(), thresholds=Thresholds(), limit=12)
    (verdict,) = made.verdicts
    return verdict.chosen, verdict.why


def test_a_span_of_time_holds_for_every_kind_and_a_longer_one_goes_on_from_there(house: House) -> None:
    tracked(house, only_newest=True)
    late, early = middle(house, 0.7), middle(house, 0.3)
    first = captured(house, Goal(since=late))
    assert first.outcome is CaptureOutcome.COMPLETED
    assert stored(house) == of_world(house, late)
    assert len(stored(house)["issues"]) < len(of_world(house, None)["issues"])
    second = captured(house, Goal(since=early))
    assert stored(house) == of_world(house, early)
    whole = sum(map(len, of_world(house, early).values()))
    assert second.counts.inserted > 0
    assert second.items < whole


@pytest.mark.parametrize("only_newest", [True, False])
def test_a_plan_goes_on_to_the_rest_of_a_kind_only_where_that_is_wanted(house: House, only_newest: bool) -> None:
    tracked(house, only_newest=only_newest)
    late = middle(house, 0.7)
    captured(house, Goal(since=late))
    assert planned(house) == ((False, PlanReason.GOAL) if only_newest else (True, PlanReason.REST))
    captured(house, None)
    assert stored(house)["issues"] == of_world(house, late if only_newest else None)["issues"]


def test_a_shorter_span_changes_nothing(house: House) -> None:
    tracked(house, only_newest=True)
    early = middle(house, 0.3)
    captured(house, Goal(since=early))
    again = captured(house, Goal(since=middle(house, 0.7)))
    assert again.outcome is CaptureOutcome.COMPLETED
    assert stored(house) == of_world(house, early)
    aims = house.rows("select kind, goal_since from backfill_streams where stream = 'history' order by kind")
    assert [row["goal_since"] for row in aims] == [early, early]


def test_the_whole_history_of_a_kind_is_never_shortened_by_a_span(house: House) -> None:
    tracked(house, only_newest=False)
    captured(house, None)
    captured(house, Goal(since=middle(house, 0.7)))
    assert stored(house) == of_world(house, None)
    aims = house.rows("select goal_since from backfill_streams where stream = 'history'")
    assert [row["goal_since"] for row in aims] == [None, None]


def test_what_changed_and_is_outside_of_the_span_stays_out_and_what_is_here_is_kept_fresh(house: House) -> None:
    tracked(house, only_newest=True)
    late = middle(house, 0.5)
    captured(house, Goal(since=late))
    inside, outside = of_world(house, late)["issues"][0], of_world(house, None)["issues"][0]
    changes.edit_issue(house.github.world, ENGINE, inside, title="changed within")
    changes.edit_issue(house.github.world, ENGINE, outside, title="changed before")
    captured(house, None)
    titles = {row["number"]: row["title"] for row in house.rows("select number, title from issues")}
    assert titles[inside] == "changed within"
    assert outside not in titles
