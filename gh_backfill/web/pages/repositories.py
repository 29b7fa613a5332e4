"""The list of repositories: filtered, searched, sorted, and acted upon."""

from __future__ import annotations

from gh_backfill.tasks.pages import listing
from gh_backfill.tasks.pages.listing import RepositoryList
from gh_backfill.web.page import Ask, WebPage
from gh_backfill.web.pages.columns import columns

PLACE = "/repositories"
TOPICS = ("backfills", "jobs")


def page(ask: Ask) -> WebPage:
    """Show the page of the list that an address asks for."""
    return shown(listing.listing(ask.db, dict(ask.query), ask.now))


def shown(found: RepositoryList) -> WebPage:
    """Return the page of a list that was read."""
    return WebPage(
        template="repositories.html",
        data={
            "list": found,
            "columns": columns(found.asked),
            "back": f"{PLACE}{found.asked.address()}",
        },
        json=found.as_json(),
        topics=TOPICS,
        place=PLACE,
    )
