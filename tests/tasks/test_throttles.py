"""What may be asked for again at once, what has to wait, and that a refusal says until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.quarantine import Retried, retry_quarantined
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.tasks import capture
from gh_backfill.tasks.plan import plan
from tests.tasks.conftest import ENGINE, SMALL, House

FAR = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
# Marks of other writers, which move whenever anybody touches a row: they are no success of ours.
TOUCHED = (
    "update repositories set last_synced_at = now(), last_updated_at = now(), sync_status = 'completed'",
    "update tracked_repositories set last_sync_at = now(), last_updated_at = now(), updated_at = now()",
    "update pull_requests set last_synced_at = now()",
)


def touch(house: House) -> None:
    with house.db.transaction() as tx:
        for statement in TOUCHED:
            tx.run(statement)


def planned(house: House, *asked: str) -> list[PlanReason]:
    made = plan(house.db, house.graphql(), house.run, datetime.now(UTC), asked=asked, thresholds=Thresholds(), limit=12)
    return [each.why for each in made.verdicts]


def test_what_somebody_asks_for_is_captured_though_it_was_a_moment_ago(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    touch(house)
    changes.edit(house.github.world, SMALL, 3, title="Edited a moment later")
    assert planned(house, SMALL) == [PlanReason.ASKED]
    assert house.capture(SMALL).items == 1
    assert house.rows("select 1 from pull_requests where title = 'Edited a moment later'") != []


def test_a_backfill_goes_on_whenever_others_touched_its_rows(house: House) -> None:
    house.track(ENGINE)
    for items in (74, 74, 32):
        touch(house)
        assert planned(house) == [PlanReason.GOES_ON]
        assert house.capture(limits=Limits(chunk_size=74, max_chunks=1)).items == items


def test_a_repair_is_done_at_once(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    touch(house)
    with house.db.transaction() as tx:
        tx.run("""insert into backfill_quarantine (repository_id, kind, identity, number, reason)
                  select id, 'pull_request', 'x', 3, 'spoilt' from repositories""")
        tx.run("update pull_requests set title = 'spoilt', updated_at = '2001-01-01' where number = 3")
    assert retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL)) == Retried(
        tried=1, resolved=1
    )
    assert house.rows("select 1 from pull_requests where title = 'spoilt'") == []


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("update backfill_chunks set status = 'pending', retry_at = %(at)s where status = 'processing'", "stopped"),
        ("update backfill_chunks set lease_until = %(at)s where status = 'processing'", "busy"),
        ("update progressive_backfill_state set status = 'paused', held = true, resume_at = %(at)s", "paused"),
    ],
    ids=["a chunk that failed", "a chunk that somebody holds", "a pause by a person"],
)
def test_a_refusal_says_when_it_may_be_tried_again(house: House, state: str, outcome: str) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        stream = tx.row("select id, backfill_state_id, repository_id from backfill_streams")
        assert stream is not None
        tx.run(
            """insert into backfill_chunks (repository_id, backfill_state_id, stream_id, chunk_number, status, attempt,
                                            lease_until, processor_type)
               values (%(repository_id)s, %(backfill_state_id)s, %(id)s, 1, 'processing', 1, now(), 'local')""",
            **stream,
        )
        tx.run(state, at=FAR)
    before = house.github.stats.requests
    captured = house.capture()
    assert (captured.outcome, captured.resume_at) == (CaptureOutcome(outcome), FAR)
    assert captured.reason
    assert house.github.stats.requests - before <= 1
    assert house.count("pull_requests") == 0
