"""The queue of initial backfills as one process takes from it, where others are quicker or the database has no time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.errors import StoreDenied, StoreError, StoreLocked
from gh_backfill.models.github import NotFound
from gh_backfill.policy.initial import Wish
from gh_backfill.store import backfill_batches
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks.captures import Lanes, Take
from gh_backfill.tasks.initial import batches, local
from gh_backfill.tasks.initial.local import Worked, work
from tests.tasks.conftest import SMALL, House


@pytest.fixture
def added(house: House) -> House:
    """Give a house in which one repository waits for its initial backfill."""
    batches.begin(
        house.db,
        house.graphql(),
        [SMALL],
        Wish(),
        name_of=lambda _: NotFound(),
        actor=Actor(who="ana"),
        now=datetime.now(UTC),
    )
    return house


def worked(house: House, home: Path) -> Worked:
    chosen = settings.load({"DATABASE_URL": house.url, "GH_BACKFILL_HOME": str(home)}, dotenv=None)
    return work(chosen, house.db, workers=1, show=lambda _: None, say=print, clock=lambda: 0.0)


def test_who_comes_too_late_each_time_reports_nothing_and_leaves_no_log(
    added: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_batches, "lock", lambda _tx, _id: False)
    assert worked(added, tmp_path) == Worked(report=None, log=None)
    assert list(tmp_path.rglob("*.log")) == []
    assert added.rows("select run_key from backfill_reports") == []


def failing_once(error: StoreError) -> Callable[..., bool]:
    left, lock = [error], backfill_batches.lock
    return lambda tx, id_: lock(tx, id_) if not left else _raise(left.pop())


def _raise(error: StoreError) -> bool:
    raise error


def taken(monkeypatch: pytest.MonkeyPatch, error: StoreError) -> list[str]:
    """Let the first of the queue fail to begin, and note in a list what begins, which no process captures."""
    names: list[str] = []

    def take_all(_db: Database, _lanes: Lanes, take: Take, *, more: Callable[[], bool]) -> None:
        begun = [take([]) for _ in range(5) if more()]
        names.extend(each[0].full_name for each in begun if each is not None)

    monkeypatch.setattr(backfill_batches, "lock", failing_once(error))
    monkeypatch.setattr(local, "side_by_side", take_all)
    return names


def test_one_that_the_database_had_no_time_for_is_looked_for_again_though_it_is_the_last(
    added: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = taken(monkeypatch, StoreLocked("others hold a lock"))
    worked(added, tmp_path)
    assert names == [SMALL]


def test_what_the_database_refuses_is_not_tried_for_ever_and_is_told_at_the_end(
    added: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = taken(monkeypatch, StoreDenied("role r may not do this"))
    with pytest.raises(StoreDenied, match="may not do this"):
        worked(added, tmp_path)
    assert names == []
