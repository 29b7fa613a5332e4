"""Stop in good order: the first signal ends the work in hand; the next one does not cut short giving back a claim.

Who stops us often does so twice: a terminal that closes tells its whole group and then its shell does, and a workflow's
runner sends one signal after another.  So only a person's second Ctrl-C, a moment later, means more than the first
signal: hurry.  A third one ends everything at once.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# In seconds.  Two signals that are closer than this count as one request to stop.
TOGETHER = 0.7


@dataclass(slots=True)
class _Stops:
    """What came so far, and how many blocks are shielded from it."""

    stopping: bool = False
    again: int = 0
    last: float = 0.0
    shields: int = 0
    deferred: bool = False


_stops = _Stops()


def listen() -> None:
    """Let the first signal to stop raise KeyboardInterrupt; what whoever started us ignores stays ignored."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, _take)


def hurried() -> bool:
    """Say whether a person asked a second time."""
    return _stops.again > 0


def heed() -> None:
    """Raise KeyboardInterrupt after a signal to stop whose own was lost: Python drops what a destructor raises."""
    if _stops.stopping and threading.current_thread() is threading.main_thread():
        raise KeyboardInterrupt


@contextmanager
def shielded() -> Iterator[None]:
    """Let no signal cut the block short; one that came meanwhile counts at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    _stops.shields += 1
    try:
        yield
    finally:
        _stops.shields -= 1
        if _stops.deferred and not _stops.shields:
            _stops.deferred = False
            raise KeyboardInterrupt


def stop_with(descriptor: int) -> None:
    """Stop this process in good order when the other end of this pipe is closed: whoever had it is gone."""

    def watch() -> None:
        with suppress(OSError):
            while os.read(descriptor, 64):
                pass
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    threading.Thread(target=watch, name="tether", daemon=True).start()


def _take(number: int, _frame: FrameType | None) -> None:
    now = time.monotonic()
    if _stops.stopping:
        if number != signal.SIGINT or now - _stops.last < TOGETHER:
            return
        _stops.again += 1
    first, _stops.stopping, _stops.last = not _stops.stopping, True, now
    if first and _stops.shields:
        _stops.deferred = True
    elif first or _stops.again > 1:
        raise KeyboardInterrupt
