"""Jobs that did not say how they ended: GitHub's word, the cleaner of an existing application, and the sweep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.clients.runs import runner_jobs
from gh_backfill.errors import Denied
from gh_backfill.models.github import Spent
from gh_backfill.policy.ledger import RunnerJob
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.selection import Thresholds
from gh_backfill.simulator import changes
from gh_backfill.store import jobs
from gh_backfill.store.db import Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.closing import Ask
from gh_backfill.tasks.report.report import ReportOptions, report
from tests.tasks.conftest import ENGINE, SMALL, House

HOME = SMALL  # the repository whose workflow runs
RUN = Run(key="7/1", run_id=7, attempt=1, processor="github_actions")


def github_job(name: str, conclusion: str | None, *, attempt: int = 1, seconds: int = 61) -> dict[str, Any]:
    ended = datetime.now(UTC)
    return {
        "id": hash(name) % 10**6,
        "name": name,
        "status": "completed" if conclusion else "in_progress",
        "conclusion": conclusion,
        "run_attempt": attempt,
        "started_at": (ended - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "completed_at": ended.strftime("%Y-%m-%dT%H:%M:%SZ") if conclusion else None,
    }


def at_github(house: House, *given: dict[str, Any]) -> Ask:
    changes.set_run(house.github.world, HOME, {"id": 7, "run_attempt": 1, "status": "in_progress"}, given)
    return lambda run_id: runner_jobs(house.github.url, "tok", HOME, run_id)


def planned(house: House, *names: str) -> None:
    house.track(*names)
    house.run = RUN
    plan(house.db, house.graphql(), RUN, datetime.now(UTC), asked=names, thresholds=Thresholds(), limit=12)


def started(house: House, name: str = ENGINE) -> str:
    with house.db.transaction() as tx:
        (row,) = tx.rows("select id from repositories where full_name = %(name)s", name=name)
        return jobs.start(tx, RUN, row["id"])


def ledger(house: House) -> dict[str, Row]:
    rows = house.rows(
        "select r.full_name, j.* from progressive_capture_jobs j join repositories r on r.id = j.repository_id"
    )
    return {row["full_name"]: row for row in rows}


def test_a_job_whose_runner_died_is_failed_and_one_that_was_cancelled_is_cancelled(house: House) -> None:
    planned(house, ENGINE, SMALL)
    started(house, ENGINE)
    started(house, SMALL)
    ask = at_github(
        house, github_job(f"capture {ENGINE}", "failure"), github_job(f"capture {SMALL}", "cancelled", seconds=5)
    )
    made = report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    rows = ledger(house)
    assert (rows[ENGINE]["status"], rows[ENGINE]["outcome"]) == ("failed", "died")
    assert rows[ENGINE]["error"] == "the runner died or was shut down (failure)"
    assert (rows[SMALL]["status"], rows[SMALL]["outcome"]) == ("cancelled", "cancelled")
    assert rows[ENGINE]["runner_seconds"] == 61
    assert [job.minutes for job in made.jobs] == [2, 1]


def test_a_job_that_is_still_at_work_stays_open_and_ends_by_its_own_word(house: House) -> None:
    planned(house, ENGINE)
    job_id = started(house)
    ask = at_github(house, github_job(f"capture {ENGINE}", None))
    made = report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    assert [job.status for job in made.run.running] == [JobStatus.PROCESSING]
    assert made.failed == []
    assert finish(house, job_id)
    assert ledger(house)[ENGINE]["status"] == "completed"


def test_jobs_of_another_attempt_say_nothing_about_this_one(house: House) -> None:
    planned(house, ENGINE)
    started(house)
    ask = at_github(house, github_job(f"capture {ENGINE}", "cancelled", attempt=2))
    report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    assert ledger(house)[ENGINE]["outcome"] == "died"


def test_the_minutes_of_plan_and_report_count_for_the_run(house: House) -> None:
    planned(house, ENGINE)
    started(house)
    ask = at_github(
        house,
        github_job("plan", "success", seconds=65),
        github_job(f"capture {ENGINE}", "failure", seconds=121),
        github_job("report", None),
    )
    made = report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    assert made.totals()["minutes"] == 2 + 3 + 1
    assert made.run.overhead_minutes == 3


def test_without_an_answer_the_ledger_alone_decides_and_the_report_says_so(house: House) -> None:
    planned(house, ENGINE)
    started(house)

    def refuse(run_id: int) -> list[RunnerJob]:
        raise Denied("GitHub refuses (status 403): check GITHUB_TOKEN")

    made = report(house.db, "7/1", options=ReportOptions(ask=refuse, run=(7, 1)))
    assert ledger(house)[ENGINE]["outcome"] == "died"
    (note,) = made.run.notes
    assert "status 403" in note


def test_what_a_dead_job_did_is_counted_from_the_chunks_that_it_left(house: House) -> None:
    planned(house, ENGINE)
    captured = house.capture(ENGINE)
    with house.db.transaction() as tx:  # as if its last words had been lost
        tx.run("""update progressive_capture_jobs
                  set status = 'processing', outcome = null, completed_at = null, points = null, chunks = null""")
    made = report(house.db, "7/1", options=ReportOptions(run=(7, 1)))
    (job,) = made.jobs
    assert (job.chunks, job.items) == (captured.chunks, captured.items)
    assert job.points == house.only("select sum(points)::integer as n from backfill_chunks")["n"]


def test_a_capture_beats_after_each_chunk_but_the_last_and_its_start_stays_true(house: House) -> None:
    planned(house, ENGINE)
    seen: list[Row] = []
    house.capture(ENGINE, listen=lambda progress: seen.append(ledger_of(house)))
    beats = [row["heartbeat_at"] for row in seen[:-1]]  # what ends the job says that the last chunk is done
    assert len(beats) > 2
    assert beats == sorted(set(beats))
    assert {row["started_at"] for row in seen} == {seen[0]["started_at"]}
    last = ledger_of(house)
    assert [row["chunks"] for row in seen[:-1]] == list(range(1, last["chunks"]))  # just after the beat


def ledger_of(house: House) -> Row:
    return house.only("select * from progressive_capture_jobs")


CLEANER = """
update progressive_capture_jobs set status = 'failed', error = 'Job timed out', completed_at = now()
where status = 'processing' and started_at < now() - interval '10 minutes'
"""


def long_running(house: House) -> str:
    planned(house, ENGINE)
    job_id = started(house)
    with house.db.transaction() as tx:
        tx.run("update progressive_capture_jobs set started_at = now() - interval '11 minutes'")
        assert tx.run(CLEANER) == 1
    return job_id


def finish(house: House, job_id: str) -> bool:
    with house.db.transaction() as tx:
        return jobs.finish(
            tx,
            jobs.finishing(
                job_id,
                status=JobStatus.COMPLETED,
                outcome="stopped",
                error=None,
                spent=Spent(points=3, requests=4),
                chunks=2,
                items=50,
                warnings=0,
            ),
        )


def test_what_an_applications_cleaner_failed_may_still_become_final(house: House) -> None:
    job_id = long_running(house)
    assert finish(house, job_id)
    row = ledger(house)[ENGINE]
    assert (row["status"], row["outcome"], row["error"]) == ("completed", "stopped", None)


def test_what_an_applications_cleaner_failed_is_no_failure_while_its_runner_works(house: House) -> None:
    long_running(house)
    ask = at_github(house, github_job(f"capture {ENGINE}", None))
    made = report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    assert made.failed == []


def test_a_final_status_is_final(house: House) -> None:
    planned(house, ENGINE)
    job_id = started(house)
    report(house.db, "7/1", options=ReportOptions(run=(7, 1)))
    assert not finish(house, job_id)
    assert house.db.statements(jobs.heartbeat(job_id, spent=Spent(), chunks=0, items=0)) == []
    assert ledger(house)[ENGINE]["outcome"] == "died"


@pytest.mark.parametrize(("hours", "outcome"), [(1, None), (3, "died")])
def test_the_next_report_closes_what_no_report_closed_once_it_is_silent_for_long(
    house: House, hours: int, outcome: str | None
) -> None:
    planned(house, ENGINE)
    started(house)
    later = datetime.now(UTC) + timedelta(hours=hours)
    made = report(house.db, "8/1", now=later)
    assert ledger(house)[ENGINE]["outcome"] == outcome
    assert made.swept == (0 if outcome is None else 1)
    assert made.jobs == ()


def test_the_next_report_asks_github_about_runs_that_were_never_reported(house: House) -> None:
    planned(house, ENGINE)
    started(house)
    ask = at_github(house, github_job(f"capture {ENGINE}", "failure"))
    report(house.db, "8/1", options=ReportOptions(ask=ask, run=None))
    assert ledger(house)[ENGINE]["outcome"] == "died"


def test_a_plan_that_failed_on_a_schedule_is_a_failure_of_the_system(house: House) -> None:
    line = "GitHub does not accept the secret BACKFILL_TOKEN: renew it"
    options = ReportOptions(run=(7, 1), plan_result="failure", plan_error=line, scheduled=True)
    made = report(house.db, "7", options=options)
    assert [failure.error for failure in made.run.system_errors] == [f"the plan failed: {line}"]
    assert made.run.headline == f"Nothing was captured: the plan failed: {line}."
    assert [(alert.kind, alert.text) for alert in made.alerts] == [("system_error", f"the plan failed: {line}")]
    by_hand = report(house.db, "8", options=ReportOptions(run=(8, 1), plan_result="failure"))
    assert "Nothing was captured: the plan failed: it did not say why" in by_hand.run.headline
    assert by_hand.alerts == ()


def test_a_plan_that_gave_no_jobs_is_told_with_its_reason(house: House) -> None:
    idle = report(house.db, "7", options=ReportOptions(run=(7, 1), plan_idle="no points until 12:00"))
    assert idle.run.headline == "Nothing was captured: no points until 12:00."
    needless = report(house.db, "8", options=ReportOptions(run=(8, 1)))
    assert needless.run.headline == "Nothing was captured: no repositories need backfilling."


def test_a_dead_job_ended_after_its_last_claim_whatever_githubs_clock_says(house: House) -> None:
    planned(house, ENGINE)
    house.capture(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update progressive_capture_jobs set status = 'processing', outcome = null, completed_at = null")
    slow = github_job(f"capture {ENGINE}", "failure")
    ask = at_github(house, {**slow, "completed_at": "2026-01-01T00:00:00Z"})
    report(house.db, "7/1", options=ReportOptions(ask=ask, run=(7, 1)))
    last = house.only("select max(started_at) as at from backfill_chunks")["at"]
    assert ledger(house)[ENGINE]["completed_at"] >= last


def test_a_report_writes_where_its_run_is_into_the_metadata_of_the_jobs(house: House) -> None:
    planned(house, ENGINE, SMALL)
    house.capture(SMALL)
    options = ReportOptions(run=(7, 1), number=42, page=("https://github.example", HOME))
    report(house.db, RUN.key, options=options)
    told = {name: row["metadata"] for name, row in ledger(house).items()}
    assert {row["workflow_url"] for row in told.values()} == {f"https://github.example/{HOME}/actions/runs/7"}
    assert {row["run_number"] for row in told.values()} == {42}
    assert (told[SMALL]["conclusion"], told[ENGINE]["conclusion"]) == ("success", "cancelled")
