"""Stars that are given and taken back while the simulated GitHub runs."""

from __future__ import annotations

from dataclasses import replace

from gh_backfill.simulator.rows import Star
from gh_backfill.simulator.targets import person_of, repository_of
from gh_backfill.simulator.world import World


def star(world: World, repository: str, *, by: str, at: str) -> None:
    """Let somebody star a repository at a time; who did so already changes nothing."""
    with world.lock:
        home = repository_of(world, repository)
        shelf, account = world.shelves[home.id], person_of(world, by)
        if any(each.account == account for each in shelf.stars):
            return
        shelf.stars = (*shelf.stars, Star(account=account, starred_at=at))
        world.repositories[home.id] = replace(home, stargazers=home.stargazers + 1)


def unstar(world: World, repository: str, *, by: str) -> None:
    """Let somebody take a star back: no list tells that it ever was."""
    with world.lock:
        home = repository_of(world, repository)
        shelf, account = world.shelves[home.id], person_of(world, by)
        left = tuple(each for each in shelf.stars if each.account != account)
        if len(left) == len(shelf.stars):
            return
        shelf.stars = left
        world.repositories[home.id] = replace(home, stargazers=home.stargazers - 1)
