"""The connections of the receiver: not too many, and none that lets us wait for long.

Where there is no room, whoever has let us wait longest goes first: a delivery of GitHub's is sent in one go.  Where
nobody is slow, many have come at once, and there is room for as many again.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from gh_backfill.web.limits import DoorLimits
from gh_backfill.web.refusals import Refusals


class Guarded(H11Protocol):
    """HTTP/1.1 with one request a connection, which must have begun within the time limit."""

    def __init__(self, *arguments: Any, limits: DoorLimits, most: int, refusals: Refusals, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._limits = limits
        self._most = most
        self._refusals = refusals
        self._since = self.loop.time()
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, in the place of the slowest one where there is no room."""
        super().connection_made(transport)
        self._too_late = self.loop.call_later(self._limits.head_seconds, self._give_up, "a request that never came")
        if len(self.connections) > min(self._limits.connections, self._most):
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Read on; once a request has begun, its reader keeps the time."""
        super().data_received(data)
        if self._request is not None and self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its timer."""
        if self._too_late is not None:
            self._too_late.cancel()
        super().connection_lost(exc)

    @property
    def waits(self) -> bool:
        """Say whether the other side is still to send something."""
        return self._request is None or self._request.more_body

    @property
    def new(self) -> bool:
        """Say whether the connection has just come: of many that come at once none has been read yet."""
        return self.loop.time() - self._since < self._limits.grace_seconds

    def patience(self) -> tuple[bool, bool, float]:
        """Order connections by whether they have just come, then by whether a request has begun, then by age."""
        return self.new, self._request is not None, self._since

    def drop(self, reason: str) -> None:
        """Cut the connection at once, whatever it is in the middle of."""
        self._refusals.note(reason)
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        """Cut the slowest connection; where none is slow, only beyond what this process can hold at all."""
        others = (cast("Guarded", each) for each in self.connections if each is not self)
        victim = min((each for each in others if each.waits), key=Guarded.patience, default=self)
        if not victim.new or len(self.connections) > self._most:
            victim.drop("a connection more than can be served")

    def _give_up(self, reason: str) -> None:
        if self._request is None and not self.transport.is_closing():
            self.drop(reason)

    @property
    def _request(self) -> RequestResponseCycle | None:
        """Return the request that has begun; uvicorn declares that there always is one."""
        return cast("RequestResponseCycle | None", self.cycle)


def protocol(limits: DoorLimits, most: int, refusals: Refusals) -> type[asyncio.Protocol]:
    """Return what uvicorn makes a protocol of each connection with, at `most` so many; uvicorn only calls it."""
    made: object = partial(Guarded, limits=limits, most=most, refusals=refusals)
    return cast("type[asyncio.Protocol]", made)
