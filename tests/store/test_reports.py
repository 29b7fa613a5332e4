"""The ledger and the read model in the database: words, months, metrics, and the host application's database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from psycopg2.extras import Json

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.models.github import Spent
from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.report.alerts import AlertKind, judge
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.store import jobs, migrations, reports
from gh_backfill.store.db import Database, Row, Transaction
from gh_backfill.store.jobs import Run
from tests.conftest import VARIANTS
from tests.store.test_schema import ids

RUN = Run(key="7/1", run_id=7, attempt=1, processor="github_actions")
NOW = datetime.now(UTC)


def ended(
    tx: Transaction, repository: str, outcome: str = "completed", status: str = "completed", **set_to: object
) -> str:
    """Write a job that ended, with what a test wants to set."""
    job_id = jobs.start(tx, RUN, repository)
    spent = Spent(points=10, requests=20)
    jobs.finish(
        tx,
        jobs.finishing(
            job_id, status=JobStatus(status), outcome=outcome, error=None, spent=spent, chunks=5, items=99, warnings=1
        ),
    )
    for column, value in set_to.items():
        tx.run(f"update progressive_capture_jobs set {column} = %(value)s where id = %(id)s", value=value, id=job_id)  # noqa: S608
    return job_id


def test_the_words_for_outcomes_are_those_of_the_check(db: Database) -> None:
    with db.transaction(read_only=True) as tx:
        row = tx.row("""select pg_get_constraintdef(oid) as text from pg_constraint
                        where conname = 'progressive_capture_jobs_outcome_check'""")
    assert row is not None
    # An earlier name of `cancelled`, which nothing writes: a constraint of an existing database is not redefined.
    assert set(re.findall(r"'(\w+)'", row["text"])) == {*JobOutcome, "interrupted"}
    assert {outcome.value for outcome in CaptureOutcome} <= {outcome.value for outcome in JobOutcome}


def test_a_month_is_priced_from_the_ledger_by_processor(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        ended(tx, repository, runner_seconds=61)
        ended(tx, repository, runner_seconds=60)
        ended(tx, repository, processor_type="inngest", runner_seconds=30)
        ended(tx, repository, created_at=NOW - timedelta(days=70))
        ended(tx, repository, job_type="embedding", cost=0.25)
        made = reports.month(tx, CostRates(actions_minute=0.01), NOW, budget=None)
    works = {work.processor: (work.jobs, work.minutes, work.chunks) for work in made.works}
    assert works == {"github_actions": (2, 3, 10), "inngest": (1, 1, 5)}
    assert made.by_processor["github_actions"] == 0.03
    assert made.embeddings == 0.25


def metrics(tx: Transaction) -> Row:
    """Return the one row of the view that monitoring reads."""
    (row,) = tx.rows("select * from backfill_metrics")
    return row


def test_the_metrics_of_a_day(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        ended(tx, repository, started_at=NOW - timedelta(seconds=100), completed_at=NOW, retries=2)
        ended(tx, repository, "died", "failed")
        ended(tx, repository, created_at=NOW - timedelta(days=2))
        jobs.start(tx, RUN, repository)
        jobs.plan(tx, RUN, [(repository, "asked", None)])
        found = metrics(tx)
    assert (found["finished_jobs"], found["running_jobs"], found["waiting_jobs"]) == (2, 1, 1)
    assert (found["success_percent"], found["seconds_per_repository"]) == (50, 100)
    assert (found["points"], found["points_per_hour"], found["retries"], found["warnings"]) == (20, 20, 2, 2)
    assert found["fresh_at"] is not None


def test_the_metrics_of_a_day_have_pauses_slow_downs_and_refusals_and_what_was_cancelled_is_no_failure(
    db: Database,
) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        ended(tx, repository)
        ended(tx, repository, "paused", error_type="rate_limit", times=Json({"slow_down": 20.5, "total": 30}))
        ended(tx, repository, times=Json({"server_time": 1.5}))
        ended(tx, repository, "failed", "failed", error_type="denied")
        ended(tx, repository, "cancelled", "cancelled")
        found = metrics(tx)
    assert (found["pauses"], found["slow_downs"], found["slow_down_seconds"], found["refusals"]) == (1, 2, 22, 1)
    assert (found["finished_jobs"], found["success_percent"]) == (5, 75)


def test_metrics_of_nothing_are_unknown_and_not_zero_percent(db: Database) -> None:
    with db.transaction(read_only=True) as tx:
        found = metrics(tx)
    assert (found["finished_jobs"], found["success_percent"], found["seconds_per_repository"]) == (0, None, None)


def test_failures_are_counted_since_the_last_success(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        for minute, status in enumerate(("failed", "completed", "failed", "failed", "failed")):
            outcome = "died" if status == "failed" else "completed"
            ended(tx, repository, outcome, status, created_at=NOW + timedelta(minutes=minute), run_key=f"{minute}/1")
        last = reports.of_run(tx, "4/1", prices=CostRates(), at=NOW)
        before = reports.of_run(tx, "0/1", prices=CostRates(), at=NOW)
    assert [job.failures_in_a_row for job in last.jobs] == [3]
    assert [job.failures_in_a_row for job in before.jobs] == [1]
    assert AlertKind.REPEATED in [alert.kind for alert in judge(last, (), NOW)]


def test_few_points_left_are_read_from_the_shared_budget(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        ended(tx, repository)
        tx.run("""insert into api_budgets (identity, resource, budget_limit, remaining, reset_at)
                  values ('user:1', 'graphql', 1000, 99, now() + interval '1 hour'),
                         ('user:2', 'graphql', 5000, 0, now() - interval '1 hour'),
                         ('user:3', 'core', 5000, 0, now() + interval '1 hour')""")
        made = reports.of_run(tx, "7/1", prices=CostRates(), at=NOW)
    assert (made.points_left, made.points_limit) == (99, 1000)


def test_a_repository_whose_privacy_is_unknown_is_told_by_its_id(db: Database) -> None:
    repository, _ = ids(db)
    with db.transaction() as tx:
        tx.run("update repositories set is_private = null")
        ended(tx, repository, "failed", "failed", error="o/migrated is not there")
        (job,) = reports.of_run(tx, "7/1", prices=CostRates(), at=NOW).jobs
    assert job.name == repository
    assert job.error == f"{repository} is not there"


def test_only_a_name_that_was_given_and_is_unknown_is_hidden_in_the_error_of_a_job_without_a_repository(
    db: Database,
) -> None:
    with db.transaction() as tx:
        jobs.plan_failed(tx, RUN, [(None, "GitHub refuses: check the token")], error_type=ErrorType.DENIED)
        jobs.plan_unknown(tx, RUN, {"octo/nothing": "octo/nothing is not tracked here"})
        made = reports.of_run(tx, "7/1", prices=CostRates(), at=NOW)
    assert {job.error for job in made.jobs} == {
        "GitHub refuses: check the token",
        "a repository that was named is not tracked here",
    }


@pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)
def test_the_ledger_works_in_a_host_applications_database(existing_database_url: str) -> None:
    with Database(existing_database_url) as database:
        repository, _ = ids(database)
        with database.transaction() as tx:
            jobs.plan(tx, RUN, [(repository, "asked", None)])
            job_id = jobs.start(tx, RUN, repository)
            beat, params = jobs.heartbeat(job_id, spent=Spent(points=1, requests=1), chunks=1, items=1)
            assert tx.rows(beat, **params)
        with database.transaction() as tx:
            made = reports.of_run(tx, "7/1", prices=CostRates(), at=NOW)
            reports.keep(tx, made, ())
            assert metrics(tx)["running_jobs"] == 1
            assert len(reports.standings(tx)) >= 0
            assert tx.rows("select id from progressive_capture_jobs where run_key is null")  # the application's own


def test_the_tables_of_reports_are_closed_to_guests(unmigrated_database_url: str) -> None:
    with Database(unmigrated_database_url) as database:
        migrations.apply(database)
        with database.transaction(read_only=True) as tx:
            for name in ("backfill_reports", "webhook_deliveries", "webhook_pending", "backfill_metrics"):
                row = tx.row(
                    "select has_table_privilege('anon', %(name)s, 'select, insert, update, delete') as guest", name=name
                )
                assert row == {"guest": False}, name
            security = tx.rows("""select relname from pg_class where relrowsecurity
                                  and relname in ('backfill_reports', 'webhook_deliveries', 'webhook_pending')""")
            assert len(security) == 3
