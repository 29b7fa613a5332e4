"""Repositories that are added in bulk: the newest first, the rest by the rule of plans, each in its true state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.processes import worker_name
from gh_backfill.engine.recover import recover
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.github import NotFound
from gh_backfill.policy.initial import InitialStatus, Wish
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import backfill_batches, jobs
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import operate, track
from gh_backfill.tasks.initial import batches, proposals
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.initial.members import Member
from gh_backfill.tasks.initial.named import foresee, track_first
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.report import report
from gh_backfill.tasks.track import Result
from gh_backfill.tasks.untrack import untrack
from tests.claims import must_claim
from tests.tasks.conftest import House

NOW = datetime.now(UTC)
LATER = timedelta(seconds=1)
WHO = Actor(who="somebody")
LARGE, MIDDLE, LITTLE = "octo/large", "octo/middle", "octo/little"


@pytest.fixture
def bulk(db: Database, database_url: str) -> Iterator[House]:
    """Give a database and a simulated GitHub with repositories of three sizes."""
    with running(load(recipes=[f"{LARGE}:420", f"{MIDDLE}:250", f"{LITTLE}:30"])) as github:
        yield House(db=db, url=database_url, github=github)


def nobody(_: int) -> NotFound:
    return NotFound()


def begin(house: House, *names: str, wish: Wish | None = None, now: datetime = NOW) -> Batch:
    return batches.begin(house.db, house.graphql(), names, wish or Wish(), name_of=nobody, actor=WHO, now=now)


def seen(house: House, batch: Batch) -> Batch:
    found = batches.find(house.db, batch.id, NOW)
    assert found is not None
    return found


def status(house: House, name: str) -> str | None:
    word: str | None = house.only(
        "select initial_backfill_status as s from repositories where full_name = %(n)s", n=name
    )["s"]
    return word


def reason(house: House, name: str) -> PlanReason:
    made = plan(house.db, house.graphql(), house.run, NOW, thresholds=Thresholds(), limit=12)
    return next(each.why for each in made.verdicts if each.repository.full_name == name)


def test_the_newest_200_come_first_and_the_plan_goes_on_from_their_cursor_to_the_rest(bulk: House) -> None:
    begin(bulk, LARGE)
    assert status(bulk, LARGE) == "pending"
    bulk.capture(LARGE)
    assert (status(bulk, LARGE), bulk.count("pull_requests")) == ("completed", 200)
    oldest = bulk.only("select min(number) as n from pull_requests")["n"]
    points = bulk.github.stats.points
    assert reason(bulk, LARGE) is PlanReason.REST
    done = bulk.capture(LARGE)
    assert (done.outcome, bulk.count("pull_requests")) == (CaptureOutcome.COMPLETED, 420)
    assert status(bulk, LARGE) == "completed"
    # What was here was not read again: the walk went on from its cursor.
    assert done.items == 220
    assert bulk.github.stats.points - points < 12
    assert bulk.only("select count(*) as n from pull_requests where number < %(oldest)s", oldest=oldest)["n"] == 220


def test_a_repository_of_up_to_250_is_captured_whole_so_that_none_stays_at_80_percent(bulk: House) -> None:
    begin(bulk, MIDDLE)
    bulk.capture(MIDDLE)
    assert (bulk.count("pull_requests"), reason(bulk, MIDDLE)) == (250, PlanReason.COMPLETE)


def test_only_newest_keeps_a_repository_at_its_goal_for_good(bulk: House) -> None:
    begin(bulk, LARGE, wish=Wish(only_newest=True))
    bulk.capture(LARGE)
    assert reason(bulk, LARGE) is PlanReason.GOAL
    again = bulk.capture(LARGE)
    assert (again.outcome, again.items, bulk.count("pull_requests")) == (CaptureOutcome.COMPLETED, 0, 200)


def test_what_has_reached_its_first_goal_is_left_at_that_by_what_cancel_says(bulk: House) -> None:
    begin(bulk, LARGE)
    bulk.capture(LARGE)
    (done,) = operate.cancel(bulk.db, [LARGE])
    assert done.result == (
        "nothing to cancel: it is complete, 200 of 420 pull requests are here; "
        f"gh-backfill track {LARGE} --only-newest leaves it at that"
    )
    assert (done.changed, status(bulk, LARGE)) == (False, "completed")
    asked = track.ask(bulk.graphql(), [LARGE], name_of=nobody)
    track.register(bulk.db, asked, opening=batches.opening_of(Wish(only_newest=True), NOW, larger=False))
    assert reason(bulk, LARGE) is PlanReason.GOAL


def test_its_state_follows_the_backfill_from_pending_to_its_end(bulk: House) -> None:
    batch = begin(bulk, LARGE)
    assert [each.status for each in seen(bulk, batch).captures] == [InitialStatus.PENDING]
    at_work: list[Member] = []
    bulk.capture(
        LARGE,
        limits=Limits(chunk_size=30, max_chunks=1),
        listen=lambda _: at_work.extend(seen(bulk, batch).captures),
    )
    member = at_work[-1]
    assert (member.status, member.captured, member.wanted, member.total) == (InitialStatus.PROCESSING, 30, 200, 420)
    assert member.detail == "page 1"
    # Its time is over: it waits for the next one who takes it.
    (member,) = seen(bulk, batch).captures
    assert (member.status, member.captured, member.detail) == (InitialStatus.PENDING, 30, "waits its turn")
    bulk.capture(LARGE)
    (member,) = seen(bulk, batch).captures
    assert (member.status, member.captured, member.wanted) == (InitialStatus.COMPLETED, 200, 200)
    # The rest of the history follows, and is no part of what was added.
    bulk.capture(LARGE)
    assert (seen(bulk, batch).captures[0].captured, seen(bulk, batch).done) == (200, 1)
    view = bulk.only("select progress, status, wanted, percent from backfill_progress")
    assert view == {"progress": 420, "status": "completed", "wanted": 420, "percent": 100}


def test_one_that_is_cancelled_in_the_middle_keeps_its_rows_and_goes_on_where_it_was(bulk: House) -> None:
    batch = begin(bulk, LARGE, LITTLE)
    bulk.capture(LARGE, limits=Limits(chunk_size=50, max_chunks=2))
    done = batches.cancel(bulk.db, batch.id, None, actor=WHO, now=NOW)
    assert [each.changed for each in done] == [True, True]
    assert {each.status for each in seen(bulk, batch).captures} == {InitialStatus.CANCELLED}
    assert bulk.count("pull_requests") == 100
    large = next(each for each in seen(bulk, batch).captures if each.full_name == LARGE)
    assert large.error == "cancelled by somebody"
    assert large.repository_id is not None
    batches.retry(bulk.db, batch.id, [large.repository_id], actor=WHO, now=NOW)
    assert (status(bulk, LARGE), status(bulk, LITTLE)) == ("pending", "cancelled")
    assert bulk.capture(LARGE).items == 100
    assert status(bulk, LARGE) == "completed"


def test_what_is_over_or_untracked_is_neither_cancelled_nor_tried_again_and_says_why(bulk: House) -> None:
    batch = begin(bulk, LARGE, LITTLE)
    large, little = (each.repository_id or "" for each in batch.members)
    bulk.capture(LITTLE)
    (done,) = batches.cancel(bulk.db, batch.id, [little], actor=WHO, now=NOW)
    assert (done.changed, done.failed, done.result) == (False, True, "its initial backfill is completed")
    untrack(bulk.db, [LARGE], delete_rows=False, actor=WHO)
    (done,) = batches.retry(bulk.db, batch.id, [large], actor=WHO, now=NOW)
    assert (done.changed, done.failed) == (False, True)
    assert done.result == f"it is not tracked (untracked by somebody): gh-backfill track {LARGE} tracks it again"
    assert (status(bulk, LARGE), status(bulk, LITTLE)) == ("cancelled", "completed")
    assert (
        bulk.rows("select 1 from tracked_repositories where tracking_enabled and repository_id = %(id)s", id=large)
        == []
    )


def test_what_fails_is_said_to_have_failed_and_only_that_is_tried_again(bulk: House) -> None:
    batch = begin(bulk, LARGE, LITTLE, MIDDLE)
    bulk.capture(LITTLE)
    with bulk.db.transaction() as tx:
        tx.run(
            "update backfills set status = 'failed', last_error = 'a page can not be read' where repository_id = "
            "(select id from repositories where full_name = %(n)s)",
            n=LARGE,
        )
        tx.run(
            "update backfills set status = 'paused', pause_reason = 'too_many_errors', last_error = 'no answer', "
            "resume_at = now() + interval '1 hour' where repository_id = "
            "(select id from repositories where full_name = %(n)s)",
            n=MIDDLE,
        )
    states = {each.full_name: each for each in seen(bulk, batch).captures}
    assert {name: each.status for name, each in states.items()} == {
        LARGE: InitialStatus.FAILED,
        LITTLE: InitialStatus.COMPLETED,
        MIDDLE: InitialStatus.FAILED,
    }
    assert states[LARGE].error == "a page can not be read"
    assert states[MIDDLE].error == "Too many consecutive errors (no answer)"
    retried = batches.retry(bulk.db, batch.id, None, actor=WHO, now=NOW)
    assert len(retried) == 2
    assert [status(bulk, name) for name in (LARGE, MIDDLE, LITTLE)] == ["pending", "pending", "completed"]


def test_a_pause_for_points_is_no_failure(bulk: House) -> None:
    begin(bulk, LARGE)
    bulk.capture(LARGE, limits=Limits(chunk_size=30, max_chunks=1))
    with bulk.db.transaction() as tx:
        tx.run("update backfills set status = 'paused', pause_reason = 'graphql_rate_limit_low', resume_at = now()")
    assert status(bulk, LARGE) == "processing"


def test_a_batch_tells_what_was_added_what_was_skipped_and_what_failed(bulk: House) -> None:
    begin(bulk, LITTLE)
    batch = begin(
        bulk, LARGE, LITTLE.upper(), "octo/nothing", f"https://github.com/{LARGE}", "no name", now=NOW + LATER
    )
    told = {each.given: each.result for each in batch.members}
    assert told == {
        LARGE: Result.ADDED,
        LITTLE.upper(): Result.KNOWN,
        "octo/nothing": Result.NOT_FOUND,
        f"https://github.com/{LARGE}": Result.DUPLICATE,
        "no name": Result.MALFORMED,
    }
    assert ([each.given for each in batch.added], len(batch.skipped), len(batch.failed)) == ([LARGE], 2, 2)
    latest = batches.latest(bulk.db, NOW)
    assert latest is not None
    assert latest.id == batch.id


def test_names_that_lead_to_nothing_write_nothing(bulk: House) -> None:
    with pytest.raises(ConfigurationError, match="none of the names can be tracked"):
        begin(bulk, "octo/nothing", "no name")
    assert (bulk.count("repositories"), bulk.count("backfill_batches")) == (0, 0)


def test_a_stranger_to_the_batch_can_not_be_cancelled_through_it(bulk: House) -> None:
    batch = begin(bulk, LITTLE)
    other = begin(bulk, LARGE).members[0].repository_id
    assert other is not None
    with pytest.raises(ConfigurationError, match="not of this batch"):
        batches.cancel(bulk.db, batch.id, [other], actor=WHO, now=NOW)
    with pytest.raises(ConfigurationError, match="there is no batch"):
        batches.cancel(bulk.db, other, None, actor=WHO, now=NOW)


def test_a_proposal_says_what_github_knows_and_what_it_costs_and_writes_nothing(bulk: House) -> None:
    begin(bulk, LITTLE)
    before = bulk.count("backfill_events")
    found = proposals.propose(
        bulk.db, bulk.graphql(), [LARGE, LITTLE, "octo/nothing", LARGE], Wish(), name_of=nobody, now=NOW
    )
    assert [(each.result, each.total, each.wanted, each.tracked) for each in found.proposals] == [
        (Result.ADDED, 420, 200, False),
        (Result.KNOWN, 30, None, True),
        (Result.NOT_FOUND, None, None, False),
        (Result.DUPLICATE, 420, None, False),
    ]
    assert found.estimate is not None
    assert (found.estimate.repositories, found.estimate.pull_requests, found.estimate.reserve) == (1, 200, 500)
    assert found.estimate.text.startswith("About 9 points and ")
    assert bulk.count("backfill_events") == before
    assert bulk.count("repositories") == 1


def test_the_queue_has_what_may_begin_and_a_plan_serves_small_ones_first(bulk: House) -> None:
    begin(bulk, LARGE, MIDDLE, LITTLE, wish=Wish(one_per_owner=True))
    with bulk.db.reading() as tx:
        queued = backfill_batches.queue(tx)
    assert {(each.full_name, each.wanted, each.alone) for each in queued} == {
        (LARGE, 200, True),
        (MIDDLE, 250, True),
        (LITTLE, 30, True),
    }
    operate.pause(bulk.db, [LITTLE], reason=None, until=None)
    with bulk.db.reading() as tx:
        assert {each.full_name for each in backfill_batches.queue(tx)} == {LARGE, MIDDLE}
    operate.resume(bulk.db, [LITTLE])
    made = plan(bulk.db, bulk.graphql(), bulk.run, NOW, thresholds=Thresholds(), limit=12)
    assert [each.full_name for each in made.chosen] == [LITTLE, LARGE, MIDDLE]
    # What somebody has just taken is not taken by a second one.
    with bulk.db.reading() as tx:
        assert backfill_batches.queue(tx) == []


def test_what_a_plan_is_asked_for_and_nobody_tracks_is_tracked_first(bulk: House) -> None:
    begin(bulk, LITTLE)
    asked = [LARGE, LITTLE, "octo/nothing"]
    found = track_first(bulk.db, bulk.graphql(), asked, wish=Wish(), name_of=nobody, actor=WHO, now=NOW)
    assert (len(found.ids), list(found.refused)) == (2, ["octo/nothing"])
    assert "GitHub has no such repository" in found.refused["octo/nothing"]
    made = plan(
        bulk.db,
        bulk.graphql(),
        replace(bulk.run, key="r"),
        NOW,
        asked=found.ids,
        refused=found.refused,
        thresholds=Thresholds(),
        limit=12,
    )
    assert {each.full_name for each in made.chosen} == {LARGE, LITTLE}
    failed = bulk.only("select error from progressive_capture_jobs where status = 'failed'")["error"]
    assert failed.startswith("octo/nothing: GitHub has no such repository")


@pytest.mark.parametrize("wish", [None, Wish()])
def test_a_dry_run_knows_what_is_tracked_by_its_id_though_github_renamed_it(bulk: House, wish: Wish | None) -> None:
    (member,) = begin(bulk, LITTLE).members
    changes.rename_repository(bulk.github.world, LITTLE, name="renamed")
    asked = ["octo/renamed", LITTLE, MIDDLE]
    found = foresee(bulk.db, bulk.graphql(), asked, wish=wish, name_of=nobody, now=NOW)
    assert (found.ids, found.refused, list(found.first)) == ((member.repository_id,), {}, [MIDDLE])
    untrack(bulk.db, [LITTLE], delete_rows=False)
    found = foresee(bulk.db, bulk.graphql(), ["octo/renamed"], wish=wish, name_of=nobody, now=NOW)
    assert (found.ids, list(found.first)) == ((), ["octo/renamed"])


def test_a_second_wish_that_leaves_out_something_of_the_first_changes_nothing(bulk: House) -> None:
    begin(bulk, LARGE, wish=Wish(max_prs=None, states=("open",)))
    again = begin(bulk, LARGE, wish=Wish(max_prs=None, states=("merged",)), now=NOW + LATER)
    assert [each.result for each in again.members] == [Result.KNOWN]
    assert bulk.only("select goal_states from backfill_streams") == {"goal_states": ["open"]}


def again(house: House, wish: Wish, *, larger: bool, kinds: tuple[str, ...] | None = None) -> str:
    """Track the large repository once more, and return what is said of it."""
    asked = track.ask(house.graphql(), [LARGE], name_of=nobody)
    opening = batches.opening_of(wish, NOW, larger=larger)
    (told,) = track.register(house.db, asked, opening=opening, kinds=kinds)
    return told.text


def test_who_tracks_again_reads_what_stays_of_the_goal_what_changes_and_what_to_type(bulk: House) -> None:
    begin(bulk, LARGE, wish=Wish(max_prs=40))
    since = Wish(since=datetime(2020, 1, 1, tzinfo=UTC).date())
    forty = "already tracked, keeps its goal: the newest 40"
    assert [
        again(bulk, Wish(max_prs=30), larger=True),
        again(bulk, Wish(), larger=False),
        again(bulk, since, larger=False),
        again(bulk, Wish(max_prs=60), larger=True),
        again(bulk, Wish(max_prs=60, only_newest=True), larger=True),
        again(bulk, Wish(max_prs=90), larger=True, kinds=("pull_requests", "issues")),
        again(bulk, Wish(max_prs=None), larger=True, kinds=("issues", "pull_requests")),
    ] == [
        forty,
        f"{forty}; given with --max-prs 200, it goes on to the newest 200",
        f"{forty}; gh-backfill track {LARGE} --max-prs all goes on to everything",
        "goes on to its larger goal: the newest 60",
        "already tracked, keeps its goal: the newest 60, and no more",
        "goes on to its larger goal: the newest 90, and no more; captures pull requests and issues from now on",
        "goes on to its larger goal: everything",
    ]
    operate.cancel(bulk.db, [LARGE])
    assert again(bulk, Wish(), larger=False) == (
        f"already tracked, keeps its goal: everything; stays cancelled: gh-backfill resume {LARGE} takes it up again"
    )


def test_what_a_person_gave_up_stays_so_when_it_is_added_again(bulk: House) -> None:
    begin(bulk, LARGE)
    operate.cancel(bulk.db, [LARGE])
    begin(bulk, LARGE, wish=Wish(max_prs=None), now=NOW + LATER)
    assert status(bulk, LARGE) == "cancelled"


def test_a_report_forgets_batches_that_are_long_over_and_what_happened_more_than_a_year_ago(bulk: House) -> None:
    over, waits = begin(bulk, LITTLE), begin(bulk, LARGE)
    bulk.capture(LITTLE)
    recent = begin(bulk, LITTLE)
    with bulk.db.transaction() as tx:
        tx.run(
            "update backfill_batches set created_at = created_at - interval '91 days' where id <> %(id)s", id=recent.id
        )
        tx.run("update backfill_events set at = at - interval '366 days' where event = 'tracked'")
    report(bulk.db, None)
    assert {each.id for each in batches.recent(bulk.db, 10, NOW)} == {waits.id, recent.id}
    assert batches.find(bulk.db, over.id, NOW) is None
    assert {row["event"] for row in bulk.rows("select event from backfill_events")} == {"opened"}


@pytest.mark.parametrize("between_pages", [False, True])
def test_one_at_which_nobody_works_any_more_is_pending_again(bulk: House, between_pages: bool) -> None:
    batch = begin(bulk, LARGE)
    (member,) = batch.members
    gone = worker_name() + "0"
    with bulk.db.transaction() as tx:
        jobs.start(tx, bulk.run, member.repository_id or "", worker=gone)
        if not between_pages:
            must_claim(tx, member.repository_id or "", worker=gone)
    assert [each.status for each in seen(bulk, batch).captures] == [InitialStatus.PROCESSING]
    with bulk.db.transaction() as tx:
        tx.run("update backfill_chunks set lease_until = clock_timestamp()")
        if between_pages:
            tx.run("update progressive_capture_jobs set heartbeat_at = clock_timestamp() - interval '3 hours'")
    (member,) = seen(bulk, batch).captures
    assert (member.status, member.detail) == (InitialStatus.PENDING, "waits its turn")
    assert [row["initial"] for row in outlook(bulk.db).as_json()] == ["pending"]
    recover(bulk.db)
    assert status(bulk, LARGE) == "pending"


def test_what_a_dead_process_planned_is_closed_and_may_be_taken_again(bulk: House) -> None:
    batch = begin(bulk, LARGE)
    gone = worker_name() + "0"  # a process of this machine that was started at another time
    with bulk.db.transaction() as tx:
        jobs.plan(tx, bulk.run, [(batch.members[0].repository_id or "", "initial backfill", None)], worker=gone)
    recover(bulk.db)
    job = bulk.only("select status, outcome from progressive_capture_jobs")
    assert job == {"status": "cancelled", "outcome": "never_started"}
    with bulk.db.reading() as tx:
        assert [each.full_name for each in backfill_batches.queue(tx)] == [LARGE]
