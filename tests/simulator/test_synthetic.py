"""Made-up repositories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

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


def test_a_recipe_says_how_many_stars_and_forks_there_are_and_from_when_to_when() -> None:
    world = load(recipes=["a/b:0:7:stars=300:forks=20:since=2026-08-22:until=2026-11-20", "a/c:5"])
    found, other = (world.repositories[each] for each in world.shelves)
    times = [star.starred_at for star in world.shelves[found.id].stars]
    assert (len(times), found.stargazers, found.forks, found.created_at) == (300, 300, 20, "2026-08-22T00:00:00Z")
    assert (min(times) >= "2026-08-22", max(times) < "2026-11-20") == (True, True)
    assert sum(time < "2026-10-06" for time in times) < 100  # fewer in the first half
    assert (other.stargazers, other.forks, len(world.shelves[other.id].stars)) == (0, 0, 0)
    again = load(recipes=["a/b:0:7:stars=300:forks=20:since=2026-08-22:until=2026-11-20"])
    assert [star.starred_at for star in again.shelves[found.id].stars] == times
    seeded = load(recipes=["a/b:0:8:stars=300:forks=20:since=2026-08-22:until=2026-11-20"])
    assert [star.starred_at for star in seeded.shelves[found.id].stars] != times


def test_stars_without_days_come_until_yesterday() -> None:
    world = load(recipes=["a/b:5:stars=500"])
    times = [star.starred_at for (shelf,) in [world.shelves.values()] for star in shelf.stars]
    assert (
        f"{datetime.now(UTC) - timedelta(days=400):%Y-%m-%d}" < max(times) < f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    )


def test_those_who_star_are_accounts_like_others_and_no_two_are_one() -> None:
    world = load(recipes=["a/b:5:stars=2000:forks=2000:until=2026-11-20", "a/c:5:stars=2000:until=2026-11-20"])
    first, second = (shelf.stars for shelf in world.shelves.values())
    assert len(first.accounts | second.accounts) > 3_900
    fan = world.account(next(iter(first.accounts)))
    assert fan is not None
    assert (world.account_by_login(fan.login.upper()), world.node(fan.node_id)) == (fan, fan)
    changes.rename_account(world, fan.login, to="somebody")
    renamed = world.account_by_login("somebody")
    assert (renamed and renamed.id, world.account_by_login(fan.login)) == (fan.id, None)
    changes.delete_account(world, "somebody")
    assert (world.account(fan.id), world.account_by_login("somebody")) == (None, None)
    with pytest.raises(LookupError):
        changes.delete_account(world, fan.login)
    for login in ("fan-1000003", "fan-01", "fan-", "fan-x"):
        assert world.account_by_login(login) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "a/b", "a/b:", "a/b:x", "a:5", "a/b:1000000", "a/b:5:x", "a/b:5:stars", "a/b:5:moons=3", "a/b:5:stars=x"),
        *("a/b:5:stars=1:stars=2", "a/b:5:stars=1000001", "a/b:5:forks=500001", "a/b:5:stars=-1", "a/b:5:stars=1:7"),
        *("a/b:5:since=soon", "a/b:5:until=2026-02-30", "a/b:5:since=2026-01-02:until=2026-01-02"),
    ],
)
def test_what_is_no_recipe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a/b|OWNER/NAME:N"):
        load(recipes=[text])
