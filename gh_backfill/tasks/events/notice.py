"""The message at the end of a backfill of events, to chat, mail or whatever NOTIFY_URLS names."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gh_backfill.clients import notifier
from gh_backfill.settings import Settings

log = logging.getLogger(__name__)

TITLE = "gh_backfill: events"


def send(settings: Settings, text: str, *, failed: int, notify: Callable[..., bool] = notifier.notify) -> str | None:
    """Send how a backfill of events ended, as "12 of 12 repositories, 90 days"; returns what went wrong.

    Names are in no message: it goes to where others read it.
    """
    if settings.notify_urls is None:
        return None
    told = text + (f"; {failed:,} failed: their pages, and gh-backfill events for each, say why" if failed else "")
    if notify(settings.notify_urls.get_secret_value(), TITLE, told, failure=bool(failed)):
        return None
    wrong = "not all of NOTIFY_URLS took the notification: check their addresses"
    log.warning("events: %s", wrong)
    return wrong
