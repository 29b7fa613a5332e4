"""Figures of workspaces: computed when somebody asks, every night, and after each job of one of their repositories."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.errors import ConfigurationError, StoreError, StoreSlow
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.workspaces import slug_of
from gh_backfill.store import aggregation
from gh_backfill.store.aggregation import WorkspaceToAggregate
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

# A workspace of 1,000 repositories with 200,000 pull requests takes seconds: docs/metrics.md.
SECONDS = 600.0
# Whoever did something else and aggregates at its end is not kept longer than that from being over.
SECONDS_AFTER = 15.0
SECONDS_TO_SETTLE = 60.0


class AggregationEnd(StrEnum):
    """How the aggregation of a workspace ended; `would_be`: it was only asked which ones are meant."""

    DONE = "done"
    BUSY = "busy"
    FAILED = "failed"
    WOULD_BE = "would be"


@dataclass(frozen=True, kw_only=True, slots=True)
class AggregatedWorkspace:
    """One workspace, how its aggregation ended, and as of when its figures are."""

    workspace: WorkspaceToAggregate
    end: AggregationEnd
    computed_at: datetime | None
    error: str | None = None

    def named(self, *, in_public: bool) -> str:
        """Return what it is called; in a log that others read, a private one by its id."""
        return self.workspace.id if in_public and self.workspace.is_private else self.workspace.slug

    def as_json(self, *, in_public: bool = False) -> dict[str, object]:
        """Return it as JSON-ready values, but for its time."""
        return {
            "id": self.workspace.id,
            "slug": self.named(in_public=in_public),
            "is_private": self.workspace.is_private,
            "repositories": self.workspace.repositories,
            "status": self.end,
            "computed_at": self.computed_at,
            "error": self.error,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Aggregated:
    """What was aggregated, in the order in which it was; where that is none, `nothing` says why."""

    workspaces: tuple[AggregatedWorkspace, ...]
    nothing: str | None = None

    @property
    def done(self) -> tuple[AggregatedWorkspace, ...]:
        """Return those whose figures are new."""
        return tuple(each for each in self.workspaces if each.end is AggregationEnd.DONE)

    @property
    def failed(self) -> tuple[AggregatedWorkspace, ...]:
        """Return those whose figures could not be computed."""
        return tuple(each for each in self.workspaces if each.end is AggregationEnd.FAILED)


def run(
    db: Database,
    *,
    slugs: Sequence[str] = (),
    repository_id: str | None = None,
    only_due: bool = False,
    dry_run: bool = False,
    now: datetime | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Aggregated:
    """Aggregate workspaces: of these slugs, or those of a repository, or all; `only_due`: of these only what is due.

    Each is a transaction of its own, as of `now` or the database's clock.  Who aggregates the same one at the same time
    is waited for; where only what is due is asked for, theirs will do.  What fails of one stops no other, and a
    repository may be in no workspace.  Raises ConfigurationError where a workspace is unknown; nothing is written then.
    """
    with db.reading() as tx:
        wanted = [slug_of(slug) for slug in slugs] or None
        found = aggregation.to_aggregate(tx, slugs=wanted, repository_id=repository_id, only_due=only_due)
        known = {each.slug for each in aggregation.to_aggregate(tx, slugs=wanted)} if wanted else set()
        nothing = None if found else _nothing(tx, wanted or [], repository_id)
    unknown = [slug for slug in wanted or () if slug not in known]
    if unknown:
        raise ConfigurationError(
            f"there is no workspace {', '.join(unknown)}: gh-backfill workspace list shows them; nothing was written"
        )
    if nothing is not None:
        return Aggregated(workspaces=(), nothing=nothing)
    if dry_run:
        return Aggregated(workspaces=tuple(_ended(each, AggregationEnd.WOULD_BE) for each in found))
    return Aggregated(workspaces=tuple(_one(db, each, now, sleep, unless_busy=only_due) for each in found))


def after(db: Database, repository_id: str, *, seconds: float = SECONDS_AFTER) -> None:
    """Aggregate the workspaces of a repository of which a job ended; whatever happens, that has ended.

    What takes longer than `seconds`, what somebody else is at, and what was aggregated a moment ago is left to the next
    job, to `settle` and to the night.
    """
    _quietly(db, repository_id, seconds, only_rested=True)


def settle(db: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
    """Aggregate what jobs left, at the end of all of them: every workspace that is due, begun within a minute."""
    _quietly(db, None, SECONDS_TO_SETTLE, only_rested=False, clock=clock)


def _quietly(
    db: Database,
    repository_id: str | None,
    seconds: float,
    *,
    only_rested: bool,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    until = clock() + SECONDS_TO_SETTLE
    try:
        with db.reading() as tx:
            found = aggregation.to_aggregate(
                tx, repository_id=repository_id, only_due=True, only_rested=only_rested, within=seconds
            )
        for each in found:
            if clock() < until:
                _in_time(db, each, seconds)
    except StoreError as error:
        log.warning(
            "figures of workspaces are older than what was just stored: gh-backfill aggregate --due (%s)", error
        )


def _nothing(tx: Transaction, slugs: Sequence[str], repository_id: str | None) -> str:
    """Say why there is nothing to aggregate, and what would bring something."""
    if meant := aggregation.to_aggregate(tx, slugs=slugs or None, repository_id=repository_id):
        return f"{counted(len(meant), 'workspace')} as new as what is stored; without --due it is done all the same"
    if not aggregation.to_aggregate(tx):
        return "there is no workspace yet: gh-backfill workspace create SLUG"
    where = "not in what was named" if slugs else "in no workspace"
    return f"the repository is {where}: gh-backfill workspace add SLUG owner/name, or gh-backfill workspace list"


def _in_time(db: Database, workspace: WorkspaceToAggregate, seconds: float) -> None:
    try:
        _aggregate(db, workspace, None, unless_busy=True, seconds=seconds)
    except StoreSlow as slow:
        db.statements(aggregation.slow(workspace.id, seconds))
        log.info("figures of a workspace wait for gh-backfill aggregate --due: %s", slow)


def _one(
    db: Database,
    workspace: WorkspaceToAggregate,
    now: datetime | None,
    sleep: Callable[[float], None],
    *,
    unless_busy: bool,
) -> AggregatedWorkspace:
    try:
        return persistently(lambda: _aggregate(db, workspace, now, unless_busy=unless_busy, seconds=SECONDS), sleep)
    except StoreSlow as error:
        return _ended(workspace, AggregationEnd.FAILED, error=f"{error}; {SECONDS:.0f} seconds are allowed")
    except StoreError as error:
        return _ended(workspace, AggregationEnd.FAILED, error=str(error))


def _aggregate(
    db: Database, workspace: WorkspaceToAggregate, now: datetime | None, *, unless_busy: bool, seconds: float
) -> AggregatedWorkspace:
    db.statements(aggregation.noting([workspace]))
    with db.transaction() as tx:
        if not aggregation.lock(tx, workspace.id, unless_busy=unless_busy):
            return _ended(workspace, AggregationEnd.BUSY)
        computed_at = aggregation.write(tx, workspace, now, seconds=seconds)
    return AggregatedWorkspace(workspace=workspace, end=AggregationEnd.DONE, computed_at=computed_at)


def _ended(workspace: WorkspaceToAggregate, end: AggregationEnd, error: str | None = None) -> AggregatedWorkspace:
    return AggregatedWorkspace(workspace=workspace, end=end, computed_at=workspace.computed_at, error=error)
