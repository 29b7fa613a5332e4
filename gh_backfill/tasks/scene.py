"""The view of a run while it goes on: how far each repository is, and what it waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.engine.worker import POINTS_OF_A_CHUNK
from gh_backfill.errors import StoreError
from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.governor import Cause
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.store import chunks, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.repositories import Status
from gh_backfill.tasks.estimate import budget, estimates

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
# In seconds.  A shorter wait for server time comes and goes with every request and is not shown.
WORTH_TELLING = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One repository of a run: the points that it took in this run, and in a few words what it waits for."""

    state: Status
    running: bool
    points: int
    left: Estimate | None
    waits: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A run at a moment; `waits` says what all its captures wait for, and until when."""

    lanes: Sequence[Lane]
    running: int
    waits: str | None


class Look:
    """Looks at the repositories of a run again and again, and remembers where they stood at first."""

    def __init__(self, db: Database, planned: Sequence[str]) -> None:
        self._db = db
        self._planned = planned
        self._before: Mapping[str, int] | None = None

    def show(self, running: Collection[str], show: Callable[[Scene], None]) -> None:
        """Show how far the run is.

        Where the database is away there is nothing new to show: the captures have their own patience with it.
        """
        try:
            scene = self._scene(running)
        except StoreError as error:
            log.debug("the progress can't be shown now: %s", error)
            return
        show(scene)

    def _scene(self, running: Collection[str]) -> Scene:
        with self._db.reading() as tx:
            states = repositories.status(tx, self._planned)
            waits = {state.id: _waits(tx, state, running=state.id in running) for state in states}
        left = estimates(self._db, self._planned)
        if self._before is None:
            self._before = {state.id: state.points or 0 for state in states}
        lanes = [
            Lane(
                state=state,
                running=state.id in running,
                points=(state.points or 0) - self._before.get(state.id, 0),
                left=left.get(state.id),
                waits=waits[state.id],
            )
            for state in states
        ]
        return Scene(lanes=lanes, running=len(running), waits=self._all_wait() if running else None)

    def _all_wait(self) -> str | None:
        wait = governor.verdict(budget(self._db), POINTS_OF_A_CHUNK)
        if wait is None or (wait.cause is Cause.TIME and wait.seconds < WORTH_TELLING):
            return None
        return f"waiting until {_time(wait.until)}: {wait.reason}"


def _waits(tx: Transaction, state: Status, *, running: bool) -> str | None:
    """Say in a few words what a repository waits for; None where it is at work, or done."""
    if state.status == BackfillStatus.PAUSED:
        return f"paused until {_time(state.resume_at)}" if state.resume_at else "paused"
    if state.status != BackfillStatus.ACTIVE:
        return None if state.status is None else str(state.status)
    if not running:
        return "waits its turn"
    if state.chunk_status == "pending":
        retry_at = chunks.why_no_claim(tx, state.id).retry_at
        if retry_at is not None and retry_at > datetime.now(UTC):
            return f"tries again {_time(retry_at)}"
    return None


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"
