"""The preflight of the migrations: an old server, strangers under our names, an unfit encoding, a path elsewhere.

A table that exists must have the columns by which ours is told (`marks`), of a kind that fits.  A host application's
tables pass, a stranger's do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gh_backfill.resources import sql
from gh_backfill.store import marks
from gh_backfill.store.db import Database, Row, Transaction

_SQL = sql("preflight")
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
        strangers = tx.rows(_SQL["strangers"], ours=list(_expected()))
    return [*here.obstacles(chosen=db.schema is not None), *_of_strangers(strangers, here.schema)]


def place(tx: Transaction) -> Place:
    """Return where the statements of this connection lead."""
    row = tx.row(_SQL["place"])
    assert row is not None
    return Place(**row)


def _expected() -> Iterator[Row]:
    """Yield what the migrations create: tables and views with columns that tell them, types with their labels."""
    for name, types in marks.TABLES.items():
        columns = [{"name": each, "type": kind} for kind, columns in types.items() for each in sorted(columns)]
        yield {"name": name, "kind": "table", "columns": columns, "labels": []}
    for name, shown in marks.VIEWS.items():
        names = [{"name": each, "type": None} for each in sorted(shown)]
        yield {"name": name, "kind": "view", "columns": names, "labels": []}
    for name, labels in marks.ENUMS.items():
        yield {"name": name, "kind": "type", "columns": [], "labels": list(labels)}


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
