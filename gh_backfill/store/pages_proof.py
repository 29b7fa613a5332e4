"""The last verification of a repository, as pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement
from gh_backfill.store.pages_rows import timed

_SQL = sql("pages_proof")
MOST_TOLD = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownProof:
    """A certificate in a line, its score, when it was given and when everything was proven (None: not all was yet).

    `open` counts what is still wrong, and `differences` are the first of those that are open or explained.
    """

    line: str
    score: float
    open: int
    verified_at: datetime
    proven_at: datetime | None
    differences: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether everything is proven, and nothing is wrong."""
        return self.proven_at is not None and not self.open


def proof_question(repository_id: str, *, public_only: bool = False) -> Statement:
    """Ask for the last verification; `proof` reads the answer."""
    return _SQL["proof"], {"id": repository_id, "public_only": public_only}


def proof(rows: Sequence[Row]) -> ShownProof | None:
    """Return what is shown of the last verification; None where there was none, or it may not be shown."""
    return next((ShownProof(**{**timed(row), "differences": _told(row["differences"])}) for row in rows), None)


def _told(differences: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    known = (Difference(**{**each, "what": What(each["what"]), "end": End(each["end"])}) for each in differences)
    return tuple(each.words for each in known if each.end is not End.MENDED)[:MOST_TOLD]
