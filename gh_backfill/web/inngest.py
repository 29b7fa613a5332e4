"""The functions that Inngest calls, served by its library: what they are called, and what Inngest is told to keep to.

Its server keeps runs apart; that nothing is lost or doubled is seen to by the claims in our database, whatever it does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import inngest
from fastapi import FastAPI
from inngest.fast_api import serve
from pydantic import BaseModel, ValidationError

from gh_backfill import unexpected
from gh_backfill.clients import inngest as events
from gh_backfill.errors import BackfillError
from gh_backfill.models.inngest_events import (
    AggressiveRequest,
    Cancelled,
    GoOn,
    InitialBackfill,
    PullRequestSync,
    RepositorySync,
)
from gh_backfill.policy.ledger import PASSING, ErrorType, error_type
from gh_backfill.policy.redaction import redacted
from gh_backfill.tasks.aggressive.inngest_steps import Advanced, AggressiveSteps
from gh_backfill.tasks.inngest_progress import MOST_STEPS, ChunkDone, RunPlan, RunProgress
from gh_backfill.tasks.inngest_steps import InngestSteps, Wanted
from gh_backfill.web.context import abandoned

log = logging.getLogger(__name__)

PATH = "/api/inngest"
# So many steps are at work at the same time, each with two connections to the database; others wait for their turn.
AT_ONCE = 8
RETRIES = 4
AGGRESSIVE = "backfill-repository-aggressive"
# What may pass is tried again after so long.
AGAIN = timedelta(seconds=30)
# The event that a long run ends with is sent on after so long: until its run is over, Inngest would skip another one.
AFTERWARDS = timedelta(minutes=1)
_PASSING = PASSING | {ErrorType.DATABASE}

Done = TypeVar("Done")
Event = TypeVar("Event", bound=BaseModel)


class NotAgain(inngest.NonRetriableError):
    """What the same step would end in again, in one line; Inngest shows it."""

    include_stack = False


class Again(inngest.RetryAfterError):
    """What may pass, in one line."""

    include_stack = False


def attaching(
    client: inngest.Inngest, steps: InngestSteps, *, most_steps: int = MOST_STEPS
) -> Callable[[FastAPI], None]:
    """Return what serves the functions at `/api/inngest` of an application; a run has so many steps at most."""
    settings = steps.settings
    return partial(
        serve,
        client=client,
        functions=functions(client, steps, at_once=settings.inngest_concurrency, most_steps=most_steps),
        enable_unauthed_sync=False,
        serve_path=PATH,
        serve_origin=settings.inngest_serve_origin,
    )


def functions(
    client: inngest.Inngest, steps: InngestSteps, *, at_once: int, most_steps: int = MOST_STEPS
) -> list[inngest.Function[Any]]:
    """Return the functions; of one owner's repositories so many are worked at in the same moment."""
    runs = _Runs(client, steps, most_steps)
    wanted: list[tuple[type[Wanted], str, str]] = [
        (InitialBackfill, "backfill-repository-initial", "Backfill a Repository's Newest Pull Requests"),
        (PullRequestSync, "capture-repository-sync-graphql", "Sync Recent Repository PRs (GraphQL)"),
        (RepositorySync, "github-repository-sync", "Sync a Repository"),
    ]
    made: list[inngest.Function[Any]] = [
        client.create_function(
            fn_id=local_id,
            name=name,
            trigger=inngest.TriggerEvent(event=schema.EVENT),
            concurrency=[inngest.Concurrency(key="event.data.owner", limit=at_once)],
            cancel=[inngest.Cancel(event=Cancelled.EVENT, if_exp="event.data.repositoryId == async.data.repositoryId")],
            idempotency="event.data.requestId",
            singleton=inngest.Singleton(key="event.data.repositoryId", mode="skip"),
            retries=RETRIES,
        )(partial(runs.run, schema))
        for schema, local_id, name in wanted
    ]
    made.append(
        client.create_function(
            fn_id=AGGRESSIVE,
            name="Backfill Everything of a Repository",
            trigger=inngest.TriggerEvent(event=AggressiveRequest.EVENT),
            concurrency=[inngest.Concurrency(key="event.data.owner", limit=at_once)],
            cancel=[inngest.Cancel(event=Cancelled.EVENT, if_exp="event.data.repositoryId == async.data.repositoryId")],
            idempotency="event.data.requestId",
            singleton=inngest.Singleton(key="event.data.repositoryId", mode="skip"),
            retries=RETRIES,
        )(runs.aggressive)
    )
    ids = [f"{events.APP}-{local_id}" for local_id in (*(each for _, each, _ in wanted), AGGRESSIVE)]
    made.append(
        client.create_function(
            fn_id="go-on-with-a-long-run",
            name="Go On with a Long Run",
            trigger=inngest.TriggerEvent(event=GoOn.EVENT),
            retries=RETRIES,
        )(runs.go_on)
    )
    made.append(
        client.create_function(
            fn_id="note-a-cancelled-run",
            name="Note a Cancelled Run",
            trigger=[
                inngest.TriggerEvent(
                    event="inngest/function.cancelled", expression=f"event.data.function_id == '{each}'"
                )
                for each in ids
            ],
            retries=RETRIES,
        )(runs.note_cancelled)
    )
    return made


