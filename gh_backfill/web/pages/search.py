"""The page of a search: a box, what was found for its text, and from each item the way to what is similar."""

from __future__ import annotations

from urllib.parse import urlencode

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import names
from gh_backfill.store.pages import SECONDS
from gh_backfill.tasks.search import find
from gh_backfill.tasks.search.found import Found
from gh_backfill.web.page import Ask, WebPage

PLACE = "/search"
SHOWN = 25


def page(ask: Ask) -> WebPage:
    """Show what is found for the text, or is similar to the item, that the address names."""
    try:
        return _shown(ask, _found(ask))
    except ConfigurationError as error:
        return _shown(ask, None, str(error))


def similar_to(name: str) -> str:
    """Return where the page is that shows what is similar to an item."""
    return f"{PLACE}?{urlencode({'like': name})}"


def _found(ask: Ask) -> Found | None:
    """Return what is found; None where nothing is asked for yet."""
    query = ask.query
    if like := query.get("like", "").strip():
        everywhere = query.get("everywhere", "") == "yes"
        return find.similar(ask.db, like, limit=SHOWN, everywhere=everywhere, seconds=SECONDS)
    if not (text := query.get("q", "").strip()):
        return None
    given = [name for name in query.getlist("repository") if name.strip()]
    chosen = find.chosen(ask.db, given, types=query.get("type"), states=query.get("state"))
    vectors, settings = ask.context.query_vectors, ask.context.settings
    return find.find(
        ask.db, text, chosen.scope, lambda asked: vectors.of(settings, asked), limit=SHOWN, seconds=SECONDS
    )


def _shown(ask: Ask, found: Found | None, error: str = "") -> WebPage:
    query = ask.query
    told: object = {"error": error} if error else {"asked": "", "items": []}
    return WebPage(
        template="search.html",
        data={
            "found": found,
            "error": error,
            "text": query.get("q", ""),
            "like": query.get("like", "").strip() if found is not None else "",
            "everywhere": query.get("everywhere", "") == "yes",
            "repository": "/".join(names.parse(query.get("repository", "")) or ()),
            "similar_to": similar_to,
        },
        json=told if found is None else found.as_json(),
        place=PLACE,
        status=400 if error else 200,
    )
