"""The report: one final status for every planned job, figures from the rows, no markup from GitHub."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill import actions, settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.selection import Thresholds
from gh_backfill.store import jobs
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.publish import markdown, publish
from gh_backfill.tasks.report.report import report
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.test_installations import WRITER_ROLE, as_role, run


def planned(house: House, *asked: str) -> None:
    plan(house.db, house.graphql(), house.run, datetime.now(UTC), asked=asked, thresholds=Thresholds(), limit=12)


def test_every_planned_job_gets_exactly_one_final_status(house: House) -> None:
    house.track(ENGINE, SMALL)
    planned(house, ENGINE, SMALL)
    house.capture(ENGINE)
    made = report(house.db, "run-1")
    assert [(job.name, job.status, job.outcome) for job in made.jobs] == [
        (ENGINE, JobStatus.COMPLETED, "completed"),
        (SMALL, JobStatus.CANCELLED, "never_started"),
    ]
    assert [job.name for job in made.failed] == [SMALL]
    again = report(house.db, "run-1")
    assert again.jobs == made.jobs


def test_a_job_whose_process_died_is_failed(house: House) -> None:
    house.track(SMALL)
    planned(house, SMALL)
    with house.db.transaction() as tx:
        jobs.start(tx, house.run, _id(tx))
    made = report(house.db, "run-1")
    assert [(job.status, job.outcome) for job in made.jobs] == [(JobStatus.FAILED, "died")]


def test_only_the_jobs_of_this_run_are_closed(house: House) -> None:
    house.track(SMALL)
    planned(house, SMALL)
    report(house.db, "another run")
    assert house.only("select status from progressive_capture_jobs")["status"] == "pending"


def test_a_dry_run_closes_nothing(house: House) -> None:
    house.track(SMALL)
    planned(house, SMALL)
    made = report(house.db, "run-1", dry_run=True)
    assert [job.status for job in made.jobs] == [JobStatus.PENDING]
    assert house.only("select status from progressive_capture_jobs")["status"] == "pending"


def test_the_figures_are_those_of_the_rows(house: House) -> None:
    house.track(ENGINE)
    planned(house, ENGINE)
    captured = house.capture(ENGINE)
    made = report(house.db, "run-1")
    assert made.totals() == {
        "jobs": 1,
        "succeeded": 1,
        "failed": 0,
        "paused": 0,
        "pull_requests": house.count("pull_requests"),
        "chunks": house.count("backfill_chunks"),
        "points": captured.spent.points,
        "requests": captured.spent.requests,
        "warnings": 0,
        "retries": 0,
        "critical": 0,
        "minutes": 0,
    }
    assert "| 180 / 180 | 180 |" in markdown(made)


def test_what_failed_and_went_well_elsewhere_since_is_mended(house: House) -> None:
    def failed(run: str) -> None:
        with house.db.transaction() as tx:
            tx.run(
                """insert into progressive_capture_jobs (job_type, repository_id, status, outcome, run_key, created_at)
                   select 'progressive_backfill', id, 'failed', 'died', %(run)s, clock_timestamp()
                   from repositories where full_name in ('octo/engine', 'octo/small')""",
                run=run,
            )

    house.track(ENGINE, SMALL)
    ids = {row["full_name"]: row["id"] for row in house.rows("select id, full_name from repositories")}
    failed("1")
    assert report(house.db, "2").mended == frozenset()
    house.capture(ENGINE)
    assert report(house.db, "3").mended == {ids[ENGINE]}
    failed("4")
    assert report(house.db, "5").mended == frozenset()
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = false where repository_id = %(id)s", id=ids[SMALL])
    assert report(house.db, "6").mended == {ids[SMALL]}


def test_without_a_run_it_says_so(house: House) -> None:
    with pytest.raises(ConfigurationError, match="no run to report"):
        report(house.db, None)


def test_without_a_key_it_is_the_latest_run(house: House) -> None:
    house.track(SMALL)
    planned(house, SMALL)
    assert report(house.db, None).run_key == "run-1"


def test_text_from_github_is_shown_and_never_obeyed(
    house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house.track(SMALL)
    planned(house, SMALL)
    with house.db.transaction() as tx:
        tx.run(
            "update progressive_capture_jobs set status = 'failed', outcome = 'failed', error = %(error)s",
            error="bad | <img src=x>\n::set-output name=x::y @everybody [a](b)",
        )
    summary = tmp_path / "summary"
    environment = settings.load(
        {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(tmp_path / "output")},
        dotenv=None,
    )
    publish(environment, report(house.db, "run-1"))
    lines = capsys.readouterr().err.splitlines()
    commands = [line.split("::")[1] for line in lines if line.startswith("::")]
    assert commands == ["error", "error"]
    assert lines[0].startswith("::error::octo/small: bad | <img src=x>%0A::set-output")
    text = summary.read_text()
    assert "<img" not in text
    assert "@everybody" not in text
    assert len([line for line in text.splitlines() if "octo/small" in line and line.startswith("|")]) == 1


def test_at_most_ten_annotations_of_a_kind_and_the_rest_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    environment = settings.load({"GITHUB_ACTIONS": "true"}, dotenv=None)
    actions.annotate(environment, "error", [f"error {number}" for number in range(13)])
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("::error::") for line in lines) == 10
    assert lines[-1].startswith("3 more")


def test_a_summary_that_github_would_refuse_is_cut_at_a_line(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    environment = settings.load({"GITHUB_STEP_SUMMARY": str(summary)}, dotenv=None)
    actions.write_summary(environment, "\n".join(f"row {number} ä" for number in range(200_000)))
    data = summary.read_bytes()
    assert len(data) <= actions.SUMMARY_BYTES
    assert "cut here" in data.decode()


def test_an_output_may_have_lines_and_marks_of_its_own(tmp_path: Path) -> None:
    output = tmp_path / "output"
    environment = settings.load({"GITHUB_OUTPUT": str(output)}, dotenv=None)
    actions.write_outputs(environment, {"a": "1\n2\nend-x", "b": ""})
    first = output.read_text().splitlines()[0]
    mark = first.removeprefix("a<<")
    assert output.read_text().startswith(f"a<<{mark}\n1\n2\nend-x\n{mark}\nb<<")


def _id(tx: Transaction) -> str:
    (row,) = tx.rows("select id from repositories")
    return str(row["id"])


LONG_AGO = """
    insert into progressive_capture_jobs (job_type, processor_type, status, outcome, run_key, points, created_at)
    select 'sync', 'local', 'completed', 'completed', 'long ago', 2, now() - interval '91 days'
    from generate_series(1, 30)"""


def test_a_report_puts_jobs_of_long_ago_into_sums(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    with house.db.transaction() as tx:
        tx.run(LONG_AGO)
    report(house.db, house.run.key)
    assert house.rows("select jobs, points from job_sums") == [{"jobs": 30, "points": 60}]
    assert house.rows("select 1 from progressive_capture_jobs where run_key = 'long ago'") == []


def test_a_role_that_may_not_delete_jobs_leaves_them_and_reports_all_the_same(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.track(ENGINE)
    house.capture()
    run(house.url, WRITER_ROLE)
    run(house.url, f"revoke delete on progressive_capture_jobs from gh_backfill_writer; {LONG_AGO}")
    with Database(as_role(house.url, "gh_backfill_writer")) as narrow:
        assert report(narrow, house.run.key).run.jobs
    run(house.url, "drop owned by gh_backfill_writer")
    assert house.only("select count(*) as n from progressive_capture_jobs where run_key = 'long ago'")["n"] == 30
    assert "jobs of more than 90 days ago stay in the ledger" in caplog.text
