"""The query of a page, all of it in its address: filter, search, order, and the places where lists go on.

What makes no sense in an address is as if it were not there: an old bookmark still shows a page.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from gh_backfill.policy.shown import UNDER_WAY, PageState

# The filters by the word in the address; None is everything.
FILTERS: Mapping[str, frozenset[PageState] | None] = {
    "active": UNDER_WAY,
    "running": frozenset({PageState.RUNNING, PageState.RETRYING}),
    "waiting": frozenset({PageState.STARVED, PageState.PAUSED, PageState.WAITING, PageState.NEVER}),
    "failed": frozenset({PageState.FAILED, PageState.RETRYING}),
    "held": frozenset({PageState.HELD, PageState.CANCELLED, PageState.UNTRACKED}),
    "complete": frozenset({PageState.COMPLETED}),
    "all": None,
}
WORDS: Mapping[str, str] = {"active": "running and waiting"}
SORTS = ("name", "progress", "captured", "fresh", "activity")
JOBS = ("all", "running", "failed")
LONGEST_SEARCH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class PageQuery:
    """What a page with lists is asked for; cursors are as they came, and are read where they are used."""

    filter: str
    search: str = ""
    sort: str = "name"
    descending: bool = False
    after: str = ""
    jobs: str = "all"
    jobs_after: str = ""
    runs_after: str = ""
    first: str = "all"

    @classmethod
    def of(cls, given: Mapping[str, str], *, first: str = "all") -> PageQuery:
        """Read the parameters of an address; `first` is the filter where none is named."""
        sort = given.get("sort", "name")
        chosen, jobs = given.get("state", first), given.get("jobs", "all")
        return cls(
            filter=chosen if chosen in FILTERS else first,
            search=_search(given.get("q", "")),
            sort=sort.lstrip("-") if sort.lstrip("-") in SORTS else "name",
            descending=sort.startswith("-"),
            after=given.get("after", ""),
            jobs=jobs if jobs in JOBS else "all",
            jobs_after=given.get("jobs_after", ""),
            runs_after=given.get("runs_after", ""),
            first=first,
        )

    @property
    def states(self) -> tuple[str, ...] | None:
        """Return the words of the states that are wanted, None for all."""
        chosen = FILTERS[self.filter]
        return None if chosen is None else tuple(sorted(str(each) for each in chosen))

    @property
    def order(self) -> str:
        """Return the order as the address has it."""
        return f"-{self.sort}" if self.descending else self.sort

    @property
    def narrowed(self) -> bool:
        """Say whether a filter or a search leaves something out that is usually there."""
        return self.filter != self.first or bool(self.search)

    def address(self, **changes: str) -> str:
        """Return the query of an address that asks for the same with some parameters changed; `?` where all is usual.

        A change of filter, search or order begins its list anew.
        """
        now = {
            "state": self.filter,
            "q": self.search,
            "sort": self.order,
            "after": self.after,
            "jobs": self.jobs,
            "jobs_after": self.jobs_after,
            "runs_after": self.runs_after,
        }
        anew = {"after": ""} if changes.keys() & {"state", "q", "sort"} else {}
        anew |= {"jobs_after": ""} if "jobs" in changes else {}
        usual = {"state": self.first, "sort": "name", "jobs": "all"}
        wanted = {**now, **anew, **changes}
        return "?" + urlencode({name: value for name, value in wanted.items() if value and value != usual.get(name)})

    def sorted_by(self, sort: str) -> str:
        """Return the address that sorts by a column: largest first, and the other way round where it is so already."""
        if sort == self.sort:
            return self.address(sort=sort if self.descending else f"-{sort}")
        return self.address(sort=sort if sort == "name" else f"-{sort}")


def _search(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SEARCH] if _writable(text) else ""


def cursor(*values: object) -> str:
    """Return a place in a list as an address has it."""
    text = json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(text: str, *kinds: type) -> tuple[Any, ...] | None:
    """Read a place that has values of these types (a UUID comes back as its text); None for what is none."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return tuple(_read(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return None


def _read(value: Any, kind: type) -> object:
    """Return a value as what it should be; ValueError, TypeError or AttributeError for what it is not."""
    if kind is datetime:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError("a time without a zone is no moment")
        return found
    if kind is UUID:
        return str(UUID(value))
    if kind is float and isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    if kind is str and isinstance(value, str) and _writable(value):
        return value
    raise TypeError(f"{type(value).__name__} where {kind.__name__} was expected")


def _writable(text: str) -> bool:
    """Say whether a database takes a text: it takes no NUL and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
