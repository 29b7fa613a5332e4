"""The captures of initial backfills on this machine: a process beside us, with the database as its queue."""

from __future__ import annotations

import logging
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.store import backfill_batches
from gh_backfill.store.db import Database
from gh_backfill.tasks import children

log = logging.getLogger(__name__)

# In seconds: captures give back what they hold in a moment, and the process that has them waits for that.
PATIENCE = children.PATIENCE + 5
# So long a look at the queue may take.
LOOK_SECONDS = 5.0


class Runner:
    """Keeps one process at work while initial backfills wait; it ends with us, however we end.

    Safe to use from several threads.
    """

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._settings = settings
        self._database_url = database_url
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._again = False
        self._stopped = False

    @property
    def possible(self) -> bool:
        """Say whether this machine can capture at all: without a token it can't."""
        return self._settings.has_credential

    @property
    def running(self) -> bool:
        """Say whether the process is at work."""
        with self._lock:
            return self._alive()

    def wake(self) -> None:
        """Start the process where something waits and none is at work.  Never raises.

        One that is at work may be about to end: then another one looks after it.
        """
        if not self.possible:
            return
        if self._busy() or not self._waits():
            return
        with self._lock:
            if not self._stopped and not self._alive():
                self._start()

    def stop(self) -> None:
        """End the process in good order: what it holds is given back."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _busy(self) -> bool:
        """Say whether nothing is to be started: the process is at work, and looks once more, or this is the end."""
        with self._lock:
            alive = self._alive()
            self._again = self._again or alive
            return alive or self._stopped

    def _waits(self) -> bool:
        """Look at the queue; the database may be slow, so nobody waits for the lock meanwhile."""
        try:
            with Database(self._database_url, statement_seconds=LOOK_SECONDS) as db, db.reading() as tx:
                return bool(backfill_batches.queue(tx))
        except BackfillError as error:
            log.warning("the queue of initial backfills can't be read: %s", error)
            return False

    def _start(self) -> None:
        self._again = False
        try:
            written = children.new_log(self._settings.data_folder / "logs", "work")
            with written.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603  (this very program)
                    children.tethered("work"),
                    env=children.environment_of(self._settings),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            log.warning("initial backfills can't be captured here: %s", error)
            return
        threading.Thread(target=self._follow, args=(self._process, written), name="work", daemon=True).start()

    def _follow(self, process: subprocess.Popen[bytes], written: Path) -> None:
        """Wait for the process, and look once more for whoever came while it ended."""
        code = process.wait()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        if code and not self._stopped:
            log.warning("the captures on this machine ended with exit code %s; see %s", code, written)
        with self._lock:
            again = self._again
        if again:
            self.wake()
