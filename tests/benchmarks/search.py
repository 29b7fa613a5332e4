"""Search over 100,000 items: what the database takes for a text, by words and by vectors, and by which plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import psycopg2

from gh_backfill.store import search as stored
from gh_backfill.store.db import Database
from gh_backfill.store.search import EXACT, ItemKey, SearchScope
from gh_backfill.tasks.search.find import PATIENCE, compare, find, similar
from tests.benchmarks.instruments import Record, Statement, recording
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table
from tests.search_rows import RECIPE, always

ITEMS = 100_000
# In milliseconds, of all statements of one search.
MOST = 50.0
REPEATED = 15
_SQL = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_name("sql").joinpath("search.sql").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
# Of ten nearest items so many must be found by an index.
RECALL = 0.9
# Words of which one of two hundred texts has each, one of eight, and two of the latter together, or beside each other.
TEXTS = {
    "a rare word": "w{rare}",
    "a common word": "w{common}",
    "two common words": "w{common} w{other}",
    "an identifier of two common words": "w{common}_w{other}",
}


def search(rig: Rig, items: int = ITEMS) -> list[Table]:
    """Measure searches of each scope and kind of text, and say which take longer than is allowed."""
    url = rig.database()
    fill(url, items)
    rows, missed, notes = [], [], []
    for where, number in (("everywhere", None), ("40 % of all", 1), ("3 % of all", 2), ("0.3 % of all", 50)):
        for words, pattern in TEXTS.items():
            times, busy, found, plans = _measure(url, number, pattern)
            rows.append((where, words, found, busy, min(times), median(times), max(times)))
            notes += [f"{where}, {words}: {plans}"] if words == "a rare word" else []
            missed += [f"{where}, {words}: {busy:.0f} ms"] if busy > MOST else []
        times, busy, found, plans = _measure(url, number, None)
        rows.append((where, "similar to an item", found, busy, min(times), median(times), max(times)))
        missed += [f"{where}, similar: {busy:.0f} ms"] if busy > MOST else []
    compared = recalls(url)
    rig.drop(url)
    return [
        Table(
            section="search",
            title=f"{items:,} items with vectors of 384 numbers, all statements of a search",
            columns=("where", "what", "items found", "CPU (ms)", "fastest (ms)", "median (ms)", "slowest (ms)"),
            rows=tuple(rows),
            notes=("CPU: the median of what the server's process takes, which waits for no other work on the machine",),
            missed=tuple(missed),
            extra={"plans": notes},
        ),
        Table(
            section="search_recall",
            title="vectors alone: all of a scope compared, or its nearest by the index",
            columns=(
                "where",
                "items",
                "all compared, CPU (ms)",
                "by the index, CPU (ms)",
                "of the nearest ten",
                "of the nearest fifty",
            ),
            rows=tuple(compared),
            notes=(f"up to {EXACT:,} items all are compared",),
            missed=tuple(f"{row[0]}: {row[4]:.2f}" for row in compared if row[1] > EXACT and row[4] < RECALL),
        ),
    ]


def recalls(url: str) -> list[tuple[Any, ...]]:
    """Return of scopes how long each way takes, and how much of what is nearest an index finds."""
    found: list[tuple[Any, ...]] = []
    with Database(url) as db:
        with db.reading() as tx:
            ids = [str(row["id"]) for row in tx.rows("select id from repositories order by github_id")]
            vectors = [
                str(row["at"])
                for row in tx.rows(
                    "select embedding::text as at from issues where number %% 5003 = 101 and %(all)s", all=True
                )
            ]
        places = {"everywhere": None, "one of 40 %": ids[:1], "one of 3 %": ids[1:2], "20 of 0.3 %": ids[2:22]}
        for where, chosen in {**places, "40 of 0.3 %": ids[2:42]}.items():
            repositories = None if chosen is None else tuple(chosen)
            whole = SearchScope(repositories=repositories, exact_up_to=10 * ITEMS)
            with db.reading() as tx:
                items = stored.size(tx, whole)
            (by_all, best), (by_index, near) = (
                _nearest(db, scope, vectors, items) for scope in (whole, replace(whole, exact_up_to=0))
            )
            shares = [
                sum(len({*one[:most]} & {*other[:most]}) for one, other in zip(best, near, strict=True))
                / most
                / len(best)
                for most in (10, 50)
            ]
            found.append((where, items, by_all, by_index, *shares))
    return found


def _nearest(db: Database, scope: SearchScope, vectors: list[str], items: int) -> tuple[float, list[list[ItemKey]]]:
    """Return the median of the server's CPU in milliseconds, and what is nearest to each vector."""
    times, found = [], []
    for vector in vectors:
        with stored.reading(db, PATIENCE) as tx:
            (row,) = tx.rows("select pg_backend_pid() as pid")
            before = _ran(row["pid"])
            near = compare(tx, scope, vector, RECIPE.fingerprint, items, 50)
            times.append(_ran(row["pid"]) - before)
        found.append(list(near.distances))
    return median(times), found


