"""Look for announcements and events again and again, as long as the receiver runs; nothing but its end ends it."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.store import webhooks
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.webhooks.freshen import Freshened, Freshener
from gh_backfill.tasks.webhooks.hear import HeardEvents, hear

log = logging.getLogger(__name__)

# In seconds.  Together with `freshness.GATHER`, an announced change is fetched within a minute.
LOOK_EVERY = 10.0
LONGEST_PAUSE = 60.0
LOOKS_BETWEEN_CLEANINGS = 60


def stay_fresh(settings: Settings, database_url: str, stopping: threading.Event) -> None:
    """Fetch what is announced, and store the events that are told, until `stopping` is set.

    A failure is told in a line, and tried anew after a pause.
    """
    if not settings.has_credential:
        log.warning("webhooks: without GITHUB_TOKEN events are stored, and what moves is noted, and fetched by nobody")
    pause = LOOK_EVERY
    while not stopping.is_set():
        looks = 0
        try:
            with Database(database_url) as db:
                for _ in _looks(settings, db, stopping):
                    looks += 1
        except BackfillError as error:
            reason = str(error)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            log.debug("the look failed", exc_info=True)
        else:
            return
        pause = LOOK_EVERY if looks else min(LONGEST_PAUSE, 2 * pause)
        log.warning("webhooks: what moved waits %.0f s: %s", pause, reason)
        stopping.wait(pause)


def _looks(settings: Settings, db: Database, stopping: threading.Event) -> Iterator[None]:
    """Look over one connection, with one client, for as long as nothing fails; yields after each look."""

    def sleep(seconds: float) -> None:
        stopping.wait(seconds)

    with ExitStack() as stack:
        freshener: Freshener | None = None
        if settings.has_credential:
            graphql = stack.enter_context(connect.github(settings))
            stack.enter_context(connect.sharing(graphql, db))
            run = connect.this_run(settings)
            freshener = Freshener(db=db, graphql=graphql, run=run, now=lambda: datetime.now(UTC), sleep=sleep)
        told: datetime | None = None
        failing: tuple[str, ...] = ()
        for look in itertools.count():
            if look % LOOKS_BETWEEN_CLEANINGS == 0:
                _clean(db)
            failing = _tell_events(hear(db, sleep), failing)  # also without a token, and before anything is fetched
            if freshener is not None:
                told = _tell(freshener.look(), told)
            yield
            if stopping.wait(LOOK_EVERY):
                return


def _clean(db: Database) -> None:
    with db.transaction() as tx:
        webhooks.forget(tx)


def _tell_events(done: HeardEvents, told: tuple[str, ...]) -> tuple[str, ...]:
    """Log what became of events; one failure is told once, however often it is met."""
    if done.text:
        log.info("webhooks: %s", done.text)
    for failure in done.failed:
        if failure not in told:
            log.warning("webhooks: %s", failure)
    return done.failed


def _tell(done: Freshened, told: datetime | None) -> datetime | None:
    """Log what a look brought; one wait is told once, however often it is looked at."""
    if done.stored or done.gone or done.failed or done.set_aside:
        log.info(
            "webhooks: pull requests fetched: %s, gone: %s, to be tried again: %s, set aside: %s",
            done.stored,
            done.gone,
            done.failed,
            done.set_aside,
        )
    until = done.waiting_until
    if until is not None and until != told:
        log.warning("webhooks: what moved waits until %s: %s", until.isoformat(timespec="seconds"), done.reason)
    return until
