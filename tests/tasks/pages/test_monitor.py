"""The monitor: its figures are those of `status`, `costs` and `runs`, and it says what is so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.errors import StoreError
from gh_backfill.models.github import Budget
from gh_backfill.policy.shown import PageState
from gh_backfill.settings import Settings
from gh_backfill.store import budgets, pages, repositories, runs
from gh_backfill.store.db import Database
from gh_backfill.store.transaction import Statement
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.pages.look import look
from gh_backfill.tasks.pages.monitor import Monitor, monitor
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.tasks.report import costs
from gh_backfill.tasks.report.report import keep_issues, report
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.pages.worlds import Made, insert, jobs_parts, make

NOW = datetime(2026, 11, 27, 12, 10, tzinfo=UTC)
EARLIER = NOW - timedelta(minutes=22)


def seen(db: Database, now: datetime = NOW, **query: str) -> Monitor:
    """Return the monitor as an address asks for it."""
    return monitor(db, query, now, costs=KeptMonth().month)


def job(**columns: Any) -> dict[str, Any]:
    """Return a job that ended well a while ago, with what a test wants to set."""
    return {
        "status": "completed",
        "outcome": "completed",
        "created_at": EARLIER,
        "started_at": EARLIER,
        "completed_at": EARLIER + timedelta(minutes=2),
        "items": 10,
        "points": 3,
        "processor_type": "github_actions",
        "run_key": "48",
        "workflow_run_id": 48,
        **columns,
    }


def spend(db: Database) -> None:
    """Let GitHub have told of a budget."""
    now = datetime.now(UTC)
    told = Budget(limit=5_000, remaining=4_321, reset_at=now + timedelta(minutes=30))
    budgets.correct(db, "user:1", "graphql", told, at=now)


def test_where_nothing_is_the_page_says_what_to_do_first(db: Database) -> None:
    page = seen(db)
    assert page.title == "Nothing is tracked yet"
    assert "gh-backfill track" in page.below
    assert (page.figures.repositories, page.figures.points_left, page.needs, page.jobs) == (0, None, (), ())
    assert page.processors == ()


def test_the_figures_are_those_of_status_costs_and_runs(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(SMALL)
    spend(house.db)
    report(house.db, None)
    now = datetime.now(UTC)
    page = seen(house.db, now)
    states = outlook(house.db).states
    assert page.figures.captured == sum(state.captured for state in states) == 12
    assert page.figures.total == sum(state.total or 0 for state in states)
    assert page.figures.complete == 1
    assert page.figures.points_left == budget(house.db).left
    month = costs.month(house.db, Settings(), now)
    assert page.costs is not None
    assert (page.costs.total, page.costs.minutes) == (month.total, month.runner_minutes)
    assert page.costs.projected == pytest.approx(month.projected, abs=0.001)
    with house.db.reading() as tx:
        (past,) = runs.last(tx, most=5)
    (row,) = page.runs
    assert (row.run_key, row.jobs, row.items, row.points) == (past.run_key, past.jobs, past.items, past.points)
    left = outlook(house.db).left
    (waiting,) = page.backfills.rows
    assert waiting.full_name == ENGINE
    assert waiting.left is not None
    assert waiting.left.points == left[waiting.repository_id].points
    assert waiting.done_at is not None
    assert waiting.done_at > now


def test_a_run_leaves_a_sample_of_the_budget_that_it_spent(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    spend(house.db)
    report(house.db, None)
    report(house.db, None)
    (row,) = seen(house.db, datetime.now(UTC)).budgets
    assert (row.left, row.limit) == (4_321, 5_000)
    assert [(each.remaining, each.limit) for each in row.samples] == [(row.left, row.limit)]
    with house.db.transaction() as tx:
        tx.run("update budget_samples set at = at - interval '8 days', run_key = 'old'")
    report(house.db, None)
    (kept,) = house.rows("select run_key from budget_samples")
    assert kept["run_key"] != "old"


def test_a_complete_repository_is_as_fresh_as_the_start_of_its_last_catch_up(house: House) -> None:
    before = datetime.now(UTC)
    house.track(SMALL)
    house.capture(SMALL)
    page = seen(house.db, datetime.now(UTC), state="complete")
    (row,) = page.backfills.rows
    assert row.fresh_at is not None
    assert before - timedelta(seconds=2) <= row.fresh_at <= datetime.now(UTC)
    assert page.title == "The repository is complete and fresh"
    house.capture(SMALL)  # reads what changed since; while it runs, the page is no fresher than before
    with house.db.transaction() as tx:
        tx.run(
            "update backfill_streams set status = 'active', read_down_to = watermark - interval '5 minutes', "
            "watermark = null where stream = 'catch_up'"
        )
    (again,) = seen(house.db, datetime.now(UTC), state="all").backfills.rows
    assert again.fresh_at is not None
    assert again.fresh_at >= row.fresh_at


def test_what_fails_is_on_top_with_its_error_its_run_and_its_issue(db: Database) -> None:
    stands = Made(
        name="o/stands", status="failed", columns={"last_error": "GitHub answers 404", "last_error_at": EARLIER}
    )
    stands.job = job(status="failed", outcome="failed", error="GitHub answers 404", error_type="gone")
    died = Made(
        name="o/died", job=job(status="failed", outcome="died", error="the runner is gone", error_type="runner")
    )
    mended = Made(name="o/mended", job=job(status="failed", outcome="failed", error="502", error_type="network"))
    passing = Made(name="o/passing", job=job(status="failed", outcome="failed", error="502", error_type="network"))
    retrying = Made(name="o/retrying", chunk={"status": "pending", "retry_count": 3, "error": "GitHub took over 10 s"})
    held = Made(name="o/held", status="paused", columns={"held": True}, job=dict(passing.job or {}))
    make(db, stands, died, mended, passing, retrying, held)
    with db.transaction() as tx:
        well = {"repository_id": mended.id, "job_type": "progressive_backfill", **job(created_at=NOW)}
        insert(tx, "progressive_capture_jobs", well)
        address = "https://github.com/octo/ops/actions/runs/48"
        of: dict[str, object] = {"run_key": "48", "processor": "github_actions", "error_summary": {}}
        told = {**of, "report": {"address": address}}
        insert(tx, "backfill_reports", told)
    page = seen(db)
    assert page.title == "Two repositories need you"
    found = {need.full_name: need for need in page.needs}
    assert {name: need.person for name, need in found.items()} == {
        "o/stands": True,
        "o/died": True,
        "o/passing": False,
        "o/retrying": False,
    }
    assert found["o/stands"].text == "GitHub answers 404"
    assert found["o/stands"].run_address == "https://github.com/octo/ops/actions/runs/48"
    assert found["o/stands"].issue_search is not None
    assert stands.id in found["o/stands"].issue_search
    assert found["o/stands"].issue_search.startswith("https://github.com/octo/ops/issues?q=is%3Aissue+is%3Aopen+")
    keep_issues(db, "48", {stands.id: "https://github.com/octo/ops/issues/7"})
    direct = {need.full_name: (need.issue_address, need.issue_search is None) for need in seen(db).needs}
    assert direct["o/stands"] == ("https://github.com/octo/ops/issues/7", True)
    assert direct["o/died"] == (None, False)
    assert {need.issue_address for need in monitor(db, {}, NOW, public_only=True).needs} == {None}
    keep_issues(db, "48", {})
    elsewhere = monitor(db, {}, NOW, issues_at="https://github.com/octo/alerts")
    assert {(each.issue_search or "").partition("?")[0] for each in elsewhere.needs} == {
        "https://github.com/octo/alerts/issues"
    }
    assert found["o/retrying"].shown.state is PageState.RETRYING
    assert "GitHub took over 10 s" in found["o/retrying"].text


def test_what_paused_for_a_credential_is_resumed_and_what_failed_is_tried_again(db: Database) -> None:
    refused = {"pause_reason": "credential_refused", "last_error": "401", "resume_at": NOW + timedelta(hours=1)}
    make(db, Made(name="o/refused", status="paused", columns=refused), Made(name="o/failed", status="failed"))
    assert {need.full_name: (need.person, need.remedy) for need in seen(db).needs} == {
        "o/refused": (True, "resume"),
        "o/failed": (True, "retry"),
    }


def test_another_kind_of_items_that_fails_needs_somebody_too(db: Database) -> None:
    (id_,) = make(db, Made(name="o/one", status="completed", captured=100))
    with db.transaction() as tx:
        of = {"repository_id": id_, "kind": "issues", "status": "failed", "total": 5, "last_error": "refused"}
        insert(tx, "backfills", of)
    (need,) = seen(db).needs
    assert (need.kind, need.text) == ("issues", "issues: refused")


def test_the_day_is_counted_by_half_hours_and_processors(db: Database) -> None:
    ids = make(db, Made(), Made())
    with db.transaction() as tx:
        for each in (
            job(),
            job(run_key="49", status="failed", outcome="failed", items=1),
            job(run_key="50", processor_type="inngest", completed_at=NOW - timedelta(hours=3)),
            job(run_key="old", created_at=NOW - timedelta(hours=30), completed_at=NOW - timedelta(hours=29)),
            job(run_key="51", status="pending", outcome=None, started_at=None, completed_at=None, items=None),
            job(run_key="51", status="processing", outcome=None, completed_at=None, items=4),
            job(run_key="52", status="cancelled", outcome="cancelled", items=0),
            job(run_key="52", status="skipped", outcome="never_started", items=0),
        ):
            insert(
                tx, "progressive_capture_jobs", {"repository_id": ids[0], "job_type": "progressive_backfill", **each}
            )
    page = seen(db)
    assert page.day.text == "25 items, 5 runs, 1 failed."
    assert len(page.day.half_hours) == 48
    assert page.day.half_hours[-1].at == NOW.replace(minute=0)
    assert [(each.at.strftime("%H:%M"), each.items) for each in page.day.half_hours if each.items] == [
        ("09:00", 10),
        ("11:30", 15),
    ]
    actions, inngest = page.processors
    assert (actions.pending, actions.running, actions.completed, actions.failed) == (1, 1, 1, 1)
    assert (actions.success, actions.share) == (50.0, 80.0)  # what was cancelled or never began is no failure
    assert (inngest.completed, sum(inngest.half_hours)) == (1, 1)


def test_processors_are_those_that_ever_had_a_job_and_this_machine_where_it_captures(db: Database) -> None:
    (id_,) = make(db, Made())
    long_ago = {"created_at": NOW - timedelta(days=40), "completed_at": NOW - timedelta(days=40), "run_key": "old"}
    with db.transaction() as tx:
        for each in (
            job(processor_type="inngest", **long_ago),
            job(status="cancelled", outcome="cancelled", items=0),
        ):
            insert(tx, "progressive_capture_jobs", {"repository_id": id_, "job_type": "progressive_backfill", **each})
    rows = seen(db).processors
    assert [(each.processor, each.completed, each.success) for each in rows] == [
        ("github_actions", 0, None),
        ("inngest", 0, None),
    ]
    captures_here = monitor(db, {}, NOW, here=True).processors
    assert [each.name for each in captures_here] == ["GitHub Actions", "Inngest", "This machine"]
    assert [each.processor for each in monitor(db, {}, NOW, public_only=True).processors] == [
        "github_actions",
        "inngest",
    ]
    with db.transaction() as tx:
        tx.run("update repositories set is_private = true")
    assert monitor(db, {}, NOW, public_only=True).processors == ()


def test_jobs_are_paged_by_time_and_id_so_that_none_of_one_second_is_lost(db: Database) -> None:
    (id_,) = make(db, Made())
    with db.transaction() as tx:
        for _ in range(40):
            insert(tx, "progressive_capture_jobs", {"repository_id": id_, "job_type": "progressive_backfill", **job()})
    page, found = seen(db), []
    while True:
        found += [row.id for row in page.jobs]
        if page.jobs_next is None:
            break
        page = seen(db, jobs_after=page.jobs_next.partition("jobs_after=")[2])
    assert (len(found), len(set(found))) == (40, 40)


def test_the_jobs_of_a_host_application_are_not_shown_and_move_nothing(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        (id_,) = make(db, Made(name="o/host", captured=10))
        before = jobs_parts(db)
        seen_before = seen(db)
        theirs = {"repository_id": id_, "job_type": "progressive_capture", "processor_type": "github_actions"}
        with db.transaction() as tx:
            for status in ("failed", "processing", "completed"):
                times = {"created_at": EARLIER, "started_at": EARLIER if status == "processing" else None}
                insert(tx, "progressive_capture_jobs", {**theirs, "status": status, **times})
        page = seen(db)
        assert page.jobs == seen_before.jobs
        assert page.processors == seen_before.processors
        assert page.backfills.rows == seen_before.backfills.rows
        assert jobs_parts(db) == before
        found = repository(db, "o/host", {}, NOW)
        assert found is not None
        assert [each.what.word for each in found.story] == []
        with db.transaction() as tx:
            ours = {**theirs, "status": "processing", "created_at": EARLIER, "started_at": EARLIER, "run_key": "50"}
            insert(tx, "progressive_capture_jobs", ours)
        assert jobs_parts(db) != before
        assert len(seen(db).jobs) == len(page.jobs) + 1


def rows_read(db: Database, statement: Statement) -> int:
    """Return how many rows a statement took from tables, those that it threw away included."""
    text, values = statement
    with db.transaction() as tx:
        tx.run("analyze")
        ((plan,),) = [tuple(row.values()) for row in tx.rows(f"explain (analyze, format json) {text}", **values)]
    return _rows_of(plan[0]["Plan"])


def _rows_of(node: dict[str, Any]) -> int:
    own = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    below = sum(_rows_of(each) for each in node.get("Plans", ()))
    return below + (int(own * node["Actual Loops"]) if "Relation Name" in node else 0)


def test_no_report_is_read_where_none_saw_issues_and_one_where_many_did(db: Database) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into backfill_reports (run_key, processor, report, error_summary, reported_at) "
            "select 'run-' || n, 'local', '{\"headline\": \"It ran.\"}', '{}', now() - n * interval '1 minute' "
            "from generate_series(1, 2000) as n"
        )
    assert rows_read(db, pages.issues_question()) == 0
    with db.transaction() as tx:
        tx.run(
            "update backfill_reports "
            "set report = report || jsonb_build_object('issues', jsonb_build_object('a', run_key))"
        )
    assert rows_read(db, pages.issues_question()) == 1
    with pages.reading(db) as tx:
        assert pages.issues(*tx.together(pages.issues_question())) == {"a": "run-1"}


def test_no_job_of_a_host_application_is_read_to_know_which_processors_were_used(db: Database) -> None:
    (id_,) = make(db, Made())
    with db.transaction() as tx:
        for ours, processors in ((True, "{local}"), (False, "{inngest,github_actions}")):
            tx.run(
                "insert into progressive_capture_jobs "
                "(job_type, repository_id, processor_type, status, outcome, run_key, created_at) "
                "select 'recent-prs', %(id)s, (%(of)s::text[])[1 + n %% cardinality(%(of)s::text[])], 'completed', "
                "case when %(ours)s then 'completed' end, case when %(ours)s then 'run-' || n / 10 end, "
                "%(now)s - n * interval '1 hour' from generate_series(1, 5000) as n",
                id=id_,
                now=NOW,
                ours=ours,
                of=processors,
            )
    assert [each.processor for each in seen(db).processors] == ["local"]
    assert rows_read(db, pages.unfinished_question(NOW)) <= 3


def test_a_job_of_a_host_application_works_at_no_initial_backfill(db: Database) -> None:
    (id_,) = make(db, Made())
    with db.transaction() as tx:
        tx.run("update repositories set initial_backfill_status = 'processing'")
        theirs = {"repository_id": id_, "job_type": "recent-prs", "status": "processing"}
        insert(tx, "progressive_capture_jobs", {**theirs, "started_at": datetime.now(UTC)})
        assert [each.initial for each in repositories.status(tx, [id_])] == ["pending"]
        insert(tx, "progressive_capture_jobs", {**theirs, "started_at": datetime.now(UTC), "run_key": "1"})
        assert [each.initial for each in repositories.status(tx, [id_])] == ["processing"]


def test_backfills_over_time_count_what_was_opened_and_completed(db: Database) -> None:
    day = timedelta(days=1)
    make(
        db,
        Made(status="completed", columns={"created_at": NOW - 90 * day, "completed_at": NOW - 60 * day}),
        Made(status="completed", columns={"created_at": NOW - 3 * day, "completed_at": NOW - day}),
        Made(columns={"created_at": NOW - 2 * day}),
    )
    days = seen(db).days
    assert len(days) == 30
    assert (days[0].all, days[0].complete) == (1, 1)
    assert [(each.opened, each.completed, each.complete, each.all) for each in days[-4:]] == [
        (1, 0, 1, 2),
        (1, 0, 1, 3),
        (0, 1, 2, 3),
        (0, 0, 2, 3),
    ]


def test_a_statement_that_takes_over_two_seconds_ends_and_says_so(db: Database) -> None:
    with pytest.raises(StoreError, match="longer than 2 s"), pages.reading(db) as tx:
        tx.rows("select pg_sleep(4)")
    assert seen(db).title  # and the connection is as good as before


def test_a_page_writes_nothing(db: Database) -> None:
    with pytest.raises(StoreError), pages.reading(db) as tx:
        tx.run("delete from repositories")


def test_what_moves_changes_the_fingerprint_of_its_topics_only(house: House) -> None:
    house.track(SMALL, ENGINE)
    before, parts = look(house.db), jobs_parts(house.db)
    assert {"monitor", "jobs", "budgets", "backfills"} <= before.keys()
    assert jobs_parts(house.db) == parts
    house.capture(SMALL)
    assert jobs_parts(house.db) != parts
    after = look(house.db)
    ids = {state.full_name: state.id for state in outlook(house.db).states}
    assert {topic for topic in ("monitor", "jobs", "backfills") if before[topic] != after[topic]} == {
        "monitor",
        "jobs",
        "backfills",
    }
    assert after[f"repository/{ids[SMALL]}"] != before[f"repository/{ids[SMALL]}"]
    assert after[f"repository/{ids[ENGINE]}"].split()[0] == before[f"repository/{ids[ENGINE]}"].split()[0]
