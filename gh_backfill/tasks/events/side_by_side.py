"""Several threads that fetch, and what they tell as it comes."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from gh_backfill.tasks.events.wish import EventsFound

LOOK_EVERY = 0.2

EventsTold = queue.SimpleQueue[EventsFound | BaseException]


def side_by_side(
    work: Callable[[], None], many: int, *, told: EventsTold, over: threading.Event, name: str
) -> Iterator[EventsFound]:
    """Do the work in so many threads and yield what they put into `told`; raises an error that is put there.

    However that ends, `over` is set and each thread has ended.
    """
    threads = [threading.Thread(target=work, name=f"{name}-{number}", daemon=True) for number in range(max(1, many))]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) or not told.empty():
            try:
                each = told.get(timeout=LOOK_EVERY)
            except queue.Empty:
                continue
            if isinstance(each, BaseException):
                raise each
            yield each
    finally:
        over.set()
        for thread in threads:
            thread.join()
