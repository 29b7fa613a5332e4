"""Items and their vectors: how far they are, what is taken in hand, saved, failed, and the record of each run.

Every function takes an open transaction, and pgvector must be there: see `vectors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.policy.embedding.order import ItemType, Stretch
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction

_SQL = sql("embeddings")
_OF_DISCUSSIONS = sql("embeddings_of_discussions")
_CLAIM = {
    ItemType.ISSUE: _SQL["claim_issues"],
    ItemType.PULL_REQUEST: _SQL["claim_pull_requests"],
    ItemType.DISCUSSION: _OF_DISCUSSIONS["claim_discussions"],
}
_SAVE = {
    ItemType.ISSUE: _SQL["save_issues"],
    ItemType.PULL_REQUEST: _SQL["save_pull_requests"],
    ItemType.DISCUSSION: _OF_DISCUSSIONS["save_discussions"],
}
# Above every number of an item.
BEYOND = 2**31 - 1
# A worker that has not saved its batch by then is taken for lost.
LEASE = timedelta(minutes=15)
# So often an item fails by itself before it is set aside.
ATTEMPTS = 3
_LOST = timedelta(minutes=20)
# The records of runs are kept for so long.
_KEPT = timedelta(days=365)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeCoverage:
    """How many items of one type are here, have a vector, have one of another recipe, and were set aside."""

    total: int = 0
    embedded: int = 0
    stale: int = 0
    set_aside: int = 0

    @property
    def percent(self) -> float | None:
        """Return how many per cent have a vector; None of no item."""
        return 100 * self.embedded / self.total if self.total else None

    @property
    def missing(self) -> int:
        """Return how many need a vector, or another one, and were not set aside."""
        return self.total - self.embedded + self.stale - self.set_aside

    def __add__(self, other: TypeCoverage) -> TypeCoverage:
        """Return both together."""
        return TypeCoverage(
            total=self.total + other.total,
            embedded=self.embedded + other.embedded,
            stale=self.stale + other.stale,
            set_aside=self.set_aside + other.set_aside,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class TextItem:
    """An item in hand: its text as it was read, and how often it failed before."""

    item_type: ItemType
    id: str
    number: int
    title: str
    body: str | None
    text_hash: int
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedTexts:
    """What a claim found: the items in hand, and below which number the next one looks; None at the end."""

    items: Sequence[TextItem]
    below: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotEmbedded:
    """An item that failed too often, by the names that people know."""

    full_name: str
    item_type: ItemType
    number: int | None
    attempts: int
    reason: str
    set_aside_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingJob:
    """A run as others see it; what an application ran tells no provider."""

    id: str
    repository_id: str | None
    status: str
    items_total: int
    items_processed: int | None
    items_failed: int | None
    provider: str | None
    model: str | None
    tokens: int | None
    cost: float | None
    error_message: str | None
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BegunJob:
    """The record of a run that goes on, and when it began by the clock of the database."""

    id: str
    begun_at: datetime


def coverage(
    tx: Transaction, repository_id: str | None, recipe: VectorRecipe | None = None
) -> dict[ItemType, TypeCoverage]:
    """Return how far each type of a repository is, or of all of them; nothing is stale where no recipe is given."""
    found = dict.fromkeys(ItemType, TypeCoverage())
    for row in _coverage(tx, repository_id, recipe):
        found[ItemType(row["item_type"])] += _of_row(row, recipe)
    return found


def coverages(tx: Transaction, recipe: VectorRecipe | None = None) -> dict[str, dict[ItemType, TypeCoverage]]:
    """Return how far each type of each repository is that has any item, by our id of the repository."""
    found: dict[str, dict[ItemType, TypeCoverage]] = {}
    for row in _coverage(tx, None, recipe):
        types = found.setdefault(row["repository_id"], dict.fromkeys(ItemType, TypeCoverage()))
        types[ItemType(row["item_type"])] = _of_row(row, recipe)
    return found


def stretches(tx: Transaction, repository_id: str | None, recipe: VectorRecipe) -> list[Stretch]:
    """Return what waits for a vector, one stretch for each type and repository.  Looks at every item once."""
    return [
        Stretch(
            item_type=ItemType(row["item_type"]),
            repository_id=row["repository_id"],
            in_workspace=row["in_workspace"],
            ready=row["ready"],
            stale=row["stale"],
        )
        for row in _coverage(tx, repository_id, recipe)
    ]


def estimate(tx: Transaction, repository_id: str | None, recipe: VectorRecipe) -> dict[ItemType, tuple[int, int]]:
    """Return how many items of each type need a vector, and about how many tokens they take."""
    rows = tx.rows(
        _SQL["embedding_estimate"],
        repository_id=repository_id,
        fingerprint=recipe.fingerprint,
        tokens=recipe.tokens,
    )
    return {ItemType(row["item_type"]): (row["items"], row["tokens"]) for row in rows}


def claim(
    tx: Transaction, stretch: Stretch, recipe: VectorRecipe, *, job: BegunJob, worker: str, below: int, limit: int
) -> ClaimedTexts:
    """Take the newest items of a stretch below a number in hand."""
    rows = tx.rows(
        _CLAIM[stretch.item_type],
        repository_id=stretch.repository_id,
        fingerprint=recipe.fingerprint,
        begun=job.begun_at,
        below=below,
        limit=limit,
        worker=worker,
        lease=LEASE,
    )
    items = [
        TextItem(
            item_type=stretch.item_type,
            id=row["item_id"],
            number=row["number"],
            title=row["title"],
            body=row["body"],
            text_hash=row["text_hash"],
            attempts=row["attempts"],
        )
        for row in rows
        if row["attempts"] is not None
    ]
    return ClaimedTexts(items=items, below=rows[-1]["number"] if len(rows) == limit else None)


def save(tx: Transaction, made: Iterable[tuple[TextItem, str, Sequence[float]]]) -> int:
    """Save vectors with their hashes where the text is still the one that was read; return how many were saved."""
    rows: dict[ItemType, list[Mapping[str, object]]] = {}
    for item, content_hash, vector in made:
        numbers = ",".join(f"{value:.8g}" for value in vector)
        rows.setdefault(item.item_type, []).append(
            {"item_id": item.id, "text_hash": item.text_hash, "content_hash": content_hash, "vector": f"{{{numbers}}}"}
        )
    saved = 0
    for item_type in sorted(rows):
        row = tx.row(_SAVE[item_type], rows=rows[item_type])
        saved += row["saved"] if row else 0
    return saved


def fail(tx: Transaction, failed: Iterable[tuple[TextItem, str]], *, limit: int = ATTEMPTS) -> int:
    """Note that items failed by themselves, each with its reason; return how many are set aside after `limit` tries."""
    rows = [
        {"item_type": item.item_type, "item_id": item.id, "text_hash": item.text_hash, "reason": reason[:500]}
        for item, reason in failed
    ]
    found = tx.rows(_SQL["note_embedding_failures"], rows=rows, limit=limit) if rows else []
    return sum(row["set_aside"] for row in found)


def give_back(tx: Transaction, worker: str) -> None:
    """Give back what a worker has in hand."""
    tx.run(_SQL["give_embeddings_back"], worker=worker)


def workers(tx: Transaction) -> list[str]:
    """Return who has items in hand."""
    return [row["worker"] for row in tx.rows(_SQL["embedding_workers"])]


def forget_failures(tx: Transaction, repository_id: str | None) -> int:
    """Let what failed be tried again; return how many items that are."""
    return tx.run(_SQL["forget_embedding_failures"], repository_id=repository_id)


def set_aside(tx: Transaction, repository_id: str | None, limit: int = 20) -> list[NotEmbedded]:
    """Return the last items that were set aside."""
    rows = tx.rows(_SQL["embeddings_set_aside"], repository_id=repository_id, limit=limit)
    return [NotEmbedded(**{**row, "item_type": ItemType(row["item_type"])}) for row in rows]


def begin_job(tx: Transaction, repository_id: str | None, recipe: VectorRecipe, total: int) -> BegunJob:
    """Open the record of a run, close those of runs that were killed, and forget old ones."""
    tx.later(_SQL["end_lost_embedding_jobs"], older_than=_LOST)
    tx.later(_SQL["forget_embedding_jobs"], older_than=_KEPT)
    row = tx.row(
        _SQL["begin_embedding_job"],
        repository_id=repository_id,
        total=total,
        provider=recipe.provider,
        model=recipe.model,
    )
    assert row is not None
    return BegunJob(id=str(row["id"]), begun_at=row["started_at"])


def note_job(tx: Transaction, job_id: str, *, done: int, failed: int, tokens: int, cost: float | None) -> None:
    """Say how far a run is."""
    tx.later(_SQL["note_embedding_job"], job_id=job_id, done=done, failed=failed, tokens=tokens, cost=cost)


def end_job(tx: Transaction, job_id: str, reason: str | None) -> None:
    """Close the record of a run; a reason says that it failed."""
    status = "completed" if reason is None else "failed"
    tx.later(_SQL["end_embedding_job"], job_id=job_id, status=status, reason=reason)


def newest_job(tx: Transaction, repository_id: str | None) -> EmbeddingJob | None:
    """Return the last run of a repository, or of any."""
    row = tx.row(_SQL["newest_embedding_job"], repository_id=repository_id)
    return None if row is None else EmbeddingJob(**row)


def _coverage(tx: Transaction, repository_id: str | None, recipe: VectorRecipe | None) -> list[Row]:
    """Return a row for each type and repository; an application may have items that belong to none."""
    fingerprint = None if recipe is None else recipe.fingerprint
    rows = tx.rows(_SQL["embedding_coverage"], repository_id=repository_id, fingerprint=fingerprint)
    return [row for row in rows if row["repository_id"] is not None]


def _of_row(row: Row, recipe: VectorRecipe | None) -> TypeCoverage:
    return TypeCoverage(
        total=row["total"],
        embedded=row["embedded"],
        stale=row["stale"] if recipe is not None else 0,
        set_aside=row["set_aside"],
    )
