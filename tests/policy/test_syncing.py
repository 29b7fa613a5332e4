"""How far back a sync reads, when another application's wish is refused, and when a backfill is the better way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.syncing import (
    DEFAULT_DAYS,
    MOST_DAYS,
    SyncReason,
    initiates_backfill,
    read_everything,
    refusal,
    since,
)

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
NAME = "octo/engine"


@pytest.mark.parametrize(
    ("days", "status", "read"),
    [
        (None, None, DEFAULT_DAYS),
        (7, None, 7),
        (10_000, None, MOST_DAYS),
        (None, BackfillStatus.COMPLETED, DEFAULT_DAYS),
        (30, BackfillStatus.ACTIVE, 1),
        (None, BackfillStatus.PAUSED, 1),
    ],
)
def test_days_are_capped_and_one_beside_a_backfill(days: int | None, status: BackfillStatus | None, read: int) -> None:
    assert since(NOW, days, status) == NOW - timedelta(days=read)


@pytest.mark.parametrize(
    ("hours", "said"), [(0.2, "0 hours ago"), (2.6, "3 hours ago"), (11.9, "12 hours ago"), (12, None), (100, None)]
)
def test_another_applications_wish_is_granted_every_twelve_hours(hours: float, said: str | None) -> None:
    last = NOW - timedelta(hours=hours)
    found = refusal(NAME, SyncReason.SCHEDULED, last, BackfillStatus.COMPLETED, NOW)
    assert (found is None) == (said is None)
    if found is not None and said is not None:
        assert found.startswith(f"Repository {NAME} was synced {said}. Skipping to prevent excessive API usage. ")
        assert found.endswith(f"from {last + timedelta(hours=12):%Y-%m-%d %H:%M} UTC on")


@pytest.mark.parametrize("reason", [SyncReason.MANUAL, SyncReason.AUTO_FIX, SyncReason.WEBHOOK])
def test_who_has_a_reason_need_not_wait(reason: SyncReason) -> None:
    assert refusal(NAME, reason, NOW, BackfillStatus.COMPLETED, NOW) is None


@pytest.mark.parametrize("status", [BackfillStatus.ACTIVE, BackfillStatus.PAUSED])
def test_what_is_being_backfilled_need_not_wait(status: BackfillStatus) -> None:
    assert refusal(NAME, SyncReason.SCHEDULED, NOW, status, NOW) is None


def test_what_was_never_synced_need_not_wait() -> None:
    assert refusal(NAME, SyncReason.SCHEDULED, None, None, NOW) is None


@pytest.mark.parametrize(
    ("total", "there", "status", "handed"),
    [
        (100, 79, None, True),
        (100, 80, None, False),
        (99, 0, None, False),
        (5_000, None, None, True),
        (5_000, 0, BackfillStatus.ACTIVE, False),
        (5_000, 0, BackfillStatus.FAILED, False),
        (None, 0, None, False),
    ],
)
def test_a_large_repository_of_which_much_is_missing_is_handed_to_a_backfill(
    total: int | None, there: int | None, status: BackfillStatus | None, handed: bool
) -> None:
    assert initiates_backfill(total, there, status) is handed


@pytest.mark.parametrize(("read", "total", "odd"), [(180, 180, True), (179, 180, False), (100, 100, False)])
def test_a_sync_that_reads_all_of_a_large_repository_is_odd(read: int, total: int, odd: bool) -> None:
    assert read_everything(read, total) is odd
