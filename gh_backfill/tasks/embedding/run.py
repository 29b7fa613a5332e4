"""Give every item that needs one a vector: batch by batch, saved as it comes, so that a kill costs the batch in hand.

Two runs side by side take different items.  A text that changes while its vector is made is refused it and comes again.
A batch that is not taken, or answered with what can't be stored, is halved until the items that are at fault stand
alone; those are tried in later rounds and set aside after a few.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from gh_backfill.clients.embedders.embedder import Embedder, Vector
from gh_backfill.engine import processes
from gh_backfill.errors import (
    BackfillError,
    ConfigurationError,
    EmbedderAway,
    EmbedderError,
    EmbedderWrong,
    TextRefused,
)
from gh_backfill.policy.embedding import prices
from gh_backfill.policy.embedding.order import Stretch, in_order
from gh_backfill.policy.embedding.text import prepared
from gh_backfill.policy.markdown import counted
from gh_backfill.store import embeddings, vectors
from gh_backfill.store.db import Database
from gh_backfill.store.embeddings import BegunJob, TextItem

log = logging.getLogger(__name__)

BATCH = 200
# Who gives so many answers in a row that are of no use gives no other: texts are refused one by one, while answers
# that can't be stored are not the fault of so many texts.
USELESS, WRONG = 40, 12
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
) -> Embedded:
    """Embed what needs it, and return how that ended; `price` is that of a million tokens.

    Without anything to do nobody is asked.  Raises ConfigurationError where the database can't keep vectors, and what
    `Database` raises; what an embedder raises ends the run and is told in the result.
    """
    if (reason := obstacle(db)) is not None:
        raise ConfigurationError(reason)
    _take_over(db)
    with db.reading() as tx:
        stretches = in_order(embeddings.stretches(tx, wish.repository_id, embedder.recipe))
    waiting = sum(each.ready for each in stretches)
    total = waiting if wish.max_items is None else min(waiting, wish.max_items)
    if not total:
        return Embedded(left=waiting, cost=prices.cost(0, price))
    made = _Run(db=db, embedder=embedder, wish=wish, price=price, now=now, listen=listen, total=total)
    return made.through(stretches)


def _take_over(db: Database) -> None:
    """Give back what processes of this machine had in hand that are gone; those of others wait for their lease."""
    with db.reading() as tx:
        dead = processes.dead(embeddings.workers(tx))
    for worker in dead:
        with db.transaction() as tx:
            embeddings.give_back(tx, worker)


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
    useless: int = 0
    wrong: int = 0
    job: BegunJob = field(init=False)

    def through(self, stretches: Sequence[Stretch]) -> Embedded:
        """Walk until nothing is left, or something stops it."""
        with self.db.transaction() as tx:
            self.job = embeddings.begin_job(tx, self.wish.repository_id, self.embedder.recipe, self.total)
        try:
            self.embedder.preflight()
            self._rounds(stretches)
        except EmbedderError as error:
            log.warning("%s", error)
            self.told = replace(self.told, stopped_reason=str(error), error=error)
        except BaseException as error:
            with suppress(BackfillError):
                self._end("it was interrupted" if isinstance(error, KeyboardInterrupt) else str(error))
            raise
        return self._end(None if self.told.error is None else self.told.stopped_reason)

    def _rounds(self, stretches: Sequence[Stretch]) -> None:
        """Walk all stretches until a round finds nothing: what failed, and what changed meanwhile, comes again."""
        while self._round(stretches):
            with self.db.reading() as tx:
                stretches = in_order(embeddings.stretches(tx, self.wish.repository_id, self.embedder.recipe))

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
                room = self._room() - len(batch)
                with self.db.transaction() as tx:
                    claimed = embeddings.claim(
                        tx, stretch, self.embedder.recipe, job=self.job, worker=self.worker, below=below, limit=room
                    )
                batch += claimed.items
                below = claimed.below
                if len(batch) >= self._room():
                    yield batch
                    batch = []
        if batch:
            yield batch

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
            for item, result in self._embedded(whole, texts):
                if isinstance(result, EmbedderError):
                    failed.append((item, str(result)))
                else:
                    made.append((item, self.embedder.recipe.content_hash(texts[item.id]), result))
        finally:  # what is paid is kept, whatever came after
            self._keep(made, failed, empty)

    def _embedded(
        self, items: Sequence[TextItem], texts: dict[str, str]
    ) -> Iterator[tuple[TextItem, Vector | EmbedderError]]:
        """Yield a vector for each item, or why there is none; halves what is refused."""
        if not items:
            return
        try:
            made = self.embedder.embed([texts[item.id] for item in items])
        except (TextRefused, EmbedderWrong) as error:
            self._count_useless(error, len(items))
            if len(items) == 1:
                yield items[0], error
                return
            middle = len(items) // 2
            yield from self._embedded(items[:middle], texts)
            yield from self._embedded(items[middle:], texts)
            return
        self.useless = self.wrong = 0
        tokens = self.told.tokens + made.tokens
        self.told = replace(self.told, tokens=tokens, cost=prices.cost(tokens, self.price))
        yield from zip(items, made.each, strict=True)

    def _count_useless(self, error: EmbedderError, texts: int) -> None:
        """Say the first of several in a row that can't be stored; raise EmbedderAway once it is one too many."""
        self.useless += 1
        if isinstance(error, EmbedderWrong):
            self.wrong += 1
            if self.wrong == 1:
                then = "; half of them is asked for, then less" if texts > 1 else ""
                log.warning("an answer for %s is of no use: %s%s", counted(texts, "text"), error, then)
        if self.useless > USELESS or self.wrong > WRONG:
            raise EmbedderAway(f"{self.useless} answers in a row were of no use, the last: {error}") from error

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
            )
            embeddings.note_job(tx, self.job.id, done=told.done, failed=told.failed, tokens=told.tokens, cost=told.cost)
        self.told = told
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
