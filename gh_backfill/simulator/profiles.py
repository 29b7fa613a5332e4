"""Profiles of accounts: what a source tells of them, and what is made up for people who are made up."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gh_backfill.simulator.rows import AccountRow
    from gh_backfill.simulator.world import World

_COMPANIES = (None, "@octo", "Initech", "Globex & Sons", None, "Ünïted Wîdgets")
_PLACES = (None, "Berlin", "São Paulo", "Nairobi, Kenya", None, "東京")
_BIOS = (None, "I mend things.", "Writes tests first;\nsleeps second.", None)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileRow:
    """What an account tells of itself; its repositories are counted beside those in the world."""

    company: str | None = None
    location: str | None = None
    bio: str | None = None
    blog: str | None = None
    email: str | None = None
    public_repos: int = 0
    public_gists: int = 0
    followers: int = 0
    following: int = 0
    created_at: str = "2010-01-01T00:00:00Z"


NOBODY = ProfileRow()


def given(told: dict[str, Any]) -> ProfileRow:
    """Return the profile of a REST user object, which most sources leave out."""
    names = ("company", "location", "bio", "blog", "email", "created_at")
    counts = ("public_repos", "public_gists", "followers", "following")
    texts = {name: told[name] for name in names if told.get(name)}
    numbers = {name: told[name] for name in counts if told.get(name)}
    return ProfileRow(**texts, **numbers) if texts or numbers else NOBODY


def of(account: AccountRow) -> ProfileRow:
    """Return the profile of an account; that of somebody made up follows from the id, the same in every world."""
    if account.profile is not None:
        return account.profile
    number = zlib.crc32(str(account.id).encode())
    return ProfileRow(
        company=_COMPANIES[number % len(_COMPANIES)],
        location=_PLACES[number // 7 % len(_PLACES)],
        bio=_BIOS[number // 11 % len(_BIOS)],
        blog=f"https://{account.login}.example" if number % 3 == 0 else None,
        email=f"{account.login}@mail.example" if number % 4 == 0 else None,
        public_repos=number // 13 % 200,
        public_gists=number // 17 % 40,
        followers=number // 19 % 5_000,
        following=number // 23 % 300,
        created_at=f"20{8 + number % 16:02}-0{1 + number % 9}-1{number % 10}T0{number % 7}:30:00Z",
    )


def edit(world: World, login: str, **changes: Any) -> None:
    """Change what somebody tells of himself."""
    with world.lock:
        found = world.account_by_login(login)
        if found is None:
            raise LookupError(f"nobody is called {login}")
        world.add_account(replace(found, profile=replace(of(found), **changes)))
