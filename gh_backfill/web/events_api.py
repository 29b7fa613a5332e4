"""The API of event backfills, as applications call it: one begins, is looked at, and is cancelled."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import names
from gh_backfill.store import asked_events
from gh_backfill.store.db import Database
from gh_backfill.tasks.events import asked
from gh_backfill.tasks.events.wish import DAYS, MOST_DAYS
from gh_backfill.web.access import Role, Viewer
from gh_backfill.web.answers import Refused
from gh_backfill.web.api import BEARER, WHY, as_ask, changer, expire
from gh_backfill.web.api_models import Name
from gh_backfill.web.pages.adding import actor_of
from gh_backfill.web.signing_in import context_of, reader_of

router = APIRouter(prefix="/api/backfill", tags=["events"], responses=WHY, dependencies=[Depends(BEARER)])


class EventsAskedFor(BaseModel):
    """A repository whose events are wanted, and of how many days."""

    model_config = ConfigDict(extra="forbid")

    repository: Name = Field(description="owner/name.", examples=["octocat/hello-world"])
    days: int = Field(default=DAYS, strict=True, ge=1, le=MOST_DAYS, description="So many days back from now.")


class EventsJobStatus(BaseModel):
    """How the backfill of a repository's events stands."""

    job_id: str
    repository: str
    repository_id: str
    status: Literal["never", "pending", "waiting", "processing", "completed", "failed", "cancelled"]
    days: int | None
    at: datetime | None
    resume_at: datetime | None
    error: str | None
    last_backfill_date: datetime | None


@router.post("/trigger", status_code=202)
async def trigger(
    wanted: EventsAskedFor, request: Request, viewer: Annotated[Viewer, Depends(changer(Role.EDITOR))]
) -> EventsJobStatus:
    """Ask for the events of a repository; one that waits or runs already goes on, and is told of."""
    context = context_of(request)
    if names.key(wanted.repository) is None:
        raise Refused(400, "Repository not found: give owner/name, such as octocat/hello-world")

    def work(db: Database) -> EventsJobStatus:
        ask = as_ask(request, db, viewer)
        try:
            found = asked.asked_for(db, wanted.repository, days=wanted.days, who=actor_of(ask).who, now=ask.now)
        except ConfigurationError:
            raise Refused(404, f"Repository not found: {wanted.repository[:100]} is not here, add it first") from None
        return _of_job(db, found.job_id or "", ask.now)

    try:
        done = await context.act(work)
    finally:
        expire(request)
    if context.events is not None:
        context.events.wake()
    return done


@router.get("/status/{job_id}")
async def status(job_id: str, request: Request, _viewer: Annotated[Viewer, Depends(reader_of)]) -> EventsJobStatus:
    """Return how a backfill of events stands, or the one that goes on with it."""
    context = context_of(request)
    return await context.read(lambda db: _of_job(db, job_id, context.clock()))


@router.post("/cancel/{job_id}")
async def cancel(
    job_id: str, request: Request, viewer: Annotated[Viewer, Depends(changer(Role.EDITOR))]
) -> EventsJobStatus:
    """Cancel a backfill of events that is not over; what was read stays."""
    context = context_of(request)

    def work(db: Database) -> EventsJobStatus:
        ask = as_ask(request, db, viewer)
        standing = _of_job(db, job_id, ask.now)
        asked.cancel_job(db, standing.job_id, who=actor_of(ask).who)
        return _of_job(db, job_id, ask.now)

    try:
        return await context.act(work)
    finally:
        expire(request)


def _of_job(db: Database, job_id: str, now: datetime) -> EventsJobStatus:
    found = None
    if asked.is_id(job_id):
        with db.reading() as tx:
            found = asked_events.job(tx, job_id, now)
    if found is None or found[1].job_id is None:
        raise Refused(404, f"there is no job {job_id[:40]}")
    name, standing = found
    return EventsJobStatus(
        job_id=standing.job_id or "",
        repository=name,
        repository_id=standing.repository_id,
        status=standing.status.value,
        days=standing.days,
        at=standing.at,
        resume_at=standing.until,
        error=standing.error,
        last_backfill_date=standing.last_at,
    )
