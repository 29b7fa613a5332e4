"""Commit one chunk: rows, chunk and cursor in one transaction, fenced by the claim, replayed where it collided."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from gh_backfill.errors import StaleClaim, StoreConflict, StoreUnavailable
from gh_backfill.models import Claim, TrackedRepository
from gh_backfill.policy.progress import advance
from gh_backfill.store import backfills, items, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.fetch import Chunk

log = logging.getLogger(__name__)

TRIES = 5
FIRST_PAUSE = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What a commit wrote, and the repository as GitHub names it now."""

    written: items.Written
    repository: TrackedRepository


def commit(
    db: Database,
    repository: TrackedRepository,
    claim: Claim,
    chunk: Chunk,
    *,
    next_page: int,
    remaining: int | None,
    sleep: Callable[[float], None],
) -> Committed:
    """Commit a fetched chunk; the next one begins with pages of `next_page`.

    A transaction that collided is replayed, and so is one whose COMMIT got no answer: should it have landed after all,
    the replay finds the chunk completed by this very claim.  Raises StaleClaim if the chunk belongs to another worker
    by now, and the last StoreError when nothing helped.
    """
    written = items.Written()
    for attempt in range(1, TRIES + 1):
        try:
            with db.transaction() as tx:
                items.settle_people(tx, items.people_of(chunk.items))
            with db.transaction() as tx:
                backfills.hold(tx, claim)
                repository = _follow(tx, repository, chunk)
                written = items.write(tx, repository, chunk.items, chunk.page.unreadable, items.vocabulary(tx))
                _close(tx, claim, chunk, written, next_page=next_page, remaining=remaining)
            break
        except (StoreConflict, StoreUnavailable) as error:
            if attempt == TRIES:
                raise
            log.warning("%s: chunk %s is committed again: %s", repository.full_name, claim.chunk_number, error)
            sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        except StaleClaim:
            with db.transaction(read_only=True) as tx:
                if not backfills.committed(tx, claim):
                    raise
            break
    return Committed(written=written, repository=repository)


def _follow(tx: Transaction, repository: TrackedRepository, chunk: Chunk) -> TrackedRepository:
    """Take over name and privacy: a repository that stops being public must not be shown a moment longer."""
    page = chunk.page
    repositories.rename(tx, repository.id, full_name=page.full_name, is_private=page.is_private)
    owner, name = page.full_name.split("/")
    return replace(repository, owner=owner, name=name, is_private=page.is_private)


def _close(
    tx: Transaction, claim: Claim, chunk: Chunk, written: items.Written, *, next_page: int, remaining: int | None
) -> None:
    page = chunk.page
    next_state = advance(
        claim.stream,
        read=chunk.read,
        kept=len(chunk.items) + len(page.unreadable),
        next_cursor=page.next,
        end_cursor=page.end,
        server_time=page.server_time,
    )
    backfills.complete(
        tx,
        claim,
        next_state,
        numbers=[item.pull_request.number for item in chunk.items],
        new_items=written.new_pull_requests,
        counts=written.counts,
        spent=chunk.spent,
        total=page.total,
        page_size=next_page,
        remaining=remaining,
    )
