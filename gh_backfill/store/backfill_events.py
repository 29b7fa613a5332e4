"""The record of what people and plans do to backfills: when, to which repository, what, who, in which run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.lifecycle import BackfillEvent
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("backfill_events")


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts: a person's login or a schedule, and the run in which it happens, if any."""

    who: str
    run_key: str | None = None


# The actor where the caller names none: the program itself.
ITSELF = Actor(who="gh-backfill")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """One thing that happened; without a repository it is of one that was deleted.

    `kind` is the kind of items that it was about, None for pull requests or for all kinds.
    """

    at: datetime
    repository_id: str | None
    full_name: str | None
    is_private: bool
    event: BackfillEvent
    detail: str | None
    who: str
    run_key: str | None
    kind: str | None = None


def record(
    tx: Transaction,
    event: BackfillEvent,
    details: Mapping[str, str | None],
    actor: Actor,
    *,
    kind: str | None = None,
) -> None:
    """Note that something was done to repositories, or to one kind of their items.

    `details` has, for each repository by our id, a detail in words or None.  Pull requests are no kind worth a word.
    """
    told = None if kind == PULL_REQUESTS else kind
    rows = [{"repository_id": repository_id, "detail": detail} for repository_id, detail in details.items()]
    if rows:
        tx.later(_SQL["record_events"], event=event, rows=rows, who=actor.who, run_key=actor.run_key, kind=told)


def last(tx: Transaction, repository_ids: Sequence[str] | None = None, *, most: int = 20) -> list[Recorded]:
    """Return the last things that happened to these repositories (None: to all), the latest first."""
    ids = None if repository_ids is None else tuple(repository_ids)
    return [
        Recorded(**{**row, "event": BackfillEvent(row["event"])})
        for row in tx.rows(_SQL["last_events"], ids=ids, most=most)
    ]


def forget(tx: Transaction) -> None:
    """Delete what is older than a year."""
    tx.later(_SQL["forget_backfill_events"])
