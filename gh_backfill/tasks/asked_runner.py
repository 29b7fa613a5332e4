"""A thread beside the pages that does what somebody asks for there, at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database

log = logging.getLogger(__name__)

# In seconds: so often somebody else's wishes are looked for, and so long the end of a page in hand is waited for.
LOOK_EVERY = 30.0
PATIENCE = 20.0
# Does what waits, as long as the second function says that it may.
Look = Callable[[Settings, Database, Callable[[], bool]], None]


class AskedRunner:
    """Does what was asked for, in a thread of this process, as long as it is there; several threads may use it."""

    def __init__(
        self, settings: Settings, database_url: str, look: Look, *, name: str, every: float = LOOK_EVERY
    ) -> None:
        self._settings = settings
        self._database_url = database_url
        self._look = look
        self._name = name
        self._every = every
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

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
                with Database(self._database_url) as db:
                    self._look(self._settings, db, lambda: not self._stopping.is_set())
            except BackfillError as error:
                log.warning("%s: what was asked for waits: %s", self._name, error)
            except Exception as error:
                log.warning("%s: what was asked for waits: %s: %s", self._name, type(error).__name__, error)
                log.debug("the look failed", exc_info=True)
            self._awake.wait(self._every)
