"""The API: backfills begin, are looked at, cancelled and tried again, by programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from fastapi.security import HTTPBearer
from starlette.datastructures import QueryParams

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.initial import NEWEST, Wish
from gh_backfill.policy.schedule import Priority
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks.initial import batches
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.operate import Operated
from gh_backfill.web.access import Role, Viewer
from gh_backfill.web.answers import Refused
from gh_backfill.web.api_models import BackfillsWanted, BatchStatus, Chosen, ErrorSentence, OperatedOn
from gh_backfill.web.context import Context
from gh_backfill.web.page import Ask
from gh_backfill.web.pages import adding
from gh_backfill.web.pages.progress import batch_json, card_of
from gh_backfill.web.pages.wishes import states
from gh_backfill.web.rendering import Renderings
from gh_backfill.web.signing_in import context_of, may_change, reader_of, refuse_strangers, viewer_of

MOST_BATCHES = 20
WHY: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorSentence, "description": words}
    for status, words in {
        400: "What was sent can't be obeyed.",
        401: "No token, or a wrong one.",
        403: "This token may not do that.",
        404: "There is no such batch.",
        413: "Too much was sent.",
        422: "What was sent has another shape.",
        429: "Too many wrong tokens.",
        502: "GitHub did not answer as it should.",
        503: "The database did not answer in time.",
    }.items()
}
# Only for the description: who asks is found out by `viewer_of`.
BEARER = HTTPBearer(auto_error=False, description="GH_BACKFILL_WEB_TOKEN, or the one that serve printed.")
router = APIRouter(prefix="/api/backfills", tags=["backfills"], responses=WHY, dependencies=[Depends(BEARER)])


class Operation(Protocol):
    """What is done to repositories of a batch."""

    def __call__(
        self, db: Database, batch_id: str, repository_ids: Sequence[str] | None, *, actor: Actor, now: datetime
    ) -> list[Operated]:
        """Do it, and say what became of each."""


def changer(needs: Role) -> Callable[[Request], Awaitable[Viewer]]:
    """Return what lets only those through who may change so much.  Raises Refused."""

    async def allowed(request: Request) -> Viewer:
        viewer, access = await viewer_of(request), context_of(request).access
        may_change(access, viewer, needs)
        refuse_strangers(request)
        if viewer.signed_in and not access.is_csrf(viewer, request.headers.get("x-csrf-token", "")):
            raise Refused(403, "send Authorization: Bearer with the token, or X-CSRF-Token with that of a form")
        return viewer

    return allowed


@router.post("", status_code=201)
async def begin(
    wanted: BackfillsWanted, request: Request, viewer: Annotated[Viewer, Depends(changer(Role.ADMIN))]
) -> BatchStatus:
    """Add repositories, and begin the initial backfill of each."""
    context, wish = context_of(request), _wish(wanted)

    def work(db: Database) -> Batch:
        return adding.begin(as_ask(request, db, viewer), wanted.repositories, wish, backfill=wanted.backfill)

    try:
        return _shown(await context.ask(work))
    finally:
        expire(request)


@router.get("")
async def recent(request: Request, _viewer: Annotated[Viewer, Depends(reader_of)]) -> list[BatchStatus]:
    """Return the last batches, the newest first."""
    context = context_of(request)
    now = context.clock()
    return [_shown(each) for each in await context.read(lambda db: batches.recent(db, MOST_BATCHES, now))]


@router.get("/{batch_id}")
async def status(batch_id: str, request: Request, _viewer: Annotated[Viewer, Depends(reader_of)]) -> BatchStatus:
    """Return how far a batch is."""
    return _shown(await _found(context_of(request), batch_id))


@router.post("/{batch_id}/cancel")
async def cancel(
    batch_id: str,
    request: Request,
    viewer: Annotated[Viewer, Depends(changer(Role.ADMIN))],
    chosen: Chosen | None = None,
) -> list[OperatedOn]:
    """Cancel what is not over of a batch, or some repositories of it; what is stored stays."""
    return await _operated(request, viewer, batch_id, chosen, batches.cancel)


@router.post("/{batch_id}/retry")
async def retry(
    batch_id: str,
    request: Request,
    viewer: Annotated[Viewer, Depends(changer(Role.EDITOR))],
    chosen: Chosen | None = None,
) -> list[OperatedOn]:
    """Let what failed of a batch go on where it was, or some repositories of it that failed or were cancelled."""
    done = await _operated(request, viewer, batch_id, chosen, batches.retry)
    await context_of(request).act(lambda db: adding.wake(as_ask(request, db, viewer)))
    return done


async def _operated(
    request: Request, viewer: Viewer, batch_id: str, chosen: Chosen | None, act: Operation
) -> list[OperatedOn]:
    context = context_of(request)
    await _found(context, batch_id)
    ids = None if chosen is None else chosen.repositories

    def work(db: Database) -> list[Operated]:
        ask = as_ask(request, db, viewer)
        return act(db, batch_id, ids, actor=adding.actor_of(ask), now=ask.now)

    try:
        done = await context.act(work)
    finally:
        expire(request)
    return [
        OperatedOn(repository_id=each.repository_id, changed=each.changed, failed=each.failed, result=each.result)
        for each in done
    ]


def expire(request: Request) -> None:
    """Let every page be made anew: something was changed here."""
    context_of(request).hub.expire()
    kept: Renderings = request.app.state.kept
    kept.expire()


async def _found(context: Context, batch_id: str) -> Batch:
    now = context.clock()
    batch = await context.read(lambda db: batches.find(db, batch_id, now))
    if batch is None:
        raise Refused(404, f"there is no batch {batch_id[:40]}")
    return batch


def _wish(wanted: BackfillsWanted) -> Wish:
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise ConfigurationError(f"since {wanted.since} is not before until {wanted.until}: nothing lies between them")
    given = [wanted.state] if isinstance(wanted.state, str) else wanted.state or []
    number = None if wanted.max_prs == "all" else wanted.max_prs
    return Wish(
        max_prs=NEWEST if wanted.smart else number,
        since=wanted.since,
        until=wanted.until,
        states=states(given),
        smart=wanted.smart,
        only_newest=wanted.only_newest,
        one_per_owner=wanted.one_per_owner,
        priority=None if wanted.priority is None else Priority(wanted.priority),
    )


def as_ask(request: Request, db: Database, viewer: Viewer) -> Ask:
    """Return a request of a program as what pages ask."""
    context = context_of(request)
    return Ask(db=db, path={}, query=QueryParams(), now=context.clock(), viewer=viewer, context=context)


def _shown(batch: Batch) -> BatchStatus:
    return BatchStatus.model_validate(batch_json(batch, card_of(batch)))
