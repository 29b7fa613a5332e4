"""Bad data is stored right, or kept in the quarantine with its reason; its neighbours are always stored."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.quarantine import retry_quarantined
from gh_backfill.errors import RowRefused
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.tasks import capture
from tests.tasks.conftest import SMALL, House

KINDS = {
    "pull_requests": {"pull_request"},
    "reviews": {"review"},
    "comments": {"issue_comment", "review_comment"},
}
ROWS = ("pull_requests", "reviews", "comments", "contributors")


def counted(house: House) -> dict[str, int]:
    return {table: house.count(table) for table in ROWS}


@pytest.fixture
def clean(house: House) -> dict[str, int]:
    """Capture the small repository undisturbed, and forget it again."""
    house.track(SMALL)
    house.capture(SMALL)
    rows = counted(house)
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors cascade")
    house.track(SMALL)
    return rows


@pytest.mark.parametrize(
    "fault", ["null_with_error", "nul_in_body", "lone_surrogate", "missing_id", "null_edge", "shrink"]
)
@pytest.mark.parametrize("operation", ["PullRequestPage", "TopUp"])
def test_what_is_spoilt_once_is_read_again_and_stored_right(
    house: House, clean: dict[str, int], fault: str, operation: str
) -> None:
    house.github.faults.add(
        Fault(name=fault, count=1, size=0.5 if fault != "shrink" else 1, match={"operation": operation})
    )
    captured = house.capture(SMALL)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert counted(house) == clean
    assert (house.count("backfill_quarantine"), captured.gaps) == (0, 0)
    assert house.rows("select 1 from comments where body like %(bad)s", bad="%\ufffd%") == []


@pytest.mark.parametrize("fault", ["null_with_error", "missing_id"])
def test_what_stays_spoilt_is_kept_with_its_reason_and_everything_else_is_stored(
    house: House, clean: dict[str, int], fault: str
) -> None:
    house.github.faults.add(Fault(name=fault, size=0.05))
    captured = house.capture(SMALL)
    assert captured.outcome is CaptureOutcome.COMPLETED
    lost = house.rows("select kind, number, reason from backfill_quarantine")
    assert lost != []
    assert {row["number"] for row in lost} - {None} != set()
    assert all(row["reason"] for row in lost)
    stored = counted(house)
    beneath = below(house, [row["number"] for row in lost if row["kind"] == "pull_request"])
    for table, kinds in KINDS.items():
        set_apart = sum(row["kind"] in kinds for row in lost)
        assert stored[table] + set_apart + beneath.get(table, 0) == clean[table], table
        assert 0 < set_apart < clean[table] / 5 or table == "pull_requests"
    # A whole pull request is tried again by the catch-up, and set apart again.
    whole = sum(row["kind"] == "pull_request" for row in lost)
    assert len(lost) <= captured.counts.quarantined <= len(lost) + whole


def below(house: House, numbers: Sequence[int]) -> dict[str, int]:
    """Return how many rows of each table come with these pull requests: whole ones are set apart with all of theirs."""
    world = house.github.world
    (home,) = (each for each in world.repositories.values() if each.full_name == SMALL)
    pulls = [each for each in (world.pull(home.id, number) for number in numbers) if each is not None]
    return {
        "reviews": sum(len(each.reviews) for each in pulls),
        "comments": sum(len(each.comments) + len(each.review_comments) for each in pulls),
    }


def test_places_of_a_page_that_are_null_cost_no_neighbour(house: House, clean: dict[str, int]) -> None:
    house.github.faults.add(Fault(name="null_edge", size=0.5, seed=3))
    house.capture(SMALL)
    lost = house.rows("select kind, reason from backfill_quarantine where resolved_at is null")
    assert 2 < len(lost) < 12
    assert house.count("pull_requests") == 12 - len(lost)
    house.github.faults.clear()
    captured = house.capture(SMALL)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert counted(house) == clean


@pytest.mark.parametrize("count", [1, None])
def test_a_pull_request_in_the_place_of_another_one_hides_nothing(
    house: House, clean: dict[str, int], count: int | None
) -> None:
    house.github.faults.add(Fault(name="double", count=count, match={"operation": "^PullRequestPage"}))
    captured = house.capture(SMALL)
    assert house.github.faults.struck()["double"] > 0
    assert (captured.outcome, captured.reason) == (
        CaptureOutcome.COMPLETED,
        "everything that was asked for is captured",
    )
    assert counted(house) == clean


def test_a_damaged_place_whose_cursor_leads_elsewhere_is_asked_for_by_its_number(
    house: House, clean: dict[str, int]
) -> None:
    house.github.faults.add(Fault(name="wrong_cursors", count=1, match={"operation": "^PullRequestPage"}))
    house.github.faults.add(Fault(name="null_with_error", size=0.1, count=1, match={"operation": "^PullRequestPage"}))
    house.capture(SMALL)
    assert counted(house) == clean


def test_a_null_beside_an_error_is_never_stored_as_a_deleted_account(house: House, clean: dict[str, int]) -> None:
    ghosts = (
        "select count(*) as n from comments c join contributors p on p.id = c.commenter_id where p.github_id = 10137"
    )
    house.github.faults.add(Fault(name="null_with_error", size=0.4))
    house.capture(SMALL)
    spoilt = house.only(ghosts)["n"]
    house.github.faults.clear()
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors cascade")
    house.track(SMALL)
    house.capture(SMALL)
    assert spoilt <= house.only(ghosts)["n"]


def test_characters_that_no_database_takes_are_replaced_and_reported_where_they_stay(
    house: House, clean: dict[str, int]
) -> None:
    house.github.faults.add(Fault(name="nul_in_body", size=0.3))
    house.capture(SMALL)
    assert counted(house) == clean
    assert house.rows("select 1 from comments where body like %(bad)s", bad="%\ufffd%") != []
    reasons = {row["reason"] for row in house.rows("select reason from backfill_quarantine")}
    assert reasons == {"characters that no database can store were replaced by U+FFFD"}


def test_a_row_that_the_database_refuses_is_found_and_all_others_are_stored(
    house: House, clean: dict[str, int]
) -> None:
    with house.db.transaction() as tx:
        tx.run("alter table comments add constraint odd check (github_id % 7 <> 0)")
    captured = house.capture(SMALL)
    assert captured.outcome is CaptureOutcome.COMPLETED
    lost = house.rows("select kind, github_id, reason from backfill_quarantine")
    assert lost != []
    assert all(row["github_id"] % 7 == 0 and "odd" in row["reason"] for row in lost)
    assert house.count("comments") + len(lost) == clean["comments"]
    assert captured.counts.quarantined == len(lost)


def test_a_database_that_refuses_most_rows_is_at_fault_itself_and_stores_nothing(house: House) -> None:
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("alter table reviews add constraint none check (false) not valid")
        tx.run("alter table comments add constraint none check (false) not valid")
    with pytest.raises(Exception, match="the database refuses a row"):
        house.capture(SMALL)
    assert house.count("pull_requests") == 0
    assert house.only("select status from progressive_capture_jobs")["status"] == "failed"


def test_what_is_too_large_for_the_database_is_kept_apart_and_the_walk_goes_on(house: House) -> None:
    large = "".join(f"{number * 7919:x} " for number in range(5_000))
    changes.edit(house.github.world, SMALL, 7, body=large)
    changes.comment(house.github.world, SMALL, 5, author="octo", body=large)
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("create index on pull_requests (body)")
        tx.run("create index on comments (body)")
    captured = house.capture(SMALL, limits=Limits(chunk_size=1))
    assert captured.outcome is CaptureOutcome.COMPLETED
    lost = house.rows("select kind, number, reason from backfill_quarantine order by number")
    assert [(row["kind"], row["number"]) for row in lost] == [("issue_comment", 5), ("pull_request", 7)]
    assert all("for its size" in row["reason"] for row in lost)
    assert (house.count("pull_requests"), house.state(SMALL)["gaps"]) == (11, 0)


def test_what_was_refused_is_not_repeated_in_errors_and_logs(house: House, caplog: pytest.LogCaptureFixture) -> None:
    changes.comment(house.github.world, SMALL, 1, author="octo", body="TOPSECRET")
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("alter table comments add constraint odd check (body <> 'TOPSECRET')")
    house.capture(SMALL)
    assert "TOPSECRET" not in caplog.text
    assert "TOPSECRET" not in str(house.rows("select reason from backfill_quarantine"))


def test_a_comment_and_a_review_comment_with_one_number_are_both_kept(house: House) -> None:
    number = next(
        row["number"] for row in [{"number": number} for number in range(1, 13)] if _has_both(house, row["number"])
    )
    shared = changes.collide_comments(house.github.world, SMALL, number)
    house.track(SMALL)
    house.capture(SMALL)
    kinds = house.rows("select comment_type from comments where github_id = %(id)s", id=shared)
    assert sorted(row["comment_type"] for row in kinds) == ["issue_comment", "review_comment"]


def _has_both(house: House, number: int) -> bool:
    try:
        changes.collide_comments(house.github.world, SMALL, number)
    except ValueError:
        return False
    return True


def test_a_row_that_an_older_import_left_under_an_invented_id_becomes_the_right_one(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("update pull_requests set github_id = -number, updated_at = '2001-01-01' where number <= 3")
        tx.run("update progressive_backfill_state set processed_prs = 1")
    before = house.rows("select id from pull_requests where number <= 3 order by number")
    captured = house.capture(SMALL)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.rows("select id from pull_requests where number <= 3 order by number") == before
    assert house.rows("select 1 from pull_requests where github_id < 0") == []


def test_a_pull_request_that_two_imports_made_twice_becomes_one_row(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("update pull_requests set number = number + 1000 where number = 2")
        tx.run(
            "insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name, "
            "head_branch, created_at, updated_at) select -2, 2, 'twin', 'open', repository_id, repository_full_name, "
            "head_branch, created_at, updated_at from pull_requests where number = 1002"
        )
        tx.run("update progressive_backfill_state set processed_prs = 1")
    house.capture(SMALL)
    assert len(house.rows("select 1 from pull_requests where number = 2")) == 1
    assert house.rows("select 1 from pull_requests where title = 'twin' or number > 1000") == []


def test_a_place_without_a_number_is_found_again_by_the_cursor_that_leads_to_it(
    house: House, clean: dict[str, int]
) -> None:
    house.github.faults.add(Fault(name="null_edge", size=0.5, seed=3))
    house.capture(SMALL)
    lost = house.rows("select identity, number from backfill_quarantine where resolved_at is null")
    assert None in {row["number"] for row in lost}
    house.github.faults.clear()
    retried = retry_quarantined(house.db, house.graphql(), PullRequests(), capture.find(house.db, SMALL))
    assert (retried.tried, retried.resolved, retried.remaining) == (len(lost), len(lost), 0)
    assert counted(house) == clean


@pytest.mark.parametrize("many", [True, False])
def test_a_database_that_refuses_whole_pull_requests_is_at_fault_unless_it_is_one(house: House, many: bool) -> None:
    house.track(SMALL)
    condition = "number < 0" if many else "number <> 7"
    with house.db.transaction() as tx:
        tx.run(f"alter table pull_requests add constraint odd check ({condition})")
    with pytest.raises(RowRefused) if many else nullcontext():
        house.capture(SMALL)
    assert (house.count("pull_requests"), house.count("backfill_quarantine")) == ((0, 0) if many else (11, 1))
