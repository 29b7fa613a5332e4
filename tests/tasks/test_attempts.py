"""Several attempts of one workflow run: planned, captured and reported together, whichever of them did what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gh_backfill.models.github import Spent
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.selection import Thresholds
from gh_backfill.settings import load
from gh_backfill.store import jobs
from gh_backfill.store.db import Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import connect
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.publish import markdown
from gh_backfill.tasks.report.report import Report, ReportOptions, report
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.test_closing import at_github, github_job


def attempt(number: int) -> Run:
    return connect.this_run(
        load({"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": str(number)}, dotenv=None)
    )


def planned(house: House, run: Run, *names: str) -> None:
    house.track(*names)
    plan(house.db, house.graphql(), run, datetime.now(UTC), asked=names, thresholds=Thresholds(), limit=12)


def started(house: House, run: Run, name: str) -> str:
    with house.db.transaction() as tx:
        (row,) = tx.rows("select id from repositories where full_name = %(name)s", name=name)
        return jobs.start(tx, run, row["id"])


def ended(house: House, run: Run, name: str) -> None:
    job_id = started(house, run, name)
    with house.db.transaction() as tx:
        assert jobs.finish(
            tx,
            jobs.finishing(
                job_id,
                status=JobStatus.COMPLETED,
                outcome="stopped",
                error=None,
                spent=Spent(),
                chunks=1,
                items=1,
                warnings=0,
            ),
        )


def reported(house: House, number: int, *runners: dict[str, object]) -> Report:
    run = attempt(number)
    options = ReportOptions(ask=at_github(house, *runners) if runners else None, run=(7, number))
    return report(house.db, run.key, options=options)


def rows(house: House) -> Sequence[Row]:
    return house.rows(
        """select r.full_name, j.status, j.outcome, j.workflow_run_attempt as attempt, j.metadata ->> 'label' as label
           from progressive_capture_jobs j join repositories r on r.id = j.repository_id
           order by r.full_name, j.created_at"""
    )


def test_a_report_that_is_repeated_alone_closes_and_tells_what_the_first_attempt_planned(house: House) -> None:
    planned(house, attempt(1), ENGINE, SMALL)
    ended(house, attempt(1), ENGINE)
    made = reported(house, 2, github_job(f"capture {SMALL}", "failure"))
    assert [(job.name, job.outcome) for job in made.jobs] == [(ENGINE, "stopped"), (SMALL, "died")]
    assert all(row["outcome"] is not None for row in rows(house))
    assert "1 of 2 jobs succeeded" in markdown(made)


def test_a_capture_that_is_repeated_stands_for_the_one_that_failed(house: House) -> None:
    planned(house, attempt(1), ENGINE, SMALL)
    ended(house, attempt(1), ENGINE)
    started(house, attempt(1), SMALL)
    first = reported(house, 1, github_job(f"capture {SMALL}", "failure"))
    assert [job.name for job in first.failed] == [SMALL]
    ended(house, attempt(2), SMALL)
    second = reported(house, 2)
    assert [(job.name, job.outcome) for job in second.jobs] == [(ENGINE, "stopped"), (SMALL, "stopped")]
    assert [(row["full_name"], row["attempt"], row["outcome"]) for row in rows(house)] == [
        (ENGINE, 1, "stopped"),
        (SMALL, 1, "died"),
        (SMALL, 2, "stopped"),
    ]
    assert {row["label"] for row in rows(house) if row["full_name"] == SMALL} == {SMALL}


def test_a_job_that_was_planned_and_never_began_is_taken_by_the_next_attempt(house: House) -> None:
    planned(house, attempt(1), ENGINE)
    ended(house, attempt(2), ENGINE)
    assert [(row["attempt"], row["outcome"]) for row in rows(house)] == [(2, "stopped")]


def test_a_run_that_is_repeated_whole_leaves_nothing_open_of_the_attempt_before(house: House) -> None:
    planned(house, attempt(1), ENGINE, SMALL)
    started(house, attempt(1), SMALL)
    planned(house, attempt(2), ENGINE, SMALL)
    ended(house, attempt(2), ENGINE)
    ended(house, attempt(2), SMALL)
    made = reported(house, 2)
    assert [(job.name, job.outcome) for job in made.jobs] == [(ENGINE, "stopped"), (SMALL, "stopped")]
    assert [(row["full_name"], row["attempt"], row["status"], row["outcome"]) for row in rows(house)] == [
        (ENGINE, 1, "cancelled", "never_started"),
        (ENGINE, 2, "completed", "stopped"),
        (SMALL, 1, "failed", "died"),
        (SMALL, 2, "completed", "stopped"),
    ]


def test_a_name_that_both_attempts_could_not_plan_is_told_once(house: House) -> None:
    for number in (1, 2):
        planned(house, attempt(number), ENGINE)
        with house.db.transaction() as tx:
            jobs.plan_unknown(tx, attempt(number), {"octo/nothing": "octo/nothing is not tracked here"})
    made = reported(house, 2)
    assert sum("is not tracked here" in str(job.error) for job in made.jobs) == 1


def test_a_further_attempt_is_news_and_a_repeated_report_is_not(house: House) -> None:
    planned(house, attempt(1), ENGINE)
    first, again, second = reported(house, 1), reported(house, 1), reported(house, 2)
    assert first.kept is not None
    assert again.kept is not None
    assert second.kept is not None
    assert first.kept.delivery_id == again.kept.delivery_id != second.kept.delivery_id
    assert house.only("select workflow_run_attempt as attempt from backfill_reports")["attempt"] == 2


def test_runners_that_github_lists_under_both_attempts_are_paid_once(house: House) -> None:
    planned(house, attempt(1), ENGINE)
    plan_job = github_job("plan", "success", seconds=65)
    made = reported(house, 2, plan_job, {**plan_job, "id": 99, "run_attempt": 2})
    assert made.run.overhead_minutes == 2
