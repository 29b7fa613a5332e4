"""Jobs of long ago become sums by day: nothing is lost or counted twice, and what others look at stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.store import job_sums, repositories
from gh_backfill.store.db import Database

REPOSITORY = "00000000-0000-4000-8000-000000000001"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)
TOTALS = """
    select sum(points)::integer as points, sum(requests)::integer as requests, sum(jobs)::integer as jobs,
           sum(minutes)::integer as minutes, sum(failed)::integer as failed
    from (select points, requests, 1 as jobs, (status = 'failed')::integer as failed,
                 ceil(coalesce(runner_seconds, extract(epoch from completed_at - started_at)) / 60) as minutes
          from progressive_capture_jobs
          union all
          select points, requests, jobs, failed, minutes from job_sums) every"""


@pytest.fixture(autouse=True)
def repository(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into repositories (id, github_id, full_name, owner, name) "
            "values (%(id)s, 1, 'octo/kit', 'octo', 'kit')",
            id=REPOSITORY,
        )


def ended(
    db: Database, at: datetime, *, many: int = 1, status: str = "completed", outcome: str | None = "completed",
    kind: str = "sync", run: str | None = "run", of: str | None = REPOSITORY,
) -> None:  # fmt: skip
    """Write jobs that ended in 90 seconds, a minute apart, each with seven points and three requests."""
    with db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, outcome, run_key, "
            "points, requests, created_at, started_at, completed_at) "
            "select %(kind)s, %(of)s::uuid, 'local', %(status)s, %(outcome)s, %(run)s, "
            "7, 3, at, at, at + interval '90 seconds' "
            "from generate_series(0, %(many)s - 1) n, lateral (select %(at)s + n * interval '1 minute' as at) t",
            kind=kind, of=of, status=status, outcome=outcome, run=run, many=many, at=at,
        )  # fmt: skip


def summed(db: Database, most: int = 5_000) -> int:
    with db.transaction() as tx:
        return job_sums.sum_up(tx, now=NOW, most=most)


def totals(db: Database) -> Mapping[str, object]:
    with db.reading() as tx:
        row = tx.row(TOTALS)
    assert row is not None
    return row


def left(db: Database) -> int:
    with db.reading() as tx:
        return len(tx.rows("select 1 from progressive_capture_jobs"))


def test_what_is_long_over_becomes_a_row_a_day_and_no_total_changes(db: Database) -> None:
    for day in range(3):
        ended(db, LONG_AGO + timedelta(days=day), many=20)
    before = totals(db)
    assert [summed(db), summed(db), left(db)] == [50, 0, 10]
    assert totals(db) == before
    with db.reading() as tx:
        rows = tx.rows("select day::text, jobs, points, minutes, failed from job_sums order by day")
        (status,) = repositories.status(tx, [REPOSITORY], spent=True)
    assert [(row["jobs"], row["points"], row["minutes"]) for row in rows] == [
        (20, 140, 40),
        (20, 140, 40),
        (10, 70, 20),
    ]
    assert rows[0]["day"] == "2026-02-21"
    assert (status.spent_points, status.spent_requests) == (60 * 7, 60 * 3)


def test_a_few_at_once_come_to_the_same(db: Database) -> None:
    ended(db, LONG_AGO, many=40)
    before = totals(db)
    assert [summed(db, most=7) for _ in range(6)] == [7, 7, 7, 7, 2, 0]
    assert totals(db) == before
    with db.reading() as tx:
        assert len(tx.rows("select 1 from job_sums")) == 1


def test_what_is_younger_or_open_or_of_an_application_stays(db: Database) -> None:
    ended(db, NOW - timedelta(days=89), many=30)
    ended(db, LONG_AGO, many=30, outcome=None, status="processing", kind="a")
    ended(db, LONG_AGO, many=30, outcome=None, status="pending", kind="b")
    ended(db, LONG_AGO, many=30, run=None, kind="c")
    assert (summed(db), left(db)) == (0, 120)


def test_the_last_of_each_type_stay_however_old_they_are(db: Database) -> None:
    for kind in ("sync", "verify", "progressive_backfill"):
        ended(db, LONG_AGO, many=15, kind=kind)
    assert (summed(db), left(db)) == (15, 30)


def test_what_failed_since_the_last_success_stays_to_be_counted(db: Database) -> None:
    ended(db, LONG_AGO, many=5)
    ended(db, LONG_AGO + timedelta(days=1), many=12, status="failed", outcome="failed")
    assert (summed(db), left(db)) == (5, 12)
    ended(db, NOW - timedelta(days=1), many=10)
    assert (summed(db), left(db)) == (12, 10)


def test_jobs_of_no_repository_are_summed_together(db: Database) -> None:
    ended(db, LONG_AGO, many=3, of=None)
    ended(db, LONG_AGO + timedelta(hours=1), many=2, of=None, status="failed", outcome="failed")
    assert (summed(db), left(db)) == (5, 0)
    with db.reading() as tx:
        assert tx.rows("select jobs, failed from job_sums") == [{"jobs": 5, "failed": 2}]


def test_two_reports_at_once_count_each_job_once(db: Database) -> None:
    ended(db, LONG_AGO, many=30)
    with db.another() as other, db.transaction() as tx:
        first = job_sums.sum_up(tx, now=NOW, most=12)
        with other.transaction() as at_the_same_time:
            at_the_same_time.run("set local lock_timeout = '2s'")
            rows = at_the_same_time.rows(
                "select id from progressive_capture_jobs order by created_at for update skip locked"
            )
    assert (first, len(rows)) == (12, 18)
    assert summed(db) == 8


def test_a_job_that_ended_lately_stays_however_long_ago_it_was_written(db: Database) -> None:
    ended(db, LONG_AGO, many=30)
    with db.transaction() as tx:
        tx.run("update progressive_capture_jobs set completed_at = %(at)s", at=NOW - timedelta(days=1))
    assert (summed(db), left(db)) == (0, 30)
