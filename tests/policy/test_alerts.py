"""Each alert condition at its edge: just not, and just so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.policy.report.alerts import Alert, AlertKind, BackfillProgress, judge, recovered
from gh_backfill.policy.report.costs import CostRates, ProcessorUsage, first_of_month, month
from gh_backfill.policy.report.figures import RunFigures, SystemFailure
from tests.policy.figures import ID, NOW, dead, job, run

STANDING = BackfillProgress(
    repository_id=ID,
    name="octo/engine",
    status=BackfillStatus.ACTIVE,
    captured=10,
    total=200,
    whole=True,
    last_progress_at=NOW,
)


def kinds(made: RunFigures, *standings: BackfillProgress) -> list[AlertKind]:
    return [alert.kind for alert in judge(made, standings, NOW)]


def test_a_run_that_went_well_alerts_nobody() -> None:
    assert kinds(run(job(), job("octo/motor")), STANDING) == []


@pytest.mark.parametrize(("seconds", "alerts"), [(300, []), (301, [AlertKind.SLOW])])
def test_an_initial_backfill_of_more_than_five_minutes_is_slow(seconds: int, alerts: list[AlertKind]) -> None:
    assert kinds(run(job(initial=True, started_at=NOW - timedelta(seconds=seconds)))) == alerts


def test_only_an_initial_backfill_is_slow() -> None:
    assert kinds(run(job(started_at=NOW - timedelta(hours=1)))) == []


@pytest.mark.parametrize(
    ("left", "limit", "alerts"),
    [
        (500, 5_000, []),
        (499, 5_000, [AlertKind.LOW_POINTS]),
        (100, 1_000, []),
        (99, 1_000, [AlertKind.LOW_POINTS]),
        (0, 5_000, [AlertKind.LOW_POINTS]),
        (None, None, []),
        (0, 0, []),
    ],
)
def test_less_than_a_tenth_of_the_points_is_few(left: int | None, limit: int | None, alerts: list[AlertKind]) -> None:
    assert kinds(run(job(), points_left=left, points_limit=limit)) == alerts


@pytest.mark.parametrize(("failed", "alerts"), [(1, 0), (2, 1)])
def test_more_than_a_tenth_of_failed_jobs_is_many(failed: int, alerts: int) -> None:
    transient = {"error_type": ErrorType.NETWORK, "outcome": JobOutcome.FAILED}
    jobs = [dead(f"octo/{n}", **transient) for n in range(failed)] + [job(f"octo/{n}") for n in range(failed, 10)]
    assert kinds(run(*jobs)).count(AlertKind.FAILURES) == alerts


@pytest.mark.parametrize(
    "text",
    [
        "the database does not answer: FATAL: sorry, too many clients already",
        "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size",
        "no more connections allowed (max_client_conn)",
        "query_wait_timeout",
    ],
)
def test_an_exhausted_pool_is_recognised_by_the_words_of_each_server(text: str) -> None:
    alerts = kinds(run(dead(error=text, error_type=ErrorType.DATABASE, outcome=JobOutcome.FAILED)))
    assert AlertKind.POOL in alerts


def test_another_trouble_of_the_database_is_no_exhausted_pool() -> None:
    assert AlertKind.POOL not in kinds(run(dead(error="the database does not answer", error_type=ErrorType.DATABASE)))


@pytest.mark.parametrize(("hours", "alerts"), [(24, []), (25, [AlertKind.STALLED])])
def test_a_backfill_without_progress_for_a_day_is_stalled(hours: int, alerts: list[AlertKind]) -> None:
    still = replace(STANDING, last_progress_at=NOW - timedelta(hours=hours))
    assert kinds(run(), still) == alerts


@pytest.mark.parametrize("resume_at", [None, NOW + timedelta(hours=1)])
def test_a_backfill_that_waits_on_purpose_is_not_stalled(resume_at: datetime | None) -> None:
    long_ago = NOW - timedelta(days=9)
    waiting = replace(STANDING, status=BackfillStatus.PAUSED, last_progress_at=long_ago, resume_at=resume_at)
    assert kinds(run(), waiting) == []


def test_a_pause_that_nobody_ended_for_a_day_is_stalled() -> None:
    long_ago = NOW - timedelta(days=9)
    waiting = replace(
        STANDING, status=BackfillStatus.PAUSED, last_progress_at=long_ago, resume_at=NOW - timedelta(days=2)
    )
    assert kinds(run(), waiting) == [AlertKind.STALLED]


@pytest.mark.parametrize(("captured", "alerts"), [(190, []), (189, [AlertKind.INCOMPLETE]), (210, [])])
def test_less_than_95_percent_after_completion_is_incomplete(captured: int, alerts: list[AlertKind]) -> None:
    done = replace(STANDING, status=BackfillStatus.COMPLETED, captured=captured)
    assert kinds(run(), done) == alerts


def test_a_backfill_that_was_to_take_only_the_newest_is_not_incomplete() -> None:
    assert kinds(run(), replace(STANDING, status=BackfillStatus.COMPLETED, whole=False)) == []


def test_a_dead_runner_is_critical_and_opens_the_only_issue() -> None:
    alerts = judge(run(dead(), *(job(f"octo/{n}") for n in range(4))), (), NOW)
    assert [alert.kind for alert in alerts if alert.opens_issue] == [AlertKind.CRITICAL]
    assert AlertKind.FAILURES in [alert.kind for alert in alerts]


def test_what_passes_by_itself_is_not_critical_until_it_happens_again_and_again() -> None:
    lost = dead(error_type=ErrorType.NETWORK, outcome=JobOutcome.FAILED, failures_in_a_row=2)
    assert [alert for alert in judge(run(lost), (), NOW) if alert.opens_issue] == []
    again = replace(lost, failures_in_a_row=3)
    assert [alert.kind for alert in judge(run(again), (), NOW) if alert.opens_issue] == [AlertKind.REPEATED]


def test_a_backfill_that_waits_for_a_person_is_critical_whatever_the_error() -> None:
    lost = dead(error_type=ErrorType.NETWORK, outcome=JobOutcome.FAILED, backfill=BackfillStatus.FAILED)
    assert AlertKind.CRITICAL in kinds(run(lost))


def test_a_paused_job_is_no_failure() -> None:
    paused = job(outcome=JobOutcome.PAUSED, error_type=ErrorType.RATE_LIMIT, error="3 of 1000 points left")
    assert kinds(run(paused)) == []


def test_a_refused_credential_is_one_alert_however_many_jobs_it_failed() -> None:
    refused = {"error_type": ErrorType.DENIED, "outcome": JobOutcome.FAILED, "error": "GitHub refuses: no"}
    jobs = [dead(f"octo/{n}", repository_id=str(n), failures_in_a_row=3, **refused) for n in range(7)]
    (alert,) = (alert for alert in judge(run(*jobs), (), NOW) if alert.opens_issue)
    assert (alert.kind, alert.repository_id) == (AlertKind.CREDENTIAL, None)
    assert "7 of 7 jobs" in alert.text
    assert "GitHub refuses: no" in alert.text
    assert "gh-backfill check" in alert.advice


def test_a_plan_whose_credential_is_refused_is_told_of_once_and_as_that() -> None:
    refused = dead("the plan", repository_id=None, error_type=ErrorType.DENIED, outcome=JobOutcome.NOT_POSSIBLE)
    system = (SystemFailure(error_type=ErrorType.RUNNER, error="the plan failed: no", of_plan=True),)
    alerts = [alert.kind for alert in judge(run(refused, system_errors=system), (), NOW) if alert.opens_issue]
    assert alerts == [AlertKind.CREDENTIAL]


def test_a_credential_has_recovered_when_a_job_succeeded_and_none_was_refused() -> None:
    refused = dead(repository_id="other", error_type=ErrorType.DENIED, outcome=JobOutcome.FAILED)
    for jobs, over in (((job(),), True), ((job(), refused), False), ((refused,), False)):
        made = run(*jobs)
        assert ((AlertKind.CREDENTIAL, None) in recovered(made, judge(made, (), NOW))) is over


def test_a_failure_beside_the_jobs_is_one_of_the_system() -> None:
    broken = run(system_errors=(SystemFailure(error_type=ErrorType.RUNNER, error="the plan job failed"),))
    assert kinds(broken) == [AlertKind.SYSTEM]


def budget(spent_minutes: int) -> list[Alert]:
    spent = month(
        CostRates(actions_minute=0.01),
        [ProcessorUsage(processor="github_actions", jobs=1, minutes=spent_minutes)],
        overhead_minutes=0,
        embeddings=0.0,
        since=first_of_month(NOW),
        at=NOW,
        budget=10.0,
    )
    return judge(run(), (), NOW, month=spent)


def test_the_budget_alerts_at_80_percent_and_says_at_100_that_work_waits() -> None:
    assert budget(799) == []
    (near,) = budget(800)
    (gone,) = budget(1_000)
    assert "projected" in near.text
    assert "waits for the next month" in gone.text


def test_a_repository_recovers_when_it_captured_something() -> None:
    over = recovered(run(job(), dead("octo/motor", repository_id="other")), ())
    assert (AlertKind.CRITICAL, ID) in over
    assert (AlertKind.CRITICAL, "other") not in over


def test_a_job_that_was_only_paused_proves_nothing() -> None:
    waited = job(outcome=JobOutcome.PAUSED, chunks=0)
    assert (AlertKind.CRITICAL, ID) not in recovered(run(waited), ())


def test_what_is_alerted_in_this_run_has_not_recovered() -> None:
    twice = run(job(), dead())
    alerts = judge(twice, (), NOW)
    assert (AlertKind.CRITICAL, ID) not in recovered(twice, alerts)


def test_a_job_that_never_started_is_a_failure_but_not_critical() -> None:
    waiting = dead(status=JobStatus.CANCELLED, outcome=JobOutcome.NEVER_STARTED)
    assert AlertKind.CRITICAL not in kinds(run(waiting))


def test_a_cancelled_job_is_a_failure_but_not_critical() -> None:
    stopped = dead(status=JobStatus.CANCELLED, outcome=JobOutcome.CANCELLED, error_type=ErrorType.CANCELLED)
    assert AlertKind.CRITICAL not in kinds(run(stopped))
    assert len(run(stopped).failed) == 1
