"""The place of a stream after a page, and its end.

The walk reads by creation date, newest first, to the goal or the end.  What changed meanwhile is the catch-up's: pass k
reads by date of update down to GitHub's own time at the start of pass k - 1 (the walk for the first), less a margin.
It ends when a pass fits into one page, or after five, and leaves its watermark to whoever syncs next.  A sync does the
same, from the watermark that was left.

A list may end before it has what GitHub counts, or stop leading on.  Then the end is looked at once more, and what two
readings agree on is a gap: counted, shown, and asked for again by every later catch-up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gh_backfill.models.work import PULL_REQUESTS, Phase, words_of
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.syncing import MARGIN as SYNC_MARGIN

if TYPE_CHECKING:  # who only shows how far a backfill is starts without them
    from gh_backfill.models.work import Stream
    from gh_backfill.policy.items import Slot

MARGIN = timedelta(minutes=5)
MAX_PASSES = 5
# More items than any list has.
WITHOUT_GOAL = 2**62


@dataclass(frozen=True, kw_only=True, slots=True)
class Advance:
    """Where a stream stands after a chunk.

    `catch_up_from` is set where the walk is over and the catch-up begins, `stuck` where GitHub's list did not lead on.
    """

    cursor: str | None
    status: BackfillStatus
    pass_number: int
    read_down_to: datetime | None
    watermark: datetime
    catch_up_from: datetime | None = None
    stuck: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class LookAgain:
    """Less is here than GitHub counts, and only one reading says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Complete:
    """Everything is read; so many pull requests are counted by GitHub and not listed."""

    gaps: int


def percent(captured: int, total: int) -> float:
    """Return how much of a history is here, rounded down, so that 100 means that nothing is missing; never more."""
    return 100.0 if total <= captured else 1_000 * captured // total / 10


def within(total: int, goal: int | None) -> int:
    """Return how many of all pull requests a goal is about."""
    return total if goal is None else min(goal, total)


def of_wanted(
    captured: int | str, total: int | None, goal: int | None, by: str = " of ", *, open_ended: bool = False
) -> str:
    """Say how many of those that are wanted are here, and of how many in all where that is more.

    How many are wanted by an `open_ended` goal nobody knows yet.
    """
    if total is None:
        return f"{captured}{by}?"
    if open_ended:
        return f"{captured} so far (of {total} in all)".lstrip()
    wanted = within(total, goal)
    return f"{captured}{by}{wanted}" + (f" (of {total} in all)" if wanted < total else "")


def missing(total: int | None, goal: int | None, *, listed: int, stored: int, later: int, stuck: bool) -> int:
    """Return how many GitHub counts of the goal that neither the database nor the walk has.

    Where it does not count what the goal is about (`total` None), a walk that did not end lacks one at least.

    Rows that were deleted here were listed, and what was deleted on GitHub since is no less complete for it.  What is
    in quarantine counts as `stored`, and what was created after the walk began (`later`) is not the walk's.  What a
    walk listed that is `stuck` proves nothing: it did not end.
    """
    if goal is not None and goal <= listed:
        return 0
    if total is None:
        return int(stuck)
    return within(total, goal) - (stored if stuck else max(stored, listed + later))


def at_the_end(missing: int, before: int | None) -> LookAgain | Complete:
    """Decide what is done when nothing is left to read and so many are missing; `before`: so many the last time."""
    if missing > 0 and (before is None or missing < before):
        return LookAgain()
    return Complete(gaps=max(0, missing))


def complete_words(gaps: int, short: int = 0, quarantined: int = 0, *, kind: str = PULL_REQUESTS) -> str:
    """Say that a backfill is complete, and what it is not.

    `short` are items of this kind with less than GitHub counts, `quarantined` are items that could not be stored.
    """
    lacks = [f"{gaps} that GitHub counts and does not list"] if gaps else []
    item = words_of(kind).removesuffix("s")
    lacks += [f"parts of {counted(short, item)} that GitHub counts and does not list"] if short else []
    lacks += [f"{counted(quarantined, 'item')} in quarantine"] if quarantined else []
    return f"complete but for {', and for '.join(lacks)}" if lacks else "everything that was asked for is captured"


