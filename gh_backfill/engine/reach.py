"""The way of a capture towards its goal, as its chunks are committed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gh_backfill.engine.follow_ups import Chunk
from gh_backfill.engine.outcome import Before
from gh_backfill.models.work import Phase, Stream
from gh_backfill.policy.progress import within


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """So many items are here of those that are wanted, which are `goal` (None: all), and GitHub counts `total` in all.

    With an `open_ended` goal nobody knows yet how many are wanted.
    """

    captured: int
    total: int
    goal: int | None = None
    open_ended: bool = False

    @classmethod
    def of(cls, before: Before) -> Reach:
        """Return how far it had come before."""
        return cls(captured=before.captured, total=before.total, goal=before.goal, open_ended=before.open_ended)

    def after(self, stream: Stream, chunk: Chunk, *, new: int) -> Reach:
        """Return how far it is after a chunk of a stream with so many new items.

        What a filtered goal is about is counted by its walk, for more may be here than that.
        """
        total, walks, goal = chunk.page.total, stream.phase is Phase.HISTORY, stream.goal
        captured = self.captured + new
        if not goal.filtered:
            return Reach(captured=captured, total=total, goal=goal.max_items if walks else self.goal)
        wanted = None if goal.dated and not walks else chunk.wanted(stream)
        if walks:
            captured = stream.items_done + chunk.kept
            over = chunk.page.next is None or captured >= within(captured + 1, goal.max_items)
            wanted = captured if wanted is None and over else wanted
            known = None if wanted is None else within(wanted, goal.max_items)
            return Reach(captured=captured, total=total, goal=known, open_ended=known is None)
        known = self.goal if wanted is None else within(wanted, goal.max_items)
        return replace(self, captured=captured, total=total, goal=known)

    def left(self, stream: Stream, chunk: Chunk) -> int:
        """Return how many items a walk has still to read after a chunk of it."""
        left = chunk.page.total - self.held_with(chunk)
        if stream.goal.max_items is None:
            return left
        return min(left, stream.goal.max_items - stream.items_done - chunk.kept)

    def held_with(self, chunk: Chunk) -> int:
        """Return how many items are here with those of a chunk."""
        return min(chunk.page.total, self.captured + chunk.kept)
