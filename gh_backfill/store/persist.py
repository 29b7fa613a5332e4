"""Do something with the database until it is done: restarts, lost connections and deadlocks are survived."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from gh_backfill.errors import StoreConflict, StoreUnavailable

log = logging.getLogger(__name__)

# In seconds: together a minute and a half, enough for a database that restarts.
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 25.0, 30.0)
Done = TypeVar("Done")


def persistently(action: Callable[[], Done], sleep: Callable[[float], None]) -> Done:
    """Return what `action` returns, calling it again where the database collided or was away.

    The action must be one that may be done twice: after a lost COMMIT nobody knows whether it was.
    """
    for pause in PAUSES:
        try:
            return action()
        except (StoreConflict, StoreUnavailable) as error:
            log.warning("%s; trying again in %.1f s", error, pause)
            sleep(pause)
    return action()
