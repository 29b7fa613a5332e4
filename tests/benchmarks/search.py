"""Search over 100,000 items: what the database takes for a text, by words and by vectors, and by which plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from gh_backfill.store.db import Database
from gh_backfill.store.search import SearchScope
from gh_backfill.tasks.search.find import find, similar
from tests.benchmarks.instruments import Statement, recording
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
# Words of which one of two hundred texts has each, one of eight, and two of the latter together.
TEXTS = {"a rare word": "w{rare}", "a common word": "w{common}", "two common words": "w{common} w{other}"}


def search(rig: Rig, items: int = ITEMS) -> list[Table]:
    """Measure searches of each scope and kind of text, and say which take longer than is allowed."""
    url = rig.database()
    with Database(url) as db:
        _fill(db, items)
    rows, missed, notes = [], [], []
    for where, number in (("everywhere", None), ("40 % of all", 1), ("3 % of all", 2), ("0.3 % of all", 50)):
        for words, pattern in TEXTS.items():
            times, found, plans = _measure(url, number, pattern)
            rows.append((where, words, found, median(times), max(times)))
            notes += [f"{where}, {words}: {plans}"] if words == "a rare word" else []
            missed += [f"{where}, {words}: {median(times):.0f} ms"] if median(times) > MOST else []
        times, found, plans = _measure(url, number, None)
        rows.append((where, "similar to an item", found, median(times), max(times)))
        missed += [f"{where}, similar: {median(times):.0f} ms"] if median(times) > MOST else []
    rig.drop(url)
    return [
        Table(
            section="search",
            title=f"{items:,} items with vectors of 384 numbers, all statements of a search",
            columns=("where", "what", "items found", "median (ms)", "slowest (ms)"),
            rows=tuple(rows),
            notes=tuple(notes),
            missed=tuple(missed),
        )
    ]


def _fill(db: Database, items: int) -> None:
    with db.transaction() as tx:
        tx.run("select setseed(0.5)")
        tx.run(_SQL["fill_repositories"])
        tx.run("drop index if exists idx_issues_embedding")
        tx.run(_SQL["fill_issues"], many=items, hash=RECIPE.content_hash("text"))
    with db.transaction() as tx:
        tx.run("set local maintenance_work_mem = '512MB'")
        tx.run(_SQL["index_vectors"])
    with db.transaction() as tx:
        tx.run("analyze issues")


def _measure(url: str, number: int | None, pattern: str | None) -> tuple[list[float], int, str]:
    """Return the milliseconds of each search, how many items the last one found, and the indexes of the plans."""
    times: list[float] = []
    found = 0
    plans = ""
    for turn in range(REPEATED + 1):
        with recording(explain=turn == 0) as record, Database(url) as db:
            with db.reading() as tx:
                near = tx.row(
                    "select embedding::text as at, number from issues where number = %(n)s", n=101 + turn * 600
                )
                own = tx.row("select id from repositories where github_id = %(n)s", n=number)
            assert near is not None
            scope = SearchScope(repositories=None if own is None else (own["id"],))
            record.statements.clear()
            if pattern is None:
                name = f"bench/r{number or 1}"
                with db.reading() as tx:
                    one = tx.rows(
                        "select number from issues i join repositories r on r.id = i.repository_id "
                        "where r.full_name = %(name)s order by number offset %(at)s limit 1",
                        name=name, at=turn * 3,
                    )  # fmt: skip
                record.statements.clear()
                told = similar(db, f"{name}#{one[0]['number']}", everywhere=number is None)
            else:
                told = find(
                    db, pattern.format(rare=3000 + turn, common=20 + turn, other=40 + turn), scope, always(near["at"])
                )
        found = len(told.items)
        if turn:  # the first one has asked for plans
            times.append(1000 * sum(each.seconds for each in record.statements))
        else:
            plans = ", ".join(sorted(set(_indexes(record.statements))))
    return times, found, plans


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
