"""The plan: what is opened, what goes on, what is named, and how little it asks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.errors import BadCredentials, ConfigurationError, Unreachable
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.store import backfills
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.plan import Plan, on_runners, parse_ids, plan
from gh_backfill.tasks.ready import open_backfill
from tests.claims import claim
from tests.tasks.conftest import ENGINE, SMALL, House


def planned(house: House, asked: Sequence[str] = (), *, dry_run: bool = False, now: datetime | None = None) -> Plan:
    return plan(
        house.db,
        house.graphql(),
        house.run,
        now or datetime.now(UTC),
        asked=asked,
        thresholds=Thresholds(),
        limit=12,
        dry_run=dry_run,
    )


def track_only(house: House, *names: str) -> None:
    track.track(house.db, house.graphql(), names)


def reasons(made: Plan) -> dict[str, PlanReason]:
    return {verdict.repository.full_name: verdict.why for verdict in made.verdicts}


def test_it_opens_what_is_large_and_incomplete_and_plans_a_job_for_it(house: House) -> None:
    track_only(house, ENGINE, SMALL)
    made = planned(house)
    assert reasons(made) == {ENGINE: PlanReason.NEW, SMALL: PlanReason.SMALL}
    assert house.state()["status"] == "active"
    job = house.only("select job_type, status, run_key, processor_type from progressive_capture_jobs")
    assert job == {
        "job_type": "progressive_backfill",
        "status": "pending",
        "run_key": "run-1",
        "processor_type": "local",
    }


def test_the_counts_of_all_repositories_cost_one_point(house: House) -> None:
    track_only(house, ENGINE, SMALL)
    before = house.github.stats.points
    planned(house)
    assert house.github.stats.points - before == 1


def test_an_open_backfill_is_planned_until_it_is_complete_whatever_its_percentage(house: House) -> None:
    track_only(house, ENGINE)
    planned(house)
    house.capture(limits=Limits(max_chunks=4))
    assert 0.8 * 180 < house.count("pull_requests") < 180
    assert reasons(planned(house)) == {ENGINE: PlanReason.GOES_ON}
    house.capture()
    assert reasons(planned(house)) == {ENGINE: PlanReason.COMPLETE}


def test_a_pause_is_over_when_its_time_has_come(house: House) -> None:
    track_only(house, ENGINE)
    planned(house)
    repository_id = _id(house)
    with house.db.transaction() as tx:
        backfills.pause(tx, repository_id, reason="rate_limit", resume_at=datetime.now(UTC))
    assert reasons(planned(house, now=datetime.now(UTC) - timedelta(minutes=1))) == {ENGINE: PlanReason.PAUSED}
    assert reasons(planned(house, now=datetime.now(UTC))) == {ENGINE: PlanReason.RESUMES}
    state = house.state()
    assert (state["status"], state["pause_reason"], state["resume_at"]) == ("active", None, None)


def test_a_backfill_that_an_operator_set_to_active_goes_on(house: House) -> None:
    track_only(house, ENGINE)
    planned(house)
    repository_id = _id(house)
    with house.db.transaction() as tx:
        backfills.pause(tx, repository_id, reason="too_many_errors", resume_at=datetime.now(UTC) + timedelta(hours=1))
    assert reasons(planned(house)) == {ENGINE: PlanReason.PAUSED}
    with house.db.transaction() as tx:
        tx.run(
            "UPDATE progressive_backfill_state SET consecutive_errors = 0, status = 'active' WHERE status = 'paused'"
        )
    assert reasons(planned(house)) == {ENGINE: PlanReason.GOES_ON}


def test_a_backfill_that_errors_paused_goes_on_at_once_with_the_guides_own_reset(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="502_html"))
    assert house.capture().outcome is CaptureOutcome.FAILED
    assert house.state()["pause_reason"] == "too_many_errors"
    house.github.faults.clear()
    with house.db.transaction() as tx:
        tx.run(
            "UPDATE progressive_backfill_state SET consecutive_errors = 0, status = 'active' WHERE status = 'paused'"
        )
    assert (house.capture().outcome, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 180)


def test_two_who_open_a_finished_backfill_at_once_read_only_what_changed(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    seen_before = capture.find(house.db, SMALL)
    changes.edit(house.github.world, SMALL, 3, title="Edited since")
    for _ in range(2):
        with house.db.transaction() as tx:
            open_backfill(tx, seen_before)
    assert house.capture(SMALL).items == 1
    walks = house.rows(
        "select 1 from backfill_chunks c join backfill_streams s on s.id = c.stream_id where s.stream = 'history'"
    )
    assert len(walks) == 1


def test_what_another_worker_is_at_is_left_to_it(house: House) -> None:
    track_only(house, ENGINE)
    planned(house)
    repository_id = _id(house)
    with house.db.transaction() as tx:
        assert claim(tx, repository_id, worker="w")
    assert reasons(planned(house)) == {ENGINE: PlanReason.RUNNING}


def test_what_is_asked_for_is_planned_and_the_unknown_is_named(house: House) -> None:
    track_only(house, ENGINE, SMALL)
    made = planned(house, [SMALL.upper(), "octo/unknown", "123456"])
    assert reasons(made) == {SMALL: PlanReason.ASKED}
    assert list(made.unknown) == ["octo/unknown", "123456"]
    failed = house.rows("select error from progressive_capture_jobs where status = 'failed' order by error")
    assert [row["error"] for row in failed] == ["123456 is not tracked here", "octo/unknown is not tracked here"]


def test_one_repository_named_in_three_ways_is_planned_once(house: House) -> None:
    track_only(house, SMALL)
    row = house.only("select id, github_id from repositories")
    made = planned(house, [SMALL, str(row["github_id"]), row["id"]])
    assert len(made.chosen) == 1
    assert house.count("progressive_capture_jobs") == 1


def test_if_nothing_of_what_was_asked_for_is_here_nothing_is_written(house: House) -> None:
    track_only(house, ENGINE)
    with pytest.raises(ConfigurationError, match="octo/unknown"):
        planned(house, ["octo/unknown"])
    assert (house.count("progressive_capture_jobs"), house.count("progressive_backfill_state")) == (0, 0)


def test_a_dry_run_decides_the_same_and_writes_nothing(house: House) -> None:
    track_only(house, ENGINE)
    changes.open_pull_request(house.github.world, ENGINE, author="octo", title="One more")
    before = house.rows("select xmin::text, * from repositories")
    made = planned(house, dry_run=True)
    assert [(each.full_name, each.total) for each in made.chosen] == [(ENGINE, 181)]
    assert house.rows("select xmin::text, * from repositories") == before
    assert (house.count("progressive_capture_jobs"), house.count("progressive_backfill_state")) == (0, 0)


def test_the_total_is_githubs_and_refreshed_by_every_plan(house: House) -> None:
    track_only(house, ENGINE)
    changes.open_pull_request(house.github.world, ENGINE, author="octo", title="One more")
    planned(house)
    assert house.only("select github_pull_requests as n from repositories")["n"] == 181
    assert house.state()["total_prs"] == 181


def test_a_repository_that_is_gone_fails_alone_and_is_named(house: House) -> None:
    house.track(ENGINE, SMALL)
    changes.delete_repository(house.github.world, ENGINE)
    made = planned(house)
    assert [each.full_name for each in made.gone] == [ENGINE]
    assert [each.full_name for each in made.chosen] == [SMALL]
    assert house.state()["status"] == "failed"


def test_what_is_gone_fails_once_and_not_in_every_plan(house: House) -> None:
    house.track(ENGINE, SMALL)
    changes.delete_repository(house.github.world, ENGINE)
    for _ in range(3):
        assert [each.full_name for each in planned(house).gone] == [ENGINE]
    failed = house.rows("select error, error_type from progressive_capture_jobs where status = 'failed'")
    assert failed == [{"error": "GitHub does not show this repository any more", "error_type": "gone"}]


def test_a_repository_that_github_shows_again_is_public_again_and_goes_on(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(limits=Limits(max_chunks=1))
    changes.make_private(house.github.world, ENGINE)
    planned(house)
    assert (house.state()["status"], hidden(house)) == ("failed", {ENGINE: True, SMALL: False})
    changes.make_private(house.github.world, ENGINE, private=False)
    assert reasons(planned(house))[ENGINE] is PlanReason.SHOWN_AGAIN
    assert (house.state()["status"], hidden(house)) == ("active", {ENGINE: False, SMALL: False})
    house.capture()
    assert house.count("pull_requests") == 180


def test_what_failed_for_another_reason_still_waits_for_a_person(house: House) -> None:
    house.track(ENGINE)
    repository_id = _id(house)
    with house.db.transaction() as tx:
        backfills.fail(tx, repository_id, error="GitHub gave up")
    assert reasons(planned(house)) == {ENGINE: PlanReason.FAILED}


@pytest.mark.parametrize("name", ["node_unread", "node_forbidden", "node_untyped"])
def test_what_github_does_not_say_is_planned_from_what_is_stored(house: House, name: str) -> None:
    house.track(ENGINE, SMALL)
    before = house.rows("select xmin::text, * from repositories order by id")
    house.github.faults.add(Fault(name=name))
    made = planned(house)
    assert reasons(made) == {ENGINE: PlanReason.GOES_ON, SMALL: PlanReason.GOES_ON}
    assert set(made.unsure) == {row["id"] for row in before}
    assert (made.gone, house.state()["status"]) == ((), "active")
    assert house.rows("select xmin::text, * from repositories order by id") == before


def test_what_github_does_not_say_at_first_is_asked_again_and_then_known(house: House) -> None:
    house.track(ENGINE, SMALL)
    changes.open_pull_request(house.github.world, ENGINE, author="octo", title="One more")
    house.github.faults.add(Fault(name="node_unread", count=2))
    assert planned(house).unsure == {}
    assert house.only("select max(github_pull_requests) as n from repositories")["n"] == 181


def test_what_cannot_be_asked_for_some_does_not_stop_the_others(house: House) -> None:
    house.track(ENGINE, SMALL)
    with house.db.transaction() as tx:
        tx.run("update repositories set node_id = null where full_name = %(name)s", name=SMALL)
    changes.open_pull_request(house.github.world, ENGINE, author="octo", title="One more")
    house.github.faults.add(Fault(name="502_html", match={"operation": "RepositoryByName"}))
    made = planned(house)
    assert [(each.full_name, each.total) for each in made.chosen] == [(ENGINE, 181), (SMALL, 12)]
    assert len(made.unsure) == 1


def test_where_github_answers_nothing_nothing_is_planned_and_nothing_written(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.github.faults.add(Fault(name="502_html"))
    with pytest.raises(Unreachable):
        planned(house)
    assert house.count("progressive_capture_jobs") == 0


def test_a_name_that_belongs_to_another_repository_by_now_changes_nothing(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update repositories set node_id = null, github_id = 4711")
    made = planned(house)
    assert (made.gone, list(made.unsure.values())) == ((), ["its name belongs to another repository by now"])
    assert (house.state()["status"], hidden(house)) == ("active", {ENGINE: False})


def test_a_plan_without_points_says_why_and_until_when_in_plan_and_ledger(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.github.faults.add(Fault(name="rate_limited"))
    made = planned(house)
    assert (made.chosen, made.matrix()) == ([], {"include": []})
    assert {each.full_name for each in made.waiting} == {ENGINE, SMALL}
    assert made.waits is not None
    assert made.waits.text.startswith("GraphQL rate limit too low: ")
    assert f"{made.waits.until:%Y-%m-%d %H:%M}" in made.waits.text
    ledger = house.rows("select status, outcome, error_type, error from progressive_capture_jobs")
    row = {"status": "completed", "outcome": "paused", "error_type": "rate_limit", "error": made.waits.text}
    assert ledger == [row, row]
    assert house.state()["status"] == "active"


def test_a_plan_that_has_to_wait_a_minute_is_made_of_the_stored_counts(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.github.faults.add(Fault(name="secondary_a"))
    made = planned(house)
    assert reasons(made) == {ENGINE: PlanReason.GOES_ON, SMALL: PlanReason.GOES_ON}
    assert (made.waits, len(made.unsure)) == (None, 2)


def test_a_refused_token_ends_the_plan_with_a_failed_job_and_changes_no_backfill(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.github.faults.add(Fault(name="bad_credentials"))
    with pytest.raises(BadCredentials):
        planned(house)
    jobs = house.rows("select repository_id, status, error_type from progressive_capture_jobs")
    assert jobs == [{"repository_id": None, "status": "failed", "error_type": "denied"}]
    assert {house.state(name)["status"] for name in (ENGINE, SMALL)} == {"active"}


@pytest.mark.parametrize("fault", ["bad_credentials", "forbidden", "node_forbidden"])
def test_what_a_refusal_paused_goes_on_with_the_first_plan_that_github_answers(house: House, fault: str) -> None:
    house.track(ENGINE, SMALL)
    house.github.faults.add(Fault(name=fault, match={"operation": "PullRequestPage"}))
    house.capture()
    later = datetime.now(UTC) + timedelta(hours=1, minutes=1)
    house.github.faults.clear()
    house.github.faults.add(Fault(name="node_forbidden"))
    assert reasons(planned(house, now=later))[ENGINE] is PlanReason.REFUSED
    assert house.state()["pause_reason"] == "credential_refused"
    house.github.faults.clear()
    assert reasons(planned(house, now=later))[ENGINE] is PlanReason.RESUMES
    house.capture()
    assert house.count("pull_requests") == 180


@pytest.mark.parametrize("options", [Options(private_readers=frozenset({"insider"}))])
def test_the_matrix_names_public_repositories_and_hides_private_ones(house: House) -> None:
    track_only(house, ENGINE)
    made = planned(house)
    repository_id = _id(house)
    assert made.matrix() == {"include": [{"repository_id": repository_id, "name": ENGINE}]}
    assert made.matrix(["eu", "us"])["include"][0]["runner"] == "eu"
    assert [each["runner"] for each in on_runners([{}, {}, {}], ["eu", "us"])] == ["eu", "us", "eu"]
    changes.make_private(house.github.world, ENGINE)
    seen = plan(house.db, house.graphql("insider"), house.run, datetime.now(UTC), thresholds=Thresholds(), limit=12)
    text = json.dumps(seen.matrix())
    assert ENGINE not in text
    assert repository_id in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("  ", []), ("[]", []), ('["a/b", 12]', ["a/b", "12"]), ("a/b", ["a/b"]), ("123", ["123"])],
)
def test_the_input_is_a_json_array_or_one_name(text: str, expected: list[str]) -> None:
    assert parse_ids(text) == expected


@pytest.mark.parametrize("text", ['["a/b"', "[1.5]", "[null]", '[["a/b"]]'])
def test_a_malformed_input_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="JSON array such as"):
        parse_ids(text)


def hidden(house: House) -> dict[str, bool]:
    return {row["full_name"]: row["is_private"] for row in house.rows("select full_name, is_private from repositories")}


def _id(house: House) -> str:
    return str(house.only("select id from repositories where full_name = 'octo/engine'")["id"])
