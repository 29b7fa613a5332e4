"""The bodies in flight: one budget of bytes for all of them, and a time limit for each."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.types import Message, Receive, Send


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


class Incoming:
    """What a request still sends; asking for more than that would wait for the connection to end."""

    def __init__(self, receive: Receive) -> None:
        self.ended = False
        self._receive = receive

    async def __call__(self) -> Message:
        """Return the next part."""
        message = await self._receive()
        self.ended = not message.get("more_body", False)
        return message


def lingering(send: Send, incoming: Incoming, seconds: float, *, status: int | None = None) -> Send:
    """Return a `send` that reads on for a moment before it ends an answer, and throws away what comes.

    Whoever is refused may still be sending: if we hung up at once, the answer would be lost on the way.  With a
    `status` only an answer that has it waits.
    """
    waits = status is None

    async def ending(message: Message) -> None:
        nonlocal waits
        if message["type"] == "http.response.start":
            waits = status in (None, message["status"])
        if message["type"] != "http.response.body" or message.get("more_body", False) or not waits:
            await send(message)
            return
        await send({**message, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not incoming.ended:
                    await incoming()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return ending
