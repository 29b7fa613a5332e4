"""The aggressive backfills on this machine, beside the pages: what somebody asks for there begins at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from gh_backfill.settings import Settings
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.aggressive import opened
from gh_backfill.tasks.aggressive.done import AggressiveDone

log = logging.getLogger(__name__)

# Between two slices it is looked whether this process is to end, and whether another one waits.
SLICE = timedelta(seconds=45)


def look(settings: Settings, db: Database, goes_on: Callable[[], bool]) -> None:
    """Work on what waits, a slice of time each in turn, until nothing does."""
    while goes_on() and _waits(db):
        try:
            done = _slices(settings, db, goes_on)
        except KeyboardInterrupt:  # this process is about to end; it was given back
            return
        for each in done:
            if each.backfill.over:
                log.info("%s: aggressive backfill %s", each.backfill.full_name, each.backfill.status)
        if not any(each.backfill.over or each.backfill.not_before is None for each in done):
            return


def _slices(settings: Settings, db: Database, goes_on: Callable[[], bool]) -> list[AggressiveDone]:
    with (
        connect.github(settings) as graphql,
        db.another() as own,
        connect.sharing(graphql, own, ahead=True),
        connect.lists(settings, graphql) as lists,
    ):
        ways = opened.AggressiveWays(
            settings=settings,
            db=own,
            graphql=graphql,
            lists=lists,
            in_slices=SLICE,
            sleep=partial(_sleep, goes_on),
        )
        return opened.of_all_that_waits(ways, goes_on=goes_on)


def _sleep(goes_on: Callable[[], bool], seconds: float) -> None:
    """Wait; where this process is to end meanwhile, end as after a signal: what is claimed is given back."""
    until = time.monotonic() + seconds
    while goes_on() and (left := until - time.monotonic()) > 0:
        time.sleep(min(0.5, left))
    if not goes_on():
        raise KeyboardInterrupt


def _waits(db: Database) -> bool:
    with db.reading() as tx:
        return bool(store.due(tx))
