"""Made-up repositories of any size: each pull request is made when it is asked for, from the seed and its number alone.

The sizes are heavy-tailed, as in life: most pull requests have few reviews and comments, some over 100; number 7 has
more than 300 reviews and number 11 more than 100 comments, where there are that many.  Every 13th number is an issue:
number 13 has more than 100 comments, 26 more than 100 labels, 39 has 10 assignees (all users where they are few), 52 is
assigned to a bot and 65 was opened by a deleted account.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import invented
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.issue_maker import IssueMaker
from gh_backfill.simulator.maker import START, Maker, settle
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.rows import AccountRow, IssueRow, LabelRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.shelf import Outline, Shelf
from gh_backfill.simulator.world import World

_REMEMBERED = 30


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What a recipe makes; rows never change, so that all worlds may share them."""

    repository: RepositoryRow
    outlines: tuple[Outline, ...]
    row: Callable[[int], PullRequestRow]
    issues: tuple[IssueRow, ...]
    labels: tuple[LabelRow, ...]


def add(world: World, recipe: Recipe) -> None:
    """Put a made-up repository into a world."""
    owner = world.account_by_login(recipe.owner) or invented(recipe.owner, "Organization")
    world.add_account(owner)
    made = _made(recipe, owner, settle(recipe, world))
    world.add_repository(made.repository, Shelf(made.outlines, made.row, issues=made.issues, labels=made.labels))


@lru_cache(maxsize=_REMEMBERED)
def _made(recipe: Recipe, owner: AccountRow, people: tuple[AccountRow, ...]) -> _Made:
    identity = derive.derived_repository_id(recipe.full_name)
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
        stargazers=recipe.count // 3,
        forks=recipe.count // 20,
        size=recipe.count * 3,
        created_at=START,
        updated_at=max((outline.updated_at for outline in outlines), default=START),
    )
    made = IssueMaker(maker)
    row = lru_cache(maxsize=2_000)(maker.pull)
    return _Made(
        repository=repository, outlines=outlines, row=row, issues=tuple(made.issues()), labels=tuple(made.labels)
    )
