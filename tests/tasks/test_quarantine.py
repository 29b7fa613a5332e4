"""What GitHub can't deliver is stepped over, kept with its number, and tried again."""

from __future__ import annotations

import pytest

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.quarantine import Retried, retry_quarantined
from gh_backfill.errors import BadCredentials
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, SMALL, House


def spoil_page(house: House) -> None:
    """Let every full reading of a pull request time out; the outline still passes."""
    house.github.faults.add(Fault(name="504", match={"query": "WholePullRequest"}))


def test_pull_requests_that_can_never_be_read_are_stepped_over_one_by_one(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    captured = house.capture(SMALL)
    assert captured.outcome is not CaptureOutcome.FAILED
    rows = house.rows("select kind, number, reason from backfill_quarantine order by number")
    assert [row["number"] for row in rows] == sorted(_numbers(house))
    assert all("can't deliver" in row["reason"] for row in rows)
    assert house.count("pull_requests") == 0


def test_a_retry_reads_them_and_closes_the_quarantine(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    house.github.faults.clear()
    repository = capture.find(house.db, SMALL)
    assert retry_quarantined(house.db, house.graphql(), PullRequests(), repository) == Retried(tried=12, resolved=12)
    assert house.count("pull_requests") == 12
    assert house.rows("select 1 from backfill_quarantine where resolved_at is null") == []
    assert house.state(SMALL)["processed_prs"] == 12
    assert retry_quarantined(house.db, house.graphql(), PullRequests(), repository) == Retried()


def test_a_retry_that_fails_again_keeps_the_entry_and_counts_the_attempt(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    before = house.only("select max(attempts) as n from backfill_quarantine")["n"]
    retried = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert (retried.tried, retried.resolved, retried.remaining) == (12, 0, 12)
    assert house.only("select max(attempts) as n from backfill_quarantine")["n"] > before


def test_a_retry_that_fails_again_counts_once_also_where_the_reading_says_so_itself(house: House) -> None:
    house.track(SMALL)
    house.github.faults.add(Fault(name="missing_id", size=0.2))
    house.capture(SMALL)
    attempts = "select sum(attempts) as n, count(*) as entries from backfill_quarantine where resolved_at is null"
    before = house.only(attempts)
    retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    after = house.only(attempts)
    assert before["entries"] == after["entries"] > 0
    assert after["n"] == before["n"] + before["entries"]


def test_a_pull_request_whose_own_text_is_still_altered_stays_in_the_quarantine_though_it_is_stored(
    house: House,
) -> None:
    changes.edit(house.github.world, SMALL, 7, body="a\0b")
    house.track(SMALL)
    house.capture(SMALL)
    entry = "select number, attempts, resolved_at from backfill_quarantine where kind = 'pull_request'"
    before = house.only(entry)
    assert (before["number"], before["resolved_at"]) == (7, None)
    again = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert again == Retried(tried=1, remaining=1)
    assert house.only(entry) == before | {"attempts": before["attempts"] + 1}
    changes.edit(house.github.world, SMALL, 7, body="ab")
    again = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert again == Retried(tried=1, resolved=1)
    assert house.only("select body from pull_requests where number = 7")["body"] == "ab"


def test_a_retry_of_what_the_database_refuses_says_that_it_still_fails_and_closes_the_rest(house: House) -> None:
    house.track(SMALL)
    refuse(house, "new.github_id % 3 = 0")
    first = house.capture(SMALL)
    refused = open_entries(house)
    assert refused > 1
    assert f"{refused} items in quarantine" in first.reason
    tried = len({row["number"] for row in house.rows("select number from backfill_quarantine")})
    again = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert again == Retried(tried=tried, remaining=tried)
    one = house.only("select min(github_id) as id from backfill_quarantine")["id"]
    refuse(house, f"new.github_id = {one}")
    again = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert again == Retried(tried=tried, remaining=1, resolved=refused - 1)
    assert open_entries(house) == 1
    # What was closed long ago and is refused again is nothing that this retry has closed.
    refuse(house, "new.github_id % 3 = 0 and new.github_id <> " + str(one))
    again = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert again.resolved == 1
    assert open_entries(house) > 0


def refuse(house: House, refused: str) -> None:
    """Let the database refuse the reviews of which that is true."""
    with house.db.transaction() as tx:
        tx.run("create or replace function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$")
        tx.run("drop trigger if exists refuse on reviews")
        tx.run(
            f"create trigger refuse before insert on reviews for each row when ({refused}) execute function refuse()"
        )


def captured_into_quarantine(house: House) -> None:
    """Leave 180 pull requests in the quarantine, and GitHub well again."""
    house.track(ENGINE)
    house.capture(ENGINE)
    with house.db.transaction() as tx:
        tx.run("""
            insert into backfill_quarantine (repository_id, kind, identity, number, reason)
            select repository_id, 'pull_request', 'old ' || number, number, 'a fault of old' from pull_requests""")
        tx.run("delete from pull_requests")


def open_entries(house: House) -> int:
    return int(house.only("select count(*) as n from backfill_quarantine where resolved_at is null")["n"])


def test_a_long_quarantine_is_retried_in_steps_each_stored_by_itself_until_the_time_is_up(house: House) -> None:
    captured_into_quarantine(house)
    seen: list[Retried] = []

    def go_on(done: Retried) -> bool:
        seen.append(done)
        return len(seen) < 3

    retried = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, ENGINE), go_on=go_on)
    assert [(each.tried, each.left) for each in seen] == [(0, 180), (50, 130), (100, 80)]
    assert (retried.resolved, retried.left, retried.why) == (100, 80, "the time limit is reached")
    assert (open_entries(house), house.count("pull_requests")) == (80, 100)


@pytest.mark.parametrize("options", [Options(limits={"poor": 12})])
def test_a_quarantine_that_the_budget_does_not_suffice_for_keeps_what_was_done(house: House) -> None:
    captured_into_quarantine(house)
    retried = retry_quarantined(house.db, house.graphql("poor"), PullRequests(), capture.find(house.db, ENGINE))
    assert 0 < retried.tried < 180
    assert retried.tried + retried.left == 180
    assert retried.why is not None
    assert open_entries(house) == retried.left


def test_an_interruption_costs_the_step_in_hand_and_no_other(house: House) -> None:
    captured_into_quarantine(house)
    house.github.faults.add(Fault(name="bad_credentials", skip=6))
    with pytest.raises(BadCredentials):
        retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, ENGINE))
    assert 0 < open_entries(house) < 180
    assert house.count("pull_requests") == 180 - open_entries(house)


def test_what_is_gone_on_github_leaves_the_quarantine(house: House) -> None:
    house.track(SMALL)
    spoil_page(house)
    house.capture(SMALL)
    house.github.faults.clear()
    number = min(_numbers(house))
    changes.delete(house.github.world, SMALL, number)
    retried = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
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
