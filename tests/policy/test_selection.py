"""Who is in the plan, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.models.github import NodeId
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.selection import LARGEST_MATRIX, PlanReason, Thresholds, choose

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLANK = TrackedRepository(
    id="1",
    github_id=1,
    owner="o",
    name="r",
    node_id=NodeId("R_1"),
    is_private=False,
    total=1_000,
    captured=0,
    status=None,
    pause_reason=None,
    resume_at=None,
    planned_at=None,
    tracked_at=NOW,
    leased=False,
    has_stream=False,
)


def why(repository: TrackedRepository) -> tuple[bool, PlanReason]:
    (verdict,) = choose([repository], NOW, thresholds=Thresholds(), limit=12)
    return verdict.chosen, verdict.why


@pytest.mark.parametrize(
    ("total", "captured", "expected"),
    [
        (100, 0, (False, PlanReason.SMALL)),
        (101, 0, (True, PlanReason.NEW)),
        (1_000, 799, (True, PlanReason.NEW)),
        (1_000, 800, (False, PlanReason.COMPLETE)),
        (0, 0, (False, PlanReason.SMALL)),
        (None, 0, (False, PlanReason.UNKNOWN_TOTAL)),
    ],
)
def test_a_backfill_is_opened_above_100_pull_requests_and_below_80_percent(
    total: int | None, captured: int, expected: tuple[bool, PlanReason]
) -> None:
    assert why(replace(BLANK, total=total, captured=captured)) == expected


@pytest.mark.parametrize(
    ("status", "resume_at", "leased", "expected"),
    [
        ("active", None, False, (True, PlanReason.GOES_ON)),
        ("active", None, True, (False, PlanReason.RUNNING)),
        ("paused", NOW, False, (True, PlanReason.RESUMES)),
        ("paused", NOW + timedelta(seconds=1), False, (False, PlanReason.PAUSED)),
        ("paused", None, False, (True, PlanReason.RESUMES)),
    ],
)
def test_an_open_backfill_is_planned_whatever_its_percentage(
    status: str, resume_at: datetime | None, leased: bool, expected: tuple[bool, PlanReason]
) -> None:
    nearly_done = replace(BLANK, captured=990, status=status, resume_at=resume_at, leased=leased, has_stream=True)
    assert why(nearly_done) == expected


@pytest.mark.parametrize("resume_at", [None, NOW + timedelta(seconds=1)])
@pytest.mark.parametrize("asked", [frozenset[str](), frozenset({BLANK.id})])
def test_what_a_person_paused_waits_for_a_person_or_for_the_time_that_was_named(
    resume_at: datetime | None, asked: frozenset[str]
) -> None:
    held = replace(BLANK, status="paused", resume_at=resume_at, held=True)
    (verdict,) = choose([held], NOW, thresholds=Thresholds(), limit=12, asked=asked)
    assert (verdict.chosen, verdict.why) == (False, PlanReason.HELD)
    assert why(replace(held, resume_at=NOW)) == (True, PlanReason.RESUMES)


def test_a_small_one_that_is_captured_is_complete_and_not_too_small() -> None:
    small = replace(BLANK, total=30, captured=30, status="completed", has_stream=True)
    assert why(small) == (False, PlanReason.COMPLETE)
    assert why(replace(small, captured=29)) == (False, PlanReason.SMALL)
    assert why(replace(small, captured=29, gaps=1)) == (False, PlanReason.COMPLETE)
    assert why(replace(small, captured=5, goal=5, only_newest=True)) == (False, PlanReason.GOAL)


def test_failed_waits_for_a_person() -> None:
    assert why(replace(BLANK, status="failed")) == (False, PlanReason.FAILED)


def test_a_completed_backfill_is_opened_again_when_much_is_missing() -> None:
    assert why(replace(BLANK, status="completed", captured=700)) == (True, PlanReason.NEW)


def test_never_planned_come_first_with_the_newest_ahead_and_then_those_waiting_longest() -> None:
    repositories = [
        replace(BLANK, id="old", tracked_at=NOW - timedelta(days=2)),
        replace(BLANK, id="waited-long", planned_at=NOW - timedelta(hours=3), status="active"),
        replace(BLANK, id="new", tracked_at=NOW),
        replace(BLANK, id="waited-short", planned_at=NOW - timedelta(hours=1), status="active"),
    ]
    verdicts = choose(repositories, NOW, thresholds=Thresholds(), limit=12)
    assert [verdict.repository.id for verdict in verdicts] == ["new", "old", "waited-long", "waited-short"]


def test_each_of_fifty_waiting_repositories_is_served_within_five_plans() -> None:
    waiting = {
        str(number): replace(BLANK, id=str(number), total=1_000 * number + 200, tracked_at=NOW - timedelta(days=number))
        for number in range(50)
    }
    served: set[str] = set()
    for plan in range(5):
        moment = NOW + timedelta(minutes=30 * plan)
        for verdict in choose(list(waiting.values()), moment, thresholds=Thresholds(), limit=12):
            if verdict.chosen:
                served.add(verdict.repository.id)
                waiting[verdict.repository.id] = replace(verdict.repository, planned_at=moment, status="active")
    assert served == set(waiting)


def test_what_does_not_fit_waits_for_the_next_plan() -> None:
    verdicts = choose([replace(BLANK, id=str(n)) for n in range(14)], NOW, thresholds=Thresholds(), limit=12)
    assert [verdict.why for verdict in verdicts if not verdict.chosen] == [PlanReason.LATER, PlanReason.LATER]


def test_what_is_asked_for_is_planned_against_thresholds_pauses_and_limit() -> None:
    repositories = [
        replace(BLANK, id="small", total=3),
        replace(BLANK, id="paused", status="paused"),
        replace(BLANK, id="failed", status="failed"),
        replace(BLANK, id="other"),
    ]
    asked = frozenset({"small", "paused", "failed"})
    verdicts = choose(repositories, NOW, thresholds=Thresholds(), limit=1, asked=asked)
    assert {verdict.repository.id for verdict in verdicts if verdict.chosen} == asked
    assert len(verdicts) == 3


def test_a_matrix_never_holds_more_than_github_allows() -> None:
    repositories = [replace(BLANK, id=str(number)) for number in range(300)]
    asked = frozenset(repository.id for repository in repositories)
    verdicts = choose(repositories, NOW, thresholds=Thresholds(), limit=12, asked=asked)
    assert sum(verdict.chosen for verdict in verdicts) == LARGEST_MATRIX
