"""Runs for several repositories, or for all; what is planned, and how far each is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from gh_backfill.clients.embedders.embedder import Embedder
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.embedding import prices
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.policy.markdown import counted
from gh_backfill.store import embeddings, repositories, vectors
from gh_backfill.store.db import Database
from gh_backfill.store.embeddings import EmbeddingJob, NotEmbedded, TypeCoverage
from gh_backfill.tasks.embedding.run import Embedded, EmbeddingWish, Listen, run

ALL = "all repositories"


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedOne:
    """How the run of one repository ended, or of all together."""

    name: str
    told: Embedded

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        values = asdict(replace(self.told, error=None))
        return {"repository": self.name, **values, "error": str(self.told.error) if self.told.error else None}


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingPlan:
    """What a run would do of one repository: items and about how many tokens by type, and what that costs."""

    name: str
    items: dict[ItemType, int]
    tokens: int
    cost: float | None

    @property
    def total(self) -> int:
        """Return how many items that are."""
        return sum(self.items.values())

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.name,
            "items": {each.value: many for each, many in self.items.items()},
            "tokens": self.tokens,
            "cost": self.cost,
            "cost_by_the_guide": prices.by_the_guide(self.total),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddingStatus:
    """How far one repository is."""

    name: str
    types: dict[ItemType, TypeCoverage]
    job: EmbeddingJob | None
    set_aside: Sequence[NotEmbedded]

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.name,
            "types": {
                each.value: {**asdict(found), "percent": found.percent, "missing": found.missing}
                for each, found in self.types.items()
            },
            "job": None if self.job is None else asdict(self.job),
            "set_aside": [asdict(each) for each in self.set_aside],
        }


def known(db: Database, names: Sequence[str]) -> dict[str, str | None]:
    """Return our ids of the repositories that are named, by the name of each; None for all, where none is named.

    Raises ConfigurationError for a name that is not here.
    """
    if not names:
        return {ALL: None}
    with db.reading() as tx:
        found = repositories.find(tx, names)
    unknown = [name for name, each in found.items() if each is None]
    if unknown:
        raise ConfigurationError(f"not here: {', '.join(unknown)}: gh-backfill track adds it")
    return {each.full_name: each.id for each in found.values() if each is not None}


def refuse_without_vectors(db: Database) -> None:
    """Raise ConfigurationError, with what to do, where the database can't keep vectors."""
    with db.reading() as tx:
        reason = vectors.standing(tx).obstacle
    if reason is not None:
        raise ConfigurationError(reason)


def run_all(
    db: Database,
    embedder: Embedder,
    names: Sequence[str],
    wish: EmbeddingWish,
    *,
    price: float | None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    listen: Listen = lambda _: None,
) -> list[EmbeddedOne]:
    """Embed what the repositories that are named need, one after the other, or all of them; see `run`.

    What stops one ends the others too: the provider, and the limits, are the same for all.
    """
    done: list[EmbeddedOne] = []
    left = wish.max_items
    for name, repository_id in known(db, names).items():
        own = replace(wish, repository_id=repository_id, max_items=left)
        told = run(db, embedder, own, price=price, now=now, listen=listen)
        done.append(EmbeddedOne(name=name, told=told))
        left = None if left is None else left - told.done - told.skipped
        if told.stopped_reason is not None:
            break
    return done


def plans(db: Database, recipe: VectorRecipe, names: Sequence[str], price: float | None) -> list[EmbeddingPlan]:
    """Return what a run would do.  Writes nothing, and asks nobody."""
    refuse_without_vectors(db)
    found: list[EmbeddingPlan] = []
    for name, repository_id in known(db, names).items():
        with db.reading() as tx:
            told = embeddings.estimate(tx, repository_id, recipe)
        tokens = sum(each for _, each in told.values())
        items = {each: told.get(each, (0, 0))[0] for each in ItemType}
        found.append(EmbeddingPlan(name=name, items=items, tokens=tokens, cost=prices.cost(tokens, price)))
    return found


def statuses(db: Database, recipe: VectorRecipe | None, names: Sequence[str]) -> list[EmbeddingStatus]:
    """Return how far repositories are; without a recipe nothing counts as stale."""
    refuse_without_vectors(db)
    found: list[EmbeddingStatus] = []
    for name, repository_id in known(db, names).items():
        with db.reading() as tx:
            found.append(
                EmbeddingStatus(
                    name=name,
                    types=embeddings.coverage(tx, repository_id, recipe),
                    job=embeddings.newest_job(tx, repository_id),
                    set_aside=embeddings.set_aside(tx, repository_id),
                )
            )
    return found


def try_again(db: Database, names: Sequence[str]) -> int:
    """Let what was set aside be tried again; return how many items that are."""
    refuse_without_vectors(db)
    many = 0
    for repository_id in known(db, names).values():
        with db.transaction() as tx:
            many += embeddings.forget_failures(tx, repository_id)
    return many


def raise_failures(done: Sequence[EmbeddedOne]) -> None:
    """Raise what ended a run, or PartlyFailed where items were set aside."""
    for each in done:
        if each.told.error is not None:
            raise each.told.error
    failed = sum(each.told.failed for each in done)
    if failed:
        raise PartlyFailed(
            f"{counted(failed, 'item')} could not be embedded and {'is' if failed == 1 else 'are'} set aside: "
            "gh-backfill embed --status tells why, gh-backfill embed --retry tries again"
        )
