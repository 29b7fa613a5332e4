"""A sync brings what changed, whatever the state of the backfill, and costs what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.models.work import Claim, Goal
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.syncing import MARGIN, SyncReason
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.world import World
from gh_backfill.store import chunks, syncs, untracking
from gh_backfill.tasks import operate, sync, track, untrack
from gh_backfill.tasks.sync_told import Synced, SyncWish
from tests.comparison import Differences, compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, SMALL, House


class Died(Exception):
    """What ends a worker in the midst of its work."""


def synced(
    house: House,
    name: str = SMALL,
    *,
    wish: SyncWish | None = None,
    limits: Limits | None = None,
    kinds: Sequence[str] | None = None,
    listen: Callable[[Progress], None] = lambda progress: None,
) -> Synced:
    return sync.run(
        house.db,
        house.graphql(),
        house.run,
        name,
        wish or SyncWish(),
        limits=limits,
        kinds=kinds,
        listen=listen,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        begin=at_once,
    )


def differs(house: House, name: str) -> Differences:
    with house.db.transaction(read_only=True) as tx:
        return compare(tx, expected_world(house.github.world, name, moved=True), stood_still=False)


@pytest.fixture
def engine(house: House) -> House:
    house.track(ENGINE)
    house.capture()
    return house


@pytest.fixture
def small(house: House) -> House:
    house.track(SMALL)
    house.capture(SMALL)
    return house


def change_everything(world: World) -> None:
    changes.open_pull_request(world, SMALL, author="octo", title="New")
    changes.edit(world, SMALL, 3, title="Another title")
    changes.close(world, SMALL, 4, merged_by="octo")
    changes.review(world, SMALL, 5, author="octo", state="APPROVED", comments=["a", "b"])
    changes.comment(world, SMALL, 6, author="octo", body="Word.")


def test_what_changed_is_here_after_a_sync_for_two_points(small: House) -> None:
    change_everything(small.github.world)
    done = synced(small)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert not differs(small, SMALL)
    assert done.captured.spent.points <= 2
    assert 0 < done.changed <= done.read
    assert small.state(SMALL)["status"] == "completed"
    job = small.only("select status, outcome, items from progressive_capture_jobs where job_type = 'sync'")
    assert (job["status"], job["outcome"]) == ("completed", "completed")


def checkpoint(house: House, name: str = SMALL) -> datetime | None:
    row = house.only(
        "select last_success_at from repository_syncs y join repositories r on r.id = y.repository_id "
        "where full_name = %(name)s",
        name=name,
    )
    found: datetime | None = row["last_success_at"]
    return found


def watermark(house: House) -> datetime:
    found: datetime = house.only("select watermark from backfill_streams where stream = 'catch_up'")["watermark"]
    return found


def edit_many(world: World, numbers: Iterable[int]) -> None:
    for number in numbers:
        if number % 13:  # which are issues
            changes.edit(world, ENGINE, number, title=f"Edited {number}")


def test_a_row_that_is_touched_while_its_page_is_still_to_come_is_here_all_the_same(engine: House) -> None:
    edit_many(engine.github.world, range(1, 40))
    touched: list[int] = []

    def touch(progress: Progress) -> None:
        if progress.chunks == 2 and not touched:
            # It leaves the place below, to which the list has not come, for the top, which has been read.
            touched.append(changes.edit(engine.github.world, ENGINE, 1, title="Touched").number)

    done = synced(engine, ENGINE, limits=Limits(chunk_size=10), listen=touch)
    assert touched
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert not differs(engine, ENGINE)
    # The second pass finds the one on its first page, and nothing that is new on the next one: there it ends.
    assert engine.only("select pass from backfill_streams where stream = 'sync'")["pass"] == 2
    assert done.captured.chunks == 4 + 2


def test_changes_of_the_very_second_where_the_last_sync_began_to_read_are_read_again(small: House) -> None:
    bound = watermark(small) - MARGIN
    for number in (3, 4):
        changes.edit(small.github.world, SMALL, number, title="At the bound", at=f"{bound:%Y-%m-%dT%H:%M:%SZ}")
    with small.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = date_trunc('second', watermark) where stream = 'catch_up'")
    synced(small)
    assert not differs(small, SMALL)


def test_what_is_interrupted_keeps_its_checkpoint_and_goes_on_where_it_was(engine: House) -> None:
    synced(engine, ENGINE)
    with engine.db.transaction() as tx:
        tx.run("update repository_syncs set last_success_at = last_success_at - interval '1 hour'")
        tx.run("update backfill_streams set watermark = watermark - interval '1 hour' where stream = 'sync'")
    before = checkpoint(engine, ENGINE)
    edit_many(engine.github.world, range(1, 60))
    stopped = synced(engine, ENGINE, limits=Limits(chunk_size=10, max_chunks=2))
    assert stopped.captured is not None
    assert (stopped.captured.outcome, checkpoint(engine, ENGINE)) == (CaptureOutcome.STOPPED, before)
    done = synced(engine, ENGINE)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert checkpoint(engine, ENGINE) != before
    assert not differs(engine, ENGINE)
    read = engine.only("select sum(pr_count) as n from backfill_chunks where stream_id = any("
                       "select id from backfill_streams where stream = 'sync')")  # fmt: skip
    assert read["n"] < 2 * 60


def test_the_checkpoint_is_the_start_of_the_sync_and_never_a_date_that_was_seen(engine: House) -> None:
    edit_many(engine.github.world, range(1, 60))
    started = datetime.now(UTC) - timedelta(seconds=2)  # GitHub's clock tells whole seconds
    synced(engine, ENGINE, limits=Limits(chunk_size=10))
    newest = engine.only("select max(updated_at) as at from pull_requests")["at"]
    found = checkpoint(engine, ENGINE)
    assert found is not None
    assert started <= found
    assert found != newest


def test_a_sync_that_is_given_up_begins_again_where_it_began(engine: House) -> None:
    synced(engine, ENGINE)
    before = checkpoint(engine, ENGINE)
    changes.edit(engine.github.world, ENGINE, 7, title="Seven")
    hidden = changes.make_private(engine.github.world, ENGINE)
    failed = synced(engine, ENGINE)
    assert failed.captured is not None
    assert (failed.captured.outcome, failed.captured.error_type) == (CaptureOutcome.FAILED, ErrorType.GONE)
    changes.make_private(engine.github.world, hidden.full_name, private=False)
    assert checkpoint(engine, ENGINE) == before
    synced(engine, ENGINE)
    assert not differs(engine, ENGINE)


def test_closed_merged_and_opened_again_come_with_all_their_dates(small: House) -> None:
    world = small.github.world
    one, two = (changes.open_pull_request(world, SMALL, author="octo").number for _ in range(2))
    changes.close(world, SMALL, one)
    changes.close(world, SMALL, two, merged_by="octo")
    synced(small)
    assert not differs(small, SMALL)
    changes.edit(world, SMALL, one, open=True, closed_at=None)
    synced(small)
    assert not differs(small, SMALL)
    row = small.only("select state, closed_at from pull_requests where number = %(one)s", one=one)
    assert (row["state"], row["closed_at"]) == ("open", None)


def test_a_review_that_is_dismissed_is_dismissed_here(small: House) -> None:
    made = changes.review(small.github.world, SMALL, 5, author="octo", state="APPROVED")
    synced(small)
    home = small.github.world.repository(*SMALL.split("/"))
    assert home is not None
    pull = small.github.world.pull(home.id, 5)
    assert pull is not None
    reviews = tuple(replace(each, state="DISMISSED") if each.id == made.id else each for each in pull.reviews)
    changes.edit(small.github.world, SMALL, 5, reviews=reviews)
    synced(small)
    assert small.only("select state from reviews where github_id = %(id)s", id=made.id)["state"] == "DISMISSED"
    assert not differs(small, SMALL)


def test_labels_that_were_taken_off_an_issue_are_off_here(house: House) -> None:
    house.track(SMALL)
    world = house.github.world
    number = changes.open_issue(world, SMALL, title="Labelled", author="octo", labels=["bug", "help wanted"]).number
    synced(house, kinds=["issues"])
    somebody = next(each.login for each in world.accounts.values() if each.type == "User")
    changes.edit_issue(world, SMALL, number, labels=["bug"], assignees=[somebody])
    synced(house, kinds=["issues"])
    row = house.only("select labels, assignees from issues where number = %(number)s", number=number)
    assert [each["name"] for each in row["labels"]] == ["bug"]
    assert [each["login"] for each in row["assignees"]] == [somebody]


def test_a_renamed_repository_is_followed_and_its_old_name_leads_nobody_to_another_one(small: House) -> None:
    world = small.github.world
    changes.rename_repository(world, SMALL, name="smaller")
    changes.rename_repository(world, ENGINE, name="small")
    changes.open_pull_request(world, SMALL, author="octo", title="Of somebody else")
    changes.edit(world, "octo/smaller", 3, title="Ours")
    done = synced(small)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert small.only("select full_name from repositories")["full_name"] == "octo/smaller"
    assert not differs(small, "octo/smaller")
    assert small.rows("select 1 from pull_requests where title = 'Of somebody else'") == []


def test_an_account_that_was_renamed_is_one_account(small: House) -> None:
    world = small.github.world
    author = small.only("select c.username from pull_requests p join contributors c on c.id = p.author_id "
                        "where number = 3")["username"]  # fmt: skip
    changes.rename_account(world, author, to="renamed")
    changes.edit(world, SMALL, 3, title="By somebody renamed")
    synced(small)
    assert not differs(small, SMALL)
    assert small.rows("select 1 from contributors where username = %(name)s", name=author) == []


def test_after_a_force_push_what_has_no_line_any_more_says_so(small: House) -> None:
    world = small.github.world
    changes.review(world, SMALL, 5, author="octo", comments=["on a line"])
    synced(small)
    home = world.repository(*SMALL.split("/"))
    assert home is not None
    pull = world.pull(home.id, 5)
    assert pull is not None
    comments = tuple(replace(each, position=None) for each in pull.review_comments)
    changes.edit(world, SMALL, 5, review_comments=comments)
    synced(small)
    assert not differs(small, SMALL)
    rows = small.rows("select position, original_position from comments where body = 'on a line'")
    assert [row["position"] for row in rows] == [None]
    assert rows[0]["original_position"] is not None


def test_a_sync_that_reads_everything_says_so(small: House) -> None:
    synced(small)
    with small.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = '2000-01-01' where stream = 'sync'")
    assert synced(small).alarm is None, "of a small repository it is nothing odd"
    small.track(ENGINE)
    small.capture(ENGINE)
    synced(small, ENGINE)
    with small.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = '2000-01-01' where stream = 'sync'")
    alarm = synced(small, ENGINE).alarm
    assert alarm is not None
    assert "read all 180" in alarm
    row = small.only("select last_error from repository_syncs where last_error is not null")
    assert row["last_error"] == alarm


def test_rows_that_changed_are_told_from_rows_that_were_read(engine: House) -> None:
    synced(engine, ENGINE)
    changes.edit(engine.github.world, ENGINE, 9, title="Nine")
    done = synced(engine, ENGINE)
    assert (done.changed, done.read > 1) == (1, True)
    row = engine.only("select rows_read, rows_changed from repository_syncs")
    assert (row["rows_read"], row["rows_changed"]) == (done.read, done.changed)


def test_of_a_limited_goal_what_is_stored_is_refreshed_what_is_newer_added_and_the_rest_counted(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=50))
    house.capture()
    world = house.github.world
    here = {row["number"] for row in house.rows("select number from pull_requests")}
    old, known = min(set(range(1, 180)) - here), max(here)
    changes.edit(world, ENGINE, old, title="Old")
    changes.edit(world, ENGINE, known, title="Known")
    new = changes.open_pull_request(world, ENGINE, author="octo", title="New").number
    done = synced(house, ENGINE)
    assert done.captured is not None
    assert done.captured.outside == 1
    assert "1 other changed, outside" in done.text
    titles = {row["number"]: row["title"] for row in house.rows("select number, title from pull_requests")}
    assert (titles[known], titles[new], old in titles, len(titles)) == ("Known", "New", False, len(here) + 1)


def test_a_backfill_that_is_paused_or_under_way_is_synced_beside_that_and_stays_what_it_is(house: House) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(chunk_size=20, max_chunks=2))
    new = changes.open_pull_request(house.github.world, ENGINE, author="octo", title="New").number
    before = house.state()
    done = synced(house, ENGINE)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert house.rows("select title from pull_requests where number = %(new)s", new=new) == [{"title": "New"}]
    after = house.state()
    assert (after["status"], after["last_processed_cursor"]) == ("active", before["last_processed_cursor"])
    assert after["processed_prs"] == house.count("pull_requests")
    house.capture()
    assert not differs(house, ENGINE)


def test_without_a_backfill_the_days_decide_how_far_back_a_sync_reads(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE], backfill=None)
    now = datetime.now(UTC)
    for number, days in ((3, 5), (4, 20), (5, 60)):
        changes.edit(house.github.world, ENGINE, number, at=f"{now - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}")
    done = synced(house, ENGINE, wish=SyncWish(days=10))
    assert {row["number"] for row in house.rows("select number from pull_requests")} == {3}
    assert done.handed
    synced(house, ENGINE, wish=SyncWish(days=30))
    assert {row["number"] for row in house.rows("select number from pull_requests")} == {3, 4}
    jobs = house.rows("select status, metadata from progressive_capture_jobs where job_type = 'progressive_backfill'")
    assert [(job["status"], job["metadata"]["reason"], job["metadata"]["total_prs"]) for job in jobs] == [
        ("pending", "auto_initiated", 180)
    ]


def test_what_a_person_holds_or_took_off_the_list_is_not_synced_and_costs_nothing(house: House) -> None:
    house.track(ENGINE)
    operate.pause(house.db, [ENGINE], reason="for a while", until=None)
    spent = house.github.stats.points
    refused = synced(house, ENGINE).refused
    assert refused is not None
    assert "(for a while): gh-backfill resume" in refused
    untrack.untrack(house.db, [ENGINE], delete_rows=False)
    refused = synced(house, ENGINE).refused
    assert refused is not None
    assert f"is not tracked any more: gh-backfill track {ENGINE}" in refused
    assert house.github.stats.points == spent


def test_another_application_waits_twelve_hours_unless_it_has_a_reason(small: House) -> None:
    synced(small)
    automatic = SyncWish(reason=SyncReason.AUTOMATIC, foreign=True)
    refused = synced(small, wish=automatic).refused
    assert refused is not None
    assert refused.startswith(
        f"Repository {SMALL} was synced 0 hours ago. Skipping to prevent excessive API usage. It may be synced again "
    )
    assert synced(small, wish=replace(automatic, reason=SyncReason.AUTO_FIX)).refused is None
    assert synced(small, wish=replace(automatic, foreign=False)).refused is None


def test_whoever_deletes_the_rows_makes_the_next_sync_begin_anew(small: House) -> None:
    synced(small)
    id_ = small.only("select id from repositories")["id"]
    with small.db.transaction() as tx:
        untracking.delete_rows(tx, id_)
    rows = small.rows("select status, watermark, checkpoint from backfill_streams where stream = 'sync'")
    assert rows == [{"status": "completed", "watermark": None, "checkpoint": None}]
    assert checkpoint(small) is None


def test_a_low_budget_ends_a_sync_which_is_due_again_when_points_are_back(small: House) -> None:
    change_everything(small.github.world)
    small.github.faults.add(Fault(name="rate_limited"))
    paused = synced(small, limits=Limits(deadline=datetime.now(UTC) + timedelta(minutes=1)))
    assert paused.captured is not None
    assert paused.captured.outcome is CaptureOutcome.PAUSED
    row = small.only("select failures, next_due_at, last_success_at from repository_syncs")
    assert (row["failures"], row["last_success_at"]) == (0, None)
    assert row["next_due_at"] == paused.captured.resume_at
    assert small.state(SMALL)["status"] == "completed"
    small.github.faults.clear()
    synced(small)
    assert not differs(small, SMALL)


def test_a_sync_that_fails_leaves_the_backfill_alone_and_is_due_later_each_time(small: House) -> None:
    change_everything(small.github.world)
    small.github.faults.add(Fault(name="200_timeout"))
    for times in (1, 2):
        failed = synced(small)
        assert failed.captured is not None
        assert failed.captured.outcome is CaptureOutcome.FAILED
        row = small.only("select failures, next_due_at from repository_syncs")
        assert row["failures"] == times
        assert row["next_due_at"] > datetime.now(UTC)
    assert small.state(SMALL)["status"] == "completed"
    small.github.faults.clear()
    synced(small)
    assert not differs(small, SMALL)
    assert small.only("select failures from repository_syncs")["failures"] == 0


def test_a_comment_that_is_listed_no_more_is_gone_once_github_says_so_twice(small: House) -> None:
    world = small.github.world
    made = changes.comment(world, SMALL, 6, author="octo", body="Regretted.")
    synced(small)
    changes.delete_comment(world, SMALL, 6, made.id)
    changes.edit(world, SMALL, 6, title="Touched, so that it is read")
    small.github.faults.add(Fault(name="node_unread", match={"operation": "StillThere|ProofReadable"}))
    unsure = synced(small)
    assert (unsure.gone, unsure.captured and unsure.captured.outcome) == (0, CaptureOutcome.COMPLETED)
    assert small.rows("select 1 from comments where gone_at is not null") == []
    small.github.faults.clear()
    changes.edit(world, SMALL, 6, title="Touched again")
    done = synced(small)
    assert (done.gone, "1 row gone at GitHub" in done.text) == (1, True)
    row = small.only("select gone_at is not null as gone, body from comments where github_id = %(id)s", id=made.id)
    assert row == {"gone": True, "body": "Regretted."}
    assert not differs(small, SMALL)


def test_of_two_that_sync_the_same_one_leaves_it_to_the_other(engine: House) -> None:
    edit_many(engine.github.world, range(1, 40))
    synced(engine, ENGINE, limits=Limits(chunk_size=10, max_chunks=1))
    id_ = engine.only("select id from repositories")["id"]
    with engine.db.transaction() as tx:
        tx.run("update backfill_chunks set claimed_by = null where status = 'pending'")
    other = engine.db.another()
    with other:
        found = chunks.claimed(
            other.statements(*syncs.claiming(id_, "pull_requests", worker="elsewhere 1", processor="local"))
        )
        assert isinstance(found, Claim)
        before = engine.only("select next_due_at, last_error from repository_syncs")
        left = synced(engine, ENGINE)
        assert left.captured is not None
        assert left.captured.outcome is CaptureOutcome.BUSY
        assert engine.only("select next_due_at, last_error from repository_syncs") == before
        with other.transaction() as tx:
            chunks.release(tx, found)
    synced(engine, ENGINE)
    assert not differs(engine, ENGINE)


def test_a_sync_whose_worker_died_goes_on_where_that_was(engine: House) -> None:
    edit_many(engine.github.world, range(1, 40))

    def die(progress: Progress) -> None:
        if progress.chunks == 2:
            raise Died

    with pytest.raises(Died):
        synced(engine, ENGINE, limits=Limits(chunk_size=10), listen=die)
    assert checkpoint(engine, ENGINE) is None
    assert engine.only("select status from backfill_streams where stream = 'sync'")["status"] == "active"
    done = synced(engine, ENGINE, limits=Limits(chunk_size=10))
    assert done.captured is not None
    assert done.captured.chunks < 1 + 4 + 2, "what was committed was not read again before the head"
    assert not differs(engine, ENGINE)


def test_a_sync_that_is_complete_with_the_last_chunk_that_it_may_have_is_complete(engine: House) -> None:
    done = synced(engine, ENGINE, limits=Limits(max_chunks=1))
    assert done.captured is not None
    assert (done.captured.outcome, done.captured.chunks) == (CaptureOutcome.COMPLETED, 1)
    assert engine.only("select last_success_at is not null as noted from repository_syncs")["noted"]


def test_days_that_are_asked_for_again_and_again_end_where_a_sync_goes_on_chunk_by_chunk(engine: House) -> None:
    edit_many(engine.github.world, range(1, 60))

    def step() -> CaptureOutcome | None:
        done = synced(engine, ENGINE, wish=SyncWish(days=90), limits=Limits(chunk_size=20, max_chunks=1))
        return None if done.captured is None else done.captured.outcome

    assert CaptureOutcome.COMPLETED in (step() for _ in range(12))
    assert not differs(engine, ENGINE)


def test_days_asked_for_over_an_interrupted_sync_lose_no_checkpoint(engine: House) -> None:
    synced(engine, ENGINE)
    edit_many(engine.github.world, range(1, 60))
    with engine.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = watermark - interval '400 days' where stream = 'catch_up'")
    known = engine.only("select watermark from backfill_streams where stream = 'sync'")["watermark"]
    synced(engine, ENGINE, limits=Limits(chunk_size=10, max_chunks=1))
    synced(engine, ENGINE, wish=SyncWish(days=7), limits=Limits(chunk_size=10, max_chunks=1))
    row = engine.only("select checkpoint, read_down_to from backfill_streams where stream = 'sync'")
    assert row["checkpoint"] == known
    assert row["read_down_to"] > datetime.now(UTC) - timedelta(days=8)


def test_a_quiet_page_leaves_what_it_did_not_look_at_to_the_next_sync(engine: House) -> None:
    edit_many(engine.github.world, range(1, 60))
    synced(engine, ENGINE, limits=Limits(chunk_size=20, max_chunks=1))
    with engine.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = watermark - interval '2 days' where stream = 'sync'")
    began = engine.only("select watermark from backfill_streams where stream = 'sync'")["watermark"]
    done = synced(engine, ENGINE, limits=Limits(chunk_size=20))
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert engine.only("select watermark from backfill_streams where stream = 'sync'")["watermark"] == began


def test_a_sync_of_one_kind_says_nothing_of_when_all_are_due(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = '{pull_requests,issues}'")
    synced(house, kinds=["pull_requests"])
    row = house.only("select last_success_at, next_due_at <= clock_timestamp() as due from repository_syncs")
    assert row == {"last_success_at": None, "due": True}
    synced(house)
    assert checkpoint(house) is not None


def test_jobs_that_waited_for_a_sync_are_done_with_it_and_later_ones_wait_on(small: House) -> None:
    with small.db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs "
            "(job_type, repository_id, processor_type, status, metadata, created_at) "
            "select 'sync', id, 'inngest', 'pending', m::jsonb, now() + at from repositories, (values "
            "('{}', interval '-1 hour'), ('\"odd\"', interval '-1 minute'), ('{}', interval '1 hour')) v (m, at) "
            "where full_name = %(name)s",
            name=SMALL,
        )
    synced(small)
    waiting = small.rows(
        "select status, outcome from progressive_capture_jobs where processor_type = 'inngest' order by created_at"
    )
    assert [(row["status"], row["outcome"]) for row in waiting] == [("completed", "completed")] * 2 + [
        ("pending", None)
    ]


def test_what_was_never_captured_is_said_to_be_so(house: House) -> None:
    track.track(house.db, house.graphql(), [SMALL], backfill=None)
    assert f"its history was never captured: gh-backfill capture {SMALL} brings it" in synced(house).text
    house.capture(SMALL)
    assert "never captured" not in synced(house).text
