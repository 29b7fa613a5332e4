"""What adding repositories would mean: what GitHub says of each name, and what the whole would cost.  Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.initial import Wish
from gh_backfill.store.db import Database
from gh_backfill.tasks.track import NameOf, Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """One name that was given, and what GitHub and the database know of it.

    `total` is how many pull requests GitHub counts, `wanted` how many the backfill would bring; `tracked` says that it
    is on the list already, and `captured` how many are here.
    """

    given: str
    result: Result
    text: str
    failed: bool
    full_name: str | None = None
    is_private: bool = False
    total: int | None = None
    wanted: int | None = None
    tracked: bool = False
    captured: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchEstimate:
    """What the backfills of so many repositories would take, five at a time; `left` of `limit` points are there now.

    `reserve` of them stay untouched.
    """

    repositories: int
    pull_requests: int
    points: int
    seconds: float
    left: int
    limit: int
    reserve: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposed:
    """What became of each name, in their order, and the estimate; None where nothing would be captured."""

    proposals: tuple[Proposal, ...]
    estimate: BatchEstimate | None


def propose(
    db: Database, graphql: GraphQL, names: Sequence[str], wish: Wish, *, name_of: NameOf, now: datetime
) -> Proposed:
    """Ask GitHub about the names, many in one query.  Raises as `track.ask` does."""
    raise NotImplementedError
