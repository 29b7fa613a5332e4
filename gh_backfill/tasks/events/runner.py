"""The fetching of events on this machine, beside the pages: what somebody asks for there begins at once."""

from __future__ import annotations

import logging
import threading

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.events import asked, notice, ways

log = logging.getLogger(__name__)

# In seconds: so often somebody else's wishes are looked for, and so long the end of a page in hand is waited for.
LOOK_EVERY = 30.0
PATIENCE = 20.0


class EventsRunner:
    """Fetches what was asked for, in threads of this process, as long as it is there; several threads may use it."""

    def __init__(self, settings: Settings, database_url: str, *, every: float = LOOK_EVERY) -> None:
        self._settings = settings
        self._database_url = database_url
        self._every = every
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    @property
    def possible(self) -> bool:
        """Say whether this machine can fetch at all: without a token it can't."""
        return self._settings.has_credential

    def start(self) -> None:
        """Begin to look."""
        if self.possible:
            self._thread.start()

    def wake(self) -> None:
        """Look at once: something was asked for."""
        self._awake.set()

    def stop(self) -> None:
        """End after the pages in hand; what is not whole goes on another time."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            try:
                self._look()
            except BackfillError as error:
                log.warning("events: what was asked for waits: %s", error)
            except Exception as error:
                log.warning("events: what was asked for waits: %s: %s", type(error).__name__, error)
                log.debug("the look failed", exc_info=True)
            self._awake.wait(self._every)

    def _look(self) -> None:
        with Database(self._database_url) as db:
            if not asked.waits(db):
                self._tell(db)
                return
            work = asked.AskedWork(
                run=connect.this_run(self._settings),
                open_ways=lambda: ways.opened(self._settings, db),
                goes_on=lambda: not self._stopping.is_set(),
            )
            found = [*work.each()]
            self._tell(db)
        if found:
            log.info("events: %s", asked.told(found))

    def _tell(self, db: Database) -> None:
        for end in asked.ended(db):
            notice.send(self._settings, end.text, failed=end.jobs - end.completed)