class _Runs:
    """The bodies of the functions.  Inngest calls each anew for every step, with what its earlier steps returned."""

    def __init__(self, client: inngest.Inngest, steps: InngestSteps, most_steps: int) -> None:
        self._most_steps = most_steps
        self._client = client
        self._steps = steps
        self._aggressive = AggressiveSteps(steps=steps)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(self, schema: type[Wanted], ctx: inngest.Context) -> dict[str, object]:
        """Do what an event asks for, a chunk a step."""
        event, run_id, step = _read(schema, ctx.event.data), ctx.run_id, ctx.step
        plan = await step.run(
            "get-repository", self._beside(lambda: self._steps.begin(event, run_id)), output_type=RunPlan
        )
        progress, last = RunProgress(left=plan.kinds, most_steps=self._most_steps), False
        while progress.left and not last:
            last = progress.last
            fetch = partial(self._steps.fetch, event, run_id, progress)
            at = progress.fetched
            done = await step.run(f"fetch-chunk-{at}", self._beside(fetch), output_type=ChunkDone)
            progress = progress.after(done)
            if done.resume_at is not None and not last:
                await step.sleep_until(f"wait-after-chunk-{at}", done.resume_at)
        if progress.left:
            again = GoOn(event=schema.EVENT, data=_continued(event, run_id))
            await step.run("go-on", self._beside(lambda: events.send(self._client, [again])))
        return {**progress.sums.model_dump(), "note": plan.note, "goes_on": bool(progress.left)}

    async def aggressive(self, ctx: inngest.Context) -> dict[str, object]:
        """Do all that an aggressive backfill is, for a minute a step."""
        event, run_id, step = _read(AggressiveRequest, ctx.event.data), ctx.run_id, ctx.step
        done = await step.run("ask", self._beside(partial(self._aggressive.begin, event)), output_type=Advanced)
        advance = partial(self._aggressive.advance, event, run_id, own := done.backfill_id)
        taken, number = 1, 0
        while not done.over and taken + 3 < self._most_steps:
            done = await step.run(f"advance-{number}", self._beside(advance), output_type=Advanced)
            if done.resume_at is not None:
                await step.sleep_until(f"wait-after-{number}", done.resume_at)
            taken, number = taken + 2, number + 1
        if not done.over:
            again = GoOn(event=AggressiveRequest.EVENT, data={**_continued(event, run_id), "backfillId": own})
            await step.run("go-on", self._beside(lambda: events.send(self._client, [again])))
        return {**done.model_dump(mode="json"), "goes_on": not done.over}

    async def go_on(self, ctx: inngest.Context) -> None:
        """Send an event again for a run that has had all its steps, once that is over."""
        wanted = _read(GoOn, ctx.event.data)
        if wanted.event not in _SCHEMAS:
            raise NotAgain(f"the event {wanted.event} is none that goes on")
        event = _read(_SCHEMAS[wanted.event], wanted.data)
        await ctx.step.sleep("until-the-run-is-over", AFTERWARDS)
        await ctx.step.run("send", self._beside(lambda: events.send(self._client, [event])))

    async def note_cancelled(self, ctx: inngest.Context) -> None:
        """End the job of a run that was cancelled."""
        run_id = ctx.event.data.get("run_id")
        if isinstance(run_id, str):
            await ctx.step.run("note", self._beside(lambda: self._cancelled(run_id)))

    def _cancelled(self, run_id: str) -> None:
        self._steps.cancelled(run_id)
        self._aggressive.cancelled(run_id)

    def _beside(self, work: Callable[[], Done]) -> Callable[[], Any]:
        """Return a step that works in a thread of its own, which keeps no process alive, when it is its turn."""

        async def turn() -> Done:
            async with self._turns:
                try:
                    return await abandoned(work)
                except KeyboardInterrupt:
                    raise Again("this server is about to end", AGAIN) from None
                except Exception as error:  # noqa: BLE001  (Inngest is told of each in a line)
                    raise _told(error) from None

        return turn


_SCHEMAS: dict[str, type[Wanted | AggressiveRequest]] = {
    each.EVENT: each for each in (InitialBackfill, AggressiveRequest, PullRequestSync, RepositorySync)
}


def _continued(event: Wanted | AggressiveRequest, run_id: str) -> dict[str, str | int | bool | None]:
    """Return the data of the event that goes on: a wish of its own, and the same one however often it is sent."""
    given: dict[str, str | int | bool | None] = event.model_dump(mode="json", by_alias=True)
    return {**given, "requestId": f"after-{run_id}", "jobId": None}


def _read(schema: type[Event], data: object) -> Event:
    """Read an event; raises NotAgain that names what is wrong, and repeats nothing of it."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc'])) or 'data'}: {each['msg']}" for each in error.errors()]
        name = getattr(schema, "EVENT", schema.__name__)
        raise NotAgain(f"the event {name} is malformed: {'; '.join(wrong)}") from None


def _told(error: Exception) -> Exception:
    """Return an error as Inngest is told of it: one line, and whether the step is to be tried again."""
    if not isinstance(error, BackfillError):
        log.error("inngest: %s", unexpected.told(error))
        return Again(f"a fault of gh_backfill, its log says more: {type(error).__name__}", AGAIN)
    said = " ".join(redacted(str(error)).split())
    log.warning("inngest: %s", error)
    return Again(said, AGAIN) if error_type(error) in _PASSING else NotAgain(said)
