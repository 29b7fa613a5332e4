"""Made-up repositories of any size: each pull request is made when it is asked for, from the seed and its number alone.

The sizes are heavy-tailed, as in life: most pull requests have few reviews and comments, some over 100; number 7 has
more than 300 reviews and number 11 more than 100 comments, where there are that many.  Every 13th number is an issue:
number 13 has more than 100 comments, 26 more than 100 labels, 39 has 10 assignees (all users where they are few), 52 is
assigned to a bot and 65 was opened by a deleted account.
"""

from __future__ import annotations

from functools import lru_cache

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.issue_maker import IssueMaker
from gh_backfill.simulator.maker import START, Maker
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.rows import RepositoryRow
from gh_backfill.simulator.shelf import Shelf
from gh_backfill.simulator.world import World


def add(world: World, recipe: Recipe) -> None:
    """Put a made-up repository into a world."""
    owner = world.account_by_login(recipe.owner) or account({"login": recipe.owner, "type": "Organization"})
    world.add_account(owner)
    identity = derive.derived_repository_id(recipe.full_name)
    maker = Maker(recipe, identity, world)
    outlines = [maker.outline(number) for number in maker.numbers()]
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
    made = IssueMaker(maker, world)
    row = lru_cache(maxsize=2_000)(maker.pull)
    world.add_repository(repository, Shelf(outlines, row, issues=made.issues(), labels=made.labels))
