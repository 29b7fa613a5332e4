"""Pages from templates: what they are given beside their data, and how they write it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gh_backfill import __version__, resources
from gh_backfill.policy.velocity import trend
from gh_backfill.web import charts, written

TEMPLATES = "web/templates"
STATIC = "web/static"
INDEX = "index.html"
# The pages of the head line, in order; what comes later adds itself here.
NAVIGATION = (
    ("Monitor", "/monitor"),
    ("Repositories", "/repositories"),
    ("Add", "/add"),
    ("Workspaces", "/workspaces"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shell:
    """What every page knows beside its data.

    `place` is the entry of the navigation that the page belongs to, `json` the address of its twin.  Without `csrf`
    nothing can be changed here: no form is shown.  `may_administer` says whether adding and cancelling are allowed.
    One of a server has the `revision` of what it shows, and the `address` at which it is read again.  A page that
    does not follow what changes is not `live`.  One that was `written` into a folder has the way to that folder as
    `root`, leads to files, and its `note` says what it is.  `offers_changes` is false where a server changes nothing
    for anybody.  In place of `said` stands what a form has just done, once that is known.
    """

    now: datetime
    place: str = ""
    json: str | None = None
    csrf: str | None = None
    may_administer: bool = False
    signed_in: bool = False
    offers_changes: bool = True
    said: str = ""
    address: str = ""
    live: bool = True
    written: bool = False
    root: str = ""
    note: str = ""
    revision: str = ""
    version: str = __version__
    navigation: Sequence[tuple[str, str]] = NAVIGATION

    def at(self, place: str, *, has_json: bool, address: str | None = None) -> Shell:
        """Return it for a page of which only now is known where it belongs, and whether it has a twin."""
        known = self.address if address is None else address
        return replace(self, place=place, json=self.json if has_json else None, address=known)

    @property
    def may_change(self) -> bool:
        """Say whether anything may be changed from this page."""
        return self.csrf is not None

    def to(self, path: str) -> str:
        """Return the address of a page; what is asked of it is left out where nobody would answer."""
        return f"{self.root}/{folder_of(path)}/{INDEX}" if self.written else f"{self.root}{path}"

    def file(self, path: str, name: str) -> str:
        """Return the address of a file that lies beside a page."""
        return f"{self.root}/{self.path_of(path, name)}"

    def path_of(self, path: str, name: str = "") -> str:
        """Return where a page, or a file beside it, is below the address of all of them."""
        page = folder_of(path) if self.written else path.strip("/")
        return f"{page}/{name}" if name or self.written else page

    def asset(self, name: str) -> str:
        """Return the address of a static file, which changes with its content."""
        return f"{self.root}/static/{fingerprint(name)}/{name}"


def folder_of(path: str) -> str:
    """Return the folder of a page that is written as a file.

    GitHub Pages leaves out what begins with a dot, and no name at GitHub begins with a tilde.
    """
    parts = path.partition("?")[0].strip("/").split("/")
    return "/".join(f"~{part}" if part.startswith(".") else part for part in parts)


@cache
def fingerprint(name: str) -> str:
    """Return what stands for the content of a static file in its address."""
    return hashlib.sha256(resources.text(f"{STATIC}/{name}").encode()).hexdigest()[:12]


@cache
def environment() -> Environment:
    """Return the templates of this process.  Whatever they are given is text, and written as text."""
    made = Environment(
        loader=FileSystemLoader(resources.PACKAGE / TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters = (
        written.number,
        written.percent,
        written.dollars,
        written.duration,
        written.relative,
        written.clock,
        written.stamp,
    )
    made.filters.update({each.__name__: each for each in (*filters, written.iso, written.tone)})
    made.filters["trend"] = trend.short
    made.filters["zip"] = lambda names, values: list(zip(names, values, strict=True))
    made.globals.update(draw=charts, columns_of=columns_of, rows_of=rows_of, shares_of=shares_of)
    return made


def render(template: str, shell: Shell, data: Mapping[str, object]) -> str:
    """Return the text of a page."""
    return environment().get_template(template).render(shell=shell, **data)


def columns_of(labels: Sequence[str], series: Mapping[str, Sequence[charts.Value]]) -> list[list[object]]:
    """Return the rows of a table of several series side by side."""
    return [[label, *values] for label, *values in zip(labels, *series.values(), strict=True)]


def rows_of(rows: Sequence[tuple[str, Sequence[charts.Value]]]) -> list[list[object]]:
    """Return the rows of a table of a heat map."""
    return [[label, *values] for label, values in rows]


def shares_of(parts: Sequence[tuple[str, float, str]]) -> list[list[object]]:
    """Return the rows of a table of a strip."""
    return [[told, share] for _, share, told in parts]
