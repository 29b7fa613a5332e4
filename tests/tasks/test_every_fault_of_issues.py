"""Every fault of GitHub at every query of issues: what is stored then is right or its loss is recorded, then all is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.simulator import changes
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, reread, track
from tests.conftest import Server
from tests.storm.expected_world import expected_world
from tests.tasks.on_record import recorded, unrecorded
from tests.tasks.test_every_fault import Room
from tests.turns import some

# Nine issues, the extreme ones among them: 130 comments, 104 labels, 10 assignees, a bot assigned, a ghost's.
LITTLE = "octo/little"
# The newest have so many lists that in a later query more are assigned than a list of ids has room for.
ASSIGNED = "octo/assigned"
# Half of what a fault may choose: of so few issues a tenth is nothing.
SIZES = {
    "resource_limits": 1.0,
    **dict.fromkeys(("null_with_error", "nul_in_body", "lone_surrogate", "null_edge", "missing_id"), 0.5),
}


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Room]:
    name = server.make(server.migrated())
    world = load(recipes=[f"{LITTLE}:120", f"{ASSIGNED}:1"])
    for number in range(200):
        labels = ["bug"] if number >= 150 else []
        issue = changes.open_issue(
            world, ASSIGNED, title=f"Issue {number}", author="ann", assignees=["bob"], labels=labels
        )
        if labels:
            changes.comment(world, ASSIGNED, issue.number, author="ann", body="What is more")
    with Database(server.url_of(name)) as db, running(world) as github:
        yield Room(db=db, url=server.url_of(name), github=github)
    server.drop(name)


@pytest.fixture
def room(shared: Room) -> Room:
    shared.clear()
    return shared


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query of issues: by what it is known, and what makes it be asked beside a capture."""

    match: dict[str, str]
    name: str = LITTLE
    before: Callable[[Room], object] = lambda room: None
    chunk: int = 4


def nothing_has_an_id(room: Room) -> None:
    room.github.faults.add(Fault(name="missing_id", size=0.5, match={"operation": "^IssuePage$"}))


def no_page_comes(room: Room) -> None:
    """Let even a page of one time out: each issue is stepped over, by the outline."""
    room.github.faults.add(Fault(name="504", match={"operation": "^IssuePage$"}))


def some_are_in_quarantine(room: Room) -> None:
    captured(room, LITTLE)
    with room.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, item_kind, kind, identity, number, reason) "
            "select repository_id, 'issues', 'issue', node_id, number, 'too big' from issues where number in (13, 52)"
        )
        tx.run("delete from comments c using issues i where i.id = c.issue_id and i.number in (13, 52)")
        tx.run("delete from issues where number in (13, 52)")


def asked_by_ids(name: str) -> dict[str, str]:
    return {"variables": f'"ids_of_{name}":'}


def asked_alone(name: str) -> dict[str, str]:
    return {"query": rf"a\d: node.*\s.*\s.*\s *{name}\(first: 100, after"}


QUERIES = {
    "IssuePage": Query(match={"operation": "^IssuePage$"}),
    "IssueOutline": Query(match={"operation": "^IssueOutline$"}, before=no_page_comes),
    "IssueAfter": Query(match={"operation": "^IssueAfter$"}, before=nothing_has_an_id),
    "IssueByNumber": Query(match={"operation": "^IssueByNumber$"}, before=some_are_in_quarantine),
    "IssuesComments": Query(match=asked_by_ids("comments")),
    "IssuesLabels": Query(match=asked_by_ids("labels")),
    "IssuesAssignees": Query(match=asked_by_ids("assignees")),
    "IssueComments": Query(match=asked_alone("comments")),
    "IssueLabels": Query(match=asked_alone("labels")),
    "IssueAssignees": Query(match=asked_alone("assignees"), name=ASSIGNED, chunk=100),
}


def captured(room: Room, name: str, chunk: int = 4) -> Captured:
    """Capture as a job of a workflow does: with a time limit, which is over before any pause of GitHub's."""
    return capture.run(
        room.db,
        room.graphql(),
        room.run,
        name,
        Limits(deadline=datetime.now(UTC) + timedelta(seconds=40), chunk_size=chunk),
        kinds=("issues",),
        listen=lambda progress: None,
        sleep=room.wait,
        begin=at_once,
    )


def act(room: Room, query: Query) -> Captured:
    """Read the quarantine again, and capture what is left."""
    reread.retry_quarantined(room.db, room.graphql(), [query.name])
    return captured(room, query.name, query.chunk)


def on_record(room: Room, query: Query, invented: int = 0) -> list[str]:
    (home,) = expected_world(room.github.world, query.name)
    with room.db.transaction(read_only=True) as tx:
        return unrecorded(tx, home, invented=invented)


def pairs() -> list[tuple[str, str]]:
    """Return each query with every third fault: neighbours share them all, and so do three days.

    The one that takes a large world has each sixth: its lists are read by the same lines as those of two others.
    """
    found = []
    for place, name in enumerate(QUERIES):
        step = 6 if name == "IssueAssignees" else 3
        found += [(name, fault) for fault in some(sorted(EFFECTS), place, step=step)]
    return found


@pytest.mark.parametrize(("name", "fault"), pairs())
def test_nothing_of_an_issue_is_lost_unrecorded_while_a_fault_lasts_or_after_it(
    room: Room, name: str, fault: str
) -> None:
    query = QUERIES[name]
    track.track(room.db, room.graphql(), [query.name])
    query.before(room)
    room.github.faults.add(Fault(name=fault, match=query.match, size=SIZES.get(fault)))
    act(room, query)
    assert room.github.faults.struck()[fault] > 0
    counted_more = fault == "phantoms" and name in ("IssuePage", "IssueOutline")
    assert on_record(room, query, int(counted_more)) == []
    room.github.faults.clear()
    room.token = uuid4().hex  # whom GitHub told to wait has waited
    with room.db.transaction() as tx:
        tx.run("update backfills set resume_at = clock_timestamp() where resume_at is not null")
        tx.run("update backfill_chunks set retry_at = null")
    done = act(room, query)
    assert on_record(room, query) == []
    assert done.outcome is CaptureOutcome.COMPLETED
    with room.db.transaction(read_only=True) as tx:
        assert [row for row in recorded(tx) if not row["identity"].endswith("after None")] == []
