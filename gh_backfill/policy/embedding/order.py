"""Order in which items get their vectors: those of workspaces first, then issues, pull requests and discussions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class ItemType(StrEnum):
    """What is embedded, by the words of existing installations, in the order of its worth."""

    ISSUE = "issue"
    PULL_REQUEST = "pull_request"
    DISCUSSION = "discussion"

    @property
    def plural(self) -> str:
        """Return it for people."""
        return f"{self.value.replace('_', ' ')}s"


WORTH = {each: place for place, each in enumerate(ItemType)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """Items of one type and repository that wait for a vector, the newest first; `stale` ones have another's."""

    item_type: ItemType
    repository_id: str
    in_workspace: bool
    ready: int
    stale: int = 0


def in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Return the stretches that have anything to do, in the order in which they are walked."""
    waiting = [each for each in stretches if each.ready]
    return sorted(waiting, key=lambda each: (not each.in_workspace, WORTH[each.item_type], each.repository_id))
