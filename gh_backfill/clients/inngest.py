"""Events for Inngest, and the client that sends them and serves functions."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

import inngest

from gh_backfill import __version__
from gh_backfill.errors import InngestRefused, InngestUnreachable
from gh_backfill.models.inngest_events import LARGEST_EVENT, AnyEvent, RepositoryEvent

APP = "gh-backfill"
# Inngest takes so many bytes in a request, and an event is a few hundred.
AT_ONCE = 500
# What the library says is said by us, in our words; strangers could fill a log with the rest.
_QUIET = logging.getLogger("gh_backfill.inngest.library")
_QUIET.setLevel(logging.CRITICAL)


def client(
    *,
    event_key: str | None,
    signing_key: str | None,
    development: bool,
    api_url: str | None,
    event_api_url: str | None,
) -> inngest.Inngest:
    """Return the client of this application; an address of None is Inngest's own, or what its library reads."""
    return inngest.Inngest(
        app_id=APP,
        app_version=__version__,
        event_key=event_key,
        signing_key=signing_key,
        is_production=not development,
        api_base_url=api_url,
        event_api_base_url=event_api_url,
        logger=_QUIET,
        serializer=inngest.PydanticSerializer(),
    )


def send(by: inngest.Inngest, events: Sequence[AnyEvent]) -> None:
    """Send events, many in one request; one that is sent twice within a day counts once, by its request id.

    Raises InngestUnreachable and InngestRefused; then some may have been taken.
    """
    made = [_event(each) for each in events]
    for start in range(0, len(made), AT_ONCE):
        try:
            by.send_sync(made[start : start + AT_ONCE])
        except Exception as error:
            raise _told(error) from error


def _event(event: AnyEvent) -> inngest.Event:
    data = event.model_dump(mode="json", by_alias=True)
    request = event.request_id if isinstance(event, RepositoryEvent) else None
    made = inngest.Event(name=event.EVENT, data=data, id="" if request is None else f"{event.EVENT}/{request}")
    if len(json.dumps(data).encode()) > LARGEST_EVENT:
        raise InngestRefused(f"an event {event.EVENT} of more than {LARGEST_EVENT // 1024} kB is taken by nobody")
    return made


def _told(error: Exception) -> InngestUnreachable | InngestRefused:
    """Return an error of the library in one line: it does not tell causes apart but by its words."""
    said = " ".join(str(error).split()) or type(error).__name__
    if "never received response" in said:
        return InngestUnreachable("Inngest does not answer: is INNGEST_BASE_URL right, and its server up?")
    if isinstance(error, json.JSONDecodeError):
        return InngestUnreachable("what answers is not Inngest, or something before it: look at INNGEST_BASE_URL")
    if type(error).__name__ == "EventKeyUnspecifiedError":
        return InngestRefused("INNGEST_EVENT_KEY is missing: copy it from Inngest, Event keys")
    return InngestRefused(f"Inngest did not take the events: {said}")
