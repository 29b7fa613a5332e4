"""Every fault of GitHub at every query of marks: what is stored is right or its loss is recorded, then all is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.marking import mark
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, reread, track
from tests.comparison import compare
from tests.conftest import Server
from tests.storm.expected_world import expected_world
from tests.tasks.test_every_fault import Room
from tests.turns import some

# The extreme ones among them: 104 labels, all sorts of reviewers, 103 requests for a review, and 130 assignees.  None
# has so many reviews that they take a query of their own: what goes with a list of marks is struck with it.
LITTLE = "octo/little"
SIZES = {
    "resource_limits": 1.0,
    **dict.fromkeys(("null_with_error", "nul_in_body", "lone_surrogate", "null_edge", "missing_id"), 0.5),
}


@pytest.fixture(scope="module")
def shared(server: Server) -> Iterator[Room]:
    name = server.make(server.migrated())
    world = load(recipes=[f"{LITTLE}:6:marked=60"])
    mark(world, LITTLE, 5, assignees=[f"dev-{number}" for number in range(130)])
    with Database(server.url_of(name)) as db, running(world) as github:
        yield Room(db=db, url=server.url_of(name), github=github)
    server.drop(name)


@pytest.fixture
def room(shared: Room) -> Room:
    shared.clear()
    return shared


def asked_by_ids(name: str) -> dict[str, str]:
    return {"variables": f'"ids_of_{name}":'}


def asked_alone(name: str) -> dict[str, str]:
    return {"query": rf"a\d: node.*\s.*\s.*\s *{name}\(first: 100, after"}


QUERIES = {
    "PullRequestsLabels": asked_by_ids("labels"),
    "PullRequestsAssignees": asked_by_ids("assignees"),
    "PullRequestsReviewRequests": asked_by_ids("review_requests"),
    "PullRequestLabels": asked_alone("labels"),
    "PullRequestAssignees": asked_alone("assignees"),
    "PullRequestReviewRequests": asked_alone("reviewRequests"),
}
_NAMES = {"label": "labels", "assignee": "assignees", "requested_reviewer": "requested_reviewers"}


def act(room: Room) -> Captured:
    """Read the quarantine again, and capture what is left."""
    reread.retry_quarantined(room.db, room.graphql(), [LITTLE])
    return capture.run(
        room.db,
        room.graphql(),
        room.run,
        LITTLE,
        Limits(deadline=datetime.now(UTC) + timedelta(seconds=40), chunk_size=4),
        kinds=("pull_requests",),
        listen=lambda progress: None,
        sleep=room.wait,
        begin=at_once,
    )


def recorded(room: Room) -> dict[int, set[str]]:
    """Return what is on record as lost, by the number of its pull request: columns, or everything of it."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in room.rows("select number, kind from backfill_quarantine where resolved_at is null"):
        found[row["number"]].add(_NAMES.get(row["kind"], str(row["kind"])))
    for row in room.rows("select number, capture_gap from pull_requests where capture_gap is not null"):
        gap = row["capture_gap"].replace("requested reviewers", "requested_reviewers")
        found[row["number"]] |= {part.split()[1] for part in gap.split("; ")}
    return found


def unrecorded(room: Room) -> list[str]:
    """Name what of the captured pull requests is not as GitHub has it and on no record."""
    with room.db.transaction(read_only=True) as tx:
        found = compare(tx, expected_world(room.github.world, LITTLE), stood_still=False).found
    known = recorded(room)
    # A page goes with its follow-ups: where the fault strikes it, whole pull requests are a gap of the walk.
    done = room.rows("select from backfills where kind = 'pull_requests' and status = 'completed' and gaps = 0")
    wrong = []
    for each in found:
        if " pull request " in each.row and each.kind == "different":
            number, column = int(each.row.split()[-1]), each.field.partition("[")[0]
            wrong += [] if column in known[number] else [str(each)]
        elif done or each.kind not in ("missing", "miscounted"):
            wrong.append(str(each))
    return wrong


def pairs() -> list[tuple[str, str]]:
    """Return each query with every third fault: neighbours share them all, and so do three days."""
    return [(name, fault) for place, name in enumerate(QUERIES) for fault in some(sorted(EFFECTS), place, step=3)]


@pytest.mark.parametrize(("name", "fault"), pairs())
def test_no_mark_of_a_pull_request_is_lost_unrecorded_while_a_fault_lasts_or_after_it(
    room: Room, name: str, fault: str
) -> None:
    track.track(room.db, room.graphql(), [LITTLE])
    room.github.faults.add(Fault(name=fault, match=QUERIES[name], size=SIZES.get(fault)))
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
    open_ = room.rows("select identity from backfill_quarantine where resolved_at is null")
    assert [row for row in open_ if not row["identity"].endswith("after None")] == []
