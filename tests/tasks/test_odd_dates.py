"""Dates that no calendar of Python has, in rows: everything is read all the same, and a proof finds and mends them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.policy.selection import Thresholds
from gh_backfill.tasks import sync
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.pages.monitor import monitor
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.tasks.report.report import report
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.verify import sweep
from gh_backfill.tasks.why import why
from tests.tasks.conftest import SMALL, House

PLACES = (
    "pull_requests.created_at",
    "pull_requests.updated_at",
    "pull_requests.merged_at",
    "pull_requests.gone_at",
    "reviews.submitted_at",
    "comments.created_at",
    "progressive_capture_jobs.created_at",
    "progressive_capture_jobs.completed_at",
    "backfills.completed_at",
    "repository_syncs.next_due_at",
    "repository_syncs.last_success_at",
)


def put(house: House, place: str, odd: str) -> None:
    table, column = place.split(".")
    with house.db.transaction() as tx:
        tx.run(
            "insert into repository_syncs (repository_id, next_due_at, last_success_at) "
            "select id, now(), now() from repositories on conflict do nothing"
        )
        tx.run(f"update {table} set {column} = %(odd)s where ctid = (select ctid from {table} limit 1)", odd=odd)  # noqa: S608


@pytest.mark.parametrize("odd", ["0044-03-15 12:00 BC", "infinity", "-infinity"])
@pytest.mark.parametrize("place", PLACES)
def test_one_odd_date_keeps_nobody_from_reading_the_rest(house: House, place: str, odd: str) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    put(house, place, odd)
    now = datetime.now(UTC)
    assert monitor(house.db, {}, now).as_json()
    assert repository(house.db, SMALL, {}, now) is not None
    assert outlook(house.db).states
    assert why(house.db, [SMALL], now, thresholds=Thresholds(), limit=12)
    assert report(house.db, house.run.key).jobs
    (verified,) = sweep.verifications(house.db, house.graphql(), house.run, [SMALL], repair=True)
    assert verified.error is None, verified.reason
    done = sync.run(house.db, house.graphql(), house.run, SMALL, SyncWish())
    assert done.captured is not None
    assert done.captured.error_type is None, done.text


@pytest.mark.parametrize("odd", ["0044-03-15 12:00 BC", "infinity"])
@pytest.mark.parametrize("column", ["created_at", "updated_at"])
def test_a_proof_finds_such_a_date_names_its_row_and_mends_it(house: House, column: str, odd: str) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    put(house, f"pull_requests.{column}", odd)
    number = house.only(f"select number from pull_requests where {column} = %(odd)s", odd=odd)["number"]  # noqa: S608
    (found,) = sweep.verifications(house.db, house.graphql(), house.run, [SMALL])
    assert found.certificate is not None
    assert {each.number for each in found.certificate.differences} == {number}
    assert found.certificate.open
    assert found.certificate.score.percent < 100
    (mended,) = sweep.verifications(house.db, house.graphql(), house.run, [SMALL], repair=True)
    assert mended.certificate is not None
    assert mended.certificate.whole
    assert house.rows(f"select 1 from pull_requests where {column} = %(odd)s", odd=odd) == []  # noqa: S608