def left_of_goal(stream: Stream, here: int) -> int:
    """Return how many items the goal still lacks beyond those that are here and not committed yet."""
    if stream.goal.max_items is None:
        return WITHOUT_GOAL
    return stream.goal.max_items - stream.items_done - here


def wanted(stream: Stream, slots: Sequence[Slot]) -> list[Slot]:
    """Return the places of a page that the stream is about: a catch-up stops at its lower bound."""
    bound = stream.read_down_to
    if bound is None:
        return list(slots)
    return [slot for slot in slots if slot.item is None or slot.item.updated_at >= bound]


def why_no_progress(following: str | None, been: Collection[str | None], *, listed: int) -> str | None:
    """Say why a list that is to go on after a page of `listed` items does not; `been` are the cursors it was at."""
    if following is None:
        return "GitHub says that the list goes on and does not say where"
    if following in been:
        return "GitHub's list goes round in a circle"
    return None if listed else "GitHub says that the list goes on and lists nothing"


def advance(
    stream: Stream,
    *,
    read: int,
    kept: int,
    next_cursor: str | None,
    end_cursor: str | None,
    server_time: datetime,
    stuck: bool = False,
    quiet: bool = False,
) -> Advance:
    """Decide where the stream stands after a page of `read` items of which `kept` were wanted.

    A sync that reads the head again has read enough with a page that is `quiet`: nothing on it was new.  A walk that is
    `stuck` ends at `end_cursor`, from where it may go on another time; a catch-up leaves the watermark that it had, so
    that the next one reads the same again.
    """
    watermark = stream.watermark or server_time
    if stream.phase is Phase.HISTORY:
        return _after_walk_page(stream, kept, next_cursor, end_cursor, watermark, stuck=stuck)
    if stuck:
        return Advance(
            cursor=None,
            status=BackfillStatus.COMPLETED,
            pass_number=stream.pass_number,
            read_down_to=stream.read_down_to,
            watermark=watermark if stream.read_down_to is None else stream.read_down_to + _margin(stream),
            stuck=True,
        )
    quiet = quiet and stream.phase is Phase.SYNC and stream.pass_number > 1
    if next_cursor is not None and kept == read and not quiet:
        return _goes_on(stream, next_cursor, watermark)
    if quiet:  # what it did not look at again is for the next sync, which reads from where the pass before began
        return Advance(
            cursor=None,
            status=BackfillStatus.COMPLETED,
            pass_number=stream.pass_number,
            read_down_to=stream.read_down_to,
            watermark=watermark if stream.read_down_to is None else stream.read_down_to + _margin(stream),
        )
    if stream.cursor is None or stream.pass_number >= MAX_PASSES:
        return Advance(
            cursor=None,
            status=BackfillStatus.COMPLETED,
            pass_number=stream.pass_number,
            read_down_to=stream.read_down_to,
            watermark=watermark,
        )
    return Advance(
        cursor=None,
        status=BackfillStatus.ACTIVE,
        pass_number=stream.pass_number + 1,
        read_down_to=watermark - _margin(stream),
        watermark=server_time,
    )


def _after_walk_page(
    stream: Stream,
    kept: int,
    next_cursor: str | None,
    end_cursor: str | None,
    watermark: datetime,
    *,
    stuck: bool,
) -> Advance:
    done = stream.items_done + kept
    at_goal = stream.goal.max_items is not None and done >= stream.goal.max_items
    if next_cursor is not None and not at_goal:
        return _goes_on(stream, next_cursor, watermark)
    stuck = stuck and not at_goal
    return Advance(
        cursor=end_cursor if stuck else end_cursor or stream.cursor,
        status=BackfillStatus.COMPLETED,
        pass_number=stream.pass_number,
        read_down_to=stream.read_down_to,
        watermark=watermark,
        catch_up_from=watermark - MARGIN,
        stuck=stuck,
    )


def _margin(stream: Stream) -> timedelta:
    return SYNC_MARGIN if stream.phase is Phase.SYNC else MARGIN


def _goes_on(stream: Stream, cursor: str, watermark: datetime) -> Advance:
    return Advance(
        cursor=cursor,
        status=BackfillStatus.ACTIVE,
        pass_number=stream.pass_number,
        read_down_to=stream.read_down_to,
        watermark=watermark,
    )
