"""The stars and forks of a made-up repository: few at first and ever more, from the seed alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from datetime import time as midnight

from gh_backfill.simulator import crowd, derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.fork_list import MadeForks
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.rows import RepositoryRow
from gh_backfill.simulator.star_list import StarList

# Ids of forks: above those of the crowd and below those of `derive`.
_FIRST_FORK, _FORK_IDS = 1_200_000_000, 399_000_000


def stars(recipe: Recipe, since: date, until: date) -> StarList:
    """Make the stars of a recipe, given from a day to the one before another."""

    def make() -> list[Key]:
        begin = derive.whole(f"stars of {recipe.full_name}") % crowd.SIZE
        times = _times(recipe, "stars", recipe.stars, since, until)
        return sorted((time, crowd.identity(begin, place), 0) for place, time in enumerate(times))

    return StarList(recipe.stars, make)


def forks(recipe: Recipe, since: date, until: date) -> MadeForks:
    """Make the forks of a recipe, created from a day to the one before another."""
    whole = derive.whole(f"forks of {recipe.full_name}")
    first, begin = _FIRST_FORK + whole % _FORK_IDS, whole % crowd.SIZE

    def make() -> list[Key]:
        times = _times(recipe, "forks", recipe.forks, since, until)
        return [(time, first + place, place) for place, time in enumerate(times)]

    def row(key: Key) -> RepositoryRow:
        time, identity, place = key
        owner = crowd.identity(begin, place)
        return RepositoryRow(
            id=identity,
            node_id=derive.derived_node_id(NodeKind.REPOSITORY, identity, 0, identity),
            owner_id=owner,
            owner=crowd.login(owner),
            name=recipe.name,
            language="Python",
            fork=True,
            created_at=time,
            updated_at=time,
            pushed_at=time,
        )

    return MadeForks(first, recipe.forks, make, row)


def _times(recipe: Recipe, what: str, count: int, since: date, until: date) -> Sequence[str]:
    """Roll so many times, ascending: the square root makes each day have a little more than the one before."""
    luck = random.Random(f"{recipe.full_name.lower()}:{recipe.seed}:{what}")  # noqa: S311 - a dice, no secret
    begins, ends = (int(datetime.combine(day, midnight(), UTC).timestamp()) for day in (since, until))
    seconds = sorted(begins + int((ends - begins) * luck.random() ** 0.5) for _ in range(count))
    return [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in seconds]
