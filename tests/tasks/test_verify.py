"""What differs from GitHub is found, mended for a query or two, and never certified as whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients import proofs
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.proofs import ShownItem, ShownNumber
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import Limits
from gh_backfill.errors import Unreachable
from gh_backfill.models.github import Named, NodeId
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.verify import numbers
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.differences import End, What
from gh_backfill.policy.verify.numbers import NumberIs
from gh_backfill.simulator import changes, departures
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import PullRequestRow
from gh_backfill.simulator.server import running
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from gh_backfill.tasks.verify.numbering import known_as
from gh_backfill.tasks.verify.verify import Verified, verify
from tests.tasks.conftest import SMALL, House

OTHER = "octo/engine"
KINDS = ("pull_requests", "issues")


@dataclass(kw_only=True)
class Prover:
    """Verifies the small repository, whose pull requests and issues are all here."""

    house: House
    later: timedelta = timedelta(0)
    points: list[int] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.house.github.world

    def repository(self, name: str = SMALL) -> TrackedRepository:
        return capture.find(self.house.db, name, KINDS)

    def verify(self, *, repair: bool = False, writes: bool = True, points: int | None = None) -> Verified:
        before = self.house.github.stats.points
        done = verify(
            self.house.db,
            self.house.graphql(),
            self.house.run,
            self.repository(),
            repair=repair,
            writes=writes,
            points=points,
            now=lambda: datetime.now(UTC) + self.later,
            sleep=self.house.slept.append,
        )
        self.points.append(self.house.github.stats.points - before)
        return done

    def certified(self, *, repair: bool = False, writes: bool = True) -> Certificate:
        done = self.verify(repair=repair, writes=writes)
        assert (done.error, done.certificate is None) == (None, False), done.reason
        assert done.certificate is not None
        return done.certificate

    def change(self, statement: str, **params: object) -> None:
        with self.house.db.transaction() as tx:
            assert tx.run(statement, **params)

    def pull(self, number: int) -> PullRequestRow:
        found = self.world.pull(self.world.repository(*SMALL.split("/")).id, number)  # type: ignore[union-attr]
        assert found is not None
        return found


@pytest.fixture
def prover(db: Database, database_url: str) -> Iterator[Prover]:
    world = World()
    changes.add_repository(world, SMALL)
    changes.add_repository(world, OTHER)
    for number in range(1, 13):
        changes.open_pull_request(world, SMALL, author="ada", title=f"Change {number}")
    for number in (13, 14, 15):
        changes.open_issue(world, SMALL, title=f"Issue {number}", author="ada", labels=("bug",), assignees=("bob",))
    for number in (1, 2, 3):
        changes.close(world, SMALL, number, merged_by="bob")
    changes.comment(world, SMALL, 14, author="bob")
    changes.comment(world, SMALL, 4, author="ada", body="one")
    changes.comment(world, SMALL, 4, author="bob", body="two")
    changes.review(world, SMALL, 5, author="cyd", state="APPROVED", comments=("fine", "also fine"))
    with running(world, Options()) as github:
        house = House(db=db, url=database_url, github=github)
        house.track(SMALL)
        capture.run(
            db,
            house.graphql(),
            house.run,
            SMALL,
            Limits(),
            kinds=KINDS,
            listen=lambda progress: None,
            sleep=house.wait,
            begin=at_once,
        )
        with db.transaction() as tx:
            tx.run("update tracked_repositories set kinds = '{pull_requests,issues}'")
        yield Prover(house=house)


def wrong(certificate: Certificate) -> list[tuple[What, int | None]]:
    return sorted({(each.what, each.number) for each in certificate.open}, key=str)


def test_a_whole_repository_is_certified_in_one_line_for_two_points(prover: Prover) -> None:
    certificate = prover.certified()
    assert certificate.open == ()
    assert certificate.whole
    assert certificate.score.percent == 100.0
    at = certificate.proven_at
    assert at is not None
    assert certificate.line == (
        f"1...15: 12 pull requests, 3 issues, nothing missing; proven {at:%Y-%m-%d %H:%M} UTC by counts and numbers"
    )
    assert prover.points == [2]
    job = prover.house.only(
        "select status, outcome, items, warnings, points, error from progressive_capture_jobs where job_type = 'verify'"
    )
    assert job == {
        "status": "completed",
        "outcome": "completed",
        "items": 0,
        "warnings": 0,
        "points": 2,
        "error": None,
    }


DELETED = "delete from pull_requests where number = 8"
MERGED = "update pull_requests set merged = true, state = 'merged', merged_at = null, closed_at = null where number = 3"
BACKDATED = "update pull_requests set closed_at = created_at - interval '1 day', state = 'closed' where number = 3"
FUTURE = "update pull_requests set title = 'damaged', updated_at = now() + interval '9 years' where number = 3"
AUTHOR = "update pull_requests set author_id = null where number = 3"
TITLE = "update issues set title = 'damaged' where number = 13"
REVIEW = "delete from reviews where pull_request_id = (select id from pull_requests where number = 5)"
COUNT = "update pull_requests set github_comments = github_comments + 3 where number = 4"
COMMENT = "delete from comments where id = (select c.id from comments c join issues s on s.id = c.issue_id limit 1)"
COMMENTER = (
    "update comments set commenter_id = null where pull_request_id = (select id from pull_requests where number = 4)"
)
INVENTED = "update pull_requests set github_id = -7, node_id = null where number = 8"
DAMAGES = [
    (DELETED, [(What.MISSING, 8)]),
    (MERGED, [(What.DAMAGED, 3), (What.IMPOSSIBLE, 3)]),
    (BACKDATED, [(What.DAMAGED, 3), (What.IMPOSSIBLE, 3)]),
    (FUTURE, [(What.DAMAGED, 3)]),
    (AUTHOR, [(What.AUTHOR, 3)]),
    (TITLE, [(What.DAMAGED, 13)]),
    (REVIEW, [(What.COUNT, 5)]),
    (COUNT, [(What.COUNT, 4)]),
    (COMMENT, [(What.COUNT, 14)]),
    (COMMENTER, [(What.AUTHOR, 4)]),
    (INVENTED, [(What.DAMAGED, 8)]),
]
ROWS = (
    (
        "select number, github_id, node_id, title, body, state, merged, merged_at, closed_at, updated_at, author_id, "
        "github_reviews, github_comments, github_review_comments from pull_requests order by number"
    ),
    "select github_id, state, body, author_id from reviews order by github_id",
    "select comment_type, github_id, body, commenter_id, gone_at from comments order by 1, 2",
    "select number, github_id, title, comments_count, author_id from issues order by number",
)


@pytest.mark.parametrize(("damage", "differences"), DAMAGES)
def test_what_is_damaged_here_is_found_and_mended_for_a_query_or_two(
    prover: Prover, damage: str, differences: list[tuple[What, int | None]]
) -> None:
    before = [prover.house.rows(each) for each in ROWS]
    prover.change(damage)
    found = prover.certified()
    assert [each for each in wrong(found) if each[0] is not What.TOTAL] == sorted(differences, key=str)
    assert not found.whole
    assert "nothing missing" not in found.line
    assert found.score.percent < 100
    assert [prover.house.rows(each) for each in ROWS] != before, "nothing is mended without being asked for"
    mended = prover.certified(repair=True)
    assert mended.whole, mended.line
    assert {each.end for each in mended.differences} == {End.MENDED}
    assert [prover.house.rows(each) for each in ROWS] == before
    assert prover.points[1] - prover.points[0] <= 2
    again = prover.certified()
    assert (again.whole, again.differences) == (True, [])


def test_a_comment_that_was_deleted_at_github_is_found_by_its_count_and_gets_a_tombstone(prover: Prover) -> None:
    updated = prover.pull(4).updated_at
    changes.delete_comment(prover.world, SMALL, 4, prover.pull(4).comments[0].id)
    assert prover.pull(4).updated_at == updated
    found = prover.certified()
    assert wrong(found) == [(What.COUNT, 4)]
    assert not found.whole
    rows = len(prover.house.rows("select 1 from comments"))
    mended = prover.certified(repair=True)
    assert mended.whole, mended.line
    assert len(prover.house.rows("select 1 from comments")) == rows, "a tombstone is no deletion"
    gone = prover.house.only("select body, gone_reason from comments where gone_at is not null")
    assert gone == {"body": "one", "gone_reason": "deleted"}
    assert prover.points[1] - prover.points[0] <= 3, "its item read again, and two direct questions"
    assert prover.certified().differences == []


REMOVALS: list[Callable[[Prover], object]] = [
    lambda prover: departures.delete_review_comment(prover.world, SMALL, 5, prover.pull(5).review_comments[0].id),
    lambda prover: departures.delete_review(prover.world, SMALL, 5, prover.pull(5).reviews[-1].id),
]


@pytest.mark.parametrize("remove", REMOVALS)
def test_reviews_and_their_comments_that_were_deleted_get_tombstones(
    prover: Prover, remove: Callable[[Prover], object]
) -> None:
    remove(prover)
    assert not prover.certified().whole
    assert prover.certified(repair=True).whole
    gone = prover.house.only(
        "select (select count(*) from comments where gone_at is not null) "
        "+ (select count(*) from reviews where gone_at is not null) as n"
    )
    assert gone["n"] >= 1
    assert prover.certified().whole


def test_a_pull_request_that_github_does_not_find_twice_gets_a_tombstone_and_its_return_takes_it_away(
    prover: Prover,
) -> None:
    row = prover.pull(8)
    changes.delete(prover.world, SMALL, 8)
    found = prover.certified()
    assert wrong(found) == [(What.GONE, 8)]
    assert prover.house.rows("select 1 from pull_requests where gone_at is not null") == []
    mended = prover.certified(repair=True)
    assert mended.whole
    assert "11 pull requests, 3 issues, 1 deleted, nothing missing" in mended.line
    assert prover.house.only("select number, gone_reason from pull_requests where gone_at is not null") == {
        "number": 8,
        "gone_reason": "deleted",
    }
    assert prover.house.state(SMALL)["processed_prs"] == 11
    prover.world.shelves[row.repository_id].put(row)
    prover.later = timedelta(days=31)
    back = prover.certified(repair=True)
    assert back.whole
    assert "12 pull requests, 3 issues, nothing missing" in back.line
    assert prover.house.rows("select 1 from pull_requests where gone_at is not null") == []


def test_one_question_buries_nothing(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    changes.delete(prover.world, SMALL, 8)
    monkeypatch.setattr(proofs, "still_there", lambda graphql, repository, ids: list(ids))
    assert wrong(prover.certified(repair=True)) == [(What.GONE, 8)]
    assert prover.house.rows("select 1 from pull_requests where gone_at is not null") == []


def test_an_unreadable_repository_tombstones_nothing(prover: Prover) -> None:
    changes.make_private(prover.world, SMALL)
    for _ in range(3):
        done = prover.verify(repair=True)
        assert done.certificate is None
        assert "does not show" in str(done.reason)
    assert prover.house.rows("select 1 from absences") == []
    assert prover.house.rows("select 1 from pull_requests where gone_at is not null") == []
    assert prover.house.rows("select 1 from verifications") == []


def test_a_name_that_leads_to_another_repository_stops_it_and_nothing_is_written(prover: Prover) -> None:
    changes.rename_repository(prover.world, SMALL, name="moved")
    changes.rename_repository(prover.world, OTHER, name="small")
    prover.change("update pull_requests set title = 'damaged' where number = 3")
    done = prover.verify(repair=True)
    assert done.certificate is None
    assert "is the name of another repository" in str(done.reason)
    assert prover.house.only("select title from pull_requests where number = 3") == {"title": "damaged"}
    assert prover.house.count("item_proofs") == prover.house.count("number_audit") == 0
    assert prover.house.only(
        "select full_name from repositories where node_id is not null and full_name like 'octo/s%'"
    )


def test_a_renamed_repository_is_followed_by_its_id(prover: Prover) -> None:
    changes.rename_repository(prover.world, SMALL, name="moved")
    certificate = prover.certified()
    assert (certificate.full_name, certificate.whole) == ("octo/moved", True)
    assert prover.house.only("select count(*) as n from repositories where full_name = 'octo/moved'") == {"n": 1}


@pytest.mark.parametrize("followed", [True, False])
@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_transferred_issue_gets_a_tombstone_with_its_target(prover: Prover, followed: bool, keeps_id: bool) -> None:
    moved = departures.transfer_issue(prover.world, SMALL, 14, to="octo/engine", followed=followed, keeps_id=keeps_id)
    found = prover.certified()
    assert wrong(found) == [(What.MOVED if keeps_id else What.GONE, 14)]
    mended = prover.certified(repair=True)
    assert mended.whole, mended.line
    known = followed or keeps_id
    row = prover.house.only("select gone_reason, gone_target from issues where number = 14")
    assert row == {
        "gone_reason": "transferred" if known else "deleted",
        "gone_target": f"octo/engine#{moved.number}" if known else None,
    }
    assert f"2 issues, 1 {'transferred' if known else 'deleted'}, nothing missing" in prover.certified().line


def test_an_issue_that_came_back_is_one_issue_under_its_new_number(
    prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "BEYOND", 5)
    away = departures.transfer_issue(prover.world, SMALL, 13, to="octo/engine")
    assert prover.certified(repair=True).whole
    back = departures.transfer_issue(prover.world, "octo/engine", away.number, to=SMALL)
    certificate = prover.certified(repair=True)
    assert certificate.whole, certificate.line
    assert prover.house.only("select count(*) as n from issues") == {"n": 3}
    row = prover.house.only("select number, gone_at from issues where github_id = %(id)s", id=back.id)
    assert row == {"number": back.number, "gone_at": None}


@pytest.mark.parametrize(("renumbered", "reason"), [(False, "converted"), (True, "deleted")])
def test_an_issue_that_became_a_discussion_says_so_where_github_tells(
    prover: Prover, renumbered: bool, reason: str
) -> None:
    departures.convert_issue(prover.world, SMALL, 15, renumbered=renumbered)
    assert wrong(prover.certified()) == [(What.GONE, 15)]
    assert prover.certified(repair=True).whole
    assert prover.house.only("select gone_reason from issues where number = 15") == {"gone_reason": reason}


def test_an_issue_that_became_a_discussion_and_is_still_shown_stays_an_issue(prover: Prover) -> None:
    departures.convert_issue(prover.world, SMALL, 15, stays=True)
    assert prover.certified(repair=True).whole
    assert prover.house.only("select state, gone_at from issues where number = 15") == {
        "state": "closed",
        "gone_at": None,
    }


def test_a_dry_run_writes_nothing(prover: Prover) -> None:
    prover.change(DELETED)
    jobs = prover.house.count("progressive_capture_jobs")
    assert (What.MISSING, 8) in wrong(prover.certified(repair=True, writes=False))
    assert prover.house.count("progressive_capture_jobs") == jobs
    tables = ("item_proofs", "number_audit", "absences", "verifications")
    assert [prover.house.count(each) for each in tables] == [0, 0, 0, 0]


def test_what_changed_since_is_told_and_read_again(prover: Prover) -> None:
    changes.edit(prover.world, SMALL, 6, title="New words")
    assert wrong(prover.certified()) == [(What.STALE, 6)]
    assert prover.certified(repair=True).whole
    assert prover.house.only("select title from pull_requests where number = 6") == {"title": "New words"}


def test_numbers_that_are_no_items_are_remembered(prover: Prover) -> None:
    prover.change("update tracked_repositories set kinds = null")
    with prover.house.db.transaction() as tx:
        tx.run("delete from comments where issue_id is not null")
        tx.run("delete from issues")
    first = verify_pull_requests(prover)
    assert "12 pull requests, 3 issues, nothing missing" in str(first.line)
    again = verify_pull_requests(prover)
    assert first.spent.points == again.spent.points + 1, "what is known is not asked again"


def verify_pull_requests(prover: Prover) -> Verified:
    repository = capture.find(prover.house.db, SMALL)
    return verify(
        prover.house.db, prover.house.graphql(), prover.house.run, repository, sleep=prover.house.slept.append
    )


def test_what_the_points_do_not_reach_is_not_certified_and_the_next_look_goes_on(prover: Prover) -> None:
    done = prover.verify(points=1)
    assert done.certificate is not None
    assert not done.certificate.whole
    assert "0 of 15 items proven so far" in done.line
    assert done.reason is not None
    assert prover.certified().whole


def test_what_a_backfill_is_to_bring_is_told_and_left_to_it(prover: Prover) -> None:
    prover.change(DELETED)
    prover.change("update backfills set status = 'active', completed_at = null where kind = 'pull_requests'")
    found = prover.certified(repair=True)
    assert wrong(found) == [(What.MISSING, 8)]
    assert found.open[0].why == "its backfill is under way"


def test_of_a_repository_of_which_only_the_newest_are_wanted_the_others_are_explained(prover: Prover) -> None:
    prover.change("delete from pull_requests where number < 6")
    prover.change("update tracked_repositories set only_newest = true")
    prover.change("update backfill_streams set goal_max_items = 7 where kind = 'pull_requests' and stream = 'history'")
    certificate = prover.certified(repair=True)
    assert certificate.whole, certificate.line
    explained = [each.number for each in certificate.differences if each.end is End.EXPLAINED]
    assert explained == [1, 2, 3, 4, 5]
    prover.change("delete from pull_requests where number = 8")
    assert wrong(prover.certified()) == [(What.MISSING, 8)], "what is wanted is missed"


def test_what_is_not_found_while_the_repository_is_away_is_unknown(
    prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = proofs.items

    def away(graphql: GraphQL, repository: NodeId, wanted: Sequence[tuple[str, NodeId]]) -> list[Named[ShownItem]]:
        changes.make_private(prover.world, SMALL)
        try:
            return ask(graphql, repository, wanted)
        finally:
            changes.make_private(prover.world, SMALL, private=False)

    monkeypatch.setattr(proofs, "items", away)
    found = prover.certified(repair=True)
    assert {each.what for each in found.open} == {What.UNREADABLE}
    assert not found.whole
    assert prover.house.rows("select 1 from absences") == []
    assert prover.house.rows("select 1 from pull_requests where gone_at is not null") == []


def test_an_issue_that_is_shown_in_another_repository_was_transferred_whatever_its_number() -> None:
    now, other = datetime.now(UTC), NodeId("R_other")
    shown = ShownNumber(what=NumberIs.ISSUE, repository=other, full_name=OTHER, number=5)
    moved = known_as(NodeId("R_home"), 5, shown, now)
    assert (moved.what, moved.target) == (NumberIs.TRANSFERRED, f"{OTHER}#5")
    assert known_as(other, 5, shown, now).what is NumberIs.ISSUE


def test_a_comment_and_an_issue_that_are_seen_again_are_not_gone(prover: Prover) -> None:
    home = prover.pull(4).repository_id
    pull, issue = prover.pull(4), prover.world.issue(home, 13)
    assert issue is not None
    changes.delete_comment(prover.world, SMALL, 4, pull.comments[0].id)
    changes.delete_issue(prover.world, SMALL, 13)
    assert prover.certified(repair=True).whole
    gone = (
        "select (select count(*) from comments where gone_at is not null) as comments, "
        "(select count(*) from issues where gone_at is not null) as issues"
    )
    assert prover.house.only(gone) == {"comments": 1, "issues": 1}
    prover.world.shelves[home].put(pull)
    prover.world.shelves[home].put_issue(issue)
    prover.later = timedelta(days=31)
    assert prover.certified(repair=True).whole
    assert prover.house.only(gone) == {"comments": 0, "issues": 0}


def test_people_are_known_by_their_ids_whoever_has_their_logins(prover: Prover) -> None:
    changes.rename_account(prover.world, "ada", to="ada-again")
    changes.open_issue(prover.world, OTHER, title="By somebody else", author="ada")
    assert prover.certified().whole
    changes.delete_account(prover.world, "bob")
    found = prover.certified()
    assert {each.what for each in found.open} == {What.DAMAGED, What.COUNT}, "of who merged and was assigned"
    assert prover.certified(repair=True).whole


def test_what_github_does_not_answer_leaves_everything_as_it_is_and_certifies_nothing(prover: Prover) -> None:
    prover.house.github.faults.add(Fault(name="reset", match={"operation": "IssueProofs"}))
    done = prover.verify(repair=True)
    assert done.certificate is not None
    assert not done.certificate.whole
    assert "0 of 15 items proven so far" in done.line
    assert isinstance(done.error, Unreachable)
    job = prover.house.only(
        "select status, outcome, error_type from progressive_capture_jobs where job_type = 'verify'"
    )
    assert job == {"status": "failed", "outcome": "failed", "error_type": "network"}
    prover.house.github.faults.clear()
    assert prover.certified().whole


def test_what_is_too_much_for_github_together_is_asked_for_in_halves(prover: Prover) -> None:
    prover.house.github.faults.add(Fault(name="resource_limits", match={"query": "IssueProofs"}, size=0.9, count=1))
    certificate = prover.certified()
    assert certificate.whole or {each.what for each in certificate.open} == {What.UNREADABLE}
    assert prover.certified().whole


COPY = """
alter table pull_requests drop constraint pull_requests_repo_number_key;
insert into pull_requests (github_id, node_id, number, title, state, repository_id, repository_full_name, head_branch,
                           base_branch, created_at, updated_at, author_id)
select -9, {node_id}, number, title, state, repository_id, repository_full_name, head_branch, base_branch, created_at,
       updated_at, author_id
from pull_requests where number = 6;
"""


@pytest.mark.parametrize("node_id", ["node_id", "null"])
def test_a_pull_request_that_is_here_twice_is_found_and_settled_on_one_row(prover: Prover, node_id: str) -> None:
    prover.change(COPY.format(node_id=node_id))
    found = prover.certified()
    assert not found.whole
    assert {each.number for each in found.open} == {6}
    assert (What.DUPLICATE in {each.what for each in found.open}) == (node_id != "null")
    assert prover.certified(repair=True).whole
    assert prover.house.only(
        "select count(*) as n, max(github_id) > 0 as ours from pull_requests where number = 6"
    ) == {
        "n": 1,
        "ours": True,
    }
    assert prover.certified().differences == []
