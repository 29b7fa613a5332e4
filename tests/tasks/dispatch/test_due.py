"""What is due is asked about in a few queries: what did not change moves on, and what changed gets a job."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import dues
from gh_backfill.store.db import Database
from gh_backfill.tasks import operate, sync, track
from gh_backfill.tasks.dispatch import due
from gh_backfill.tasks.dispatch.due import AskedDues
from gh_backfill.tasks.sync_told import SyncWish
from tests.tasks.conftest import SMALL, House

OTHER = "octo/other"


@pytest.fixture
def house(db: Database, database_url: str) -> Iterator[House]:
    """Give two small repositories that are complete."""
    with running(load(recipes=[f"{SMALL}:12", f"{OTHER}:3"])) as github:
        house = House(db=db, url=database_url, github=github)
        house.track(SMALL, OTHER)
        for name in (SMALL, OTHER):
            house.capture(name)
        yield house


def ask(house: House) -> AskedDues:
    return due.ask(house.db, house.graphql(), sleep=house.wait)


def make_due(house: House, since: str = "2026-01-01") -> None:
    with house.db.transaction() as tx:
        tx.run("update repository_syncs set next_due_at = %(at)s", at=datetime.fromisoformat(since).replace(tzinfo=UTC))


def syncs(house: House) -> dict[str, dict[str, Any]]:
    rows = house.rows(
        "select r.full_name as name, y.*, y.next_due_at > clock_timestamp() as ahead, "
        "(select watermark from backfill_streams s where s.repository_id = r.id and s.stream = 'sync') as checkpoint "
        "from repository_syncs y join repositories r on r.id = y.repository_id"
    )
    return {row["name"]: row for row in rows}


def test_what_did_not_change_moves_on_without_a_job(house: House) -> None:
    before = datetime.now(UTC)
    done = ask(house)
    assert (done.due, done.unchanged, done.changed, done.points) == (2, 2, (), 1)
    assert house.count("progressive_capture_jobs where job_type = 'sync'") == 0
    for row in syncs(house).values():
        assert row["ahead"]
        assert row["checkpoint"] == row["last_success_at"]
        assert row["last_success_at"] > before - timedelta(seconds=2)
    assert ask(house) == AskedDues()


def test_what_changed_gets_one_job_that_says_how_much_and_stays_due_until_it_is_done(house: House) -> None:
    ask(house)
    make_due(house)
    changes.edit(house.github.world, SMALL, 3, title="Another title")
    changes.open_pull_request(house.github.world, SMALL, author="octo", title="New")
    done = ask(house)
    assert (done.unchanged, [each.full_name for each in done.changed]) == (1, [SMALL])
    job = house.only("select * from progressive_capture_jobs where job_type = 'sync'")
    assert (job["status"], job["run_key"], job["time_range_days"]) == ("pending", None, 1)
    assert (job["metadata"]["changed"], job["metadata"]["items"]) == ("2", {"pull_requests": 2})
    assert job["metadata"]["label"] == SMALL
    assert syncs(house)[SMALL]["next_due_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert ask(house).due == 0, "a job waits already"
    assert house.count("progressive_capture_jobs where job_type = 'sync'") == 1


def test_what_a_webhook_or_a_sync_brought_is_no_change(house: House) -> None:
    ask(house)
    make_due(house)
    changes.edit(house.github.world, SMALL, 3, title="Another title")
    sync.run(house.db, house.graphql(), house.run, SMALL, SyncWish(), sleep=house.wait, begin=at_once)
    make_due(house)
    assert ask(house).unchanged == 2


def test_a_repository_that_was_never_read_to_its_end_gets_a_job(house: House) -> None:
    found = track.ask(house.graphql(), [SMALL], name_of=lambda _: SMALL)
    track.register(house.db, found, kinds=("pull_requests", "issues"))
    done = ask(house)
    assert [each.full_name for each in done.changed] == [SMALL]
    job = house.only("select time_range_days as days, metadata from progressive_capture_jobs where job_type = 'sync'")
    assert (job["days"], job["metadata"]["items"]) == (30, {"issues": 0})


def test_one_that_github_does_not_show_is_a_failure_of_its_own_and_is_hidden(house: House) -> None:
    changes.make_private(house.github.world, OTHER)
    done = ask(house)
    assert (done.unchanged, [(each.full_name, reason) for each, reason in done.unknown]) == (1, [(OTHER, due.GONE)])
    row = syncs(house)[OTHER]
    assert (row["failures"], row["last_error"], row["ahead"]) == (1, due.GONE, True)
    assert house.only("select is_private from repositories where full_name = %(n)s", n=OTHER)["is_private"]


def test_a_renamed_repository_is_followed(house: House) -> None:
    changes.rename_repository(house.github.world, OTHER, name="new-name")
    assert ask(house).unchanged == 2
    assert house.count("repositories where full_name = 'octo/new-name'") == 1


def test_what_github_refuses_to_tell_now_stays_due_since_when_it_was(house: House) -> None:
    ask(house)
    make_due(house)
    house.github.faults.add(Fault(name="rate_limited"))
    done = ask(house)
    assert (done.not_asked, done.unknown, done.since) == (2, (), datetime(2026, 1, 1, tzinfo=UTC))
    assert "points of this hour are used up" in (done.limited or "")
    assert {row["next_due_at"] for row in syncs(house).values()} == {datetime(2026, 1, 1, tzinfo=UTC)}
    assert {row["failures"] for row in syncs(house).values()} == {0}


def test_what_is_nobodys_own_fault_leaves_all_as_due_as_before(house: House) -> None:
    ask(house)
    make_due(house)
    house.github.faults.add(Fault(name="bad_credentials"))
    with pytest.raises(Exception, match="GitHub does not accept"):
        ask(house)
    assert {row["next_due_at"] for row in syncs(house).values()} == {datetime(2026, 1, 1, tzinfo=UTC)}


def test_what_a_person_holds_or_took_off_the_list_is_not_due(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update progressive_backfill_state set status = 'active'")
    operate.pause(house.db, [SMALL], reason=None, until=None)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = false where repository_name = 'other'")
    assert ask(house).due == 0


def test_two_ticks_never_take_the_same_repository(house: House) -> None:
    with house.db.another() as second:
        ask(house)
        make_due(house)
        with house.db.transaction() as tx:
            first = dues.take(tx)
            with second.transaction() as other:
                assert dues.take(other) == []
        assert len(first) == 2
        assert due.ask(second, house.graphql(), sleep=house.wait).due == 0


def test_a_repository_of_which_a_sync_is_under_way_keeps_what_that_says(house: House) -> None:
    ask(house)
    make_due(house)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set status = 'active', watermark = null where stream = 'sync'")
    # Without a checkpoint of its own the catch-up's counts, and nothing changed since that.
    assert ask(house).unchanged == 2
    assert {row["checkpoint"] for row in syncs(house).values()} == {None}


def test_a_thousand_repositories_that_did_not_change_cost_a_dozen_points_a_tick(
    db: Database, database_url: str
) -> None:
    with running(load(recipes=[f"many/r{number}:0" for number in range(1_000)])) as github:
        house = House(db=db, url=database_url, github=github)
        known = [
            {"github_id": each.id, "name": each.name, "node_id": each.node_id}
            for each in github.world.repositories.values()
        ]
        with db.transaction() as tx:
            tx.run(
                """
                with made as (
                    insert into repositories (github_id, full_name, owner, name, is_private, node_id,
                                              github_pull_requests)
                    select github_id, 'many/' || name, 'many', name, false, node_id, 0
                    from jsonb_to_recordset(%(known)s) as i (github_id bigint, name text, node_id text)
                    returning id, owner, name
                ), listed as (
                    insert into tracked_repositories (repository_id, organization_name, repository_name)
                    select id, owner, name from made
                )
                insert into backfill_streams (repository_id, kind, stream, ordering, status, watermark)
                select id, kind, 'sync', 'UPDATED_AT', 'completed', clock_timestamp() - interval '30 minutes'
                from made, unnest(array['pull_requests', 'issues']) kind
                """,
                known=known,
            )
        for kinds, most in ((("pull_requests",), 12), (("pull_requests", "issues"), 16)):
            before = github.stats.points
            assert due.ask(db, house.graphql(), kinds=kinds).unchanged == 1_000
            assert github.stats.points - before <= most
            assert ask(house).due == 0
            make_due(house)
        assert house.count("progressive_capture_jobs") == 0


def test_a_row_that_another_application_wrote_is_not_taken_for_what_we_read(house: House) -> None:
    changes.edit(house.github.world, SMALL, 3, title="Another title")
    sync.run(house.db, house.graphql(), house.run, SMALL, SyncWish(), begin=at_once)
    make_due(house)
    assert ask(house).changed == ()
    make_due(house)
    with house.db.transaction() as tx:
        tx.run("update pull_requests set counts_fetched_at = null where number = 3")
    assert [each.full_name for each in ask(house).changed] == [SMALL]
