"""Made-up repositories of any size: each pull request is made when it is asked for, from the seed and its number alone.

The sizes are heavy-tailed, as in life: most pull requests have few reviews and comments, some over 100; number 7 has
more than 300 reviews and number 11 more than 100 comments, where there are that many.  Every 13th number is an issue:
number 13 has more than 100 comments, 26 more than 100 labels, 39 has 10 assignees (all users where they are few), 52 is
assigned to a bot and 65 was opened by a deleted account.  Discussions have the numbers after all these: the first has
more than 100 comments, the second more than 100 replies to one, a deleted account opened the third and a bot the
fourth, and in the fifth a comment was deleted that has replies.  Where a recipe has pull requests `marked`,
the first has more than 100 labels, the second 10 assignees, the third all sorts of reviewers and the fourth more than
100 requests for a review.  Stars and forks are made when somebody first looks at them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from gh_backfill.simulator import derive, made_up_fans
from gh_backfill.simulator.accounts import invented
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.discussion_maker import DiscussionMaker
from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.fork_list import ForkList, MadeForks
from gh_backfill.simulator.issue_maker import IssueMaker
from gh_backfill.simulator.maker import START, Maker, settle
from gh_backfill.simulator.mark_maker import MarkMaker
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.rows import AccountRow, IssueRow, LabelRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.shelf import Outline, Shelf
from gh_backfill.simulator.star_list import StarList
from gh_backfill.simulator.world import World

_REMEMBERED = 30
BEGIN = date.fromisoformat(START[:10])


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What a recipe makes; rows never change, so that all worlds may share them."""

    repository: RepositoryRow
    outlines: tuple[Outline, ...]
    row: Callable[[int], PullRequestRow]
    issues: tuple[IssueRow, ...]
    discussions: tuple[DiscussionRow, ...]
    labels: tuple[LabelRow, ...]
    stars: StarList
    forks: MadeForks


def add(world: World, recipe: Recipe) -> None:
    """Put a made-up repository into a world."""
    owner = world.account_by_login(recipe.owner) or invented(recipe.owner, "Organization")
    world.add_account(owner)
    made = _made(_settled(recipe), owner, settle(recipe, world))
    _refuse_shared_ids(world, made.forks)
    forks = ForkList(made=made.forks)
    world.add_repository(
        made.repository,
        Shelf(
            made.outlines,
            made.row,
            issues=made.issues,
            discussions=made.discussions,
            labels=made.labels,
            stars=made.stars,
            forks=forks,
        ),
    )


def _settled(recipe: Recipe) -> Recipe:
    """Say when the stars and forks of a recipe begin and end."""
    until = recipe.until or max(datetime.now(UTC).date(), (recipe.since or BEGIN) + timedelta(days=1))
    return replace(recipe, since=recipe.since or min(BEGIN, until - timedelta(days=1)), until=until)


def _refuse_shared_ids(world: World, forks: MadeForks) -> None:
    for identity, shelf in world.shelves.items():
        other = shelf.forks.made
        if other.first < forks.first + forks.count and forks.first < other.first + other.count:
            name = world.repositories[identity].full_name
            raise ValueError(f"ids of forks would be the same as of those of {name}: load only one of them")


@lru_cache(maxsize=_REMEMBERED)
def _made(recipe: Recipe, owner: AccountRow, people: tuple[AccountRow, ...]) -> _Made:
    identity = derive.derived_repository_id(recipe.full_name)
    since, until = recipe.since or BEGIN, recipe.until or BEGIN
    maker = Maker(recipe, identity, people)
    outlines = tuple(maker.outline(number) for number in maker.numbers())
    repository = RepositoryRow(
        id=identity,
        node_id=derive.derived_node_id(NodeKind.REPOSITORY, identity, 0, identity),
        owner_id=owner.id,
        owner=owner.login,
        name=recipe.name,
        description=f"{recipe.count:,} made-up pull requests",
        language="Python",
        stargazers=recipe.stars,
        forks=recipe.forks,
        has_discussions=recipe.discussions > 0,
        size=recipe.count * 3,
        created_at=f"{min(since, BEGIN) if recipe.count else since}T00:00:00Z",
        updated_at=max((outline.updated_at for outline in outlines), default=START),
    )
    made = IssueMaker(maker)
    marks = MarkMaker(maker, made)
    row = lru_cache(maxsize=2_000)(marks.pull)
    return _Made(
        repository=repository,
        outlines=outlines,
        row=row,
        issues=tuple(made.issues()),
        discussions=tuple(DiscussionMaker(maker).discussions()),
        labels=marks.labels,
        stars=made_up_fans.stars(recipe, since, until),
        forks=made_up_fans.forks(recipe, since, until),
    )
