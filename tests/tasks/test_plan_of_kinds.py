"""A plan takes a repository for whatever of its kinds is missing, and heeds what a person said of one of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.store import recovery
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.plan import Plan, plan
from tests.tasks.conftest import ENGINE, SMALL, House

BOTH = ("pull_requests", "issues")


def tracked(house: House, name: str, kinds: tuple[str, ...] = BOTH) -> str:
    found = track.ask(house.graphql(), [name], name_of=lambda number: name)
    (done,) = track.register(house.db, found, kinds=kinds)
    assert done.repository_id is not None
    return done.repository_id


def planned(house: House) -> Plan:
    return plan(house.db, house.graphql(), house.run, datetime.now(UTC), asked=(), thresholds=Thresholds(), limit=12)


def reasons(made: Plan) -> dict[str, tuple[bool, PlanReason]]:
    return {each.repository.full_name: (each.chosen, each.why) for each in made.verdicts}


def captured(house: House, name: str, limits: Limits | None = None) -> Captured:
    return capture.run(
        house.db,
        house.graphql(),
        house.run,
        name,
        limits or Limits(),
        listen=lambda progress: None,
        sleep=house.wait,
    )


def state(house: House, repository_id: str, kind: str = "issues") -> str | None:
    with house.db.transaction(read_only=True) as tx:
        status = recovery.state(tx, repository_id, kind).status
    return None if status is None else str(status)


def test_too_few_pull_requests_do_not_keep_the_issues_of_a_repository_waiting(house: House) -> None:
    tracked(house, SMALL)
    assert reasons(planned(house)) == {SMALL: (True, PlanReason.OTHERS)}
    assert house.rows("select 1 from progressive_backfill_state") == []
    captured(house, SMALL)
    assert reasons(planned(house)) == {SMALL: (False, PlanReason.COMPLETE)}


def test_complete_pull_requests_do_not_keep_the_issues_of_a_repository_waiting(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    tracked(house, ENGINE)
    assert reasons(planned(house)) == {ENGINE: (True, PlanReason.OTHERS)}
    assert house.state()["status"] == "completed"
    captured(house, ENGINE)
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}
    assert house.count("issues") == 14


def test_issues_alone_are_planned_and_no_backfill_of_pull_requests_is_opened(house: House) -> None:
    id_ = tracked(house, ENGINE, ("issues",))
    assert reasons(planned(house)) == {ENGINE: (True, PlanReason.OTHERS)}
    assert captured(house, ENGINE).outcome is CaptureOutcome.COMPLETED
    assert (state(house, id_), state(house, id_, "pull_requests")) == ("completed", None)
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}


def test_issues_under_way_are_planned_until_they_are_complete(house: House) -> None:
    tracked(house, ENGINE, ("issues",))
    captured(house, ENGINE, Limits(chunk_size=5, max_chunks=1))
    assert reasons(planned(house)) == {ENGINE: (True, PlanReason.OTHERS)}
    captured(house, ENGINE)
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}


def test_issues_that_a_person_holds_are_left_alone_while_the_pull_requests_go_on(house: House) -> None:
    id_ = tracked(house, ENGINE)
    captured(house, ENGINE, Limits(chunk_size=50, max_chunks=1))
    with house.db.transaction() as tx:
        recovery.hold(tx, id_, reason="moving", who="ada", resume_at=None, kind="issues")
    assert reasons(planned(house)) == {ENGINE: (True, PlanReason.GOES_ON)}
    done = captured(house, ENGINE)
    assert (done.outcome, "issues: " in done.reason, "ada" in done.reason) == (CaptureOutcome.PAUSED, True, True)
    assert (house.count("pull_requests"), house.count("issues")) == (180, 0)
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}


@pytest.mark.parametrize("kind", BOTH)
def test_what_a_person_holds_of_one_kind_keeps_the_other_one_going(house: House, kind: str) -> None:
    id_ = tracked(house, ENGINE)
    captured(house, ENGINE, Limits(chunk_size=5, max_chunks=1))
    with house.db.transaction() as tx:
        recovery.hold(tx, id_, reason="moving", who="ada", resume_at=None, kind=kind)
    captured(house, ENGINE)
    (other,) = set(BOTH) - {kind}
    assert (state(house, id_, other), state(house, id_, kind)) == ("completed", "paused")


@pytest.mark.parametrize("kinds", [BOTH, ("issues",)])
def test_issues_of_which_a_fifth_is_missing_by_now_are_planned_again(house: House, kinds: tuple[str, ...]) -> None:
    tracked(house, ENGINE, kinds)
    captured(house, ENGINE)
    for number in range(3):
        changes.open_issue(house.github.world, ENGINE, title=f"New {number}", author="ann")
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}  # 14 of 17 are more than 80 %
    changes.open_issue(house.github.world, ENGINE, title="One more", author="ann")
    assert reasons(planned(house)) == {ENGINE: (True, PlanReason.OTHERS)}
    done = captured(house, ENGINE)
    assert (done.counts.inserted, house.count("issues")) == (4, 18)
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}


def test_complete_issues_that_a_person_holds_are_not_planned_again(house: House) -> None:
    id_ = tracked(house, ENGINE, ("issues",))
    captured(house, ENGINE)
    with house.db.transaction() as tx:
        recovery.give_up(tx, id_, reason="cancelled", who="ada", kind="issues")
    for number in range(9):
        changes.open_issue(house.github.world, ENGINE, title=f"New {number}", author="ann")
    assert reasons(planned(house)) == {ENGINE: (False, PlanReason.COMPLETE)}


def test_a_kind_that_is_complete_does_not_spend_the_chunks_that_another_one_lacks(house: House) -> None:
    repository_id, seen = tracked(house, SMALL), list[str | None]()
    for _ in range(6):  # they take turns: each capture also reads what changed of what is complete
        captured(house, SMALL, Limits(max_chunks=1))
        seen.append(state(house, repository_id))
    assert "completed" in seen
    assert house.count("pull_requests") == 12
