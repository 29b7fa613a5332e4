"""The client of Inngest that settings describe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from inngest import Inngest

from gh_backfill.clients import inngest
from gh_backfill.models.inngest_events import AnyEvent
from gh_backfill.settings import Settings


def sends(settings: Settings) -> Callable[[Sequence[AnyEvent]], None]:
    """Return what sends events."""
    return partial(inngest.send, client(settings))


def client(settings: Settings) -> Inngest:
    """Return the client, to send events and to serve functions."""
    event_key, signing_key = settings.inngest_event_key, settings.inngest_signing_key
    server = settings.inngest_server
    return inngest.client(
        event_key=event_key.get_secret_value() if event_key else None,
        signing_key=signing_key.get_secret_value() if signing_key else None,
        development=settings.inngest_in_development,
        api_url=settings.inngest_api_base_url or server,
        event_api_url=settings.inngest_event_api_base_url or server,
    )
