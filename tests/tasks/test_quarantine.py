"""What GitHub can't deliver is stepped over, kept with its number, and tried again."""

from __future__ import annotations

from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.tasks import job
from gh_backfill.tasks.capture import Outcome
from gh_backfill.tasks.quarantine import Retried, retry_quarantined
from tests.tasks.conftest import SMALL, House


def spoil_page(house: House) -> None:
    """Let every full reading of a pull request time out; the outline still passes."""
    house.github.faults.add(Fault(name="504", match={"query": "WholePullRequest"}))


def test_pull_requests_that_can_never_be_read_are_stepped_over_one_by_one(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    captured = house.capture(SMALL)
    assert captured.outcome is not Outcome.FAILED
    rows = house.rows("select kind, number, reason from backfill_quarantine order by number")
    assert [row["number"] for row in rows] == sorted(_numbers(house))
    assert all("can't deliver" in row["reason"] for row in rows)
    assert house.count("pull_requests") == 0


def test_a_retry_reads_them_and_closes_the_quarantine(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    house.github.faults.clear()
    repository = job.find(house.db, SMALL)
    assert retry_quarantined(house.db, house.graphql(), repository) == Retried(tried=12, resolved=12)
    assert house.count("pull_requests") == 12
    assert house.rows("select 1 from backfill_quarantine where resolved_at is null") == []
    assert house.state(SMALL)["processed_prs"] == 12
    assert retry_quarantined(house.db, house.graphql(), repository) == Retried()


def test_a_retry_that_fails_again_keeps_the_entry_and_counts_the_attempt(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    before = house.only("select max(attempts) as n from backfill_quarantine")["n"]
    retried = retry_quarantined(house.db, house.graphql(), job.find(house.db, SMALL))
    assert (retried.tried, retried.resolved, retried.remaining) == (12, 0, 12)
    assert house.only("select max(attempts) as n from backfill_quarantine")["n"] > before


def test_what_is_gone_on_github_leaves_the_quarantine(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    house.github.faults.clear()
    number = min(_numbers(house))
    changes.delete(house.github.world, SMALL, number)
    retried = retry_quarantined(house.db, house.graphql(), job.find(house.db, SMALL))
    assert (retried.gone, retried.remaining) == (1, 0)
    assert house.count("pull_requests") == 11


def test_the_catch_up_tries_the_quarantine_again(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="missing_id", size=0.2, count=3))
    house.capture(SMALL)
    assert house.rows("select 1 from backfill_quarantine where resolved_at is null") == []
    assert house.count("pull_requests") == 12


def _numbers(house: House) -> list[int]:
    """Return the numbers of the pull requests; some numbers are issues."""
    return [number for number in range(1, 14) if number != 13]
