"""Answers about an item that were given before, for when the same is asked of the same: rows never change.

Who tests a capture lets it read the same pull requests again and again, in one world or in another of the same recipe.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from graphql import FieldNode, FragmentDefinitionNode

from gh_backfill.simulator.rows import IssueComment, IssueRow, PullRequestRow, ReviewCommentRow, ReviewRow, ThreadRow
from gh_backfill.simulator.scope import Scope
from gh_backfill.simulator.world import World

_MOST = 4_000
# What leads from an item to things of which its row and the accounts do not tell.
_ELSEWHERE = re.compile(r"\b(repository|repositories|issueOrPullRequest|viewer\w*)\b")
_VARIABLE = re.compile(r"\$(\w+)")
Item = PullRequestRow | IssueRow | ReviewRow | ReviewCommentRow | ThreadRow | IssueComment
ITEMS = get_args(Item)


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A part of an answer, how many rows it gave out, and whether it is without errors."""

    value: dict[str, Any]
    nodes: int
    whole: bool


class Selection:
    """What is asked of an item: its text, that of the fragments, and the variables that occur in them."""

    def __init__(
        self,
        nodes: list[FieldNode],
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        texts = tuple(_text(node.selection_set) for node in nodes) + tuple(map(_text, fragments.values()))
        used = sorted({name for text in texts for name in _VARIABLE.findall(text)})
        self.key = texts, repr([variables.get(name) for name in used])
        self.may_repeat = not any(_ELSEWHERE.search(text) for text in texts)


class Repeats:
    """The parts of answers that are remembered, by all that they depend on; when there are too many, none."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._parts: dict[object, Repeat] = {}
        self._surroundings: dict[object, object] = {}
        self._lock = threading.Lock()

    def surroundings(self, scope: Scope) -> object:
        """Return a token for everything beside a row that its answer may depend on, the same while that is the same."""
        with self._lock:
            if len(self._surroundings) >= self._most:
                self._surroundings.clear()
            return self._surroundings.setdefault(_surroundings(scope), object())

    def part(self, selection: Selection, row: Item, scope: Scope, token: object, make: Callable[[], Repeat]) -> Repeat:
        """Return what was answered before, or make it.  Nobody may change it then."""
        if not selection.may_repeat or (owner := _owner(scope.world, row)) is None:
            return make()
        key = selection.key, token, type(row), row.id, owner
        found = self._parts.get(key)
        if found is not None:
            return found
        made = make()
        with self._lock:
            still = owner is _owner(scope.world, row) and self._surroundings.get(_surroundings(scope)) is token
            if made.whole and still:
                if len(self._parts) >= self._most:
                    self._parts.clear()
                self._parts[key] = made
        return made


def _owner(world: World, row: Item) -> PullRequestRow | IssueRow | None:
    """Return the pull request or issue that a row is part of; None for one that was replaced meanwhile."""
    owner = world.pull(row.repository_id, row.number) or world.issue(row.repository_id, row.number)
    return owner if owner is row or not isinstance(row, PullRequestRow | IssueRow) else None


def _surroundings(scope: Scope) -> object:
    """Who is called what, what the repositories are called, and how numbers and cursors are written."""
    world, options = scope.world, scope.options
    return (
        tuple(world.accounts.values()),
        tuple(world.repositories.values()),
        options.large_integers,
        options.cursor_key,
    )


def _text(node: Any) -> str:
    place = node.loc
    text: str = place.source.body[place.start : place.end]
    return text
