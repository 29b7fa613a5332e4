"""Stars and forks that come and go while the simulated GitHub runs, who may see them, and what else happens.

Without a time they come now, or just after the last change of the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gh_backfill.simulator.new_rows import new_repository
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rows import Happening, RepositoryRow, Star
from gh_backfill.simulator.shelf import Shelf
from gh_backfill.simulator.targets import next_id, next_time, person_of, repository_of
from gh_backfill.simulator.world import World


def star(world: World, repository: str, *, by: str, at: str | None = None) -> None:
    """Let somebody star a repository; who did so already changes nothing."""
    with world.lock:
        home = repository_of(world, repository)
        shelf, account = world.shelves[home.id], person_of(world, by)
        if account in shelf.stars.accounts:
            return
        shelf.stars = shelf.stars.with_star(Star(account=account, starred_at=at or next_time(world, home)))
        world.repositories[home.id] = replace(home, stargazers=home.stargazers + 1)


def unstar(world: World, repository: str, *, by: str) -> None:
    """Let somebody take a star back: no list tells that it ever was."""
    with world.lock:
        home = repository_of(world, repository)
        shelf, account = world.shelves[home.id], person_of(world, by)
        if account not in shelf.stars.accounts:
            return
        shelf.stars = shelf.stars.without(account)
        world.repositories[home.id] = replace(home, stargazers=home.stargazers - 1)


def fork(world: World, repository: str, *, by: str, name: str | None = None, at: str | None = None) -> RepositoryRow:
    """Let somebody fork a repository, under its name or another; the fork is a repository like any other."""
    with world.lock:
        home = repository_of(world, repository)
        owner, now = person_of(world, by), at or next_time(world, home)
        made = new_repository(by, name or home.name, now, owner_id=owner, private=home.private, fork=True)
        world.add_repository(made, Shelf())
        shelf = world.shelves[home.id]
        shelf.forks = shelf.forks.with_ids([*shelf.forks.ids, made.id])
        world.repositories[home.id] = replace(home, forks=home.forks + 1)
        return made


def unfork(world: World, repository: str, *, fork: str) -> None:
    """Delete a fork of a repository; a made-up one, which is only listed, can't be."""
    with world.lock:
        home, gone = repository_of(world, repository), repository_of(world, fork)
        shelf = world.shelves[home.id]
        if gone.id not in shelf.forks.ids:
            raise LookupError(f"{fork} is no fork of {repository}")
        world.remove_repository(gone.id)
        shelf.forks = shelf.forks.with_ids(each for each in shelf.forks.ids if each != gone.id)
        world.repositories[home.id] = replace(home, forks=home.forks - 1)


def happen(
    world: World,
    repository: str,
    *,
    type: str,  # noqa: A002 - GitHub's word for it
    by: str,
    at: str | None = None,
    payload: Mapping[str, object] | None = None,
) -> None:
    """Let something happen that the events call alone tells of, such as a PushEvent."""
    with world.lock:
        home = repository_of(world, repository)
        account, now = person_of(world, by), at or next_time(world, home)
        made = Happening(type=type, id=next_id(world), account=account, created_at=now, payload=dict(payload or {}))
        world.shelves[home.id].happenings += (made,)


def show_stargazers(world: World, *, shown: bool | None, repository: str | None = None) -> None:
    """Let everybody see the list of stargazers of a repository or of all, or nobody; None: as the options say."""
    with world.lock:
        place = None if repository is None else repository_of(world, repository).id
        others = {} if place is None else {key: value for key, value in world.shown_stars.items() if key != place}
        world.shown_stars = others if shown is None else {**others, place: shown}


def shown(world: World, options: Options, repository: RepositoryRow) -> bool:
    """Tell whether the list of stargazers of a repository is shown to who asks now."""
    said = world.shown_stars
    if (word := said.get(repository.id, said.get(None))) is not None:
        return word
    return options.public_stargazers if options.may_list_stars is None else options.may_list_stars()
