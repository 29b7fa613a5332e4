"""Every fault of GitHub at every query of discussions: what is stored is right or its loss is recorded, then all is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks import capture, reread, track
from tests.conftest import Server
from tests.discussion_comparison import differences
from tests.tasks.test_every_fault import Room
from tests.turns import some

# The extreme ones among them: 130 comments, 120 replies to one, a ghost's, a bot's, a deleted comment with replies.
TALK = "octo/talk"
# Half of what a fault may choose: of so few discussions a tenth is nothing.
SIZES = {
    "resource_limits": 1.0,
    **dict.fromkeys(("null_with_error", "nul_in_body", "lone_surrogate", "null_edge", "missing_id"), 0.5),
}
_NUMBER = re.compile(r" of discussion #(\d+), ")


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Room]:
    name = server.make(server.migrated())
    world = load(recipes=[f"{TALK}:2:discussions=9"])
    with Database(server.url_of(name)) as db, running(world) as github:
        yield Room(db=db, url=server.url_of(name), github=github)
    server.drop(name)


@pytest.fixture
def room(shared: Room) -> Room:
    shared.clear()
    return shared


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of discussions: by what it is known, and what makes it be asked beside a capture."""

    match: dict[str, str]
    before: Callable[[Room], object] = lambda room: None


def nothing_has_an_id(room: Room) -> None:
    room.github.faults.add(Fault(name="missing_id", size=0.5, match={"operation": "^DiscussionPage$"}))


def no_page_comes(room: Room) -> None:
    """Let even a page of one time out: each discussion is stepped over, by the outline."""
    room.github.faults.add(Fault(name="504", match={"operation": "^DiscussionPage$"}))


def some_are_in_quarantine(room: Room) -> None:
    captured(room)
    with room.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, item_kind, kind, identity, number, reason) "
            "select repository_id, 'discussions', 'discussion', node_id, number, 'too big' from discussions "
            "order by number limit 2"
        )
        tx.run("delete from discussions where number in (select number from backfill_quarantine)")


def asked_by_ids(name: str) -> dict[str, str]:
    return {"variables": f'"ids_of_{name}":'}


def asked_alone(name: str) -> dict[str, str]:
    return {"query": rf"a\d: node.*\s.*\s.*\s *{name}\(first: 100, after"}


QUERIES = {
    "DiscussionPage": Query(match={"operation": "^DiscussionPage$"}),
    "DiscussionOutline": Query(match={"operation": "^DiscussionOutline$"}, before=no_page_comes),
    "DiscussionAfter": Query(match={"operation": "^DiscussionAfter$"}, before=nothing_has_an_id),
    "DiscussionByNumber": Query(match={"operation": "^DiscussionByNumber$"}, before=some_are_in_quarantine),
    "DiscussionsComments": Query(match=asked_by_ids("comments")),
    "CommentsReplies": Query(match=asked_by_ids("replies")),
    "DiscussionComments": Query(match=asked_alone("comments")),
    "CommentReplies": Query(match=asked_alone("replies")),
}


def captured(room: Room) -> Captured:
    """Capture as a job of a workflow does: with a time limit, which is over before any pause of GitHub's."""
    return capture.run(
        room.db,
        room.graphql(),
        room.run,
        TALK,
        Limits(deadline=datetime.now(UTC) + timedelta(seconds=40), chunk_size=4),
        kinds=("discussions",),
        listen=lambda progress: None,
        sleep=room.wait,
        begin=at_once,
    )


def act(room: Room) -> Captured:
    """Read the quarantine again, and capture what is left."""
    reread.retry_quarantined(room.db, room.graphql(), [TALK])
    return captured(room)


def recorded(tx: Transaction) -> dict[int | None, set[str]]:
    """Return what is on record as lost, by the number of its discussion: the kind of thing, or the gap."""
    found: dict[int | None, set[str]] = defaultdict(set)
    for row in tx.rows("select number, kind from backfill_quarantine where resolved_at is null"):
        found[row["number"]].add(row["kind"])
    for row in tx.rows("select number from discussions where capture_gap is not null"):
        found[row["number"]].add("discussion_comment")
    return found


def unrecorded(room: Room) -> list[str]:
    """Name what is not as GitHub has it and on no record; while the walk is not over, nothing is."""
    with room.db.transaction(read_only=True) as tx:
        if tx.rows("select from backfills where kind = 'discussions' and status <> 'completed'"):
            wrong = [each for each in differences(tx, room.github.world, TALK) if not each.startswith("missing ")]
        else:
            wrong = differences(tx, room.github.world, TALK)
        known = recorded(tx)
        (unnamed,) = tx.rows("select gaps from backfills where kind = 'discussions'") or [{"gaps": 0}]
        places = known.pop(None, set())
    lost = [each for each in wrong if each.startswith("missing discussion of ")]
    missing = {number for each in lost for number in _numbers(each)}
    left = missing - known.keys()
    if left and (places or len(left) <= unnamed["gaps"]):
        wrong = [each for each in wrong if not set(_numbers(each)) <= left]
        left = set()
    return [each for each in wrong if not set(_numbers(each)) <= known.keys() | left]


def _numbers(line: str) -> list[int]:
    return [int(number) for number in _NUMBER.findall(line)]


def pairs() -> list[tuple[str, str]]:
    """Return each query with every third fault: neighbours share them all, and so do three days."""
    return [(name, fault) for place, name in enumerate(QUERIES) for fault in some(sorted(EFFECTS), place, step=3)]


@pytest.mark.parametrize(("name", "fault"), pairs())
def test_nothing_of_a_discussion_is_lost_unrecorded_while_a_fault_lasts_or_after_it(
    room: Room, name: str, fault: str
) -> None:
    query = QUERIES[name]
    track.track(room.db, room.graphql(), [TALK])
    query.before(room)
    room.github.faults.add(Fault(name=fault, match=query.match, size=SIZES.get(fault)))
    act(room)
    assert room.github.faults.struck()[fault] > 0
    assert unrecorded(room) == []
    room.github.faults.clear()
    room.token = uuid4().hex  # whom GitHub told to wait has waited
    with room.db.transaction() as tx:
        tx.run("update backfills set resume_at = clock_timestamp() where resume_at is not null")
        tx.run("update backfill_chunks set retry_at = null")
    done = act(room)
    assert unrecorded(room) == []
    assert done.outcome is CaptureOutcome.COMPLETED
    with room.db.transaction(read_only=True) as tx:
        open_ = tx.rows("select identity from backfill_quarantine where resolved_at is null")
        assert [row for row in open_ if not row["identity"].endswith("after None")] == []
