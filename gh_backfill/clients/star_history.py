"""GitHub's daily history of stars, which is public: how many of the stars that still exist were given on each day.

https://docs.github.com/en/rest/activity/starring#get-repository-star-history
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gh_backfill.clients import sense
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.policy.events.star_history import DAYS_A_WEEK, StarWeek

# GitHub serves thirty weeks a page and a hundred pages.
WEEKS_A_PAGE, MOST_PAGES = 30, 100


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage:
    """Weeks, newest first; `more` says that older ones follow."""

    weeks: tuple[StarWeek, ...]
    more: bool
    server_time: datetime


def pages(lists: RestPages, full_name: str) -> Iterator[HistoryPage]:
    """Yield the pages of a history, newest first.  One request of the budget `core` each; no right is needed.

    A week may come twice where a new one begins in the meantime.  Raises what `RestPages.get` raises, and Unreachable
    for an answer that is none.
    """
    for number in range(1, MOST_PAGES + 1):
        found = lists.get(
            f"/repos/{full_name}/stargazers/history", {"per_page": str(WEEKS_A_PAGE), "page": str(number)}
        )
        with sense.understood():
            weeks = tuple(_week(each) for each in found.rows)
        yield HistoryPage(weeks=weeks, more=found.more, server_time=found.server_time)
        if not found.more:
            return


def _week(row: Any) -> StarWeek:
    days = tuple(sense.count(each) for each in sense.elements(row["days"]))
    if len(days) != DAYS_A_WEEK or sum(days) != sense.count(row["total"]):
        raise ValueError("a week whose days are not those of its sum")
    return StarWeek(begins=datetime.fromtimestamp(sense.count(row["week"]), UTC), days=days)
