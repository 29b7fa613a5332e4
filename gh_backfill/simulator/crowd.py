"""Those who star and fork what is made up: a million accounts, each made when somebody asks for it.

Number k is `fan-k` with the id 10^9 + k, above the ids GitHub has given to accounts and below those of `derive`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.rows import AccountRow

SIZE = 1_000_003
_FIRST_ID = 10**9
# Prime to the size, so that nobody comes twice; and who comes after whom is not told by the ids.
_STRIDE = 7_919
_LOGIN = re.compile(r"fan-(0|[1-9]\d{0,6})", re.IGNORECASE)


def identity(start: int, place: int) -> int:
    """Return the id of who comes at a place (from 0, below SIZE) of a row of people that begins with `start`."""
    return _FIRST_ID + (start + place * _STRIDE) % SIZE


def login(identity: int) -> str:
    """Return the login of an id of the crowd."""
    return f"fan-{identity - _FIRST_ID}"


def named(name: str) -> int | None:
    """Return the id of a login of the crowd; None for anybody else."""
    found = _LOGIN.fullmatch(name)
    return _FIRST_ID + int(found[1]) if found and int(found[1]) < SIZE else None


def member(identity: int) -> AccountRow | None:
    """Return who has an id of the crowd; None for anybody else."""
    return _made(identity) if 0 <= identity - _FIRST_ID < SIZE else None


@lru_cache(maxsize=10_000)
def _made(identity: int) -> AccountRow:
    return account({"login": login(identity), "id": identity, "type": "User"}, made_up=True)
