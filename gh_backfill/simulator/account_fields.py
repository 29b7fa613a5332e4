"""Answers about what an account tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gh_backfill.simulator import profiles
from gh_backfill.simulator.connections import ConnectionPage, by_position
from gh_backfill.simulator.fields import page
from gh_backfill.simulator.rows import AccountRow


def told(name: str) -> Callable[..., Any]:
    """Make the answer for one part of a profile."""
    return lambda row, info: getattr(profiles.of(row), name)


def address(row: AccountRow, _info: Any) -> str:
    """The public address; an empty text where there is none."""
    return profiles.of(row).email or ""


def number_of(name: str) -> Callable[..., ConnectionPage]:
    """Make the answer for a list of which only the length is in the world."""

    def resolve(row: AccountRow, info: Any, **arguments: Any) -> ConnectionPage:
        return page(info, by_position(()), arguments, count=getattr(profiles.of(row), name))

    return resolve
