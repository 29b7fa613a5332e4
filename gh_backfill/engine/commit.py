"""Commit one chunk: rows, chunk and cursor in one transaction, fenced by the claim, replayed where it collided."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from gh_backfill.engine.follow_ups import Chunk
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.refused import sift
from gh_backfill.errors import RowRefused, StaleClaim
from gh_backfill.models.work import Claim, Phase, TrackedRepository
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.progress import advance
from gh_backfill.store import chunks, events, people, repositories
from gh_backfill.store.chunk_rows import Written
from gh_backfill.store.db import Database, Row, Statement, Transaction
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What a commit wrote, the repository as GitHub names it now, and whether its backfill is complete with that."""

    written: Written
    repository: TrackedRepository
    over: bool


@dataclass(kw_only=True, slots=True)
class Commit:
    """The commit of one fetched chunk, and of what is known of page sizes after it."""

    db: Database
    kind: Kind
    repository: TrackedRepository
    claim: Claim
    chunk: Chunk
    next_page: PageSize
    remaining: int | None
    sleep: Callable[[float], None]
    _written: Written = field(default_factory=Written)
    _over: bool = False

    def run(self) -> Committed:
        """Commit, and return what was written.

        A transaction that collided is replayed, and so is one whose COMMIT got no answer: should it have landed after
        all, the replay finds the chunk completed by this very claim.  Rows that the database does not admit go to the
        quarantine, all others are stored.  Raises StaleClaim if the chunk belongs to another worker by now, RowRefused
        if most of the chunk is refused, and the last StoreError when nothing helped.
        """
        try:
            try:
                persistently(self._once, self.sleep)
            except RowRefused as error:
                log.warning("%s: chunk %s: %s", self.repository.full_name, self.claim.chunk_number, error)
                persistently(partial(self._sift, error), self.sleep)
                persistently(self._once, self.sleep)
        except StaleClaim:
            if not persistently(self._landed, self.sleep):
                raise
        return Committed(written=self._written, repository=self.repository, over=self._over)

    def _once(self) -> None:
        """Take three round trips: what the commit touches is locked, rows are written, and all of it is committed.

        Accounts that look different now are written before: that is a transaction of its own.
        """
        everybody = self.kind.people(self.chunk.items)
        if not self._rows(people.changed_people(everybody)):
            with self.db.transaction() as tx:
                people.store_people(tx, everybody)
            self._rows(None)

    def _rows(self, changed: Statement | None) -> bool:
        """Commit the chunk, unless the statement finds what has to be written before; returns whether it did."""
        page = self.chunk.page
        with self.db.transaction() as tx:
            questions = [
                chunks.holding(self.claim, goes_on=self.chunk.page.next),
                repositories.shown(self.repository.id),
            ]
            mine, shown, *before = tx.together(*questions, *([] if changed is None else [changed]))
            circling = chunks.held(self.claim, mine)
            if any(before):
                return False
            if circling:
                self._stop_circling()
            self._follow(tx, shown)
            if self.chunk.items or self.chunk.unreadable:
                self._written = self.kind.write(tx, self.repository, self.chunk.items, self.chunk.unreadable)
            self._close(tx)
            # Once in each sync; the chunks of a backfill have no part in it, and stay as short as they are.
            if page.counted is not None and self.claim.stream.phase is Phase.SYNC and self.claim.after is None:
                events.write_snapshots(tx, [(self.repository.id, page.counted, page.server_time)])
        return True

    def _landed(self) -> bool:
        with self.db.reading() as tx:
            return chunks.committed(tx, self.claim)

    def _sift(self, error: RowRefused) -> None:
        """Take out of the chunk what the database refuses; where that is most of it, the database is at fault.

        What is too large for any database is at fault itself, however much of the chunk it is.
        """
        with self.db.transaction() as tx:
            if self.kind.own_numbers(tx, self.repository, self.chunk.items):
                return
        found = sift(self.db, self.kind, self.repository, self.chunk.items)
        if found.most:
            raise error
        lost = (*self.chunk.unreadable, *found.refused)
        self.chunk = replace(self.chunk, items=tuple(found.kept), unreadable=lost)

    def _follow(self, tx: Transaction, shown: Sequence[Row]) -> None:
        """Take over name and privacy: a repository that stops being public must not be shown a moment longer."""
        page, total = self.chunk.page, self.kind.repository_total(self.chunk.page)
        if repositories.is_news(shown, page.full_name, page.is_private, total):
            repositories.follow(
                tx, self.repository.id, full_name=page.full_name, is_private=page.is_private, total=total
            )
        owner, name = page.full_name.split("/")
        self.repository = replace(self.repository, owner=owner, name=name, is_private=page.is_private)

    def _stop_circling(self) -> None:
        """End a walk whose next page has been read already, by a worker before this one."""
        log.warning("%s: GitHub's list of %s goes round in a circle", self.repository.full_name, self.kind.words)
        page = replace(self.chunk.page, next=None, end=self.claim.after, stuck=True)
        self.chunk = replace(self.chunk, page=page)

    def _close(self, tx: Transaction) -> None:
        chunk = self.chunk
        page = chunk.page
        next_state = advance(
            self.claim.stream,
            read=chunk.read,
            kept=chunk.kept,
            next_cursor=page.next,
            end_cursor=page.end,
            server_time=page.server_time,
            stuck=page.stuck,
            quiet=not (chunk.outside or self._written.counts.inserted or self._written.counts.updated),
        )
        self._over = chunks.complete(
            tx,
            self.claim,
            next_state,
            numbers=[item.number for item in chunk.items],
            asked=chunk.asked,
            walked=0 if next_state.stuck else chunk.kept,
            new_items=self._written.new,
            counts=self._written.counts,
            spent=chunk.spent,
            total=page.total,
            wanted=chunk.wanted(self.claim.stream),
            page_size=self.next_page,
            remaining=self.remaining,
        )
