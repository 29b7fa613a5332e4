"""Captures side by side on this machine: so many at once, each a process of its own, until there is none to take."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gh_backfill.engine import interrupts
from gh_backfill.errors import StoreError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import children
from gh_backfill.tasks.children import Child, Startable
from gh_backfill.tasks.report.closing import close_run
from gh_backfill.tasks.scene import LOOK_EVERY

# What to capture next, while these are at work: a repository, and its part or None.  None: nothing now.
Take = Callable[[Sequence[Child]], "tuple[Startable, int | None] | None"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lanes:
    """Where captures run: of which run, with which log, how many at once, and what is shown meanwhile."""

    settings: Settings
    log: Path
    workers: int
    look: Callable[[Sequence[Child]], None]
    say: Callable[[str], None]


def side_by_side(db: Database, lanes: Lanes, take: Take, *, more: Callable[[], bool] = lambda: False) -> None:
    """Keep the lanes busy until nothing runs, `take` has nothing, and no `more` is to come.

    Whatever interrupts us ends the captures in good order.
    """
    started: list[Child] = []
    environment = children.environment_of(lanes.settings)
    untaken = True
    try:
        while True:
            running = [child for child in started if child.running]
            while len(running) < lanes.workers and (taken := take(running)) is not None:
                running.append(children.start(*taken, environment, lanes.log))
                started.append(running[-1])
            if not running and not more():
                break
            lanes.look(running)
            time.sleep(LOOK_EVERY)
        untaken = False
        lanes.look(())
    finally:
        children.stop(started, lanes.say)
        if untaken or any(child.process.returncode for child in started):
            close(db, lanes.settings)


def close(db: Database, settings: Settings) -> None:
    """Give the jobs that were stopped before they could say so, or never began, their final word."""
    with interrupts.shielded(), suppress(StoreError):  # else a later run does it
        close_run(db, settings.run_key or "", None, run=None, labels=())
