"""A capture from the first page to the last, and everything that may come between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients.credentials import Credentials, of_token
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.errors import ConfigurationError, StoreError, Unreachable
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, SMALL, House

FAR = timedelta(hours=2)


def pages(house: House) -> int:
    return sum(
        tally["operations"].get("PullRequestPage", 0) for tally in house.github.stats.as_json()["tokens"].values()
    )


def test_a_capture_runs_to_the_end_and_the_backfill_is_complete(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture()
    assert (captured.outcome, captured.items) == (CaptureOutcome.COMPLETED, 180)
    assert house.count("pull_requests") == 180
    state = house.state()
    assert (state["status"], state["processed_prs"], state["total_prs"]) == ("completed", 180, 180)
    assert house.rows("select status from backfill_chunks where status <> 'completed'") == []


def test_a_second_capture_asks_for_what_changed_since_and_nothing_else(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    nothing = house.capture()
    assert (nothing.outcome, nothing.items, nothing.spent.points) == (CaptureOutcome.COMPLETED, 0, 1)
    changes.edit(house.github.world, ENGINE, 20, title="Edited long after")
    again = house.capture()
    assert (again.items, again.counts.updated) == (1, 1)
    assert house.only("select title from pull_requests where number = 20")["title"] == "Edited long after"
    assert house.state()["processed_prs"] == 180


def test_a_walk_begins_again_where_most_of_it_is_missing_and_changes_nothing_of_the_rest(house: House) -> None:
    house.track(ENGINE)
    first = house.capture()
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number > 60")
        tx.run("update progressive_backfill_state set processed_prs = (select count(*) from pull_requests)")
    second = house.capture()
    assert second.counts.inserted + second.counts.unchanged == first.counts.inserted
    assert (second.counts.updated, house.count("pull_requests"), house.state()["processed_prs"]) == (0, 180, 180)


def test_captures_with_a_limit_of_chunks_go_on_where_the_last_one_stopped(house: House) -> None:
    house.track(ENGINE)
    runs = [house.capture(limits=Limits(chunk_size=50, max_chunks=1)) for _ in range(4)]
    assert [run.items for run in runs] == [50, 50, 50, 30]
    assert {run.outcome for run in runs} == {CaptureOutcome.STOPPED}
    assert house.count("pull_requests") == 180


@pytest.mark.parametrize("size", [1, 30, 100])
def test_an_explicit_chunk_size_is_what_reaches_github(house: House, size: int) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(chunk_size=size, max_chunks=3))
    sizes = [row["pr_count"] for row in house.rows("select pr_count from backfill_chunks order by chunk_number")]
    assert max(sizes) <= size
    assert sizes[0] == min(size, 74)


def test_a_capture_stops_before_its_time_limit_and_says_so(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture(limits=Limits(deadline=datetime.now(UTC)))
    assert (captured.outcome, captured.chunks) == (CaptureOutcome.STOPPED, 0)
    assert "time limit" in captured.reason
    assert house.state()["status"] == "active"


def test_an_initial_backfill_takes_the_newest_and_a_full_one_goes_on_from_there(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=40))
    initial = house.capture()
    assert (initial.outcome, initial.items, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 40, 40)
    numbers = [row["number"] for row in house.rows("select number from pull_requests")]
    assert min(numbers) > 150
    before = house.github.stats.requests
    capture.run(
        house.db,
        house.graphql(),
        house.run,
        ENGINE,
        Limits(),
        goal=Goal(),
        listen=lambda progress: None,
        sleep=house.wait,
    )
    assert house.count("pull_requests") == 180
    assert house.github.stats.requests - before <= 12


def test_what_is_opened_edited_and_reviewed_during_the_walk_is_there_at_the_end(house: House) -> None:
    house.track(ENGINE)
    opened: list[int] = []

    def meanwhile(progress: Progress) -> None:
        if progress.chunks == 1 and not opened:
            changes.edit(house.github.world, ENGINE, 190, title="Edited during the walk")
            changes.review(house.github.world, ENGINE, 191, author="octo", state="APPROVED", comments=["Look here."])
            new = changes.open_pull_request(house.github.world, ENGINE, author="octo", title="New during the walk")
            opened.append(new.number)

    house.capture(listen=meanwhile)
    assert house.only("select title from pull_requests where number = 190")["title"] == "Edited during the walk"
    assert house.only("select title from pull_requests where number = %(n)s", n=opened[0])["title"].startswith("New")
    assert house.rows("select 1 from comments where body = 'Look here.'") != []
    assert house.state()["status"] == "completed"


def test_a_repository_renamed_during_the_walk_goes_on_under_its_new_name(house: House) -> None:
    house.track(ENGINE)

    def meanwhile(progress: Progress) -> None:
        if progress.chunks == 1 and progress.repository.full_name == ENGINE:
            changes.rename_repository(house.github.world, ENGINE, name="motor")

    captured = house.capture(listen=meanwhile)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.only("select full_name from repositories where name <> 'small'")["full_name"] == "octo/motor"
    assert house.count("pull_requests") == 180


def test_a_repository_deleted_during_the_walk_fails_alone_and_keeps_its_rows(house: House) -> None:
    house.track(ENGINE, SMALL)

    def meanwhile(progress: Progress) -> None:
        if progress.chunks == 1:
            changes.delete_repository(house.github.world, ENGINE)

    captured = house.capture(listen=meanwhile)
    assert captured.outcome is CaptureOutcome.FAILED
    assert house.state()["status"] == "failed"
    assert house.count("pull_requests") == 25
    assert house.capture(SMALL).outcome is CaptureOutcome.COMPLETED


@pytest.mark.parametrize("options", [Options(limits={"tok": 30})])
def test_a_low_budget_pauses_with_a_reason_and_a_time_to_go_on(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture(limits=Limits(chunk_size=5, deadline=datetime.now(UTC) + timedelta(minutes=12)))
    assert captured.outcome is CaptureOutcome.PAUSED
    state = house.state()
    assert (state["status"], state["pause_reason"]) == ("paused", "graphql_rate_limit_low")
    assert state["metadata"]["pause_reason"] == "graphql_rate_limit_low"
    assert "GraphQL rate limit too low" in captured.reason
    assert state["resume_at"] == captured.resume_at
    assert captured.resume_at is not None
    assert captured.resume_at > datetime.now(UTC) + timedelta(minutes=30)
    tally = house.github.stats.as_json()["tokens"]["tok"]
    assert (tally["points"] <= 27, tally["refused"]) == (True, 0)
    assert house.count("pull_requests") == captured.items > 0


@pytest.mark.parametrize("options", [Options(limits={"tok": 30})])
def test_without_a_time_limit_it_waits_for_the_points_instead(house: House) -> None:
    house.track(ENGINE)

    class Enough(Exception):
        pass

    def wait(seconds: float) -> None:
        house.slept.append(seconds)
        raise Enough

    with pytest.raises(Enough):
        capture.run(
            house.db,
            house.graphql(),
            house.run,
            ENGINE,
            Limits(chunk_size=5),
            listen=lambda progress: None,
            sleep=wait,
        )
    assert house.slept[-1] > 1_800


@pytest.mark.parametrize("name", ["502_html", "reset", "truncated"])
def test_a_passing_fault_is_survived_by_asking_again(house: House, name: str) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name=name, count=3, skip=1))
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 180
    assert len(house.slept) >= 3


def test_a_page_over_the_resource_limit_shrinks_until_it_passes(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="resource_limits", size=12))
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 180
    sizes = [row["pr_count"] for row in house.rows("select pr_count from backfill_chunks where pr_count is not null")]
    assert max(sizes) <= 12


def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="stall", count=1, match={"operation": "PullRequestPage"}))
    graphql = GraphQL(house.github.graphql_url, "tok", timeout=(2.0, 2.0), sleep=house.slept.append)
    captured = capture.run(house.db, graphql, house.run, SMALL, Limits(), listen=lambda progress: None)
    assert (captured.outcome, captured.items) == (CaptureOutcome.COMPLETED, 12)
    assert house.github.faults.struck() == {"stall": 1}
    assert (house.count("pull_requests"), house.state(SMALL)["processed_prs"], len(house.slept)) == (12, 12, 1)


@pytest.mark.parametrize("name", ["502_json", "504", "200_timeout"])
def test_a_page_that_times_out_is_asked_for_in_halves(house: House, name: str) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name=name, count=2))
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 180
    first = house.only("select pr_count from backfill_chunks where chunk_number = 1")
    assert first["pr_count"] == 25 // 2 // 2


def test_a_backfill_that_failed_in_its_catch_up_does_not_walk_again(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="bad_credentials", count=1, match={"variables": "UPDATED_AT"}))
    small = Limits(chunk_size=10)  # the catch-up's first page does not come along with the end of the walk then
    assert house.capture(limits=small).outcome is CaptureOutcome.FAILED
    before = pages(house)
    assert house.capture(limits=small).outcome is CaptureOutcome.COMPLETED
    assert pages(house) - before == 1
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180


@pytest.mark.parametrize("name", ["502_html", "truncated", "reset"])
def test_a_passing_fault_while_learning_whose_budget_it_is_is_survived(house: House, name: str) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name=name, count=1, match={"path": "^/user"}))
    graphql = GraphQL(
        house.github.graphql_url,
        Credentials([of_token("GITHUB_TOKEN", "ghp_x", api_url=house.github.url, workflow_of=None)]),
        sleep=house.slept.append,
    )
    with Database(house.url) as own:
        graphql.gate = SharedGate(own)
        assert graphql.execute("query { rateLimit { cost limit remaining resetAt } }", {}).data
    assert len(house.slept) == 1


@pytest.mark.parametrize("name", ["502_html", "truncated", "reset"])
def test_a_capture_survives_that_github_does_not_say_at_first_whose_budget_it_is(house: House, name: str) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name=name, count=2, match={"path": "^/user"}))
    token = of_token("GITHUB_TOKEN", "ghp_x", api_url=house.github.url, workflow_of=None)
    graphql = GraphQL(house.github.graphql_url, Credentials([token]), sleep=house.slept.append)
    with Database(house.url) as own:
        graphql.gate = SharedGate(own)
        captured = capture.run(
            house.db, graphql, house.run, SMALL, Limits(), listen=lambda progress: None, sleep=house.wait
        )
    assert captured.outcome is CaptureOutcome.COMPLETED


def test_a_refused_token_stops_at_once_with_a_word_about_the_token(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="bad_credentials"))
    captured = house.capture()
    assert captured.outcome is CaptureOutcome.FAILED
    assert "GITHUB_TOKEN" in captured.reason


@pytest.mark.parametrize("fault", ["bad_credentials", "forbidden", "node_forbidden"])
def test_a_refused_credential_pauses_the_backfill_and_is_no_error_of_it(house: House, fault: str) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name=fault, match={"operation": "PullRequestPage"}))
    captured = house.capture()
    assert (captured.outcome, captured.error_type) == (CaptureOutcome.FAILED, "denied")
    state = house.state()
    assert (state["status"], state["pause_reason"]) == ("paused", "credential_refused")
    assert (state["consecutive_errors"], state["error_count"], state["held"]) == (0, 0, False)
    assert datetime.now(UTC) < state["resume_at"] <= datetime.now(UTC) + timedelta(hours=1)
    chunk = house.only("select status, retry_at, retry_count from backfill_chunks")
    assert chunk == {"status": "pending", "retry_at": None, "retry_count": 0}


def test_a_network_that_is_away_costs_the_repository_nothing(house: House) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(max_chunks=1))
    before = house.state()
    nowhere = GraphQL("http://127.0.0.1:9/graphql", "tok", sleep=house.slept.append)
    captured = capture.run(
        house.db, nowhere, house.run, ENGINE, Limits(), listen=lambda progress: None, sleep=house.wait
    )
    assert (captured.outcome, captured.error_type, captured.resume_at) == (CaptureOutcome.FAILED, "network", None)
    assert {key: house.state()[key] for key in ("status", "consecutive_errors", "error_count", "last_error")} == {
        key: before[key] for key in ("status", "consecutive_errors", "error_count", "last_error")
    }
    chunk = house.only("select status, retry_at, retry_count from backfill_chunks where status <> 'completed'")
    assert chunk == {"status": "pending", "retry_at": None, "retry_count": 0}
    assert house.capture().outcome is CaptureOutcome.COMPLETED


def test_a_network_that_comes_back_in_time_is_not_even_an_end(house: House) -> None:
    house.track(ENGINE)
    graphql = house.graphql()
    there, graphql._url = graphql._url, "http://127.0.0.1:9/graphql"  # noqa: SLF001  (the way is what fails)

    def wait(seconds: float) -> None:
        graphql._url = there  # noqa: SLF001

    captured = capture.run(house.db, graphql, house.run, ENGINE, Limits(), listen=lambda progress: None, sleep=wait)
    assert captured.outcome is CaptureOutcome.COMPLETED


def test_errors_of_github_itself_still_count_and_pause_in_the_guides_words(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="502_html", match={"operation": "PullRequestPage"}))
    captured = house.capture()
    assert captured.reason.startswith("Too many consecutive errors: ")
    assert house.state()["pause_reason"] == "too_many_errors"
    assert house.state()["consecutive_errors"] == 3


def test_a_repository_of_which_github_says_nothing_is_left_as_it_is(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update repositories set node_id = null")
    house.github.faults.add(Fault(name="node_untyped", match={"operation": "RepositoryByName"}))
    with pytest.raises(Unreachable, match="try again"):
        house.capture()
    assert house.state()["status"] == "active"
    assert house.only("select status, error_type from progressive_capture_jobs") == {
        "status": "failed",
        "error_type": "network",
    }


def test_the_ledger_says_what_the_job_did(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture()
    ledger = house.only("select status, outcome, points, requests, chunks, items from progressive_capture_jobs")
    assert ledger == {
        "status": "completed",
        "outcome": "completed",
        "points": captured.spent.points,
        "requests": captured.spent.requests,
        "chunks": captured.chunks,
        "items": 180,
    }
    assert captured.spent.points <= house.github.stats.points


def test_an_interrupted_capture_gives_its_chunk_back_at_once(house: House) -> None:
    house.track(ENGINE)

    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.capture(limits=Limits(chunk_size=30), listen=interrupt)
    job = house.only("select status, chunks, items from progressive_capture_jobs")
    assert (job["status"], job["chunks"], job["items"]) == ("cancelled", 1, house.count("pull_requests"))
    assert job["items"] == 30
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 180


def test_an_error_after_some_chunks_leaves_in_the_ledger_what_they_brought(house: House) -> None:
    house.track(ENGINE)

    def break_down(progress: Progress) -> None:
        raise StoreError("the disk is on fire")

    with pytest.raises(StoreError):
        house.capture(limits=Limits(chunk_size=30), listen=break_down)
    job = house.only("select status, chunks, items, error from progressive_capture_jobs")
    assert (job["status"], job["chunks"], job["items"], job["error"]) == ("failed", 1, 30, "the disk is on fire")


def test_a_preview_says_what_would_be_done_and_writes_nothing(house: House) -> None:
    house.track(ENGINE)
    before = house.rows("select xmin, * from progressive_backfill_state")
    asked = house.github.stats.requests
    text = capture.preview(house.db, ENGINE, Limits()).text
    assert "0 of 180" in text
    assert house.rows("select xmin, * from progressive_backfill_state") == before
    assert (house.count("progressive_capture_jobs"), house.github.stats.requests) == (0, asked)


def test_a_repository_that_is_not_tracked_is_named_with_what_to_do(house: House) -> None:
    with pytest.raises(ConfigurationError, match=r"octo/unknown.*gh-backfill track"):
        house.capture("octo/unknown")
    assert house.count("progressive_capture_jobs") == 0


def test_a_page_is_fetched_once_and_the_end_is_believed(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    assert pages(house) == 2


def test_the_ledger_counts_the_chunks_that_were_tried_again(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="502_html", count=5))
    house.capture()
    assert house.only("select retries from progressive_capture_jobs")["retries"] == 1


@pytest.mark.parametrize("options", [Options(graphql_limit=10)])
def test_what_is_complete_with_the_last_points_is_complete_and_waits_for_no_more(house: House) -> None:
    house.track(SMALL)
    captured = house.capture(SMALL, limits=Limits(chunk_size=10, deadline=datetime.now(UTC) + timedelta(minutes=5)))
    budget = house.github.ledger.standing("tok", "graphql")
    assert budget.remaining < 4, budget
    assert (captured.outcome, captured.resume_at) == (CaptureOutcome.COMPLETED, None)


def test_a_backfill_that_is_opened_again_while_its_capture_ends_goes_on(house: House) -> None:
    house.track(SMALL)
    opened: list[int] = []

    def open_again(progress: Progress) -> None:
        if progress.over and not opened:
            opened.append(progress.chunks)
            with house.db.transaction() as tx:
                tx.run("update progressive_backfill_state set status = 'active'")
                tx.run("update backfill_streams set status = 'active', cursor = null where stream = 'catch_up'")

    captured = house.capture(SMALL, listen=open_again)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert captured.chunks > opened[0]
    assert house.state(SMALL)["status"] == "completed"
