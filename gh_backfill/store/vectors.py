"""Room for vectors: whether the database can keep them, and what to do where it can't."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.policy.embedding.recipe import DIMENSIONS
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Transaction

_SQL = sql("embeddings")
_MIGRATIONS = sql("migrations")


@dataclass(frozen=True, kw_only=True, slots=True)
class Vectors:
    """What there is of pgvector: version and schema where it is installed, and what stands against its use.

    `lacking` are the tables without a column for vectors, `other` says what the columns are that can't keep ours.
    """

    version: str | None
    schema: str | None
    available: bool
    reachable: bool
    lacking: tuple[str, ...]
    other: tuple[str, ...]
    role: str

    @property
    def obstacle(self) -> str | None:
        """Return in one sentence why no vector can be kept and what to do about it; None where they can."""
        if self.version is None and not self.available:
            return (
                "embeddings are off: this PostgreSQL has no pgvector: install it there (on Debian and Ubuntu: "
                "postgresql-NN-pgvector), then: gh-backfill migrate; everything else works without it"
            )
        if self.version is None:
            return (
                "embeddings are off: pgvector is there and not created in this database: as a superuser: "
                "create extension vector; then: gh-backfill migrate; everything else works without it"
            )
        if not self.reachable:
            return (
                f"embeddings are off: role {self.role} may not use schema {self.schema}, where pgvector lies: "
                f"grant usage on schema {self.schema} to {self.role}; then: gh-backfill migrate"
            )
        if self.lacking:
            return f"embeddings are off: {', '.join(self.lacking)} lack a column for them: gh-backfill migrate adds it"
        if self.other:
            return (
                f"embeddings are off: {', '.join(self.other)} here, and takes no vectors of {DIMENSIONS} dimensions; "
                "an application has made it so, and everything else works without it"
            )
        return None


def standing(tx: Transaction) -> Vectors:
    """Return what there is of pgvector.  Reads the catalog alone."""
    row = tx.row(_SQL["vectors_standing"], dimensions=DIMENSIONS)
    assert row is not None
    return Vectors(**{**row, "lacking": tuple(row["lacking"]), "other": tuple(row["other"])})


def prepare(db: Database) -> None:
    """Make what vectors take where pgvector allows it, also where it came after the migrations; the owner's to call."""
    with db.reading() as tx:
        there = standing(tx)
    if there.obstacle is not None and not there.other and (there.available or there.version is not None):
        with db.transaction() as tx:
            tx.run(_MIGRATIONS["prepare_embeddings"])