def fill(url: str, items: int) -> None:
    with Database(url) as db:
        _fill(db, items)
    # As PostgreSQL's autovacuum leaves a table some minutes after a bulk: no words wait for the index.
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("vacuum analyze issues")


def _fill(db: Database, items: int) -> None:
    with db.transaction() as tx:
        tx.run("select setseed(0.5)")
        tx.run(_SQL["fill_repositories"])
        tx.run("drop index if exists idx_issues_embedding")
        tx.run(_SQL["fill_issues"], many=items, hash=RECIPE.content_hash("text"))
    with db.transaction() as tx:
        tx.run("set local maintenance_work_mem = '512MB'")
        tx.run(_SQL["index_vectors"])


def _measure(url: str, number: int | None, pattern: str | None) -> tuple[list[float], float, int, str]:
    """Return the milliseconds of each search, the median of CPU, how many items the last one found, and the plans."""
    times: list[float] = []
    busy: list[float] = []
    found = 0
    with recording(explain=True) as record, Database(url) as db:
        once(db, number, pattern, 0, record)
        plans = ", ".join(sorted(set(_indexes(record.statements))))
    with recording() as record, Database(url) as db:  # pages keep their connections
        for turn in range(REPEATED + 1):
            found, took = once(db, number, pattern, turn, record)
            times.append(1000 * sum(each.seconds for each in record.statements))
            busy.append(took)
    return times[1:], median(busy[1:]), found, plans


def _ran(process: int) -> float:
    """Return how many milliseconds a process has been running on a processor."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def once(db: Database, number: int | None, pattern: str | None, turn: int, record: Record) -> tuple[int, float]:
    """Search once, and return how many items were found, and the server's CPU; the record has only that."""
    name = f"bench/r{number or 1}"
    with db.reading() as tx:
        near = tx.row(
            "select embedding::text as at, pg_backend_pid() as pid from issues where number = %(n)s", n=101 + turn * 600
        )
        (one,) = tx.rows(
            "select i.number, r.id from issues i join repositories r on r.id = i.repository_id "
            "where r.full_name = %(name)s order by i.number offset %(at)s limit 1",
            name=name,
            at=turn * 3,
        )
    assert near is not None
    record.statements.clear()
    before = _ran(near["pid"])
    if pattern is None:
        found = similar(db, f"{name}#{one['number']}", everywhere=number is None)
    else:
        scope = SearchScope(repositories=None if number is None else (one["id"],))
        text = pattern.format(rare=3000 + turn, common=20 + turn, other=40 + turn)
        found = find(db, text, scope, always(near["at"]))
    return len(found.items), _ran(near["pid"]) - before


def _indexes(statements: list[Statement]) -> Iterator[str]:
    for each in statements:
        if each.plan is not None and each.name in (
            "search.search_words",
            "search_vectors.search_exact",
            "search_vectors.search_index",
        ):
            yield from (f"{each.name}: {name}" for name in _within(each.plan) if "issues" in name)


def _within(plan: dict[str, Any]) -> Iterator[str]:
    if "Index Name" in plan:
        yield plan["Index Name"]
    elif plan.get("Node Type") == "Seq Scan":
        yield f"all of {plan['Relation Name']}"
    for below in plan.get("Plans", ()):
        yield from _within(below)
