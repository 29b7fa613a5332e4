"""Stars and events by REST: the public history of stars by day, and what happened in the last thirty days."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from gh_backfill.simulator.messages import Response, refusal, reply
from gh_backfill.simulator.rest_call import Call, page
from gh_backfill.simulator.rows import RepositoryRow

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MOST_WEEKS = 30
EVENTS_KEPT, MOST_EVENTS = timedelta(days=30), 300


def history(call: Call, repository: RepositoryRow) -> Response:
    """The weeks since a repository was created, newest first, each with its seven days; 1 to 30 a page."""
    options = call.options.star_history
    if not options.served:
        return refusal(404, "Not Found")
    size = call.request.query.get("per_page", "30")
    if not size.isdecimal() or not 1 <= int(size) <= MOST_WEEKS:
        return refusal(422, "Validation Failed")
    now, shift = datetime.fromtimestamp(call.options.clock(), UTC), timedelta(hours=options.shifted_hours)
    days = Counter((_moment(star.starred_at) - shift).date() for star in call.world.shelves[repository.id].stars)
    sunday = (now - shift).date() - timedelta(days=((now - shift).weekday() + 1) % 7)
    created = (_moment(repository.created_at) - shift).date()
    weeks: list[dict[str, Any]] = []
    while True:
        begins = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC) + shift
        each = [sunday + place * DAY for place in range(7)]
        told = [options.future if day > (now - shift).date() else days[day] for day in each]
        weeks.append({"week": int(begins.timestamp()), "total": sum(told), "days": told})
        if sunday <= created:
            break
        sunday -= WEEK
    if options.repeated and len(weeks) > int(size):
        weeks.insert(int(size), weeks[int(size) - 1])
    return page(call, repository, weeks, lambda week: week)


def count(call: Call, repository: RepositoryRow) -> Response:
    """How many stars a repository has."""
    return reply({"count": len(call.world.shelves[repository.id].stars)})


def events(call: Call, repository: RepositoryRow) -> Response:
    """Stars and forks of the last thirty days as events, newest first; three hundred at most."""
    now = datetime.fromtimestamp(call.options.clock(), UTC)
    shelf = call.world.shelves[repository.id]
    place = {"id": repository.id, "name": repository.full_name}
    rows: list[dict[str, Any]] = []
    for star in shelf.stars:
        account = call.world.accounts.get(star.account)
        actor = {"id": star.account, "login": account.login if account else "ghost"}
        identity = _event_id(repository.id, star.account, star.starred_at)
        told = {"type": "WatchEvent", "payload": {"action": "started"}, "created_at": star.starred_at}
        rows.append({"id": identity, "actor": actor, "repo": place, "public": True, **told})
    for number in shelf.forks:
        fork = call.world.repositories[number]
        owner = call.world.account_by_login(fork.owner)
        actor = {"id": owner.id if owner else 10137, "login": fork.owner}
        forkee = {"id": fork.id, "full_name": fork.full_name}
        told = {"type": "ForkEvent", "payload": {"forkee": forkee}, "created_at": fork.created_at}
        rows.append({"id": _event_id("fork", fork.id), "actor": actor, "repo": place, "public": True, **told})
    kept = [row for row in rows if now - _moment(row["created_at"]) <= EVENTS_KEPT]
    kept.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    response = page(call, repository, kept[:MOST_EVENTS], lambda row: row, most=MOST_EVENTS)
    return response.with_headers({"X-Poll-Interval": "60"})


def _event_id(*parts: object) -> str:
    """Return the same number for the same event, whatever else happened."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return str(10**10 + int.from_bytes(digest[:5]) % 10**10)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
