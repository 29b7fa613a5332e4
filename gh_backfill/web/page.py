"""A page as the application sees it: a function from what is asked to data and a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from starlette.datastructures import QueryParams

from gh_backfill.store.db import Database
from gh_backfill.web.access import Role, Viewer
from gh_backfill.web.context import Context


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What is asked for: the parts of the path that have a name, the query, when, and by whom."""

    db: Database
    path: Mapping[str, str]
    query: QueryParams
    now: datetime
    viewer: Viewer
    context: Context


@dataclass(frozen=True, kw_only=True, slots=True)
class WebPage:
    """What its template gets, and the same figures for its twin in JSON (None: it has no twin).

    It is made anew when one of its `topics` has changed, and after some seconds; `place` is its entry in the
    navigation.  One that answers a form says at which `address` its regions are read again.
    """

    template: str
    data: Mapping[str, object]
    json: object = None
    topics: tuple[str, ...] = ()
    place: str = ""
    status: int = 200
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goto:
    """The answer to a form that was obeyed: the page where the result stands, and what it is to say was done."""

    address: str
    said: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """What somebody filled in: the values of each field in their order; a file is its text."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """Return the value of a field, without spaces around it; empty where it was not filled in."""
        values = self.fields.get(name) or [""]
        return values[-1].strip()

    def all(self, name: str) -> list[str]:
        """Return all values of a field that were filled in."""
        return [value for value in self.fields.get(name, ()) if value.strip()]


PageOf = Callable[[Ask], WebPage]
ActionOf = Callable[[Ask, Form], WebPage | Goto]


@dataclass(frozen=True, kw_only=True, slots=True)
class Showing:
    """A page at its path, such as `/{owner}/{name}`; its twin is at the same path with `.json` behind it.

    For the description of the twin: what it tells in a few `summary` words, and what each name of the `query` means.
    """

    path: str
    page: PageOf
    summary: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """What a form does; it is sent to the path, by somebody who may do as much as is needed.

    One that only `asks` changes nothing: what is kept of the pages still holds after it.  One `of_github` waits for
    GitHub, in a turn of its own.
    """

    path: str
    action: ActionOf
    needs: Role = Role.EDITOR
    asks: bool = False
    of_github: bool = False
