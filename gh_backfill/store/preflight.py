"""The preflight of the migrations: strangers under our names, an encoding that does not fit, a path elsewhere.

What is ours is read from the migrations themselves: a table that exists must have the columns that our `create table`
requires or that our statements write, of a kind that fits.  A host application's tables pass, a stranger's do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gh_backfill import resources
from gh_backfill.store.access import needed
from gh_backfill.store.db import Database, Row, Transaction

_SQL = resources.sql("preflight")
_TABLE = re.compile(r"\bcreate table (?:if not exists )?(\w+) \((.*?)\n *\)(?:;|\Z| *$)", re.DOTALL | re.MULTILINE)
_VIEW = re.compile(r"\bcreate (?:or replace )?view (\w+) (.*?);", re.DOTALL)
_TYPE = re.compile(r"\bcreate type (\w+) as enum \(([^)]*)\)")
_COLUMN = re.compile(
    r"^ +(?!constraint|check|primary|unique|references)(\w+) +(\w+(?: precision)?(?:\[\])?)", re.MULTILINE
)
_ADDED = re.compile(r"\badd column if not exists (\w+)")
_SHOWN = re.compile(r"\bas (\w+)[,\n]")


def obstacles(db: Database) -> list[str]:
    """Return what must be mended before anything is written, one line each; nothing where `migrate` may begin."""
    with db.transaction(read_only=True) as tx:
        place = tx.row(_SQL["place"])
        strangers = tx.rows(_SQL["strangers"], ours=expected())
    assert place is not None
    return [*_of_place(place, db.schema), *_of_strangers(strangers, place["schema"])]


def expected() -> list[Row]:
    """Return what the migrations create: tables and views with columns that tell them, types with their labels."""
    texts = [path.read_text(encoding="utf-8") for path in resources.migrations()]
    texts.append(resources.sql("migrations")["create_ledger"])
    return [each for text in texts for each in (*_tables(text), *_views(text), *_types(text))]


def encoding(tx: Transaction) -> str | None:
    """Return what is wrong with the encoding of the database, None if it can hold every text."""
    place = tx.row(_SQL["place"])
    assert place is not None
    return next(iter(_of_encoding(place)), None)


def _tables(text: str) -> Iterator[Row]:
    for name, body in _TABLE.findall(text):
        written = needed()[name].columns if name in needed() else set()
        added = _ADDED.findall(text)
        columns = [
            {"name": column, "type": kind}
            for line in body.splitlines()
            for column, kind in _COLUMN.findall(line)
            if (column in written or "not null" in line or "primary key" in line) and column not in added
        ]
        yield {"name": name, "kind": "table", "columns": columns, "labels": []}


def _views(text: str) -> Iterator[Row]:
    for name, body in _VIEW.findall(text):
        shown = [{"name": column, "type": None} for column in _SHOWN.findall(body.partition(" from ")[0])]
        yield {"name": name, "kind": "view", "columns": shown, "labels": []}


def _types(text: str) -> Iterator[Row]:
    for name, labels in _TYPE.findall(text):
        yield {"name": name, "kind": "type", "columns": [], "labels": re.findall(r"'(\w+)'", labels)}


def _of_place(place: Row, chosen: str | None) -> Iterator[str]:
    yield from _of_encoding(place)
    if chosen is None and not place["settled"] and place["schema"] != "public":
        where = f"to schema {place['schema']}" if place["schema"] else "nowhere"
        yield (
            f"the search_path of role {place['role']} ({place['path']}) leads {where}, not to public: say which schema "
            "is meant, GH_BACKFILL_SCHEMA=public or another one"
        )


def _of_encoding(place: Row) -> Iterator[str]:
    if place["encoding"] != "UTF8":
        yield (
            f"database {place['database']} is in {place['encoding']}, which cannot hold every text of GitHub: make "
            "another one with: create database … encoding 'UTF8' template template0"
        )


def _of_strangers(strangers: Sequence[Row], schema: str | None) -> Iterator[str]:
    if not strangers:
        return
    found: dict[str, list[str]] = {}
    for row in strangers:
        found.setdefault(row["name"], []).append(row["why"])
    each = "; ".join(f"{name} ({', '.join(whys[:3])}{', …' if len(whys) > 3 else ''})" for name, whys in found.items())
    yield (
        f"schema {schema} has things of somebody else under our names: {each}: keep ours apart with "
        "GH_BACKFILL_SCHEMA=github_history (or another name), or use a database of its own"
    )
