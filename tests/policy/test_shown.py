"""The states of backfills and jobs as people see them: one word and one mark for each, and a sentence that is true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy import shown
from gh_backfill.policy.ledger import JobOutcome
from gh_backfill.policy.shown import MARKS, BackfillFacts, JobFacts, Mark, PageState

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=22)
EARLIER = NOW - timedelta(minutes=22)

BACKFILLS: list[tuple[BackfillFacts, PageState, str | None]] = [
    (BackfillFacts(status=None), PageState.NEVER, "no backfill was opened yet"),
    (BackfillFacts(status="active"), PageState.NEVER, "the next plan begins it"),
    (BackfillFacts(status="active", ran=True), PageState.WAITING, "waits for a worker"),
    (
        BackfillFacts(status="active", ran=True, claimed=True, chunk_number=118, processor="github_actions"),
        PageState.RUNNING,
        "GitHub Actions, chunk 118",
    ),
    (BackfillFacts(status="active", ran=True, alive=True, processor="local"), PageState.RUNNING, "This machine"),
    (
        BackfillFacts(status="active", ran=True, alive=True, points_at=LATER),
        PageState.STARVED,
        "points come back at 12:22 UTC",
    ),
    (BackfillFacts(status="active", ran=True, claimed=True, points_at=LATER), PageState.RUNNING, None),
    (
        BackfillFacts(
            status="active", ran=True, failures=2, retry_at=LATER, chunk_number=109, chunk_error="GitHub took over 10 s"
        ),
        PageState.RETRYING,
        "chunk 109 failed 2 times, again at 12:22 UTC: GitHub took over 10 s",
    ),
    (
        BackfillFacts(status="active", ran=True, failures=1, claimed=True, last_error="502"),
        PageState.RETRYING,
        "a page failed once, is read again: 502",
    ),
    (
        BackfillFacts(status="active", ran=True, failures=1, retry_at=EARLIER),
        PageState.RETRYING,
        "a page failed once, waits for a worker: no reason was recorded",
    ),
    (
        BackfillFacts(status="paused", pause_reason="graphql_rate_limit_low", resume_at=LATER),
        PageState.STARVED,
        "GraphQL rate limit too low, goes on at 2026-11-27 12:22 UTC",
    ),
    (
        BackfillFacts(status="paused", pause_reason="too_many_errors", last_error="502", resume_at=LATER),
        PageState.PAUSED,
        "Too many consecutive errors (502), goes on at 2026-11-27 12:22 UTC",
    ),
    (
        BackfillFacts(status="paused", pause_reason="graphql_rate_limit_low", resume_at=EARLIER),
        PageState.WAITING,
        "the pause is over, and the next plan goes on with it",
    ),
    (
        BackfillFacts(status="paused", held=True, held_reason="migration", held_by="mona"),
        PageState.HELD,
        "paused by mona: migration, goes on with gh-backfill resume",
    ),
    (
        BackfillFacts(status="paused", held=True, held_reason="migration", held_by="mona", claimed=True),
        PageState.HELD,
        "paused by mona: migration, goes on with gh-backfill resume; the page under way is still stored",
    ),
    (
        BackfillFacts(status="paused", held=True, held_reason="migration", held_by="mona", resume_at=EARLIER),
        PageState.WAITING,
        "the pause is over, and the next plan goes on with it",
    ),
    (
        BackfillFacts(status="paused", held=True, held_reason="cancelled", held_by="mona"),
        PageState.CANCELLED,
        "cancelled by mona; gh-backfill resume takes it up again",
    ),
    (
        BackfillFacts(status="completed", held=True, held_reason="untracked", held_by="mona"),
        PageState.UNTRACKED,
        "untracked by mona; gh-backfill resume takes it up again",
    ),
    (BackfillFacts(status="failed", last_error="not found"), PageState.FAILED, "not found"),
    (BackfillFacts(status="failed", held=True, held_reason="cancelled"), PageState.CANCELLED, None),
    (BackfillFacts(status="completed", last_error="an old one"), PageState.COMPLETED, None),
    (
        BackfillFacts(status="completed", unlisted=2),
        PageState.COMPLETED,
        "complete but for 2 that GitHub counts and does not list",
    ),
]

JOBS: list[tuple[JobFacts, PageState, str | None]] = [
    (JobFacts(status="pending", outcome=None, reason="history is missing"), PageState.WAITING, "history is missing"),
    (JobFacts(status="processing", outcome=None, beat_at=EARLIER), PageState.RUNNING, None),
    (JobFacts(status="failed", outcome=None, beat_at=EARLIER), PageState.RUNNING, None),
    (
        JobFacts(status="processing", outcome=None, beat_at=NOW - timedelta(hours=3)),
        PageState.SILENT,
        "nothing was heard of it for 3 h 0 min",
    ),
    (JobFacts(status="completed", outcome="completed"), PageState.COMPLETED, None),
    (
        JobFacts(status="completed", outcome="stopped"),
        PageState.COMPLETED,
        "stopped at its limit, the next one goes on",
    ),
    (JobFacts(status="completed", outcome="paused", error_type="rate_limit", error="low"), PageState.STARVED, "low"),
    (JobFacts(status="completed", outcome="paused", error="502"), PageState.PAUSED, "502"),
    (JobFacts(status="completed", outcome="busy"), PageState.SKIPPED, "another worker was at it"),
    (JobFacts(status="failed", outcome="failed", error="no way"), PageState.FAILED, "failed: no way"),
    (JobFacts(status="failed", outcome="died", error="died: the runner is gone"), PageState.FAILED, None),
    (
        JobFacts(status="failed", outcome="not_possible", error="it is gone"),
        PageState.FAILED,
        "not possible: it is gone",
    ),
    (JobFacts(status="cancelled", outcome="cancelled"), PageState.CANCELLED, None),
    (JobFacts(status="cancelled", outcome="never_started", error="no runner"), PageState.NEVER, "no runner"),
]


@pytest.mark.parametrize(("facts", "state", "detail"), BACKFILLS)
def test_a_backfill_has_the_state_that_is_true_now(facts: BackfillFacts, state: PageState, detail: str | None) -> None:
    found = shown.of_backfill(facts, NOW)
    assert found.state is state
    assert detail is None or found.detail == detail


@pytest.mark.parametrize(("facts", "state", "detail"), JOBS)
def test_a_job_has_the_state_that_is_true_now(facts: JobFacts, state: PageState, detail: str | None) -> None:
    found = shown.of_job(facts, NOW)
    assert found.state is state
    assert detail is None or found.detail == detail


def test_every_outcome_of_a_job_has_a_state_of_its_own_choice() -> None:
    found = {each: shown.of_job(JobFacts(status="completed", outcome=each), NOW).state for each in JobOutcome}
    assert {each for each, state in found.items() if state is PageState.FAILED} == {
        JobOutcome.FAILED,
        JobOutcome.DIED,
        JobOutcome.NOT_POSSIBLE,
    }


def test_every_state_has_one_of_the_six_marks_and_a_word_of_its_own() -> None:
    assert set(MARKS) == set(PageState)
    assert set(MARKS.values()) == set(Mark)
    assert len({str(state) for state in PageState}) == len(PageState)


def test_what_a_person_stopped_says_who_and_until_when() -> None:
    facts = BackfillFacts(status="paused", held=True, held_reason="move", held_by="mona", resume_at=LATER)
    found = shown.of_backfill(facts, NOW)
    assert (found.who, found.until) == ("mona", LATER)
    assert found.as_json()["mark"] == "◇"


def test_health_is_the_last_finished_run_and_its_age_and_not_what_runs_now() -> None:
    ended = JobFacts(status="failed", outcome="failed", error="no way")
    assert shown.health(ended, EARLIER, NOW).text == "the last run failed 22 min ago"
    assert shown.health(None, None, NOW).state is None
    assert shown.health(None, None, NOW).text == "no run has finished yet"
    starved = JobFacts(status="completed", outcome="paused", error_type="rate_limit")
    assert shown.health(starved, EARLIER, NOW).text == "the last run paused for want of points 22 min ago"
