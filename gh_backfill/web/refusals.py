"""Refusals, counted, and told in one line a minute: a flood of requests is no flood of log lines."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

EVERY = 60.0


class Refusals:
    """A count for each reason; the first refusal is told at once, what follows when a minute is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, what: str = "webhooks") -> None:
        self._clock = clock
        self._what = what
        self._counts: Counter[str] = Counter()
        self._told: float | None = None
        self._lock = threading.Lock()

    def note(self, reason: str) -> None:
        """Count one refusal; `reason` is one of a few."""
        with self._lock:
            self._counts[reason] += 1
        self.tell()

    def tell(self, *, at_once: bool = False) -> None:
        """Log what was counted since the last line, unless that was less than a minute ago."""
        with self._lock:
            now = self._clock()
            if not self._counts or not (at_once or self._told is None or now - self._told >= EVERY):
                return
            text = "; ".join(f"{count} x {reason}" for reason, count in self._counts.most_common())
            self._counts.clear()
            self._told = now
        log.warning("%s refused: %s", self._what, text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the warnings of the HTTP server in place of its lines, which anybody may cause without end."""
        if record.levelno < logging.WARNING:
            return True
        self.note(str(record.msg).strip().split("\n")[0][:80])
        return False


@contextmanager
def counted(refusals: Refusals, *loggers: str) -> Iterator[None]:
    """Let these loggers count within the block, and tell at its end what was not told yet."""
    known = [logging.getLogger(name) for name in loggers]
    for logger in known:
        logger.addFilter(refusals)
    try:
        yield
    finally:
        for logger in known:
            logger.removeFilter(refusals)
        refusals.tell(at_once=True)
