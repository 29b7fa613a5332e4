"""The list of repositories: filtered, searched, sorted and paged by the database, all of it by the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.store import pages
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.pages import Wanted
from gh_backfill.store.pages_rows import ListPlace, Standings
from gh_backfill.tasks.pages import rows
from gh_backfill.tasks.pages.query import FILTERS, WORDS, PageQuery, cursor, place
from gh_backfill.tasks.pages.rows import BackfillRow

A_PAGE = 25
# Who wants all gets it in pieces of so many: each statement stays far below the limit of its time.
A_PIECE = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """A choice that a list offers: its words, its place in the address, how many it holds, and whether it is chosen."""

    name: str
    words: str
    address: str
    number: int
    chosen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryList:
    """One page of a list: `matching` of `all` repositories match, and `next` is the address of the following page."""

    at: datetime
    asked: PageQuery
    rows: tuple[BackfillRow, ...]
    matching: int
    all: int
    filters: tuple[Filter, ...]
    next: str | None
    first: str | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Matching:
    """The names of repositories that match a filter, as many as were wanted.

    `number` is that of all that match now; `following` is the place after which there are more, None where these were
    the last ones.
    """

    names: tuple[str, ...]
    number: int
    following: str | None


def listing(db: Database, query: Mapping[str, str], now: datetime) -> RepositoryList:
    """Return the page of the list that an address asks for.  Raises StoreError where that takes over two seconds."""
    asked = PageQuery.of(query)
    with pages.reading(db) as tx:
        (found,) = tx.together(pages.standings_question(wanted(asked), now))
        return page(tx, asked, pages.standings(found), now)


def whole(db: Database, now: datetime, *, public_only: bool = False) -> RepositoryList:
    """Return the list of all repositories by name, read piece by piece; with `public_only` as anybody may read it.

    Raises StoreError where a piece takes over two seconds.
    """
    found: list[BackfillRow] = []
    asked = PageQuery.of({})
    while True:
        with pages.reading(db) as tx:
            (answer,) = tx.together(pages.standings_question(wanted(asked, most=A_PIECE, public_only=public_only), now))
            standings = pages.standings(answer)
            piece = page(tx, asked, standings, now, most=A_PIECE)
        found += piece.rows
        following = _following(standings, A_PIECE)
        if following is None:
            return replace(piece, asked=PageQuery.of({}), rows=tuple(found), filters=(), next=None, first=None)
        asked = replace(asked, after=following)


def matching(db: Database, query: Mapping[str, str], now: datetime, *, most: int) -> Matching:
    """Return those that match the filter and the search of an address by name, after its place if it has one."""
    asked = PageQuery.of({name: value for name, value in query.items() if name in ("state", "q", "after")})
    with pages.reading(db) as tx:
        everything = replace(wanted(asked, most=most), most_failing=0, counted=False)
        (answer,) = tx.together(pages.standings_question(everything, now))
    found = pages.standings(answer)
    names = tuple(each.full_name for each in found.listed[:most])
    return Matching(names=names, number=found.matching, following=_following(found, most))


def wanted(asked: PageQuery, *, most: int = A_PAGE, public_only: bool = False) -> Wanted:
    """Return what an address asks the database for: one row more than is shown tells that there is a next page."""
    after = place(asked.after, float, str, UUID)
    return Wanted(
        states=asked.states,
        search=asked.search.lower() or None,
        sort=asked.sort,
        descending=asked.descending,
        after=None if after is None else ListPlace(value=after[0], name=after[1], id=after[2]),
        most=most + 1,
        public_only=public_only,
    )


def page(tx: Transaction, asked: PageQuery, found: Standings, now: datetime, *, most: int = A_PAGE) -> RepositoryList:
    """Return the list that was asked for, with the figures of what is shown of it."""
    shown = found.listed[:most]
    following = _following(found, most)
    return RepositoryList(
        at=now,
        asked=asked,
        rows=rows.backfills(tx, shown, now),
        matching=found.matching,
        all=sum(group.number for group in found.groups if group.kind == PULL_REQUESTS),
        filters=_filters(asked, found),
        next=None if following is None else asked.address(after=following),
        first=asked.address(after="") if asked.after else None,
    )


def _following(found: Standings, most: int) -> str | None:
    """Return the place after which the list goes on; None where this was all."""
    if len(found.listed) <= most:
        return None
    last = found.listed[most - 1].place
    return cursor(last.value, last.name, last.id)


def _filters(asked: PageQuery, found: Standings) -> tuple[Filter, ...]:
    groups = {group.state: group.number for group in found.groups if group.kind == PULL_REQUESTS}
    return tuple(
        Filter(
            name=name,
            words=WORDS.get(name, name),
            address=asked.address(state=name),
            number=sum(number for state, number in groups.items() if states is None or state in states),
            chosen=name == asked.filter,
        )
        for name, states in FILTERS.items()
    )
