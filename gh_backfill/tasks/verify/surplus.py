"""Parts of items that a sync has just read and that are not listed any more: gone, once GitHub has said so twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from gh_backfill.clients import proofs
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import GitHubError
from gh_backfill.models.github import NodeId, NotFound
from gh_backfill.policy.verify.numbers import SAID_OFTEN_ENOUGH
from gh_backfill.store import backfills, syncs
from gh_backfill.store import verify as rows
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.verify import StoredPart

log = logging.getLogger(__name__)


def bury_surplus(
    db: Database,
    graphql: GraphQL,
    repository_id: str,
    node_id: NodeId,
    kind: str,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> int:
    """Give tombstones to parts of items of a kind that were read since the sync began, and return how many.

    Nothing is asked where no item has more parts here than GitHub counts.  What GitHub does not answer is left to the
    next verification, which knows what was said until then.
    """
    with db.reading() as tx:
        asking = [each for each in syncs.surplus(tx, repository_id, kind) if each.node_id is not None]
    gone: list[StoredPart] = []
    try:
        for _ in range(SAID_OFTEN_ENOUGH):
            if not asking:
                break
            answers = proofs.still_there(graphql, node_id, [NodeId(each.node_id or "") for each in asking])
            absent = [each for each, answer in zip(asking, answers, strict=True) if isinstance(answer, NotFound)]
            there = [each.key for each, answer in zip(asking, answers, strict=True) if isinstance(answer, str)]
            persistently(partial(_forget, db, repository_id, there), sleep)
            times = _noted(db, repository_id, absent, sleep)
            gone += (each for each in absent if times.get(each.key, 0) >= SAID_OFTEN_ENOUGH)
            asking = [each for each in absent if each not in gone]
    except GitHubError as error:
        log.info("whether some parts are gone at GitHub is for the next verification to find out: %s", error)
    if gone:
        persistently(lambda: _store(db, repository_id, kind, gone, now()), sleep)
    return len(gone)


def _noted(
    db: Database, repository_id: str, absent: list[StoredPart], sleep: Callable[[float], None]
) -> dict[tuple[str, int], int]:
    def note() -> dict[tuple[str, int], int]:
        with db.transaction() as tx:
            return rows.note_absences(tx, repository_id, [(each.kind, each.github_id, each.number) for each in absent])

    return persistently(note, sleep) if absent else {}


def _forget(db: Database, repository_id: str, there: list[tuple[str, int]]) -> None:
    """Take back what was said of parts that GitHub does find."""
    if there:
        with db.transaction() as tx:
            rows.forget_absences(tx, repository_id, there)


def _store(db: Database, repository_id: str, kind: str, gone: list[StoredPart], now: datetime) -> None:
    with db.transaction() as tx:
        backfills.lock(tx, repository_id, kind)
        rows.bury_parts(tx, repository_id, gone, now)
