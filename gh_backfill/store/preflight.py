"""The preflight of the migrations: an old server, strangers under our names, an unfit encoding, a path elsewhere.

What is ours is read from the migrations themselves: a table that exists must have the columns that our `create table`
requires or that our statements write, of a kind that fits.  A host application's tables pass, a stranger's do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
_OLDEST = 15  # the first PostgreSQL whose views ask for the rights of their reader (`security_invoker`)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where statements of a connection lead; `elsewhere` is a schema with another installation of ours."""

    schema: str | None
    path: str
    role: str
    database: str
    encoding: str
    version: str
    major: int
    settled: bool
    elsewhere: str | None

    @property
    def too_old(self) -> str | None:
        """Return what is wrong with the version of the server, None if the migrations can run there."""
        if self.major >= _OLDEST:
            return None
        return (
            f"PostgreSQL {self.version} is too old: the views, which show each reader only what their role may see, "
            f"need {_OLDEST} or newer"
        )

    @property
    def unfit(self) -> str | None:
        """Return what is wrong with the encoding, None if it can hold every text."""
        if self.encoding == "UTF8":
            return None
        return (
            f"database {self.database} is in {self.encoding}, which cannot hold every text of GitHub: make another one "
            "with: create database … encoding 'UTF8' template template0"
        )

    def obstacles(self, *, chosen: bool) -> list[str]:
        """Return what stands against writing here; `chosen` says that somebody chose the schema."""
        return [each for each in (self.too_old, self.unfit, None if chosen else self.led_astray) if each]

    @property
    def led_astray(self) -> str | None:
        """Return where our tables should be looked for instead, if no schema was chosen and the path misses them."""
        if self.settled:
            return None
        if self.elsewhere is not None:
            return (
                f"our tables lie in schema {self.elsewhere}, to which the search_path of role {self.role} "
                f"({self.path}) does not lead: set GH_BACKFILL_SCHEMA={self.elsewhere}, or another one to begin anew"
            )
        if self.schema == "public":
            return None
        where = f"to schema {self.schema}" if self.schema else "nowhere"
        return (
            f"the search_path of role {self.role} ({self.path}) leads {where}, not to public: say which schema is "
            "meant, GH_BACKFILL_SCHEMA=public or another one"
        )


def obstacles(db: Database) -> list[str]:
    """Return what must be mended before anything is written, one line each; nothing where `migrate` may begin."""
    with db.reading() as tx:
        here = place(tx)
        strangers = tx.rows(_SQL["strangers"], ours=expected())
    return [*here.obstacles(chosen=db.schema is not None), *_of_strangers(strangers, here.schema)]


def place(tx: Transaction) -> Place:
    """Return where the statements of this connection lead."""
    row = tx.row(_SQL["place"])
    assert row is not None
    return Place(**row)


def expected() -> list[Row]:
    """Return what the migrations create: tables and views with columns that tell them, types with their labels.

    What is created again later has more columns then, but only where it is ours: the first time is what tells it.
    """
    texts = [path.read_text(encoding="utf-8") for path in resources.migrations()]
    texts.append(resources.sql("migrations")["create_ledger"])
    found: dict[tuple[str, str], Row] = {}
    for text in texts:
        for each in (*_tables(text), *_views(text), *_types(text)):
            # A later file only adds to what there is, and to a view only where it is ours.
            found.setdefault((each["kind"], each["name"]), each)
    return list(found.values())


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
