"""Making a world of folders and of recipes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gh_backfill.simulator import corpus, synthetic
from gh_backfill.simulator.recipe import Recipe
from gh_backfill.simulator.world import World


def load(dirs: Iterable[Path] = (), recipes: Iterable[str] = ()) -> World:
    """Make a world of corpus folders and of synthetic repositories as `Recipe.parse` reads them.

    A folder holds one repository, or one folder for each.  Raises ValueError where something is wrong with the input.
    """
    world = World()
    corpus.read(world, dirs)
    for text in recipes:
        synthetic.add(world, Recipe.parse(text))
    return world
