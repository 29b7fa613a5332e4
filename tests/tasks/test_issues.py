"""Issues with comments, labels and assignees come whole, beside pull requests or alone, at their floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import reports, repositories
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, reread, track
from gh_backfill.terminal import results
from tests.benchmarks.issue_floors import issue_shape, target
from tests.comparison import compare, compare_issues
from tests.corpus import CORPUS, expected, smaller
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, SMALL, House

BOTH = ("pull_requests", "issues")
ISSUES = ("issues",)
WHOLE = Limits()


def captured(
    house: House, kinds: Sequence[str] | None = ISSUES, name: str = ENGINE, limits: Limits = WHOLE
) -> Captured:
    return capture.run(
        house.db,
        house.graphql(),
        house.run,
        name,
        limits,
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def differences(house: House, *names: str) -> list[str]:
    with house.db.transaction(read_only=True) as tx:
        return [str(each) for each in compare_issues(tx, expected_world(house.github.world, *names)).found]


def test_issues_alone_come_whole_and_no_pull_request_comes_with_them(house: House) -> None:
    house.track(ENGINE)
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert differences(house, ENGINE) == []
    assert (house.count("issues"), house.count("pull_requests"), house.count("reviews")) == (14, 0, 0)


def test_both_kinds_come_in_one_capture_and_a_second_one_changes_nothing(house: House) -> None:
    house.track(ENGINE)
    first = captured(house, BOTH)
    assert (first.outcome, first.items) == (CaptureOutcome.COMPLETED, 180 + 14)
    second = captured(house, BOTH)
    assert (second.counts.inserted, second.counts.updated, second.spent.points) == (0, 0, 2)
    assert differences(house, ENGINE) == []
    with house.db.transaction(read_only=True) as tx:
        assert compare(tx, expected_world(house.github.world, ENGINE)).found == ()


def test_a_capture_of_issues_goes_on_where_it_was(house: House) -> None:
    house.track(ENGINE)
    done = [captured(house, limits=Limits(chunk_size=5, max_chunks=1)) for _ in range(4)]
    assert [each.items for each in done] == [5, 5, 4, 0]
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert differences(house, ENGINE) == []


def test_labels_that_go_and_comments_that_come_are_the_catch_ups(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    changes.edit_issue(house.github.world, ENGINE, 26, labels=["question"], assignees=[])
    changes.comment(house.github.world, ENGINE, 13, author="engine-dev-1", body="one more")
    again = captured(house)
    assert (again.counts.inserted, again.counts.updated) == (1, 2)
    assert differences(house, ENGINE) == []


@pytest.mark.parametrize("name", ["null_with_error", "shrink", "double", "wrong_cursors", "null_edge", "missing_id"])
def test_odd_answers_about_issues_lose_nothing(house: House, name: str) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name=name, count=2, match={"operation": "Issue"}))
    assert [captured(house).outcome for _ in range(3)][-1] is CaptureOutcome.COMPLETED
    assert differences(house, ENGINE) == []


def test_the_kinds_of_a_repository_are_kept_and_hold_for_every_capture(house: House) -> None:
    found = track.ask(house.graphql(), [SMALL], name_of=lambda number: SMALL)
    track.register(house.db, found, kinds=ISSUES)
    assert captured(house, None, SMALL).outcome is CaptureOutcome.COMPLETED
    assert (house.count("pull_requests"), house.count("progressive_backfill_state")) == (0, 0)
    track.register(house.db, found)
    with house.db.transaction(read_only=True) as tx:
        assert [row["kinds"] for row in tx.rows("select kinds from tracked_repositories")] == [["issues"]]


@pytest.fixture
def corpus_house(database_url: str) -> Iterator[House]:
    with running(load(smaller())) as github, Database(database_url) as db:
        yield House(db=db, url=database_url, github=github)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_the_issues_of_the_corpus_come_whole_at_their_floor(corpus_house: House) -> None:
    house = corpus_house
    points: dict[str, tuple[int, float]] = {}
    for identity, home in house.github.world.repositories.items():
        shape = issue_shape(house.github.world, identity)
        if shape.issues:
            house.track(home.full_name)
            done = captured(house, ISSUES, home.full_name)
            assert done.outcome is CaptureOutcome.COMPLETED
            points[home.full_name] = done.spent.points, target(shape)
    with house.db.transaction(read_only=True) as tx:
        assert [
            str(each) for each in compare_issues(tx, [each for each in expected(smaller()) if each.issues]).found
        ] == []
    assert {name: each for name, each in points.items() if each[0] > each[1]} == {}
    assert sum(spent for spent, _ in points.values()) <= 50


def test_what_is_lost_of_an_issue_counts_to_the_issues(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run(
            "insert into backfill_quarantine (repository_id, item_kind, kind, identity, number, reason, attempts) "
            "select id, 'issues', 'issue_comment', 'x', 999, 'spoilt', 9 from repositories"
        )
    done = captured(house, BOTH)
    assert "issues: complete but for 1 item in quarantine" in done.told
    assert "pull requests: everything that was asked for is captured" in done.told


@pytest.mark.parametrize(("until", "items"), [("'infinity'", 0), ("now() - interval '1 second'", 14)])
def test_issues_that_a_person_paused_go_on_when_their_time_has_come(house: House, until: str, items: int) -> None:
    house.track(ENGINE)
    captured(house, limits=Limits(max_chunks=0))
    with house.db.transaction() as tx:
        tx.run(f"update backfills set status = 'paused', held = true, resume_at = {until} where kind = 'issues'")  # noqa: S608
        (found,) = repositories.candidates(tx, kinds=BOTH)
        assert found.unfinished == (() if items == 0 else ISSUES)
    assert captured(house).items == items


def stored(house: House, number: int, column: str) -> int:
    (row,) = house.rows(
        f"select jsonb_array_length({column}) as many from issues where number = %(number)s",  # noqa: S608
        number=number,
    )
    return int(row["many"])


def test_labels_that_were_read_whole_stay_where_a_later_reading_of_them_fails(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    before = stored(house, 26, "labels"), stored(house, 39, "assignees")
    for number in (26, 39):
        changes.edit_issue(house.github.world, ENGINE, number, title="Edited")
    house.github.faults.add(Fault(name="node_unread", match={"variables": '"ids_of_'}))
    captured(house)
    assert (stored(house, 26, "labels"), stored(house, 39, "assignees")) == before == (104, 10)
    lost = house.rows("select distinct kind from backfill_quarantine where number in (26, 39)")
    assert {row["kind"] for row in lost} == {"label", "assignee", "issue_comment"}


def test_labels_that_went_are_gone_though_they_were_more(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    changes.edit_issue(house.github.world, ENGINE, 26, labels=["bug"])
    captured(house)
    assert stored(house, 26, "labels") == 1


def test_issues_that_are_complete_without_most_of_them_begin_again(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    with house.db.transaction() as tx:
        tx.run("delete from comments")
        tx.run("delete from issues where number > 26")
        tx.run("update backfills set captured = 2 where kind = 'issues'")
    assert captured(house).items == 14
    assert house.count("issues") == 14


def test_what_a_catch_up_could_not_read_keeps_no_other_place_from_being_found(house: House) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="504", match={"operation": "^IssuePage$"}))
    house.github.faults.add(Fault(name="newest_unread", match={"operation": "^IssueOutline$"}))
    captured(house, limits=Limits(chunk_size=1))
    named = "select split_part(identity, 'after ', 1) as place, count(*) as n from backfill_quarantine group by 1"
    assert {row["place"]: row["n"] for row in house.rows(named)} == {"": 14, "updated ": 14}
    house.github.faults.clear()
    reread.retry_quarantined(house.db, house.graphql(), [ENGINE])
    assert house.count("issues") == 13  # the newest had no place before it


def test_issues_of_which_github_counts_more_than_it_lists_are_told_as_pull_requests_are(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="shrink", match={"variables": '"ids_of_labels"'}))
    house.github.faults.add(Fault(name="phantoms", on="issues", size=2))
    done = captured(house)
    short = int(house.only("select count(*) as n from issues where capture_gap is not null")["n"])
    assert short > 1
    lacks = "2 that GitHub counts and does not list"
    assert (
        done.told == f"complete but for {lacks}, and for parts of {short} issues that GitHub counts and does not list"
    )
    with house.db.transaction(read_only=True) as tx:
        states = repositories.status(tx)
        *_, figures = reports.of_run(tx, house.run.key, at=datetime.now(UTC), prices=CostRates()).jobs
    results.show_status(states)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"issues: 14 of 16, complete but for {lacks}, {short} with gaps" in shown
    assert "2 issues that GitHub counts and does not list" in [each.reason for each in figures.warned]
    assert "104 labels counted, 10 listed" in [each.reason for each in figures.warned]
