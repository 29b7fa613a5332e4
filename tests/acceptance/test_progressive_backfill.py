"""The main promise: the unchanged workflow brings the whole history home, row by row, for few points, and once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import track
from tests import corpus
from tests.acceptance.act import ActRun, copy_checkout, run_workflow
from tests.benchmarks.worlds import Source, shapes
from tests.comparison import compare

WORKFLOW = "progressive-backfill.yml"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A copy of this checkout, a simulated GitHub and a database for the workflow to meet."""

    checkout: Path
    github: Simulator
    database_url: str

    def run(self, *, event: str = "schedule", inputs: dict[str, str] | None = None) -> ActRun:
        return run_workflow(
            self.checkout,
            WORKFLOW,
            event=event,
            inputs=inputs,
            env={"GITHUB_API_URL": self.github.url, "GITHUB_GRAPHQL_URL": self.github.graphql_url},
            secrets={"DATABASE_URL": self.database_url, "BACKFILL_TOKEN": "a-personal-token"},
        )

    def track(self, *names: str) -> None:
        with Database(self.database_url) as db:
            tracked = track.track(db, GraphQL(self.github.graphql_url, "a-personal-token"), names)
        assert not any(each.failed for each in tracked)

    def rows(self, statement: str) -> list[Row]:
        with Database(self.database_url) as db, db.transaction(read_only=True) as tx:
            return tx.rows(statement)


@pytest.fixture
def small_stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    with running(load(recipes=["octo/engine:130", "octo/motor:110", "octo/small:12"])) as github:
        yield Stage(checkout=copy_checkout(tmp_path / "checkout"), github=github, database_url=database_url)


def test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing(tmp_path: Path, database_url: str) -> None:
    folders = corpus.smaller()
    expected = corpus.expected(folders)
    most_points = sum(shape.target for shape in shapes(Source(folders=tuple(folders))))
    with running(load(folders)) as github:
        checkout = copy_checkout(tmp_path / "checkout", installs=True)
        stage = Stage(checkout=checkout, github=github, database_url=database_url)
        stage.track(*(repository.full_name for repository in expected))
        first = stage.run()
        assert first.exit_code == 0, first.text
        assert first.jobs == {
            "plan": "success",
            **{f"capture {repository.full_name}": "success" for repository in expected},
            "report": "success",
        }
        with Database(database_url) as db, db.transaction(read_only=True) as tx:
            differences = compare(tx, expected)
        assert not differences, differences
        assert differences.compared["pull_requests"] == sum(len(each.pull_requests) for each in expected) > 1_500
        (proof,) = stage.rows(
            "select sum(points)::integer as points, sum(requests)::integer as requests, count(*)::integer as many "
            "from progressive_capture_jobs where job_type = 'verify' and outcome = 'completed'"
        )
        assert proof["many"] == len(expected)
        assert github.stats.points - proof["points"] <= most_points
        assert github.stats.requests - proof["requests"] <= 1.2 * most_points
        assert stage.rows("select 1 from verifications where proven_at is not null and score = 100") == [
            {"?column?": 1}
        ] * len(expected)

        before = _contents(stage)
        points = github.stats.points
        second = stage.run()
        assert second.exit_code == 0, second.text
        assert second.jobs == {"plan": "success", "report": "success"}
        assert _contents(stage) == before
        assert github.stats.points - points <= 1


def test_repositories_that_are_asked_for_are_captured_against_thresholds_and_the_unknown_are_named(
    small_stage: Stage,
) -> None:
    small_stage.track("octo/engine", "octo/small")
    run = small_stage.run(
        event="workflow_dispatch", inputs={"repository_ids": json.dumps(["octo/small", "octo/nowhere"])}
    )
    assert run.jobs == {"plan": "success", "capture octo/small": "success", "report": "failure"}
    assert "<given name 2>: GitHub has no such repository" in run.log  # it may be private: the log tells its place
    assert small_stage.rows("select count(*) as n from pull_requests") == [{"n": 12}]


def test_a_plan_without_anything_to_do_is_a_green_run_that_says_so(small_stage: Stage) -> None:
    run = small_stage.run()
    assert (run.exit_code, run.jobs) == (0, {"plan": "success", "report": "success"})
    assert "no repository is tracked" in run.text
    assert "No repositories need backfilling now" in run.summaries["plan"]


def test_a_plan_that_fails_is_told_by_the_report_in_its_own_words(small_stage: Stage) -> None:
    run = small_stage.run(event="workflow_dispatch", inputs={"repository_ids": "[nonsense"})
    assert run.jobs == {"plan": "failure", "report": "failure"}
    assert "Nothing was captured: the plan failed: repository ids must be" in run.summaries["report"].replace("\\", "")
    assert "0 of 0 jobs" not in run.text


def test_a_dry_run_of_the_workflow_writes_nothing(small_stage: Stage) -> None:
    small_stage.track("octo/engine")
    before = _contents(small_stage)
    run = small_stage.run(event="workflow_dispatch", inputs={"dry_run": "true"})
    assert (run.exit_code, run.jobs) == (0, {"plan": "success", "report": "success"})
    assert "octo/engine" in run.summaries["plan"]
    assert _contents(small_stage) == before


def test_a_capture_that_fails_does_not_stop_the_others_and_the_report_names_it(small_stage: Stage) -> None:
    small_stage.track("octo/engine", "octo/motor")
    with Database(small_stage.database_url) as db, db.transaction() as tx:
        (engine,) = tx.rows("select id from repositories where name = 'engine'")
        tx.run(
            "create function broken() returns trigger language plpgsql as "
            "$$ begin raise 'broken' using errcode = 'internal_error'; end $$"
        )
        tx.run(
            "create trigger broken before insert on reviews for each row "
            f"when (new.repository_id = '{engine['id']}') execute function broken()"
        )
    run = small_stage.run()
    assert run.jobs == {
        "plan": "success",
        "capture octo/engine": "failure",
        "capture octo/motor": "success",
        "report": "failure",
    }
    jobs = small_stage.rows(
        "select r.name, j.status from progressive_capture_jobs j "
        "join repositories r on r.id = j.repository_id where j.job_type <> 'verify' order by r.name"
    )
    assert jobs == [{"name": "engine", "status": "failed"}, {"name": "motor", "status": "completed"}]
    assert "octo/engine" in run.text


def _contents(stage: Stage) -> list[Row]:
    """Return every row with the transaction that wrote it, but for the ledger's new lines and the times of plans."""
    tables = ("pull_requests", "reviews", "comments", "contributors", "backfill_streams", "backfill_chunks")
    found = [row for table in tables for row in stage.rows(f"select xmin::text, * from {table} order by id")]  # noqa: S608
    return found + stage.rows("select id, status, processed_prs from progressive_backfill_state order by id")
