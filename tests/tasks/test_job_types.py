"""Each type of job appears wherever jobs are told of: report, digest, alerts, costs, monitor and story."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.models.github import Spent
from gh_backfill.policy.ledger import ErrorType, JobType, job_word
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.report.alerts import AlertKind, recovered
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.policy.report.digest import digest
from gh_backfill.store import jobs, reports
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.pages.monitor import monitor
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.tasks.report.publish import markdown
from gh_backfill.tasks.report.report import report
from tests.tasks.conftest import ENGINE, SMALL, House

ACTIONS = Run(key="77/1", run_id=77, attempt=1, processor="github_actions")
each_type = pytest.mark.parametrize("job_type", JobType)


def ended(house: House, name: str, job_type: JobType, *, run: Run = ACTIONS, error: str | None = None) -> None:
    """Let a job of a type end well, or by an error that does not pass by itself."""
    id_ = house.only("select id from repositories where full_name = %(name)s", name=name)["id"]
    with house.db.transaction() as tx:
        job = jobs.start(tx, run, id_, job_type=job_type)
        finishing = jobs.finishing(
            job,
            status=JobStatus.COMPLETED if error is None else JobStatus.FAILED,
            outcome="completed" if error is None else "failed",
            error=error,
            spent=Spent(points=7, requests=8),
            chunks=1,
            items=9,
            warnings=0,
            error_type=None if error is None else ErrorType.INVALID_DATA,
        )
        assert jobs.finish(tx, finishing)


@each_type
def test_a_job_of_each_type_is_told_of_everywhere(house: House, job_type: JobType) -> None:
    house.track(SMALL, ENGINE)
    ended(house, SMALL, job_type)
    ended(house, ENGINE, job_type, error="it is broken")
    made = report(house.db, ACTIONS.key)
    totals = made.totals()
    assert (totals["jobs"], totals["succeeded"], totals["failed"], totals["points"]) == (2, 1, 1, 14)
    word = job_word(job_type)
    assert f"| {SMALL} ({word}) |" in markdown(made).replace("\\", "") if word else f"| {SMALL} |" in markdown(made)
    (alert,) = [each for each in made.alerts if each.kind is AlertKind.CRITICAL]
    assert alert.repository == ENGINE
    assert "it is broken" in alert.text
    assert (f"({word})" in alert.text) == bool(word)
    told = digest([made.as_json()], [], None)
    assert told is not None
    assert "1 of 2 jobs failed" in told.title
    with house.db.reading() as tx:
        month = reports.month(tx, CostRates(actions_minute=0.01), datetime.now(UTC), budget=None)
    assert [work.jobs for work in month.works] == ([2] if job_type is not JobType.EMBEDDING else [])
    page = monitor(house.db, {}, datetime.now(UTC))
    assert [each.full_name for each in page.needs] == [ENGINE]
    assert [each.what for each in page.jobs] == [word, word]
    story = repository(house.db, ENGINE, {}, datetime.now(UTC))
    assert story is not None
    assert any(each.what.word == f"{word or 'job'} failed" for each in story.story)


def test_a_sync_that_goes_well_mends_no_backfill_that_stands_still(house: House) -> None:
    house.track(SMALL)
    earlier = Run(key="76/1", run_id=76, attempt=1, processor="github_actions")
    ended(house, SMALL, JobType.BACKFILL, run=earlier, error="it is broken")
    with house.db.transaction() as tx:
        tx.run("update backfills set status = 'failed'")
    ended(house, SMALL, JobType.SYNC)
    made = report(house.db, ACTIONS.key)
    assert made.mended == frozenset()
    over = recovered(made.run, made.alerts, made.mended)
    assert not any(kind is AlertKind.CRITICAL for kind, _ in over)
    assert [each.full_name for each in monitor(house.db, {}, datetime.now(UTC)).needs] == [SMALL]
    with house.db.transaction() as tx:
        tx.run("update backfills set status = 'completed'")
    ended(house, SMALL, JobType.BACKFILL, run=Run(key="78/1", run_id=78, attempt=1, processor="github_actions"))
    assert report(house.db, ACTIONS.key).mended != frozenset()
    assert monitor(house.db, {}, datetime.now(UTC)).needs == ()
