"""Do one thing beside another: the next query travels while the last chunk is committed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

Done = TypeVar("Done")


class Begin(Protocol):
    """Begins an action; the result, or the error, is the future's."""

    def __call__(self, action: Callable[[], Done], /) -> Future[Done]:
        """Begin it."""


def in_thread(action: Callable[[], Done], /) -> Future[Done]:
    """Begin an action in a thread that never keeps the process alive: a signal ends it with everything else."""
    future: Future[Done] = Future()
    threading.Thread(target=_run, args=(action, future), name="next query", daemon=True).start()
    return future


def at_once(action: Callable[[], Done], /) -> Future[Done]:
    """Do the action before going on: where the order of things must be the same every time."""
    future: Future[Done] = Future()
    _run(action, future)
    return future


def _run(action: Callable[[], Done], future: Future[Done]) -> None:
    try:
        future.set_result(action())
    except BaseException as error:  # noqa: BLE001  (whoever asks for the result gets it)
        future.set_exception(error)
