"""Labels, assignees, milestones and requested reviewers of pull requests come with them, at the least points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gh_backfill import resources
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.marking import mark
from gh_backfill.simulator.rows import RepositoryRow
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, details
from gh_backfill.tasks.verify.verify import verify
from tests.benchmarks.worlds import shape
from tests.comparison import compare
from tests.corpus import expected, smaller
from tests.storm.expected_world import expected_world, pulls_of
from tests.tasks.conftest import House

MARKED = "octo/marked"


@pytest.fixture
def marked(db: Database, database_url: str) -> Iterator[House]:
    world = load(recipes=[f"{MARKED}:90:marked=40"])
    with running(world) as github:
        yield House(db=db, url=database_url, github=github)


def differences(house: House, *names: str, moved: bool = False) -> list[str]:
    with house.db.transaction(read_only=True) as tx:
        wanted = expected_world(house.github.world, *(names or (MARKED,)), moved=moved)
        return [str(each) for each in compare(tx, wanted, stood_still=not moved).found]


def made_up(house: House) -> RepositoryRow:
    found = house.github.world.repository("octo", "marked")
    assert found is not None
    return found


def row_of(house: House, number: int) -> Mapping[str, Any]:
    return house.only(
        "select labels, assignees, requested_reviewers, milestone, capture_gap from pull_requests where number = %(n)s",
        n=number,
    )


def captured(house: House, limits: Limits | None = None) -> Captured:
    house.track(MARKED)
    return house.capture(MARKED, limits=limits)


def test_what_pull_requests_are_marked_with_comes_with_them_the_same_as_at_github(marked: House) -> None:
    assert captured(marked).outcome is CaptureOutcome.COMPLETED
    assert differences(marked) == []
    pulls = list(pulls_of(marked.github.world, made_up(marked).id))
    assert max(len(pull.labels) for pull in pulls) > 100
    assert max(len(pull.review_requests) for pull in pulls) > 100
    assert marked.rows("select number from pull_requests where capture_gap is not null") == []


def test_a_pull_request_without_any_has_empty_lists_and_not_unknown_ones(marked: House) -> None:
    captured(marked)
    empty = marked.rows("select number from pull_requests where labels = '[]' and assignees = '[]'")
    assert empty
    assert marked.rows("select number from pull_requests where labels is null or requested_reviewers is null") == []


def test_marks_cost_a_unit_each_and_no_more(marked: House) -> None:
    made = shape(MARKED, pulls_of(marked.github.world, made_up(marked).id))
    done = captured(marked)
    assert made.marks > 60
    assert done.spent.points <= made.target


def test_of_a_team_its_type_is_kept_and_of_whoever_is_not_shown_that_somebody_was_asked(marked: House) -> None:
    captured(marked)
    reviewers = row_of(marked, 3)["requested_reviewers"]
    assert [each["type"] for each in reviewers] == ["User", "Bot", "Team", None]
    assert [each["id"] is None for each in reviewers] == [False, False, True, True]
    assert row_of(marked, 3)["capture_gap"] is None


def test_no_field_of_a_team_is_asked_for_as_a_token_without_the_scope_would_be_refused_everything() -> None:
    text = resources.text("clients/queries/labels.graphql")
    assert "on Team" not in text


def test_a_list_that_could_not_be_read_whole_takes_nothing_away(marked: House) -> None:
    captured(marked)
    before = row_of(marked, 1)["labels"]
    mark(marked.github.world, MARKED, 1, assignees=[])
    marked.github.faults.add(Fault(name="shrink", match={"variables": '"ids_of_labels"'}))
    marked.github.faults.add(Fault(name="shrink", match={"query": "labels\\(first: 100, after"}))
    details.run(marked.db, marked.graphql(), marked.run, MARKED, [1], sleep=marked.wait)
    now = row_of(marked, 1)
    assert now["labels"] == before
    assert now["assignees"] == []
    assert "104 labels counted" in now["capture_gap"]


def test_marks_that_changed_come_with_the_next_reading_and_those_taken_off_go(marked: House) -> None:
    captured(marked)
    mark(marked.github.world, MARKED, 3, labels=["fresh"], reviewers=["ann"], assignees=["bob"], milestone="9.0")
    mark(marked.github.world, MARKED, 1, labels=[], milestone="")
    details.run(marked.db, marked.graphql(), marked.run, MARKED, [1, 3], sleep=marked.wait)
    assert [each["name"] for each in row_of(marked, 3)["labels"]] == ["fresh"]
    assert row_of(marked, 1)["labels"] == []
    assert differences(marked, moved=True) == []


def test_rows_from_before_have_unknown_marks_and_another_reading_of_the_same_state_brings_them(marked: House) -> None:
    captured(marked)
    with marked.db.transaction() as tx:
        tx.run("update pull_requests set labels = null, assignees = null, requested_reviewers = null, milestone = null")
    done = details.run(marked.db, marked.graphql(), marked.run, MARKED, [1, 2, 3, 4], sleep=marked.wait)
    assert done.stored == 4
    unknown = marked.rows("select number from pull_requests where labels is null")
    assert {1, 2, 3, 4} & {row["number"] for row in unknown} == set()


def test_verify_with_repair_brings_the_marks_that_rows_from_before_lack(marked: House) -> None:
    captured(marked)
    with marked.db.transaction() as tx:
        tx.run("update pull_requests set labels = null, assignees = null, requested_reviewers = null, milestone = null")
    repository = capture.find(marked.db, MARKED)
    verify(marked.db, marked.graphql(), marked.run, repository, repair=True, sleep=marked.slept.append)
    with marked.db.transaction() as tx:  # what has none was not read again
        tx.run("update pull_requests set labels = '[]' where labels is null")
        tx.run("update pull_requests set assignees = '[]' where assignees is null")
        tx.run("update pull_requests set requested_reviewers = '[]' where requested_reviewers is null")
    assert differences(marked) == []


@pytest.mark.parametrize("marks", [{"labels": ["fresh"]}, {"assignees": ["bob"]}, {"reviewers": ["ann", "@core"]}])
def test_a_mark_that_moves_no_date_is_found_by_verify(marked: House, marks: dict[str, list[str]]) -> None:
    captured(marked)
    mark(marked.github.world, MARKED, 5, labels=[], assignees=[], reviewers=[])
    details.run(marked.db, marked.graphql(), marked.run, MARKED, [5], sleep=marked.wait)
    mark(marked.github.world, MARKED, 5, moves=False, **marks)  # type: ignore[arg-type]
    repository = capture.find(marked.db, MARKED)
    verify(marked.db, marked.graphql(), marked.run, repository, repair=True, sleep=marked.slept.append)
    assert differences(marked, moved=True) == []


def test_every_pull_request_of_the_corpus_has_the_marks_that_it_has_there(db: Database, database_url: str) -> None:
    folders = smaller()
    world = load(folders)
    with running(world) as github:
        house = House(db=db, url=database_url, github=github)
        repositories = expected(folders)
        for repository in repositories:
            house.track(repository.full_name)
            assert house.capture(repository.full_name).outcome is CaptureOutcome.COMPLETED
        with db.transaction(read_only=True) as tx:
            assert [str(each) for each in compare(tx, repositories).found] == []
    assert any(pull.labels for repository in repositories for pull in repository.pull_requests)
