"""On a laptop: what is due is asked about together, what changed is synced, and the rest costs next to nothing."""

from __future__ import annotations

from gh_backfill.engine.background import at_once
from gh_backfill.simulator import changes
from gh_backfill.tasks import sync
from gh_backfill.tasks.dispatch import here
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.syncs import SyncedOne
from tests.tasks.conftest import ENGINE, SMALL, House


def worked(house: House, *, over: bool = False) -> here.DoneHere:
    graphql = house.graphql()

    def one(name: str, wish: SyncWish) -> list[SyncedOne]:
        done = sync.run(house.db, graphql, house.run, name, wish, sleep=house.wait, begin=at_once)
        return [SyncedOne(name=done.repository.full_name, repository_id=done.repository.id, synced=done)]

    return here.run(house.db, graphql, house.run, one, over=lambda: over)


def test_what_has_changed_is_synced_by_its_job_and_the_rest_moves_on(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(ENGINE)
    house.capture(SMALL)
    changes.edit(house.github.world, SMALL, 3, title="Edited")
    spent = house.github.stats.points
    found = worked(house)
    assert ([each.name for each in found.done], found.unchanged) == ([SMALL], 1)
    assert house.github.stats.points - spent == 2, "one for the question about both, one for the page"
    assert house.only("select title from pull_requests p join repositories r on r.id = p.repository_id "
                      "where full_name = 'octo/small' and number = 3")["title"] == "Edited"  # fmt: skip
    job = house.only("select status, outcome, processor_type from progressive_capture_jobs where job_type = 'sync'")
    assert job == {"status": "completed", "outcome": "completed", "processor_type": "local"}
    assert worked(house).unchanged == 0, "nothing is due any more"


def test_what_another_application_wants_is_left_to_a_tick(house: House) -> None:
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("insert into progressive_capture_jobs (job_type, repository_id, status) "
               "select 'sync', id, 'pending' from repositories")  # fmt: skip
    assert worked(house).done == []
    job = house.only("select status, run_key from progressive_capture_jobs where job_type = 'sync'")
    assert job == {"status": "pending", "run_key": None}


def test_what_is_not_begun_in_time_is_due_as_before(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    changes.edit(house.github.world, SMALL, 3, title="Edited")
    assert worked(house, over=True).done == []
    assert [each.name for each in worked(house).done] == [SMALL]
