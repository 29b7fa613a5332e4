"""Made-up repositories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import IssueRow, PullRequestRow
from gh_backfill.simulator.shelf import outline_of
from gh_backfill.simulator.threads import threads
from gh_backfill.simulator.world import World

SPEC = "made/up:600"


@pytest.fixture(scope="module")
def made() -> World:
    return load(recipes=[SPEC, "made/other:600"])


def pulls(world: World, name: str = "up") -> Iterator[PullRequestRow]:
    repository = world.repository("made", name)
    assert repository is not None
    for outline in world.shelves[repository.id].outlines():
        pull = world.pull(repository.id, outline.number)
        assert pull is not None
        yield pull


def test_there_are_as_many_pull_requests_as_asked_for(made: World) -> None:
    assert len(list(pulls(made))) == 600


def test_most_pull_requests_are_small_and_a_few_are_huge(made: World) -> None:
    reviews = sorted(len(pull.reviews) for pull in pulls(made))
    assert reviews[300] <= 1
    assert reviews[-1] == 337
    assert max(len(pull.comments) for pull in pulls(made)) > 100
    assert max(len(pull.review_comments) for pull in pulls(made)) > 100


def test_the_oddities_of_life_occur(made: World) -> None:
    rows = list(pulls(made))
    comments = [comment for pull in rows for comment in pull.review_comments]
    assert any(pull.author is None for pull in rows)
    assert any((account := made.account(pull.author)) and account.type == "Bot" for pull in rows)
    assert any(comment.reply_to for comment in comments)
    assert any(comment.review_id is None for comment in comments)
    assert any(len(thread.comments) > 2 for pull in rows for thread in threads(pull))
    assert {pull.state for pull in rows} == {"OPEN", "CLOSED", "MERGED"}


def test_ids_of_two_repositories_and_of_all_kinds_never_meet(made: World) -> None:
    seen: list[int] = []
    for name in ("up", "other"):
        for pull in pulls(made, name):
            seen.append(pull.id)
            seen += [review.id for review in pull.reviews]
            seen += [comment.id for comment in pull.review_comments]
            seen += [comment.id for comment in pull.comments]
    assert len(seen) == len(set(seen))
    assert min(seen) > 2**31


def issues(world: World, name: str = "up") -> list[IssueRow]:
    repository = world.repository("made", name)
    assert repository is not None
    return list(world.shelves[repository.id].issues.values())


def test_issues_have_what_issues_have_in_life(made: World) -> None:
    rows = issues(made)
    assert [row.number for row in rows] == list(range(13, 13 * (len(rows) + 1), 13))
    assert [len(rows[0].comments), len(rows[1].labels), len(rows[2].assignees)] == [130, 104, 10]
    for some in (
        {bool(row.comments) for row in rows},
        {bool(row.labels) for row in rows},
        {bool(row.assignees) for row in rows},
        {row.milestone is None for row in rows},
        {row.open for row in rows},
        {made.account(row.author) is None for row in rows},
        {made.accounts[each].type == "Bot" for row in rows for each in row.assignees},
    ):
        assert some == {True, False}
    assert all(row.updated_at >= max([row.created_at, *(each.created_at for each in row.comments)]) for row in rows)


def test_the_ids_of_issues_and_of_their_comments_meet_no_others(made: World) -> None:
    taken = {pull.id for pull in pulls(made)} | {row.id for pull in pulls(made) for row in pull.comments}
    seen = [row.id for row in issues(made)] + [comment.id for row in issues(made) for comment in row.comments]
    assert len(set(seen)) == len(seen)
    assert taken.isdisjoint(seen)
    assert [row.title for row in issues(load(recipes=[SPEC]))] == [row.title for row in issues(made)]


def test_the_same_recipe_makes_the_same_world_in_any_order(made: World) -> None:
    again = load(recipes=[SPEC])
    forward = [(pull.title, pull.body, len(pull.reviews)) for pull in pulls(made)]
    numbers = [pull.number for pull in pulls(again)]
    repository = again.repository("made", "up")
    assert repository is not None
    backward = [again.pull(repository.id, number) for number in reversed(numbers)]
    assert forward == [(pull.title, pull.body, len(pull.reviews)) for pull in reversed(backward) if pull]


def test_another_seed_makes_another_world(made: World) -> None:
    other = load(recipes=[f"{SPEC}:1"])
    assert [pull.title for pull in pulls(made)] != [pull.title for pull in pulls(other)]


def test_the_orders_know_what_the_rows_say(made: World) -> None:
    repository = made.repository("made", "up")
    assert repository is not None
    outlines = made.shelves[repository.id].outlines()
    assert outlines == [outline_of(pull) for pull in pulls(made)]


def test_a_made_up_world_moves_too() -> None:
    world = load(recipes=["made/up:5"])
    changes.edit(world, "made/up", 3, title="changed")
    assert [pull.title == "changed" for pull in pulls(world)] == [False, False, True, False, False]


@pytest.mark.parametrize("text", ["", "a/b", "a/b:", "a/b:x", "a:5", "a/b:1000000", "a/b:5:x"])
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a/b|OWNER/NAME:N"):
        load(recipes=[text])
