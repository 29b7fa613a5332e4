"""What becomes of discussions after their capture: syncs, verifications, tombstones, untracking, refused rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.numbers import NumberIs
from gh_backfill.simulator import departures, discussing
from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import ClosedDiscussions, Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, sync
from gh_backfill.tasks.sync_told import Synced, SyncWish
from gh_backfill.tasks.untrack import untrack
from gh_backfill.tasks.verify.verify import verify
from tests.tasks.conftest import House
from tests.tasks.test_discussions import DISCUSSIONS, TALK, captured, wrong


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """Give a repository whose discussions are all here."""
    with running(load(recipes=[f"{TALK}:2:discussions=8"])) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track(TALK)
        captured(house)
        yield house


def rows(house: House) -> dict[int, DiscussionRow]:
    home = house.github.world.repository(*TALK.split("/"))
    assert home is not None
    return house.github.world.shelves[home.id].discussions


def one(house: House) -> tuple[int, int]:
    """Return a discussion of at most a hundred comments, and one of these that has replies."""
    for number, row in rows(house).items():
        for comment in row.replies(None) if len(row.replies(None)) <= 100 else ():
            if row.replies(comment.id) and comment.deleted_at is None:
                return number, comment.id
    raise LookupError


def synced(house: House) -> Synced:
    return sync.run(
        house.db,
        house.graphql(),
        house.run,
        TALK,
        SyncWish(),
        limits=Limits(),
        kinds=DISCUSSIONS,
        listen=lambda progress: None,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        begin=at_once,
    )


def certified(house: House, *, repair: bool = True) -> Certificate:
    repository = capture.find(house.db, TALK, DISCUSSIONS)
    done = verify(house.db, house.graphql(), house.run, repository, repair=repair, sleep=house.slept.append)
    assert done.certificate is not None, done.reason
    return done.certificate


def test_a_reply_an_edit_and_a_new_discussion_come_with_the_next_sync(house: House) -> None:
    number, comment = one(house)
    world = house.github.world
    discussing.say(world, TALK, number, author="ada", reply_to=comment)
    discussing.edit_said(world, TALK, number, comment, body="Said otherwise")
    new = discussing.open_discussion(world, TALK, author="bob", category="Q&A")
    said = discussing.say(world, TALK, new.number, author="ada", body="So it is")
    discussing.edit_discussion(world, TALK, new.number, answer=said.id, open=False, state_reason="resolved")
    assert synced(house).captured is not None
    assert wrong(house) == []


@pytest.mark.parametrize("reply", [True, False])
def test_what_does_not_move_its_discussion_is_found_and_mended_by_a_verification(house: House, reply: bool) -> None:
    number, comment = one(house)
    discussing.say(house.github.world, TALK, number, author="ada", reply_to=comment if reply else None, moves=False)
    synced(house)
    assert wrong(house) != []
    found = certified(house, repair=False)
    assert {each.number for each in found.open} == {number}
    mended = certified(house)
    assert (mended.open, wrong(house)) == ((), [])


def test_what_was_proven_costs_a_few_points_and_says_how_many_discussions_there_are(house: House) -> None:
    before = house.github.stats.points
    found = certified(house)
    assert (found.open, found.numbers[NumberIs.DISCUSSION]) == ((), 8)
    assert house.github.stats.points - before <= 6


def test_replies_that_are_gone_get_a_tombstone_and_a_deleted_comment_with_replies_stays_empty(house: House) -> None:
    number, comment = one(house)
    world = house.github.world
    reply = rows(house)[number].replies(comment)[0]
    discussing.unsay(world, TALK, number, reply.id)
    assert certified(house).open == ()
    assert wrong(house) == []
    gone = house.rows("select node_id from discussion_comments where gone_at is not null")
    assert [row["node_id"] for row in gone] == [reply.node_id]
    discussing.say(world, TALK, number, author="ada", reply_to=comment)
    discussing.unsay(world, TALK, number, comment)
    synced(house)
    assert wrong(house) == []


def test_a_discussion_that_is_gone_gets_a_tombstone_and_its_comments_stay(house: House) -> None:
    number, _ = one(house)
    before = house.count("discussion_comments")
    discussing.delete_discussion(house.github.world, TALK, number)
    assert certified(house).open == ()
    gone = house.rows("select number, gone_reason from discussions where gone_at is not null")
    assert gone == [{"number": number, "gone_reason": "deleted"}]
    assert house.count("discussion_comments") == before
    (row,) = house.rows("select captured from backfills where kind = 'discussions'")
    assert row["captured"] == 7


def test_a_row_that_is_missing_is_found_by_its_number_and_read_again(house: House) -> None:
    number, _ = one(house)
    with house.db.transaction() as tx:
        tx.run("delete from discussions where number = %(number)s", number=number)
    assert certified(house).open == ()
    assert wrong(house) == []


def test_untracking_deletes_discussions_with_their_comments_and_says_how_many(house: House) -> None:
    (done,) = untrack(house.db, [TALK], delete_rows=True)
    assert "8 discussions" in done.result
    assert (house.count("discussions"), house.count("discussion_comments")) == (0, 0)


def test_comments_that_the_database_refuses_are_in_quarantine_and_all_others_are_stored(house: House) -> None:
    (done,) = untrack(house.db, [TALK], delete_rows=True)
    assert done
    house.track(TALK)
    with house.db.transaction() as tx:
        tx.run("alter table discussion_comments add constraint odd check (github_id % 7 <> 0)")
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    lost = house.rows("select kind, github_id from backfill_quarantine")
    assert {row["kind"] for row in lost} == {"discussion_comment"}
    assert all(row["github_id"] % 7 == 0 for row in lost)
    total = sum(len(row.comments) for row in rows(house).values())
    assert house.count("discussion_comments") + len(lost) == total


def test_an_issue_that_became_a_discussion_is_captured_as_one(database_url: str) -> None:
    with running(load(recipes=[f"{TALK}:26:discussions=3"])) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track(TALK)
        captured(house)
        departures.convert_issue(github.world, TALK, 13)
        synced(house)
        assert wrong(house) == []
        assert house.count("discussions") == 4


@pytest.mark.parametrize(("closed", "stored"), [(ClosedDiscussions.EMPTY, 0), (ClosedDiscussions.LISTED, 4)])
def test_discussions_that_were_disabled_are_read_as_far_as_github_lists_them(
    database_url: str, closed: ClosedDiscussions, stored: int
) -> None:
    world = load(recipes=[f"{TALK}:2:discussions=4"])
    discussing.allow_discussions(world, TALK, allowed=False)
    options = Options(closed_discussions=closed)
    with running(world, options) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track(TALK)
        assert captured(house).outcome is CaptureOutcome.COMPLETED
        assert house.count("discussions") == stored
