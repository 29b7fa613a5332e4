"""The steps of Inngest's function for aggressive backfills: each works for a minute, and the database has the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from gh_backfill.engine.outcome import Limits
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.models.inngest_events import AggressiveRequest
from gh_backfill.policy.aggressive.steps import wanted
from gh_backfill.policy.ledger import Processor
from gh_backfill.store import aggressive as store
from gh_backfill.store import repositories
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.aggressive import asking, opened
from gh_backfill.tasks.inngest_steps import LOOK_AGAIN, STEP, InngestSteps

# Where nothing else says when it goes on.
SOON = timedelta(seconds=2)


class Advanced(BaseModel):
    """How an aggressive backfill stands after a step: over or not, and until when the next one waits.

    `backfill_id` is the one that the run is about.
    """

    model_config = ConfigDict(frozen=True)

    status: str
    over: bool
    resume_at: datetime | None = None
    reason: str = ""
    points: int = 0
    backfill_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveSteps:
    """What the steps do; `steps` has the database, the way to GitHub, and the clock."""

    steps: InngestSteps

    def begin(self, event: AggressiveRequest) -> Advanced:
        """Write down what is wanted.  Raises ConfigurationError where the repository is not here."""
        wish = asking.AggressiveWish(
            steps=wanted(
                skip_embeddings=event.skip_embeddings,
                embeddings_only=event.embeddings_only,
                skip_workspace=event.skip_workspace,
            ),
            days=event.days,
        )
        with Database(self.steps.database_url) as db:
            with db.reading() as tx:
                found = repositories.find(tx, [event.repository_id])[event.repository_id]
            if found is not None and event.backfill_id is not None:
                return self._known(db, found.id, event.backfill_id)
            if found is None:
                raise ConfigurationError(
                    f"Repository not found: {event.repository_id} (gh-backfill aggressive owner/name brings one)"
                )
            asked = asking.asked_for(db, found.id, wish, who="an event of Inngest", now=self.steps.now())
        return Advanced(status=asked.backfill.status, over=False, backfill_id=asked.backfill.id)

    def _known(self, db: Database, repository_id: str, backfill_id: str) -> Advanced:
        """Return how the one stands that a run before began; another one by now is none of this run."""
        with db.reading() as tx:
            (found,) = store.standing(tx, [repository_id])
        over = found.over or found.id != backfill_id
        return Advanced(status=found.status, over=over, backfill_id=backfill_id, reason=found.reason or "")

    def advance(self, event: AggressiveRequest, run_id: str, backfill_id: str) -> Advanced:
        """Work on it for a while.  Raises what a person has to look at."""
        run = run_of(run_id)
        with self.steps.open() as (db, graphql):
            until = self.steps.now() + STEP
            ways = opened.AggressiveWays(
                settings=self.steps.settings,
                db=db,
                graphql=graphql,
                limits=Limits(deadline=until),
                wait=STEP,
                run=run,
                now=self.steps.now,
                sleep=self.steps.sleep,
            )
            with db.reading() as tx:
                (backfill,) = store.standing(tx, [event.repository_id])
            if backfill.over or backfill.id != backfill_id:
                return Advanced(
                    status=backfill.status,
                    over=True,
                    reason=backfill.reason or "",
                    points=backfill.points,
                    backfill_id=backfill_id,
                )
            done = opened.of_this(ways, backfill)
            found = done.backfill
            if done.failed:
                raise done.error or PartlyFailed(found.reason or "it failed")
            return Advanced(
                status=found.status,
                over=found.over,
                resume_at=None if found.over else self._resume_at(found.not_before, busy=done.busy),
                reason=found.reason or "",
                points=found.points,
                backfill_id=backfill_id,
            )

    def cancelled(self, run_id: str) -> None:
        """Cancel what a run of Inngest worked on."""
        with Database(self.steps.database_url) as db, db.transaction() as tx:
            store.cancel_run(tx, run_of(run_id).key)

    def _resume_at(self, not_before: datetime | None, *, busy: bool) -> datetime:
        now = self.steps.now()
        if busy:
            return now + LOOK_AGAIN
        return now + SOON if not_before is None else max(not_before, now + SOON)


def run_of(run_id: str) -> Run:
    """Return the run of the ledger that is one of Inngest's."""
    return Run(key=f"inngest-{run_id}", run_id=None, attempt=1, processor=Processor.INNGEST, in_steps=True)
