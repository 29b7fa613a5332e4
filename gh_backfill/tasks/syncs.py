"""Syncs of several repositories, one after the other: what fails for one of them does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.engine.prices import Memory
from gh_backfill.errors import BackfillError, ConfigurationError, Denied, PartlyFailed, StoreUnavailable, Unreachable
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.schedule import Pace
from gh_backfill.store import syncs
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.profiles import OLD
from gh_backfill.tasks import sync
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.sync_told import Synced, SyncWish

# What keeps GitHub from us keeps it from the next repository, too.
SHARED = frozenset({ErrorType.RATE_LIMIT, ErrorType.NETWORK, ErrorType.DENIED, ErrorType.CANCELLED})


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncedOne:
    """What became of one repository that was to be synced; `name` is the one to show."""

    name: str
    repository_id: str | None = None
    is_private: bool = False
    synced: Synced | None = None
    error: str | None = None
    error_type: ErrorType | None = None

    @property
    def failed(self) -> bool:
        """Say whether it failed; a pause, and what was refused by a rule, is no failure."""
        done = None if self.synced is None else self.synced.captured
        return self.error is not None or (done is not None and done.outcome is CaptureOutcome.FAILED)

    @property
    def cause(self) -> ErrorType | None:
        """Return what kind of error it ended in; None where it ended well."""
        done = None if self.synced is None else self.synced.captured
        return self.error_type if done is None else done.error_type

    @property
    def text(self) -> str:
        """Say it in a line."""
        return self.error or ("" if self.synced is None else self.synced.text)


def run(
    db: Database,
    graphql: GraphQL,
    job_run: Run,
    names: Sequence[str],
    wish: SyncWish,
    *,
    limits: Limits | None = None,
    kinds: Sequence[str] | None = None,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    listen: Callable[[Progress], None] = lambda progress: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    memory: Memory | None = None,
    pace: Pace | None = None,
    profiles_old: timedelta = OLD,
) -> list[SyncedOne]:
    """Sync what is named; returns what became of each that was tried.

    What would keep every repository from us ends the rest: those are due as before.
    """
    limits = limits or Limits()

    def sync_it(found: TrackedRepository) -> Synced:
        return sync.run(
            db,
            graphql,
            job_run,
            found.full_name,
            wish,
            kinds=kinds,
            default_kinds=default_kinds,
            limits=limits,
            listen=listen,
            now=now,
            sleep=sleep,
            found=found,
            memory=memory,
            pace=pace,
            profiles_old=profiles_old,
        )

    done: list[SyncedOne] = []
    for name in dict.fromkeys(names):
        if limits.deadline is not None and now() >= limits.deadline:
            break
        done.append(_one(db, name, default_kinds, sync_it))
        if done[-1].cause in SHARED:
            break
    return done


def outlook(
    db: Database, names: Sequence[str], wish: SyncWish, *, all_due: bool, now: datetime | None = None
) -> list[str]:
    """Say what `run` would do, in lines, from a read-only connection and without asking GitHub."""
    moment = now or datetime.now(UTC)
    asked = _due(db, moment) if all_due else list(dict.fromkeys(names))
    lines = [_outlook(db, name, wish, moment) for name in asked]
    return [*lines, "nothing is due"] if all_due and not asked else lines


def raise_failures(done: Sequence[SyncedOne]) -> None:
    """Raise the error that syncs end in: by its exit code, the credential's, the network's or their own fault."""
    failed = [each for each in done if each.failed]
    if not failed:
        return
    why = failed[0].text
    told = why if why.startswith(failed[0].name) else f"{failed[0].name}: {why}"
    message = f"{counted(len(failed), 'repository')} could not be synced: {told}"
    causes = {each.cause for each in failed}
    if causes == {ErrorType.CONFIGURATION} and len(failed) == len(done):
        raise ConfigurationError(message)
    if causes == {ErrorType.DENIED}:
        raise Denied(message)
    raise Unreachable(message) if causes == {ErrorType.NETWORK} else PartlyFailed(message)


def _due(db: Database, now: datetime) -> list[str]:
    with db.reading() as tx:
        return syncs.due(tx, now)


def _one(
    db: Database, name: str, default_kinds: Sequence[str], sync_it: Callable[[TrackedRepository], Synced]
) -> SyncedOne:
    try:
        found = find(db, name, default_kinds)
    except ConfigurationError as error:
        return SyncedOne(name=name, error=str(error), error_type=ErrorType.CONFIGURATION)
    one = SyncedOne(name=found.full_name, repository_id=found.id, is_private=found.is_private)
    try:
        return replace(one, synced=sync_it(found))
    except StoreUnavailable:
        raise
    except BackfillError as error:
        return replace(one, error=str(error), error_type=error_type(error))


def _outlook(db: Database, name: str, wish: SyncWish, now: datetime) -> str:
    found = find(db, name)
    with db.reading() as tx:
        standing = syncs.standing(tx, found.id)
    last = None if standing is None else standing.last_success_at
    if wish.days is not None:
        back = now - timedelta(days=wish.days)
        since = f"{back:%Y-%m-%d %H:%M} UTC"
    elif last is not None:
        since = f"{last.astimezone(UTC):%Y-%m-%d %H:%M} UTC, when it was synced last"
    else:
        since = "its backfill, or for the last 30 days where it has none"
    refused = None if standing is None else sync.refusal(standing, wish, now)
    return f"{found.full_name}: {refused or f'would read what changed since {since}'}"
