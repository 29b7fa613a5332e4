"""Give every item that needs one a vector: batch by batch, saved as it comes, so that a kill costs the batch in hand.

Two runs side by side take different items.  A text that changes while its vector is made is refused it and comes again.
A batch that is not taken, or answered with what can't be stored, is halved until the items that are at fault stand
alone; those are tried in later rounds and set aside after a few.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from gh_backfill.clients.embedders.embedder import Embedder, Vector
from gh_backfill.engine import processes
from gh_backfill.errors import BackfillError, ConfigurationError, EmbedderError, NoTimeToWait
from gh_backfill.policy.embedding import prices
from gh_backfill.policy.embedding.order import Stretch, in_order
from gh_backfill.policy.embedding.text import prepared
from gh_backfill.policy.markdown import counted
from gh_backfill.store import embeddings, vectors
from gh_backfill.store.db import Database
from gh_backfill.store.embeddings import BegunJob, ClaimedTexts, TextItem
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.embedding.halves import Halves

log = logging.getLogger(__name__)

BATCH = 200
NOTHING_LEFT = "no text is left to embed"


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingWish:
    """What a run is to do: one repository, or all; at most so many items, and none begun after `deadline` (UTC)."""

    repository_id: str | None = None
    max_items: int | None = None
    deadline: datetime | None = None
    batch: int = BATCH


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """How a run ended: items with a new vector, whose text changed meanwhile, that were set aside, that are left.

    `empty` ones have no text: there is nothing to embed, and that is no failure.
    `cost` is in US dollars, None where nobody knows the price.  `stopped_reason` says why it ended before everything
    was done; `error` is there where that was a failure.
    """

    done: int = 0
    skipped: int = 0
    failed: int = 0
    empty: int = 0
    left: int = 0
    tokens: int = 0
    cost: float | None = None
    stopped_reason: str | None = None
    error: EmbedderError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingProgress:
    """How far a run is, of `total` items that it found."""

    done: int
    failed: int
    total: int
    tokens: int
    cost: float | None


Listen = Callable[[EmbeddingProgress], None]


def obstacle(db: Database) -> str | None:
    """Return in one sentence why the database can't keep vectors; None where it can."""
    with db.reading() as tx:
        return vectors.standing(tx).obstacle


