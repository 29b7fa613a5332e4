"""Tell a dead man's switch that work begins, went well or failed: who hears nothing raises the alarm.

The addresses are those of healthchecks.io and of whatever is like it: `/start` and `/fail` after the one that is set.
"""

from __future__ import annotations

import logging
from enum import StrEnum

from gh_backfill import __version__
from gh_backfill.clients import reasons, transport

log = logging.getLogger(__name__)
SECONDS = 10.0


class Beat(StrEnum):
    """What is told."""

    START = "/start"
    SUCCESS = ""
    FAILURE = "/fail"


def ping(url: str, beat: Beat) -> bool:
    """Tell it once, within seconds; False, and a line in the log that has no address in it, where nobody took it."""
    place, mark, query = url.partition("?")
    address = f"{place.rstrip('/')}{beat}{mark}{query}"
    headers = {"User-Agent": f"gh-backfill/{__version__}"}
    with transport.session(accept="*/*", deadline=SECONDS, reading=False) as session:
        try:
            answer = session.get(address, headers=headers, timeout=SECONDS, allow_redirects=False)
        except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
            log.warning(
                "the heartbeat was not told: %s",
                reasons.in_words(error, address, setting="check GH_BACKFILL_HEARTBEAT_URL"),
            )
            return False
    if answer.status_code >= 300:
        log.warning("the heartbeat was not told: the receiver answered with status %d", answer.status_code)
    return bool(answer.status_code < 300)
