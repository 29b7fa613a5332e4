"""Making accounts of REST user objects, of which the login may be all there is."""

from __future__ import annotations

from functools import lru_cache
from sys import intern
from typing import Any

from gh_backfill.simulator import derive, profiles
from gh_backfill.simulator.rows import AccountRow


def account(given: dict[str, Any], *, made_up: bool = False) -> AccountRow:
    """Make an account of a REST user object; what one that is `made_up` tells of itself is made up, too."""
    identity = given.get("id") or derive.derived_user_id(given["login"])
    kind = derive.account_type(given["login"], given.get("type"))
    return AccountRow(
        id=identity,
        node_id=given.get("node_id") or derive.account_node_id(kind, identity),
        login=intern(given["login"]),
        type=intern(kind),
        name=given.get("name"),
        avatar_url=given.get("avatar_url") or f"https://avatars.githubusercontent.com/u/{identity}?v=4",
        profile=None if made_up else profiles.given(given),
    )


@lru_cache(maxsize=10_000)
def invented(login: str, kind: str | None = None) -> AccountRow:
    """Make an account of a login; it is the same row in every world, so that what was made of it is known again."""
    return account({"login": login, "type": kind}, made_up=True)
