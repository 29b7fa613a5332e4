"""Pages as text, kept as long as nothing of theirs has changed: many viewers cost one rendering."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from gh_backfill.policy.json_text import json_text
from gh_backfill.web.live import Hub
from gh_backfill.web.page import WebPage
from gh_backfill.web.templating import Shell, render

MOST_KEPT = 128
# What depends on the clock alone, such as a claim that runs out, is shown after so many seconds at the latest.
KEPT_SECONDS = 10.0
# Stands for the token of a session's forms, which is put in when a page is sent.
CSRF = f"csrf-{secrets.token_hex(16)}"
# Stands for the line that says what a form has just done.
SAID = f"said-{secrets.token_hex(16)}"
_SECTION = re.compile(r"<(/?)section\b[^>]*>")

Key = tuple[str, bool, bool, bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """A page as text; `json` is None where it has no twin."""

    html: str
    json: str | None
    status: int
    topics: tuple[str, ...]
    revision: int
    at: float


class Renderings:
    """The pages that were made last, each by its address and by what its viewer may do."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[Key, Rendered] = OrderedDict()
        self._turns: dict[Key, asyncio.Lock] = {}

    async def get(self, key: Key, hub: Hub, make: Callable[[], Awaitable[tuple[WebPage, Shell]]]) -> Rendered:
        """Return a page; of those who ask for it at the same time one makes it.  Raises what `make` raises."""
        turn = self._turns.setdefault(key, asyncio.Lock())
        try:
            async with turn:
                known = self._kept.get(key)
                if known is not None and self._holds(known, hub):
                    return known
                begun = hub.latest
                page, shell = await make()
                # A long page takes a while: in a thread of its own, so that streams and other pages go on meanwhile.
                made = await run_in_threadpool(self._rendered, page, shell, begun)
                if page.status == 200:
                    self._keep(key, made)
                return made
        finally:
            if not turn.locked():
                self._turns.pop(key, None)

    def expire(self) -> None:
        """Forget all: something was changed here."""
        self._kept.clear()

    def _holds(self, known: Rendered, hub: Hub) -> bool:
        return self._clock() - known.at < KEPT_SECONDS and hub.of(known.topics) <= known.revision

    def _rendered(self, page: WebPage, shell: Shell, revision: int) -> Rendered:
        return Rendered(
            html=render(page.template, shell, page.data),
            json=None if page.json is None else json_text(page.json),
            status=page.status,
            topics=page.topics,
            revision=revision,
            at=self._clock(),
        )

    def _keep(self, key: Key, made: Rendered) -> None:
        self._kept[key] = made
        self._kept.move_to_end(key)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def regions(html: str, wanted: list[str]) -> str:
    """Return the sections of a page that have these ids, each whole; what is not there is left out."""
    return "\n".join(found for each in wanted if (found := _region(html, each)))


def _region(html: str, wanted: str) -> str | None:
    start = html.find(f'<section id="{wanted}"') if re.fullmatch(r"[\w-]{1,80}", wanted) else -1
    if start < 0:
        return None
    depth = 0
    for found in _SECTION.finditer(html, start):
        depth += -1 if found[1] else 1
        if depth == 0:
            return html[start : found.end()]
    return None
