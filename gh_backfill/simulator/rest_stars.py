"""Stars and forks by REST: who and what, for those who may see it, and the public history of stars by day.

https://docs.github.com/en/rest/activity/starring
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from gh_backfill.simulator import refusals, stars, views
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.messages import Response, refusal, reply
from gh_backfill.simulator.options import ClosedStars
from gh_backfill.simulator.rest_call import Call, page
from gh_backfill.simulator.rows import RepositoryRow

DAY, WEEK = timedelta(days=1), timedelta(days=7)
MOST_WEEKS, HISTORY_PAGES = 30, 100
LIST_PAGES = 400
_FORK_SORTS = {"stargazers": "STARGAZERS", "watchers": "STARGAZERS"}


def stargazers(call: Call, repository: RepositoryRow) -> Response:
    """Who starred a repository, oldest first, with the times where they are asked for; its pages end at 400."""
    if not stars.shown(call.world, call.options, repository):
        return _closed(call)
    timed = "star+json" in call.request.headers.get("accept", "")

    def view(key: Key) -> object:
        account = call.world.account(key[1])
        user = None if account is None else views.user(account)
        return {"starred_at": key[0], "user": user} if timed else user

    return page(call, repository, call.world.shelves[repository.id].stars.keys, view, pages=LIST_PAGES)


def _closed(call: Call) -> Response:
    closed = call.options.closed_stargazers
    if closed is ClosedStars.EMPTY:
        return reply([])
    if closed is ClosedStars.NOT_FOUND:
        return refusals.not_found()
    return refusal(403, "Resource not accessible by personal access token")


def forks(call: Call, repository: RepositoryRow) -> Response:
    """The forks of a repository, newest first or as asked; its pages end at 400."""
    sort = call.request.query.get("sort", "newest")
    shelf, world = call.world.shelves[repository.id], call.world
    order = shelf.forks.ordered(_FORK_SORTS.get(sort, "CREATED_AT"), world.repositories)
    keys = order.keys if sort == "oldest" else order.keys[::-1]
    return page(call, repository, keys, lambda key: views.repository(world, order.row(key)), pages=LIST_PAGES)


def history(call: Call, repository: RepositoryRow) -> Response:
    """The weeks since a repository was created, newest first, each with its seven days; 1 to 30 a page, 100 pages."""
    options = call.options.star_history
    if not options.served:
        return refusals.not_found()
    size = call.request.query.get("per_page", "30")
    if not size.isdecimal() or not 1 <= int(size) <= MOST_WEEKS:
        return refusal(422, "Validation Failed")
    shift = timedelta(hours=options.shifted_hours)
    today = (datetime.fromtimestamp(call.options.clock(), UTC) - shift).date()
    given = call.world.shelves[repository.id].stars.days(options.shifted_hours)
    first = _sunday((datetime.fromisoformat(repository.created_at) - shift).date())
    sundays = [_sunday(today)]
    while sundays[-1] > first:
        sundays.append(sundays[-1] - WEEK)
    if options.repeated and len(sundays) > int(size):
        sundays.insert(int(size), sundays[int(size) - 1])

    def view(sunday: date) -> dict[str, Any]:
        begins = datetime(sunday.year, sunday.month, sunday.day, tzinfo=UTC) + shift
        days = [sunday + place * DAY for place in range(7)]
        told = [options.future if day > today else given[day] for day in days]
        return {"week": int(begins.timestamp()), "total": sum(told), "days": told}

    return page(call, repository, sundays, view, pages=HISTORY_PAGES)


def count(call: Call, repository: RepositoryRow) -> Response:
    """How many stars a repository has."""
    return reply({"count": len(call.world.shelves[repository.id].stars)})


def _sunday(day: date) -> date:
    """Return the Sunday that a day's week begins with."""
    return day - timedelta(days=(day.weekday() + 1) % 7)