def run(
    db: Database,
    embedder: Embedder,
    wish: EmbeddingWish = EmbeddingWish(),
    *,
    price: float | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    listen: Listen = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> Embedded:
    """Embed what needs it, and return how that ended; `price` is that of a million tokens.

    Without anything to do nobody is asked.  Raises ConfigurationError where the database can't keep vectors, and what
    `Database` raises; what an embedder raises ends the run and is told in the result.
    """
    if (reason := persistently(lambda: obstacle(db), sleep)) is not None:
        raise ConfigurationError(reason)
    persistently(lambda: _take_over(db), sleep)
    stretches = persistently(lambda: _stretches(db, wish, embedder), sleep)
    waiting = sum(each.ready for each in stretches)
    total = waiting if wish.max_items is None else min(waiting, wish.max_items)
    if not total:
        return Embedded(left=waiting, cost=prices.cost(0, price))
    made = _Run(db=db, embedder=embedder, wish=wish, price=price, now=now, listen=listen, total=total, sleep=sleep)
    return made.through(stretches)


def _take_over(db: Database) -> None:
    """Give back what processes of this machine had in hand that are gone; those of others wait for their lease."""
    with db.reading() as tx:
        dead = processes.dead(embeddings.workers(tx))
    for worker in dead:
        with db.transaction() as tx:
            embeddings.give_back(tx, worker)


def _stretches(db: Database, wish: EmbeddingWish, embedder: Embedder) -> list[Stretch]:
    with db.reading() as tx:
        return in_order(embeddings.stretches(tx, wish.repository_id, embedder.recipe))


@dataclass(kw_only=True)
class _Run:
    """One run: where it walks, and what it has done."""

    db: Database
    embedder: Embedder
    wish: EmbeddingWish
    price: float | None
    now: Callable[[], datetime]
    listen: Listen
    total: int
    worker: str = field(default_factory=processes.worker_name)
    told: Embedded = field(default_factory=Embedded)
    sleep: Callable[[float], None]
    job: BegunJob = field(init=False)
    halves: Halves = field(init=False)

    def __post_init__(self) -> None:
        self.halves = Halves(embedder=self.embedder)

    def through(self, stretches: Sequence[Stretch]) -> Embedded:
        """Walk until nothing is left, or something stops it."""
        self.job = persistently(self._begin, self.sleep)
        try:
            self.embedder.preflight()
            self._rounds(stretches)
        except NoTimeToWait as error:
            self.told = replace(self.told, stopped_reason=str(error))
        except EmbedderError as error:
            log.warning("%s", error)
            self.told = replace(self.told, stopped_reason=str(error), error=error)
        except BaseException as error:
            with suppress(BackfillError):
                self._end("it was interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
            raise
        return persistently(
            lambda: self._end(None if self.told.error is None else self.told.stopped_reason), self.sleep
        )

    def _begin(self) -> BegunJob:
        with self.db.transaction() as tx:
            return embeddings.begin_job(tx, self.wish.repository_id, self.embedder.recipe, self.total)

    def _rounds(self, stretches: Sequence[Stretch]) -> None:
        """Walk all stretches until a round finds nothing: what failed, and what changed meanwhile, comes again."""
        while self._round(stretches):
            stretches = persistently(lambda: _stretches(self.db, self.wish, self.embedder), self.sleep)

    def _round(self, stretches: Sequence[Stretch]) -> bool:
        found = False
        for batch in self._batches(stretches):
            found = True
            self._do(batch)
            if self._must_stop():
                return False
        return found

    def _must_stop(self) -> bool:
        done = self.told.done + self.told.skipped
        if self.wish.max_items is not None and done >= self.wish.max_items:
            self.told = replace(self.told, stopped_reason="as many items as were wanted are done")
        elif self.wish.deadline is not None and self.now() >= self.wish.deadline:
            self.told = replace(self.told, stopped_reason="the time is up")
        return self.told.stopped_reason is not None

    def _batches(self, stretches: Sequence[Stretch]) -> Iterator[list[TextItem]]:
        """Yield items in hand, those of small repositories together, each when the one before it is done."""
        batch: list[TextItem] = []
        for stretch in stretches:
            below: int | None = embeddings.BEYOND
            while below is not None:
                claim = partial(self._claimed, stretch, below, self._room() - len(batch))
                claimed = persistently(claim, self.sleep)
                batch += claimed.items
                below = claimed.below
                if len(batch) >= self._room():
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _claimed(self, stretch: Stretch, below: int, room: int) -> ClaimedTexts:
        recipe = self.embedder.recipe
        with self.db.transaction() as tx:
            return embeddings.claim(tx, stretch, recipe, job=self.job, worker=self.worker, below=below, limit=room)

    def _room(self) -> int:
        if self.wish.max_items is None:
            return self.wish.batch
        return max(1, min(self.wish.batch, self.wish.max_items - self.told.done - self.told.skipped))

    def _do(self, batch: Sequence[TextItem]) -> None:
        texts = {item.id: prepared(item.title, item.body) for item in batch}
        whole = [item for item in batch if texts[item.id]]
        empty = [item for item in batch if not texts[item.id]]
        failed: list[tuple[TextItem, str]] = []
        made: list[tuple[TextItem, str, Vector]] = []
        try:
            for item, result in zip(whole, self.halves.vectors([texts[item.id] for item in whole]), strict=True):
                if isinstance(result, EmbedderError):
                    failed.append((item, str(result)))
                else:
                    made.append((item, self.embedder.recipe.content_hash(texts[item.id]), result))
        finally:  # what is paid is kept, whatever came after
            if made or failed or empty:
                persistently(lambda: self._keep(made, failed, empty), self.sleep)
                self._tell()

    def _keep(
        self,
        made: Sequence[tuple[TextItem, str, Vector]],
        failed: Sequence[tuple[TextItem, str]],
        empty: Sequence[TextItem],
    ) -> None:
        with self.db.transaction() as tx:
            saved = embeddings.save(tx, made)
            aside = embeddings.fail(tx, failed)
            without = embeddings.fail(tx, [(item, NOTHING_LEFT) for item in empty], limit=1)
            told = replace(
                self.told,
                done=self.told.done + saved,
                skipped=self.told.skipped + len(made) - saved,
                failed=self.told.failed + aside,
                empty=self.told.empty + without,
                tokens=self.halves.tokens,
                cost=prices.cost(self.halves.tokens, self.price),
            )
            embeddings.note_job(tx, self.job.id, done=told.done, failed=told.failed, tokens=told.tokens, cost=told.cost)
        self.told = told

    def _tell(self) -> None:
        told = self.told
        others = told.failed + told.empty
        self.listen(
            EmbeddingProgress(done=told.done, failed=others, total=self.total, tokens=told.tokens, cost=told.cost)
        )

    def _end(self, reason: str | None) -> Embedded:
        with self.db.transaction() as tx:
            embeddings.give_back(tx, self.worker)
            embeddings.end_job(tx, self.job.id, reason)
            left = embeddings.stretches(tx, self.wish.repository_id, self.embedder.recipe)
        if self.told.stopped_reason is None and (others := sum(min(each.ready, each.stale) for each in left)):
            log.warning(
                "%s got a vector of another provider or model meanwhile, and keep it: let only one of them embed",
                counted(others, "item"),
            )
        cost = prices.cost(self.told.tokens, self.price)
        return replace(self.told, left=sum(each.ready for each in left), cost=cost)
