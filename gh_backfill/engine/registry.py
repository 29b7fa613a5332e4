"""Kinds that can be captured, by name: the only place of the engine that knows those of items."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from gh_backfill.engine.discussions.kind import Discussions
from gh_backfill.engine.issues.kind import Issues
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import AFTER_ITEMS, CONTRIBUTORS

_KINDS: tuple[Kind, ...] = (PullRequests(), Issues(), Discussions())
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}


# What a repository may have switched on, in the order in which it is captured.
NAMES = (*KINDS, *AFTER_ITEMS)
# Everything of a repository, where nothing else is said: files and commits cost as much again, and are asked for.
EVERYTHING = (*KINDS, CONTRIBUTORS)


def chosen(text: str | None, *, given_as: str = "--kinds", once: bool = False) -> tuple[str, ...] | None:
    """Read names with commas or spaces between them, each once, in the order in which they are captured.

    None where none is given; raises ConfigurationError for a name that is none, and tells those there are.  Only `once`
    may people, files or commits stand alone: for good they are those of some items.
    """
    names = {name.lower().replace("-", "_") for name in re.split(r"[\s,]+", text or "") if name}
    if not names and not (text or "").strip():
        return None
    if not names:
        raise ConfigurationError(f"{given_as}: no kind is named: name some of {', '.join(NAMES)}")
    if unknown := sorted(names.difference(NAMES)):
        raise ConfigurationError(f"{given_as}: {', '.join(unknown)[:80]}: name some of {', '.join(NAMES)}")
    if names <= set(AFTER_ITEMS) and not once:
        alone = ", ".join(each for each in AFTER_ITEMS if each in names)
        raise ConfigurationError(f"{given_as}: {alone} are those of some items: name {', '.join(KINDS)}, too")
    return tuple(name for name in NAMES if name in names)


def ordered(names: Collection[str]) -> list[str]:
    """Return names in the order in which they are captured, each once."""
    return [name for name in NAMES if name in names]


def items_of(names: Sequence[str]) -> list[str]:
    """Return those of the names that are kinds of items."""
    return [name for name in names if name in KINDS]
