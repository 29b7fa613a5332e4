"""One call of a sync that is made in several calls, of a chunk each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gh_backfill.models.work import RowCounts


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncStage:
    """What the calls before this one did; `kinds` are complete already, and with `more` others come after it."""

    kinds: Sequence[str] = ()
    items: int = 0
    counts: RowCounts = field(default_factory=RowCounts)
    more: bool = False
