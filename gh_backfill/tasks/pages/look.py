"""The look for what moved: a fingerprint a topic, from one statement that reads the ends of indexes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from gh_backfill.store import pages
from gh_backfill.store.db import Database, Row

# The parts that each topic follows; `minute` lets what changes with the clock alone be looked at again.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("last_jobs", "open_jobs", "aggressive", "minute"),
    "budgets": ("budgets", "samples", "minute"),
    "backfills": ("backfills", "claims", "events", "minute"),
    "monitor": ("last_jobs", "open_jobs", "backfills", "claims", "events", "budgets", "samples", "minute"),
}


def look(db: Database) -> Mapping[str, str]:
    """Return a text for each topic, another one when something of it moved.

    Topics are `monitor`, `jobs`, `budgets`, `backfills`, and `repository/<our id>` of those whose backfill moved last;
    one that is missing has not moved lately.  Raises StoreError where it takes over two seconds.
    """
    with pages.reading(db) as tx:
        found = pages.moved(tx)
    topics = {topic: _print(found, parts) for topic, parts in TOPICS.items()}
    around = _print(found, ("claims", "open_jobs", "events", "announced"))
    return topics | {f"repository/{id_}": f"{moved} {around}" for id_, moved in found["backfills"].items()}


def _print(found: Row, parts: tuple[str, ...]) -> str:
    return sha256(repr([found[part] for part in parts]).encode()).hexdigest()[:16]
