"""Embeddings: statements and rows that an item takes, whatever their number, and the memory of who makes them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests import embedding_rows, minilm
from tests.benchmarks.github import GitHub
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table

SIZES = (1_000, 10_000, 100_000)
# A large number may take so much more an item than a small one.
LINEAR = 1.05
# In MB, of a process that embeds with a model of this machine.
LOCAL_MEMORY = 700
LOCAL_ITEMS = 1_000
# Nobody asks GitHub here.
NOBODY = GitHub(url="http://127.0.0.1:9")
_CONTROL = frozenset({"begin", "commit", "rollback"})
# More than 128 tokens, as the longest of real texts have; each another one.
_LONG = "update {} set body = number || repeat(' the chunk ' || number || ' is claimed twice, and saved once', 60)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedding:
    """What it took to embed so many items; `rows` are those that were inserted, changed or deleted."""

    items: int
    statements: int
    rows: int
    seconds: float
    cpu: float
    memory: float

    @property
    def statements_of_a_thousand(self) -> float:
        """Return how many statements a thousand items took."""
        return 1000 * self.statements / self.items

    @property
    def rows_of_an_item(self) -> float:
        """Return how many rows an item took."""
        return self.rows / self.items


def embed(rig: Rig, sizes: Sequence[int] = SIZES) -> list[Table]:
    """Embed so many items by hashing, and a thousand long ones with the small model."""
    found = [measure(rig, items) for items in sizes]
    return [_table(found), *_local(rig)]


def measure(rig: Rig, items: int) -> Embedding:
    """Embed so many items by hashing, half of them issues and half pull requests, in a process of its own."""
    database = rig.database()
    with Database(database) as db:
        embedding_rows.add(db, issues=items // 2, pull_requests=items - items // 2)
    before = _written(database)
    done = rig.record(["embed", "--provider", "hash"], database, NOBODY)
    with Database(database) as db:
        made = embedding_rows.embedded(db)
    if sum(made.values()) != items:
        raise RuntimeError(f"of {items} items {sum(made.values())} have a vector")
    rows = _written(database) - before
    rig.drop(database)
    return Embedding(
        items=items,
        statements=sum(each["name"] not in _CONTROL for each in done.statements),
        rows=rows,
        seconds=done.seconds,
        cpu=done.usage.cpu,
        memory=done.usage.memory,
    )


def not_linear(found: Sequence[Embedding]) -> list[str]:
    """Say what the largest number takes more an item than the one before it."""
    smaller, larger = sorted(found, key=lambda each: each.items)[-2:]
    pairs = {
        "statements of a thousand items": (smaller.statements_of_a_thousand, larger.statements_of_a_thousand),
        "rows of an item": (smaller.rows_of_an_item, larger.rows_of_an_item),
    }
    return [
        f"{what}: {few:.2f} of {smaller.items:,}, {many:.2f} of {larger.items:,}"
        for what, (few, many) in pairs.items()
        if many > few * LINEAR
    ]


def _table(found: Sequence[Embedding]) -> Table:
    return Table(
        section="embed",
        title="embedding by hashing, in batches of 200",
        columns=("items", "statements of 1,000", "rows of an item", "items a second", "CPU (s)", "memory (MB)"),
        rows=tuple(
            (
                each.items,
                each.statements_of_a_thousand,
                each.rows_of_an_item,
                each.items / each.seconds,
                each.cpu,
                each.memory,
            )
            for each in found
        ),
        missed=tuple(not_linear(found)) if len(found) > 1 else (),
    )


def _local(rig: Rig) -> list[Table]:
    try:
        with tempfile.TemporaryDirectory() as folder:
            return [_with(rig, minilm.directory(Path(folder)))]
    except pytest.skip.Exception as missing:
        print(f"embed_local: {missing}")
        return []


def _with(rig: Rig, model: Path) -> Table:
    database = rig.database()
    with Database(database) as db:
        embedding_rows.add(db, issues=LOCAL_ITEMS)
        embedding_rows.rows(db, _LONG.format("issues") + " returning 1")
    settings = {"GH_BACKFILL_EMBEDDING_MODEL": str(model)}
    used = rig.run(["embed", "--provider", "local"], database, NOBODY, settings=settings)
    rig.drop(database)
    over = used.memory > LOCAL_MEMORY
    return Table(
        section="embed_local",
        title="embedding with all-MiniLM-L6-v2 (int8) on this machine, texts of 128 tokens",
        columns=("items", "CPU of an item (ms)", "seconds", "memory (MB)"),
        rows=((LOCAL_ITEMS, 1000 * used.cpu / LOCAL_ITEMS, used.wall, used.memory),),
        missed=(f"memory is {used.memory:.0f} MB, {LOCAL_MEMORY} are allowed",) if over else (),
    )


def _written(database: str) -> int:
    """Return how many rows were ever inserted, changed and deleted; who leaves tells what it did when it is gone."""
    with Database(database) as db:
        while True:
            (row,) = embedding_rows.rows(
                db,
                "select (select count(*) from pg_stat_activity where datname = current_database() "
                "and backend_type = 'client backend' and pid <> pg_backend_pid()) as others, "
                "(select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables) as n",
            )
            if not row["others"]:
                return int(row["n"] or 0)
