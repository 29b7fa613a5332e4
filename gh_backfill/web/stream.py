"""The stream of what changed: server-sent events that a page resumes where it was."""

from __future__ import annotations

from collections.abc import AsyncIterator

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from gh_backfill.web.answers import Refused
from gh_backfill.web.live import Hub
from gh_backfill.web.signing_in import context_of, reader_of

MOST_TOPICS = 50
# A browser that lost the stream asks again after so many milliseconds.
RETRY = 2000


async def stream(request: Request) -> Response:
    """Send the revisions of some topics, from the last one that the page has seen.

    A browser that reconnects says so by Last-Event-ID; a page that opens the stream, by `after`.
    """
    await reader_of(request)
    hub = context_of(request).hub
    topics = frozenset(" ".join(request.query_params.getlist("topics")).split())
    if not topics or len(topics) > MOST_TOPICS:
        raise Refused(400, f"name the topics, at most {MOST_TOPICS}: /live?topics=monitor")
    if hub.full:
        raise Refused(503, "too many pages listen already: this one asks every few seconds", {"Retry-After": "30"})
    await hub.refresh()
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return EventSourceResponse(_events(hub, topics, after), ping=0, send_timeout=10)


async def _events(hub: Hub, topics: frozenset[str], after: str) -> AsyncIterator[ServerSentEvent]:
    first = True
    async for news in hub.listen(topics, after):
        yield ServerSentEvent(news.text, id=news.revision, retry=RETRY if first else None)
        first = False
