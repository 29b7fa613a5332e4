"""The words on a repository that is tracked already: what it keeps, and what a wish changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gh_backfill.models.work import words_of
from gh_backfill.policy.goals import goal_words, kept_words
from gh_backfill.policy.lifecycle import CANCELLED
from gh_backfill.policy.schedule import Priority
from gh_backfill.policy.standing import RESUME
from gh_backfill.store.repositories import Entry

if TYPE_CHECKING:
    from gh_backfill.models.github import Repository
    from gh_backfill.tasks.track import FirstBackfill


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What was asked for beside a backfill; None where nothing was."""

    kinds: Sequence[str] | None = None
    priority: Priority | None = None


def of_entry(entry: Entry, found: Repository, wish: FirstBackfill | None, *, raised: bool, said: Said) -> str | None:
    """Say what stays and what changes of a repository that was here; None where there is nothing to say.

    `raised` says that the goal of the `wish` (None: nothing was wished of it) is the goal now.
    """
    name = found.full_name
    words: list[str] = []
    if wish is not None and entry.has_stream:
        wished = wish.goal_of(found)
        only = entry.only_newest if wish.only_newest is None else wish.only_newest
        kept = kept_words(entry.aim, wished, name, only_newest=only)
        words.append(goal_words(wished, only_newest=only) if raised else kept)
    if entry.held_reason == CANCELLED:
        words.append(f"stays cancelled: {RESUME} {name} takes it up again")
    if said.kinds is not None and not entry.added and set(said.kinds) != set(entry.kinds or ()):
        words.append(f"captures {' and '.join(map(words_of, said.kinds))} from now on")
    if said.priority is not None and not entry.added and said.priority != entry.priority:
        words.append(f"has {said.priority} priority from now on")
    return "; ".join(words) or None
