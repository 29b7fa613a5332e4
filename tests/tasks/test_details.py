"""Given pull requests are completed by their numbers, whatever the state of the backfill."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gh_backfill.errors import Unreachable
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.tasks import details
from gh_backfill.tasks.details import Detailed
from tests.tasks.conftest import SMALL, House


@pytest.fixture
def small(house: House) -> House:
    house.track(SMALL)
    house.capture(SMALL)
    return house


def complete(house: House, numbers: Sequence[int]) -> Detailed:
    return details.run(house.db, house.graphql(), house.run, SMALL, numbers, sleep=house.wait)


def reviews(house: House, number: int) -> int:
    row = house.only(
        "select count(*)::integer as n from reviews v join pull_requests p on p.id = v.pull_request_id "
        "where p.number = %(number)s",
        number=number,
    )
    return int(row["n"])


def test_reviews_and_comments_of_given_pull_requests_are_brought_and_nothing_else_moves(small: House) -> None:
    before, state = reviews(small, 5), small.state(SMALL)
    changes.review(small.github.world, SMALL, 5, author="octo", state="APPROVED", comments=["a", "b"])
    with small.db.transaction() as tx:
        tx.run("delete from comments")
    spent = small.github.stats.points
    done = complete(small, [5, 6, 5])
    assert (done.stored, done.gone, done.failed) == (2, (), ())
    assert small.github.stats.points - spent == done.points <= 2
    assert reviews(small, 5) == before + 1
    assert small.count("comments where comment_type = 'review_comment'") >= 2
    assert {key: state[key] for key in ("status", "last_processed_cursor")} == {
        key: small.state(SMALL)[key] for key in ("status", "last_processed_cursor")
    }
    job = small.only("select * from progressive_capture_jobs where job_type = 'sync'")
    assert (job["status"], job["items"], job["points"]) == ("completed", 2, done.points)


def test_numbers_that_github_has_not_are_told_and_deleted_nowhere(small: House) -> None:
    done = complete(small, [3, 999])
    assert (done.stored, done.gone) == (1, (999,))
    assert done.text == "1 pull request complete, 1 point; GitHub has none of #999"
    done.raise_failures()


def test_what_is_nobodys_own_fault_ends_the_job_and_is_raised(small: House) -> None:
    small.github.faults.add(Fault(name="502_html"))
    with pytest.raises(Unreachable):
        complete(small, [3])
    job = small.only("select * from progressive_capture_jobs where job_type = 'sync'")
    assert (job["status"], job["outcome"], job["error_type"]) == ("failed", "failed", "network")
