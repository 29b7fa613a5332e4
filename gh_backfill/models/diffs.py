"""Files and commits of pull requests as GitHub lists them, and what else it may say of such a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.github import NodeId, NotFound, Unknown


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffWanted:
    """A list that is wanted, `files` or `commits`, of a pull request by our id and by GitHub's name for it."""

    pull_request_id: str
    node_id: NodeId
    of: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffList:
    """A list as it was read: rows in GitHub's order, as they are stored, and of how many GitHub says there are.

    `as_of` is when its pull request was updated last, as the first page said.  `gap` says why rows lack.
    """

    rows: tuple[dict[str, object], ...]
    total: int
    as_of: datetime
    gap: str | None = None


DiffTold = DiffList | NotFound | Unknown
