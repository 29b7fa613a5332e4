"""Goals: the items that each is about, where its walk begins and ends, and whether one contains another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gh_backfill.models.work import Goal
    from gh_backfill.policy.items import Slot


def covers(goal: Goal, other: Goal) -> bool:
    """Say whether whatever another goal is about is this one's as well: then the other one asks for nothing more.

    The statement `aim_history` decides the same in the database.
    """
    if goal.since is not None and (other.since is None or other.since < goal.since):
        return False
    if goal.max_items is not None:
        return goes_on(goal, other) and other.max_items is not None and other.max_items <= goal.max_items
    states = not goal.states or (bool(other.states) and set(other.states) <= set(goal.states))
    return states and (goal.until is None or (other.until is not None and other.until <= goal.until))


def goes_on(goal: Goal, other: Goal) -> bool:
    """Say whether a walk to one goal may go on to the other from its own place: all above it belongs to both."""
    return (goal.states, goal.until) == (other.states, other.until)


def kept_words(aim: Goal, wished: Goal, name: str, *, only_newest: bool) -> str:
    """Say that a repository keeps its goal, and what goes on to more where another one was wished."""
    words = f"keeps its goal: {goal_words(aim, only_newest=only_newest)}"
    if covers(aim, wished):
        return words
    if covers(wished, aim):
        most = "all" if wished.max_items is None else wished.max_items
        return f"{words}; given with --max-prs {most}, it goes on to {wished.words}"
    return f"{words}; gh-backfill track {name} --max-prs all goes on to everything"


def goal_words(aim: Goal, *, only_newest: bool) -> str:
    """Say what is wanted of a repository, and whether the rest of its history is never wanted."""
    return f"{aim.words}, and no more" if only_newest and (aim.max_items or aim.filtered) else aim.words


def in_time(goal: Goal, created_at: datetime | None) -> bool:
    """Say whether a goal is about what was created then; what nobody knows the time of may be its own."""
    if created_at is None:
        return True
    return (goal.since is None or created_at >= goal.since) and (goal.until is None or created_at < goal.until)


def matches(goal: Goal, slot: Slot) -> bool:
    """Say whether a goal is about what stands at a place, as far as it could be read."""
    state = None if slot.item is None else slot.item.state
    return in_time(goal, slot.created_at) and (not goal.states or state is None or state in goal.states)


def newer(goal: Goal, slots: Sequence[Slot]) -> int:
    """Return how many places at the beginning of a page, newest first, are before what a goal is about."""
    until = goal.until
    if until is None:
        return 0
    late = [place for place, slot in enumerate(slots, 1) if slot.created_at is not None and slot.created_at >= until]
    return max(late, default=0)


def past(goal: Goal, slots: Sequence[Slot]) -> int | None:
    """Return the first place of a page, newest first, that is behind what a goal is about; None if there is none."""
    since = goal.since
    if since is None:
        return None
    old = (place for place, slot in enumerate(slots) if slot.created_at is not None and slot.created_at < since)
    return next(old, None)


def number_wanted(goal: Goal, *, of_list: int, at_its_end: bool) -> int | None:
    """Return how many GitHub counts of what a filtered goal is about; None where that is not known, or all are wanted.

    GitHub counts `of_list` in the states of the goal.  How many of these are of a span of time is known only where the
    list itself ended within it.
    """
    known = not goal.dated or (goal.until is None and at_its_end)
    return of_list if goal.filtered and known else None
