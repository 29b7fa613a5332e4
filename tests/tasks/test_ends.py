"""A list is at its end when it has what it counts: what GitHub counts and does not list is a gap, never complete."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import reports, repositories
from gh_backfill.store.repositories import Status
from gh_backfill.terminal import results
from tests.tasks.conftest import ENGINE, SMALL, House

SHORT_BUT_CALLED_WHOLE = """
    select p.number
    from pull_requests p
    where (p.github_reviews > (select count(*) from reviews r where r.pull_request_id = p.id)
           or p.github_comments > (select count(*) from comments c
                                   where c.pull_request_id = p.id and c.comment_type = 'issue_comment')
           or p.github_total_comments > (select count(*) from comments c where c.pull_request_id = p.id))
      and p.capture_gap is null
"""
SECOND_LOOKS = """
    select c.chunk_number
    from backfill_chunks c
    join backfill_streams s on s.id = c.stream_id
    where s.stream = 'history' and exists (select from backfill_chunks o
                                           where o.stream_id = s.id and o.after_cursor = c.after_cursor and o.id <> c.id
                                           union all
                                           select where c.pr_count is null)
"""
SHAPES = ("no_cursor", "old_cursor", "empty_page")


def status(house: House, name: str) -> Status:
    with house.db.transaction(read_only=True) as tx:
        (found,) = (each for each in repositories.status(tx) if each.full_name == name)
    return found


def quarter(house: House, name: str = ENGINE) -> House:
    """Capture the first pages, so that a fault may strike the ones after them."""
    house.track(name)
    house.capture(name, limits=Limits(chunk_size=20, max_chunks=2))
    return house


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("begun", [False, True])
def test_a_walk_whose_list_does_not_lead_on_once_asks_again_and_is_whole(house: House, shape: str, begun: bool) -> None:
    if begun:
        quarter(house)
    else:
        house.track(ENGINE)
    house.github.faults.add(Fault(name=shape, on="pullRequests", count=2))
    captured = house.capture(limits=Limits(chunk_size=20))
    assert (captured.outcome, captured.gaps, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 0, 180)
    assert (house.state()["status"], house.state()["gaps"]) == ("completed", 0)
    assert house.rows(SECOND_LOOKS) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_walk_whose_list_never_leads_on_ends_soon_with_a_gap_and_says_so(
    house: House, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    quarter(house)
    house.github.faults.add(Fault(name=shape, on="pullRequests"))
    captured = house.capture(limits=Limits(chunk_size=20))
    missing = 180 - house.count("pull_requests")
    state = house.state()
    assert missing > 0
    assert (state["status"], state["gaps"]) == ("completed", missing)
    assert captured.outcome is CaptureOutcome.COMPLETED
    said = f"complete but for {missing} that GitHub counts and does not list"
    assert captured.reason == said
    results.show_status([status(house, ENGINE)])
    assert said in capsys.readouterr().out
    assert house.only("select gaps from backfill_progress_summary")["gaps"] == missing
    with house.db.transaction(read_only=True) as tx:
        *_, figures = reports.of_run(tx, house.run.key, at=datetime.now(UTC), prices=CostRates()).jobs
    assert f"{missing} pull requests that GitHub counts and does not list" in [each.reason for each in figures.warned]
    assert (status(house, ENGINE).unlisted, status(house, ENGINE).gaps) == (missing, missing)
    assert captured.spent.points < 30


def test_a_gap_is_asked_for_again_by_the_next_capture_and_closed(house: House) -> None:
    quarter(house)
    house.github.faults.add(Fault(name="no_cursor", on="pullRequests"))
    house.capture(limits=Limits(chunk_size=20))
    house.github.faults.clear()
    with house.db.transaction() as tx:  # nearly all was there: this is no walk that begins again
        tx.run("update progressive_backfill_state set gaps = 100")
    before = house.count("pull_requests")
    again = house.capture()
    assert (again.outcome, again.gaps) == (CaptureOutcome.COMPLETED, 0)
    assert (house.count("pull_requests"), house.state()["gaps"]) == (180, 0)
    assert again.counts.inserted >= 180 - before


def test_a_list_that_ends_before_its_count_is_a_gap_by_two_readings(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="phantoms", size=3))
    captured = house.capture(SMALL)
    assert (captured.outcome, captured.gaps, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 3, 12)
    assert house.state(SMALL)["gaps"] == 3
    walks = house.rows(
        "select 1 from backfill_chunks c join backfill_streams s on s.id = c.stream_id where s.stream = 'history'"
    )
    assert len(walks) == 2


def test_what_follows_a_page_that_is_stepped_over_and_leads_nowhere_is_a_gap(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="504", match={"operation": "^PullRequestPage$"}))
    house.github.faults.add(Fault(name="no_cursor", match={"operation": "^PullRequestOutline$"}))
    captured = house.capture(SMALL)
    assert (
        captured.reason == "complete but for 11 that GitHub counts and does not list"
    )  # itself it was read by its number
    house.github.faults.clear()
    house.capture(SMALL)
    assert (house.state(SMALL)["gaps"], house.count("pull_requests")) == (0, 12)


def test_a_circle_of_several_pages_is_noticed_though_each_process_reads_one_of_them(house: House) -> None:
    quarter(house)
    first, second = (
        row["end_cursor"] for row in house.rows("select end_cursor from backfill_chunks order by chunk_number")
    )
    after_the_second = {"variables": re.escape(second)}
    house.github.faults.add(Fault(name="old_cursor", on="pullRequests", cursor=first, match=after_the_second))
    for _ in range(12):
        if house.state()["status"] == "active":
            house.capture(limits=Limits(chunk_size=20, max_chunks=1))
    state = house.state()
    assert (state["status"], state["gaps"]) == ("completed", 180 - house.count("pull_requests"))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("on", ["reviews", "comments", "reviewThreads"])
def test_a_list_of_a_pull_request_that_never_leads_on_ends_soon_and_what_it_lacks_is_a_gap(
    house: House, shape: str, on: str
) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name=shape, on=on))
    captured = house.capture(SMALL)
    assert (captured.outcome, house.count("pull_requests")) == (CaptureOutcome.COMPLETED, 12)
    assert house.rows(SHORT_BUT_CALLED_WHOLE) == []
    assert captured.spent.points < 30
    short = len(house.rows("select 1 from pull_requests where capture_gap is not null"))
    for said in (captured.reason, house.capture(SMALL).reason):
        assert (f"complete but for parts of {short} pull request" in said) == (short > 0)
        assert ("everything" in said) == (short == 0)


def test_a_list_of_a_pull_request_that_does_not_lead_on_once_is_read_again(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="empty_page", on="comments", count=1))
    house.capture(SMALL)
    assert house.rows("select 1 from pull_requests where capture_gap is not null") == []
    assert house.rows(SHORT_BUT_CALLED_WHOLE) == []


def test_a_goal_leaves_no_gap_where_only_the_newest_were_wanted(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=40))
    house.capture()
    assert (house.state()["status"], house.state()["gaps"]) == ("completed", 0)


def test_rows_that_were_deleted_here_are_no_gap_of_githubs(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number < 20")
    house.capture()
    assert (house.state()["status"], house.state()["gaps"]) == ("completed", 0)


def test_what_was_deleted_on_github_hides_no_history(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    changes.delete(house.github.world, SMALL, 3)
    house.capture(SMALL)
    assert house.state(SMALL)["gaps"] == 0


def test_a_catch_up_whose_list_does_not_lead_on_reads_the_same_again_the_next_time(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    for number in range(100, 190):
        if number % 13:
            changes.edit(house.github.world, ENGINE, number, title=f"Edited {number}")
    house.github.faults.add(Fault(name="no_cursor", on="pullRequests"))
    house.capture(limits=Limits(chunk_size=20))
    house.github.faults.clear()
    house.capture()
    edited = house.only("select count(*) as n from pull_requests where title like 'Edited %'")["n"]
    assert edited == sum(number % 13 != 0 for number in range(100, 190))
