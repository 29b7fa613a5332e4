"""The fetching of events on this machine, beside the pages: what somebody asks for there begins at once."""

from __future__ import annotations

import logging
from collections.abc import Callable

from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.events import asked, notice, ways

log = logging.getLogger(__name__)


def look(settings: Settings, db: Database, goes_on: Callable[[], bool]) -> None:
    """Fetch what was asked for, and tell of what is over."""
    found = []
    if asked.waits(db):
        work = asked.AskedWork(
            run=connect.this_run(settings), open_ways=lambda: ways.opened(settings, db), goes_on=goes_on
        )
        found = [*work.each()]
    for end in asked.ended(db):
        notice.send(settings, end.text, failed=end.jobs - end.completed)
    if found:
        log.info("events: %s", asked.told(found))
