"""The newest updates of a repository tell whether anything changed since a checkpoint, and how much."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.heads import Head, Newest, Updates
from gh_backfill.policy.syncing import MARGIN


@dataclass(frozen=True, kw_only=True, slots=True)
class Unchanged:
    """All that is new is here: everything up to GitHub's time of the answer is as it was."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """Items of some kinds are not here as they are now; `many` says that there may be more than so many."""

    items: Mapping[str, int]
    many: bool = False

    @property
    def words(self) -> str:
        """Say how many, for whoever reads what a job is for: `3`, `10 or more`."""
        count = sum(self.items.values())
        return f"{count} or more" if self.many else str(count)


def since(newest: Newest, checkpoint: datetime | None) -> tuple[Head, ...]:
    """Return the heads that were updated since a checkpoint less the margin; all of them where there is none.

    GitHub's lists may know of a change a little late, and two changes may have one second.
    """
    return tuple(each for each in newest.heads if checkpoint is None or each.updated_at >= checkpoint - MARGIN)


def judge(
    updates: Updates, checkpoints: Mapping[str, datetime], missing: Mapping[str, Collection[Head]]
) -> Unchanged | Changed:
    """Say whether a repository is as it was at its checkpoints; `missing` are heads that are not stored as they are.

    A kind without a checkpoint was never read to its end: it counts as changed.  So does one of which all that was
    asked for is new, for what comes after it may be, too.
    """
    items = {kind: len(missing.get(kind, ())) for kind in updates.newest if missing.get(kind)}
    unread = {kind: newest for kind, newest in updates.newest.items() if not _is_whole(newest, checkpoints.get(kind))}
    if not items and not unread:
        return Unchanged(at=updates.at)
    return Changed(items={kind: items.get(kind, 0) for kind in (*items, *unread)}, many=bool(unread))


def _is_whole(newest: Newest, checkpoint: datetime | None) -> bool:
    """Say whether the heads reach back to the checkpoint."""
    return checkpoint is not None and (newest.are_all or len(since(newest, checkpoint)) < len(newest.heads))
