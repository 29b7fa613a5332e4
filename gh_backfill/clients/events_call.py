"""The events of a repository as GitHub lists them: three hundred at most, of the last thirty days.

https://docs.github.com/en/rest/activity/events#list-repository-events
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.clients import sense
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.errors import Unexpected
from gh_backfill.models.events import FORK, NOBODY, STAR, Event, Source, fork, star

EVENTS_A_PAGE, MOST_PAGES = 100, 3


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsPage:
    """A page, newest first; a place that could not be read is None.  `more` says that there may be older ones."""

    places: tuple[Event | None, ...]
    more: bool
    server_time: datetime


def pages(lists: RestPages, full_name: str, github_id: int) -> Iterator[EventsPage]:
    """Yield the pages, newest first, one request of the budget `core` each; raises what `RestPages.get` raises.

    What another repository did that had the name before is left out.
    """
    for number in range(1, MOST_PAGES + 1):
        try:
            found = lists.get(f"/repos/{full_name}/events", {"per_page": str(EVENTS_A_PAGE), "page": str(number)})
        except Unexpected:
            if number == 1:
                raise
            return  # GitHub refuses the pages behind its limit, also where it led to them
        rows = [row for row in found.rows if not _of_another(row, github_id)]
        # What a full last page ends with is GitHub's limit: older events may be there, and nobody hears of them.
        cut = number == MOST_PAGES and len(found.rows) >= EVENTS_A_PAGE
        places = tuple(_place(row, github_id) for row in rows)
        yield EventsPage(places=places, more=found.more or cut, server_time=found.server_time)
        if not found.more:
            return


def _of_another(row: Any, github_id: int) -> bool:
    place = row.get("repo") if isinstance(row, Mapping) else None
    return isinstance(place, Mapping) and place.get("id") not in (None, github_id)


def _place(row: Any, github_id: int) -> Event | None:
    try:
        return _event(row, github_id)
    except sense.UNREADABLE:
        return None


def _event(row: Mapping[str, Any], github_id: int) -> Event:
    kind, at = sense.text(row["type"]), sense.moment(row["created_at"])
    actor = row["actor"] or {}
    login = sense.text_or_none(actor.get("login"))
    number = None if actor.get("id") is None else sense.identity(actor["id"])
    payload = dict(row["payload"] or {})
    if kind == STAR:
        return star(github_id, login, number, at, Source.EVENTS)
    if kind == FORK:
        forkee = payload["forkee"]
        return fork(sense.identity(forkee["id"]), sense.full_name(forkee["full_name"]), login, at, Source.EVENTS)
    return Event(
        event_id=f"{kind}_{sense.identity(row['id'])}",
        event_type=kind,
        actor_login=login or NOBODY,
        actor_github_id=number,
        payload=payload,
        created_at=at,
        source=Source.EVENTS,
    )
