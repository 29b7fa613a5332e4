"""Pages that were asked for and have come, as far as their stream is about them: what its goal wants, where it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients.pages import Asked, Page
from gh_backfill.engine.kind import Kind
from gh_backfill.models.github import Unreadable
from gh_backfill.models.work import Phase, Stream
from gh_backfill.policy.goals import in_time, matches, past
from gh_backfill.policy.items import Collector, Slot
from gh_backfill.policy.packing import Query
from gh_backfill.policy.progress import wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedQuery:
    """A query and its page, if there is one; `ahead` says that it is the catch-up's, asked for while the walk ends."""

    query: Query
    page: Asked | None
    ahead: bool = False

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self.query) or self.page is not None


# Tells which of some numbers belong to items that are stored.
Here = Callable[[Sequence[int]], Collection[int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedPage:
    """A page that is here, and its items on their way to completeness; `outside` of the goal are those left out."""

    after: str | None
    asked: int
    page: Page
    collectors: tuple[Collector, ...]
    unreadable: tuple[Unreadable, ...]
    kept: int
    outside: int = 0

    def following(self, stream: Stream) -> str | None:
        """Return the cursor of the page after it; None where a stream by date of update ends in it."""
        ends = stream.phase is not Phase.HISTORY and self.kept < len(self.page.slots)
        return None if ends else self.page.next


def to_the_end(stream: Stream, asked: Asked, page: Page) -> Page:
    """Return a page of a walk up to the first item that is older than all that is wanted: there the walk ends.

    It ends at the cursor before that item, from where it goes on should older ones be wanted another time.
    """
    place = past(stream.goal, page.slots) if stream.phase is Phase.HISTORY else None
    if place is None:
        return page
    end = page.slots[place].after or asked.after
    return replace(page, slots=page.slots[:place], next=None, end=end, more=False, past=True)


def fetched(stream: Stream, kind: Kind, asked: Asked, page: Page, slots: Sequence[Slot], here: Here) -> FetchedPage:
    """Return what of a page its stream is about; `slots` are its places without those that are gone.

    A walk leaves out what is not of its time.  A catch-up whose walk has a filtered goal completes what is of that
    goal, and whatever else is stored, for what is stored is kept fresh.
    """
    gone = len(page.slots) - len(slots)
    if stream.phase is Phase.HISTORY:
        ends = to_the_end(stream, asked, replace(page, slots=tuple(slots)))
        page = ends if ends.past else page
        about = kept = [slot for slot in ends.slots if in_time(stream.goal, slot.created_at)]
    else:
        kept = wanted(stream, slots)
        about = _of_goal_or_here(stream, kept, here)
    lost = (each for slot in about for each in slot.unreadable if slot.item is None or each.kind == kind.queries.item)
    return FetchedPage(
        after=asked.after,
        asked=asked.first,
        page=page,
        collectors=tuple(kind.collector(slot.item) for slot in about if slot.item is not None),
        unreadable=tuple(lost),
        kept=len(kept) + gone,
        outside=len(kept) - len(about),
    )


def _of_goal_or_here(stream: Stream, slots: Sequence[Slot], here: Here) -> list[Slot]:
    if not stream.goal.filtered:
        return list(slots)
    numbers = [slot.number for slot in slots if not matches(stream.goal, slot) and slot.number is not None]
    stored = here(numbers) if numbers else ()
    return [slot for slot in slots if matches(stream.goal, slot) or slot.number in stored]
