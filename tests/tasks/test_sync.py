"""A sync brings what changed, whatever the state of the backfill, and costs what changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.simulator import changes
from gh_backfill.simulator.world import World
from gh_backfill.tasks import sync
from gh_backfill.tasks.sync import Synced, SyncWish
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, SMALL, House


def synced(
    house: House,
    name: str = SMALL,
    *,
    wish: SyncWish | None = None,
    limits: Limits | None = None,
    listen: Callable[[Progress], None] = lambda progress: None,
) -> Synced:
    return sync.run(
        house.db,
        house.graphql(),
        house.run,
        name,
        wish or SyncWish(),
        limits=limits,
        listen=listen,
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        begin=at_once,
    )


def is_what_github_has(house: House, name: str) -> list[object]:
    with house.db.transaction(read_only=True) as tx:
        wanted = [each for each in expected_world(house.github.world) if each.full_name == name]
        return list(compare(tx, wanted, stood_still=False))


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
    assert is_what_github_has(small, SMALL) == []
    assert done.captured.spent.points <= 2
    assert 0 < done.changed <= done.read
    assert small.state(SMALL)["status"] == "completed"
    job = small.only("select status, outcome, items from progressive_capture_jobs where job_type = 'sync'")
    assert (job["status"], job["outcome"]) == ("completed", "completed")
