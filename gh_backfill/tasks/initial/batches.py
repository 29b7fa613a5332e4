"""Batches: repositories that were added together, how far the initial backfill of each is, and cancel and retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.initial import OPEN, InitialStatus, Wish
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.track import NameOf, Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One name of a batch and what it led to; `captured` of `wanted` pull requests are here, GitHub counts `total`.

    `error` says what stopped it, `detail` what it is doing, each in a few words; `resume_at` is when a pause ends.
    """

    given: str
    result: Result
    text: str
    failed: bool
    repository_id: str | None = None
    full_name: str | None = None
    is_private: bool = False
    status: InitialStatus | None = None
    captured: int = 0
    wanted: int | None = None
    total: int | None = None
    error: str | None = None
    detail: str | None = None
    resume_at: datetime | None = None

    @property
    def over(self) -> bool:
        """Say whether nothing more comes of it by itself."""
        return self.status not in OPEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Repositories that were added together; `left` is what their backfills still take."""

    id: str
    created_at: datetime
    created_by: str | None
    backfill: bool
    wish: Wish
    members: tuple[Member, ...]
    left: Estimate | None = None

    @property
    def added(self) -> list[Member]:
        """Return those that are on the list now and were not before."""
        return [each for each in self.members if each.result in (Result.ADDED, Result.RENAMED)]

    @property
    def skipped(self) -> list[Member]:
        """Return those that were on the list before, and those that were named twice."""
        return [each for each in self.members if not each.failed and each not in self.added]

    @property
    def failed(self) -> list[Member]:
        """Return the names that could not be added."""
        return [each for each in self.members if each.failed]

    @property
    def captures(self) -> list[Member]:
        """Return those that have an initial backfill, each repository once."""
        return [each for each in self.members if each.status is not None and each.result is not Result.DUPLICATE]

    @property
    def done(self) -> int:
        """Return how many initial backfills are over."""
        return sum(each.over for each in self.captures)


def begin(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    wish: Wish,
    *,
    name_of: NameOf,
    actor: Actor,
    backfill: bool = True,
) -> Batch:
    """Track the names and, with `backfill`, open the initial backfill of each; who captures comes after it.

    Raises what `track.ask` raises, and as `track.raise_failures` does where none of the names can be tracked; then
    nothing is written.
    """
    raise NotImplementedError


def find(db: Database, batch_id: str, now: datetime) -> Batch | None:
    """Return a batch as it stands; None where there is none of that id."""
    raise NotImplementedError


def latest(db: Database, now: datetime) -> Batch | None:
    """Return the last batch as it stands; None where there never was one."""
    raise NotImplementedError


def cancel(db: Database, batch_id: str, repository_ids: Sequence[str] | None, *, actor: Actor) -> list[Operated]:
    """Cancel what is not over of a batch, or these repositories of it; rows stay."""
    raise NotImplementedError


def retry(db: Database, batch_id: str, repository_ids: Sequence[str] | None, *, actor: Actor) -> list[Operated]:
    """Let what failed or was cancelled of a batch begin again where it was, or these repositories of it."""
    raise NotImplementedError
