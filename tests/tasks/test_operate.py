"""A person pauses, resumes, retries and cancels; a running capture obeys at its next claim, and the planner always."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.errors import ConfigurationError, PartlyFailed, StoreSlow
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.policy.standing import shown_status, why_it_stands
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import backfills, chunks, repositories
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks import operate, reread
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.untrack import Untracked, untrack
from tests.claims import claim, must_claim
from tests.tasks.conftest import ENGINE, SMALL, House

SOON = timedelta(hours=1)
ANA = Actor(who="ana")


def planned(house: House, *asked: str, now: datetime | None = None) -> dict[str, PlanReason]:
    made = plan(
        house.db,
        house.graphql(),
        house.run,
        now or datetime.now(UTC),
        asked=asked,
        thresholds=Thresholds(),
        limit=12,
    )
    return {verdict.repository.full_name: verdict.why for verdict in made.verdicts}


def engine(tx: Transaction) -> str:
    (row,) = tx.rows("select id from repositories where full_name = %(name)s", name=ENGINE)
    return str(row["id"])


def stopped_after_a_chunk(house: House, do: Callable[[], object]) -> Captured:
    """Run a capture and do something after its first chunk."""

    def listen(progress: Progress) -> None:
        if progress.chunks == 1:
            do()

    return house.capture(limits=Limits(chunk_size=25), listen=listen)


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_running_capture_stops_at_its_next_claim_keeps_what_it_has_and_goes_on_when_it_is_resumed(
    house: House, verb: str, database_url: str
) -> None:
    house.track(ENGINE)

    def stop() -> None:
        with Database(database_url) as other:
            if verb == "cancel":
                operate.cancel(other, [ENGINE])
            else:
                operate.pause(other, [ENGINE], reason="release day", until=None)

    captured = stopped_after_a_chunk(house, stop)
    assert (captured.outcome, captured.chunks, captured.items) == (CaptureOutcome.PAUSED, 1, 25)
    assert {"pause": "release day", "cancel": "cancelled"}[verb] in captured.reason
    assert house.count("pull_requests") == 25
    operate.resume(house.db, [ENGINE])
    assert (house.capture().outcome, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 180)
    assert house.state()["processed_prs"] == 180


def test_a_job_that_starts_after_the_pause_does_not_undo_it(house: House) -> None:
    house.track(ENGINE)
    operate.cancel(house.db, [ENGINE])
    captured = house.capture()
    assert (captured.outcome, captured.chunks) == (CaptureOutcome.PAUSED, 0)
    assert (house.state()["status"], house.state()["pause_reason"]) == ("paused", "cancelled")


def test_a_pause_holds_before_the_first_stream_is_there(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("delete from backfill_streams")
    operate.cancel(house.db, [ENGINE])
    assert house.capture().outcome is CaptureOutcome.PAUSED


@pytest.mark.parametrize(("verb", "why"), [("pause", PlanReason.HELD), ("cancel", PlanReason.CANCELLED)])
def test_the_planner_leaves_alone_what_a_person_paused_or_cancelled_even_if_asked(
    house: House, verb: str, why: PlanReason
) -> None:
    house.track(ENGINE)
    if verb == "pause":
        operate.pause(house.db, [ENGINE], reason=None, until=None)
    else:
        operate.cancel(house.db, [ENGINE])
    assert planned(house, now=datetime.now(UTC) + timedelta(days=400)) == {ENGINE: why}
    assert planned(house, ENGINE) == {ENGINE: why}
    operate.resume(house.db, [ENGINE])
    assert planned(house) == {ENGINE: PlanReason.GOES_ON}


def test_a_pause_for_a_time_ends_by_itself(house: House) -> None:
    house.track(ENGINE)
    operate.pause(house.db, [ENGINE], reason=None, until=datetime.now(UTC) + SOON)
    assert planned(house) == {ENGINE: PlanReason.HELD}
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set resume_at = clock_timestamp()")
    assert planned(house) == {ENGINE: PlanReason.RESUMES}
    assert (house.state()["status"], house.state()["held"]) == ("active", False)


def test_a_pause_by_a_person_outlives_one_for_the_rate_limit(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        backfills.pause(tx, engine(tx), reason="rate_limit", resume_at=datetime.now(UTC))
    operate.pause(house.db, [ENGINE], reason=None, until=None)
    assert planned(house) == {ENGINE: PlanReason.HELD}


def test_a_pause_during_the_last_page_does_not_leave_an_active_backfill_without_work(house: House) -> None:
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set status = 'completed', items_done = 12")
    operate.pause(house.db, [SMALL], reason=None, until=None)
    operate.resume(house.db, [SMALL])
    assert house.state(SMALL)["status"] == "completed"


def test_the_same_holds_when_the_pause_ends_by_itself(house: House) -> None:
    house.track(SMALL)
    operate.pause(house.db, [SMALL], reason=None, until=datetime.now(UTC) + SOON)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set status = 'completed', items_done = 12")
        tx.run("update progressive_backfill_state set resume_at = clock_timestamp()")
    assert house.capture(SMALL).outcome is CaptureOutcome.COMPLETED
    assert house.state(SMALL)["status"] == "completed"


def test_resuming_does_not_wait_for_the_next_try_of_a_chunk(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        claimed = must_claim(tx, engine(tx), worker="w")
        chunks.give_back(tx, claimed, error="503", retry_at=datetime.now(UTC) + SOON)
        backfills.pause(tx, claimed.stream.repository_id, reason="too_many_errors", resume_at=datetime.now(UTC) + SOON)
    operate.resume(house.db, [ENGINE])
    assert house.capture().outcome is CaptureOutcome.COMPLETED


def test_a_failed_backfill_goes_on_from_its_cursor_with_new_attempts(house: House) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(chunk_size=50, max_chunks=1))
    with house.db.transaction() as tx:
        claimed = must_claim(tx, engine(tx), worker="w")
        chunks.fail_chunk(tx, claimed, error="broken")
        backfills.fail(tx, claimed.stream.repository_id, error="broken")
    (done,) = operate.retry(house.db, [ENGINE])
    assert (done.changed, done.status, done.result) == (True, "active", "goes on (was failed: broken)")
    captured = house.capture()
    assert (captured.outcome, captured.items) == (CaptureOutcome.COMPLETED, 130)
    assert house.only("select max(attempt) as n from backfill_chunks where status = 'completed'")["n"] == 1


@pytest.mark.parametrize(
    ("status", "verb", "changed", "failed", "word"),
    [
        ("active", operate.resume, False, False, "active already"),
        ("completed", operate.resume, False, False, "nothing to resume: it is complete"),
        ("paused", operate.retry, False, True, "gh-backfill resume"),
        ("active", operate.retry, False, False, "nothing to retry"),
        (
            "completed",
            operate.cancel,
            False,
            False,
            "nothing to cancel: it is complete, 0 of 180",
        ),
        ("completed", operate.retry, False, False, "nothing to retry"),
        ("active", operate.cancel, True, False, "what is here stays (0 pull requests)"),
        ("failed", operate.cancel, True, False, "gh-backfill resume"),
        ("paused", operate.cancel, True, False, "gh-backfill resume"),
    ],
)
def test_what_does_not_fit_the_state_changes_nothing_and_says_what_would(
    house: House,
    status: str,
    verb: Callable[[Database, list[str]], list[Operated]],
    changed: bool,
    failed: bool,
    word: str,
) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set status = %(status)s", status=status)
    (done,) = verb(house.db, [ENGINE])
    assert (done.changed, done.failed) == (changed, failed)
    assert word in done.result
    kept = {"active": "paused"}.get(status, status) if verb is operate.cancel else status
    assert house.state()["status"] == kept
    assert (house.state()["held_reason"] == "cancelled") is changed


def test_what_is_complete_is_neither_paused_nor_cancelled(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    (paused,) = operate.pause(house.db, [SMALL], reason=None, until=None)
    (cancelled,) = operate.cancel(house.db, [SMALL])
    assert (paused.changed, cancelled.changed) == (False, False)
    assert cancelled.result == "nothing to cancel: it is complete, 12 of 12 pull requests are here"
    assert (house.state(SMALL)["status"], house.state(SMALL)["held"]) == ("completed", False)
    assert house.rows("select 1 from backfill_events where event in ('paused', 'cancelled')") == []


@pytest.mark.parametrize("status", ["active", "paused", "failed"])
@pytest.mark.parametrize("verb", [operate.resume, operate.retry])
def test_what_was_cancelled_stays_so_whatever_it_was_before_until_somebody_takes_it_up_again(
    house: House, status: str, verb: Callable[[Database, list[str]], list[Operated]]
) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set status = %(status)s", status=status)
    operate.cancel(house.db, [ENGINE], actor=ANA)
    assert planned(house, ENGINE) == {ENGINE: PlanReason.CANCELLED}
    assert (house.capture().items, house.count("pull_requests")) == (0, 0)
    state = house.state()
    assert (state["held"], state["held_reason"], state["held_by"]) == (True, "cancelled", "ana")
    (done,) = verb(house.db, [ENGINE])
    assert done.changed
    assert "cancelled by ana" in done.result
    assert planned(house, ENGINE) == {ENGINE: PlanReason.ASKED}
    house.capture()
    assert house.count("pull_requests") == 180


def test_what_a_person_does_is_recorded_with_who_and_why(house: House) -> None:
    house.track(ENGINE)
    operate.pause(house.db, [ENGINE], reason="release day", until=None, actor=ANA)
    operate.resume(house.db, [ENGINE], actor=ANA)
    planned(house)
    operate.cancel(house.db, [ENGINE], actor=ANA)
    operate.resume(house.db, [ENGINE], dry_run=True, actor=ANA)
    events = house.rows("select event, detail, who from backfill_events order by id")
    assert [(row["event"], row["who"]) for row in events] == [
        ("tracked", "gh-backfill"),
        ("opened", "gh-backfill"),
        ("paused", "ana"),
        ("resumed", "ana"),
        ("planned", "gh-backfill"),
        ("cancelled", "ana"),
    ]
    assert "release day" in events[2]["detail"]
    assert events[4]["detail"] == "backfill goes on"


def test_resume_frees_a_chunk_whose_worker_is_gone(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        assert claim(tx, engine(tx), worker="gone")
        tx.run("update backfill_chunks set lease_until = clock_timestamp() - interval '1 second'")
    (done,) = operate.resume(house.db, [ENGINE])
    assert (done.changed, done.failed) == (True, False)
    assert "1 stuck chunk goes back to be claimed" in done.result
    assert house.only("select status from backfill_chunks")["status"] == "pending"


def test_a_pause_by_hand_is_shown_with_its_reason_and_who_made_it_and_old_errors_are_not(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set last_error = 'of last week'")
    operate.pause(house.db, [ENGINE], reason="release day", until=None, actor=ANA)
    with house.db.transaction(read_only=True) as tx:
        (state,) = repositories.status(tx)
    assert why_it_stands(state) == "paused by ana: release day, goes on with gh-backfill resume"
    operate.cancel(house.db, [ENGINE], actor=ANA)
    with house.db.transaction(read_only=True) as tx:
        (state,) = repositories.status(tx)
    assert shown_status(state) == "cancelled"


def test_one_unknown_name_fails_and_the_others_are_done(house: House) -> None:
    house.track(ENGINE)
    done = operate.cancel(house.db, [ENGINE, "octo/nowhere"])
    assert [(each.changed, each.failed) for each in done] == [(True, False), (False, True)]
    with pytest.raises(PartlyFailed, match="octo/nowhere: not tracked here"):
        operate.raise_failures(done)


def test_nothing_but_unknown_names_is_an_error_and_writes_nothing(house: House) -> None:
    with pytest.raises(ConfigurationError, match="octo/nowhere"):
        operate.cancel(house.db, ["octo/nowhere"])


def test_a_backfill_that_somebody_holds_locked_fails_alone(house: House, database_url: str) -> None:
    house.track(ENGINE, SMALL)
    with Database(database_url) as other, other.transaction() as tx:
        assert claim(tx, engine(tx))
        done = operate.cancel(house.db, [ENGINE, SMALL])
    assert [(each.given, each.failed) for each in done] == [(ENGINE, True), (SMALL, False)]


@pytest.mark.parametrize("do", ["cancel", "untrack"])
def test_what_takes_longer_than_a_statement_may_fails_alone_and_is_told_in_words(
    house: House, database_url: str, do: str
) -> None:
    house.track(ENGINE, SMALL)
    with (
        Database(database_url) as other,
        other.transaction() as tx,
        Database(database_url, statement_seconds=0.3) as hurried,
    ):
        assert claim(tx, engine(tx))
        tx.rows("select id from repositories where id = %(id)s for update", id=engine(tx))
        done: Sequence[Operated | Untracked] = (
            operate.cancel(hurried, [ENGINE, SMALL])
            if do == "cancel"
            else untrack(hurried, [ENGINE, SMALL], delete_rows=False)
        )
    assert [(each.given, each.failed) for each in done] == [(ENGINE, True), (SMALL, False)]
    assert done[0].result == "the database took too long for this: it is busy, try again"


def test_what_goes_on_is_told_though_its_stuck_chunks_take_too_long(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.track(ENGINE, SMALL)
    operate.pause(house.db, [ENGINE, SMALL], reason=None, until=None)

    def slow(*_: object, **__: object) -> None:
        raise StoreSlow("too slow")

    monkeypatch.setattr(operate, "recover", slow)
    done = operate.resume(house.db, [ENGINE, SMALL])
    assert [(each.changed, each.failed) for each in done] == [(True, False)] * 2
    assert "its stuck chunks were not looked at: the database took too long for this" in done[0].result


def test_what_is_in_the_quarantine_is_read_again_when_somebody_asks(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture()
    with house.db.transaction() as tx:
        (row,) = tx.rows("select id, number from pull_requests where number = 20")
        tx.run("delete from pull_requests where id = %(id)s", id=row["id"])
        tx.run(
            "insert into backfill_quarantine (repository_id, kind, identity, number, reason) "
            "values (%(id)s, 'pull_request', '20', 20, 'too big')",
            id=engine(tx),
        )
    looked = reread.retry_quarantined(house.db, house.graphql(), [ENGINE], dry_run=True)
    assert looked[0].result == "1 pull request would be read again"
    assert house.count("pull_requests") == 179
    done = reread.retry_quarantined(house.db, house.graphql(), [ENGINE, SMALL, "octo/nowhere"])
    assert [(each.given, each.changed, each.failed) for each in done] == [
        (ENGINE, True, False),
        (SMALL, False, False),
        ("octo/nowhere", False, True),
    ]
    assert house.count("pull_requests") == 180
    assert house.rows("select 1 from backfill_quarantine where resolved_at is null") == []


def quarantine_all(house: House) -> None:
    """Leave 180 pull requests in the quarantine."""
    house.track(ENGINE)
    house.capture()
    with house.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, kind, identity, number, reason) "
            "select repository_id, 'pull_request', 'old ' || number, number, 'a fault of old' from pull_requests"
        )


def test_an_error_in_a_later_step_does_not_hide_what_the_earlier_steps_did(house: House) -> None:
    quarantine_all(house)
    house.github.faults.add(Fault(name="bad_credentials", skip=6))
    (done,) = reread.retry_quarantined(house.db, house.graphql(), [ENGINE])
    (row,) = house.rows("select count(*) as n from backfill_quarantine where resolved_at is not null")
    assert 0 < row["n"] < 180
    assert done.result.startswith(f"{row['n']} pull requests read again, {row['n']} entries closed, 0 still fail, ")
    assert f"{180 - row['n']} are left for another time: GitHub" in done.result
    assert (done.changed, done.failed) == (True, True)


def test_an_error_in_the_first_step_is_all_there_is_to_say(house: House) -> None:
    quarantine_all(house)
    house.github.faults.add(Fault(name="bad_credentials"))
    (done,) = reread.retry_quarantined(house.db, house.graphql(), [ENGINE])
    assert done.result.startswith("GitHub")
    assert (done.changed, done.failed) == (False, True)


def test_what_still_fails_when_it_is_read_again_has_failed(house: House) -> None:
    changes.edit(house.github.world, SMALL, 7, body="a\0b")
    house.track(SMALL)
    house.capture(SMALL)
    (done,) = reread.retry_quarantined(house.db, house.graphql(), [SMALL])
    assert done.result == "1 pull request read again, 0 entries closed, 1 still fail"
    assert (done.changed, done.failed) == (False, True)
    with pytest.raises(PartlyFailed, match="octo/small: 1 pull request read again, 0 entries closed, 1 still fail"):
        operate.raise_failures([done])


def test_what_cannot_be_asked_for_by_a_number_is_told_and_not_hidden(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    in_quarantine(house, SMALL, "comment 1", None)
    in_quarantine(house, SMALL, "comment 2", None)
    (looked,) = reread.retry_quarantined(house.db, house.graphql(), [SMALL], dry_run=True)
    assert looked.result.startswith("2 entries of the quarantine have no number: ")
    (done,) = reread.retry_quarantined(house.db, house.graphql(), [SMALL])
    assert done.result.startswith("2 entries of the quarantine have no number to ask GitHub for: they stay there, and ")
    assert "when the whole history is read again" in done.result
    assert (done.changed, done.failed) == (False, False)


def test_what_has_no_number_is_told_beside_what_was_read_again(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    in_quarantine(house, SMALL, "comment 1", None)
    in_quarantine(house, SMALL, "7", 7)
    (done,) = reread.retry_quarantined(house.db, house.graphql(), [SMALL])
    assert done.result.startswith("1 pull request read again, 1 entry closed, 0 still fail; 1 entry of the quarantine ")
    assert (done.changed, done.failed) == (True, False)


def in_quarantine(house: House, name: str, identity: str, number: int | None) -> None:
    with house.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, kind, identity, number, reason) "
            "select id, 'issue_comment', %(identity)s, %(number)s::integer, 'odd' from repositories "
            "where full_name = %(name)s",
            name=name,
            identity=identity,
            number=number,
        )


@pytest.mark.parametrize("verb", [operate.cancel, operate.resume, operate.retry])
def test_a_dry_run_tells_and_writes_nothing(house: House, verb: Callable[..., list[Operated]]) -> None:
    house.track(ENGINE)
    status = {operate.cancel: "active", operate.resume: "paused", operate.retry: "failed"}[verb]
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set status = %(status)s", status=status)
        (name,) = tx.rows("select current_database() as name")
        tx.run(f'alter database "{name["name"]}" set default_transaction_read_only = on')
    house.db.close()
    (done,) = verb(house.db, [ENGINE], dry_run=True)
    assert done.changed
    assert house.state()["status"] == status
