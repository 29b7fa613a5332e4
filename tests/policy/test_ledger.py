"""How a job that said nothing is closed, and what errors are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill import errors
from gh_backfill.policy.ledger import (
    SILENT,
    UNSTARTED,
    ErrorType,
    JobOutcome,
    OpenJob,
    RunnerJob,
    ending,
    ending_by_age,
    error_type,
    label_matches,
)
from gh_backfill.policy.lifecycle import JobStatus
from tests.arrows import arrows

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def job(
    status: JobStatus = JobStatus.PROCESSING, *, age: timedelta = timedelta(), beat: timedelta | None = None
) -> OpenJob:
    return OpenJob(
        id="1",
        label="octo/engine",
        run_key="7/1",
        run_id=7,
        attempt=1,
        status=status,
        created_at=NOW - age,
        beat_at=None if beat is None else NOW - beat,
    )


def runner(conclusion: str | None, name: str = "capture octo/engine") -> RunnerJob:
    return RunnerJob(name=name, status="completed", conclusion=conclusion, started_at=NOW, completed_at=NOW, attempt=1)


@pytest.mark.parametrize(
    ("conclusion", "outcome"),
    [
        ("failure", JobOutcome.DIED),
        ("timed_out", JobOutcome.DIED),
        ("cancelled", JobOutcome.CANCELLED),
        ("success", JobOutcome.DIED),
        ("stale", JobOutcome.DIED),
        ("neutral", JobOutcome.DIED),
        ("action_required", JobOutcome.DIED),
        ("startup_failure", JobOutcome.DIED),
    ],
)
def test_a_started_job_ends_as_its_runner_did(conclusion: str, outcome: JobOutcome) -> None:
    found = ending(job(), runner(conclusion))
    assert found is not None
    assert found.outcome is outcome
    assert found.status in arrows("job")[JobStatus.PROCESSING]


def test_a_job_whose_runner_is_at_work_stays_open() -> None:
    assert ending(job(), runner(None)) is None


@pytest.mark.parametrize(
    ("found", "status", "outcome"),
    [
        (None, JobStatus.CANCELLED, JobOutcome.NEVER_STARTED),
        (runner("skipped"), JobStatus.SKIPPED, JobOutcome.NEVER_STARTED),
        (runner("cancelled"), JobStatus.CANCELLED, JobOutcome.CANCELLED),
        (runner("failure"), JobStatus.FAILED, JobOutcome.DIED),
    ],
)
def test_a_job_that_never_started_says_why(found: RunnerJob | None, status: JobStatus, outcome: JobOutcome) -> None:
    end = ending(job(JobStatus.PENDING), found)
    assert end is not None
    assert (end.status, end.outcome) == (status, outcome)
    assert status in arrows("job")[JobStatus.PENDING]


def test_a_job_that_still_beats_is_not_closed_by_its_age() -> None:
    assert ending_by_age(job(age=timedelta(days=2), beat=SILENT), NOW) is None


def test_a_silent_job_is_closed_by_its_age() -> None:
    end = ending_by_age(job(beat=SILENT + timedelta(seconds=1)), NOW)
    assert end is not None
    assert end.outcome is JobOutcome.DIED


def test_a_job_may_wait_a_day_for_its_runner_and_no_longer() -> None:
    assert ending_by_age(job(JobStatus.PENDING, age=UNSTARTED), NOW) is None
    end = ending_by_age(job(JobStatus.PENDING, age=UNSTARTED + timedelta(seconds=1)), NOW)
    assert end is not None
    assert end.outcome is JobOutcome.NEVER_STARTED


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("capture octo/engine", True),
        ("backfill / capture octo/engine", True),
        ("octo/engine", True),
        ("capture octo/engine-two", False),
        ("capture my-octo/engine", False),
    ],
)
def test_a_runner_is_known_by_the_name_of_its_matrix_entry(name: str, same: bool) -> None:
    assert label_matches("octo/engine", runner("failure", name)) is same


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.RateLimited("x", resume_at=NOW), ErrorType.RATE_LIMIT),
        (errors.Unreachable("x"), ErrorType.NETWORK),
        (errors.TooBig("x"), ErrorType.TOO_BIG),
        (errors.Denied("x"), ErrorType.DENIED),
        (errors.Gone("x"), ErrorType.GONE),
        (errors.StoreUnavailable("x"), ErrorType.DATABASE),
        (errors.ConfigurationError("x"), ErrorType.CONFIGURATION),
        (errors.Unexpected("x"), ErrorType.UNEXPECTED),
        (KeyboardInterrupt(), ErrorType.CANCELLED),
        (ZeroDivisionError(), ErrorType.UNEXPECTED),
    ],
)
def test_an_error_is_told_by_what_it_is_about(error: BaseException, kind: ErrorType) -> None:
    assert error_type(error) is kind
