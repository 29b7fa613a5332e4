"""The bodies in flight: one budget of bytes for all of them, and a time limit for each."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.types import Receive


class Unfinished(Exception):
    """A body that did not come, or not in time, or for which there was no room; `status` is what it is answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(eq=False, slots=True)
class Body:
    """What has come of a body.  One that is complete keeps its room until it is stored."""

    data: bytearray = field(default_factory=bytearray)
    complete: bool = False
    given_up: bool = False


class Bodies:
    """All bodies that are held at the same time; where they are too much together, the largest gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[Body] = set()
        self._bytes = 0

    @contextmanager
    def one(self) -> Iterator[Body]:
        """Hold a body as long as the block runs."""
        body = Body()
        self._held.add(body)
        try:
            yield body
        finally:
            self._held.discard(body)
            self._bytes -= len(body.data)

    async def read(self, body: Body, receive: Receive, mac: hmac.HMAC, *, largest: int, seconds: float) -> None:
        """Read a body to its end, and compute its signature on the way.  Raises Unfinished."""
        try:
            async with asyncio.timeout(seconds):
                while not body.complete:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise Unfinished(400, "a delivery that was broken off")
                    part = message.get("body", b"")
                    mac.update(part)
                    self._add(body, part)
                    if body.given_up:
                        raise Unfinished(503, "more bytes than can be held at once")
                    if len(body.data) > largest:
                        raise Unfinished(413, "a body larger than GitHub's can be")
                    body.complete = not message.get("more_body", False)
        except TimeoutError:
            raise Unfinished(408, "a body that did not come in time") from None

    def _add(self, body: Body, part: bytes) -> None:
        body.data += part
        self._bytes += len(part)
        while self._bytes > self._most:
            largest = max((each for each in self._held if not each.complete), key=lambda each: len(each.data))
            self._bytes -= len(largest.data)
            largest.data = bytearray()
            largest.given_up = True
