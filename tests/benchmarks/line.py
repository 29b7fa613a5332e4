"""A line to a database that is far away: each round trip over it takes its time, and is counted.

A round trip begins where the client speaks after the server did, or first of all.  Nothing of the protocol is
understood but the client's goodbye, which waits for no answer.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from psycopg2.extensions import parse_dsn

_GOODBYE = b"X\0\0\0\4"
_AT_ONCE = 1 << 18


@dataclass(kw_only=True, slots=True)
class Trips:
    """What went over a line: how many connections were made, and what the client said on each round trip."""

    connections: int = 0
    said: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.said)


class Line:
    """A port of this machine that leads to a database; `seconds` is what each round trip takes."""

    def __init__(self, database_url: str, *, seconds: float = 0.0) -> None:
        self.trips = Trips()
        self._target = parse_dsn(database_url)
        self._seconds = seconds
        self._port = socket.create_server(("127.0.0.1", 0))
        self._open: list[tuple[_Connection, threading.Thread]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Return the address of the database by this line."""
        user = self._target.get("user", "postgres")
        address = f"127.0.0.1:{self._port.getsockname()[1]}"
        return f"postgresql://{user}@{address}/{self._target['dbname']}?{urlencode({'gssencmode': 'disable'})}"

    def forget(self) -> Trips:
        """Begin to count anew; returns what was counted."""
        counted, self.trips = self.trips, Trips()
        return counted

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)
        self._port.close()
        for connection, thread in self._open:
            connection.hang_up()
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._port.accept()
                server = self._connect()
            except OSError:
                return
            for end in (client, server):
                with suppress(OSError):  # a socket of this machine has no such option
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.trips.connections += 1
            connection = _Connection(self, client, server, self._seconds)
            thread = threading.Thread(target=connection.run, daemon=True)
            self._open.append((connection, thread))
            thread.start()

    def _connect(self) -> socket.socket:
        host, port = self._target.get("host", "127.0.0.1"), self._target.get("port", "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server


class _Connection:
    """Passes on what both ends say, in a thread for each direction."""

    def __init__(self, line: Line, client: socket.socket, server: socket.socket, seconds: float) -> None:
        self._line, self._client, self._server, self._seconds = line, client, server, seconds
        self._answered = True

    def run(self) -> None:
        """Pass on until either end hangs up."""
        answers = threading.Thread(target=self._until_hung_up, args=(self._answer,), daemon=True)
        answers.start()
        self._until_hung_up(self._ask)
        answers.join()
        for end in (self._client, self._server):
            end.close()

    def hang_up(self) -> None:
        """Cut both ends."""
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _until_hung_up(self, pump: Callable[[], None]) -> None:
        with suppress(OSError):
            pump()
        self.hang_up()

    def _ask(self) -> None:
        while said := self._client.recv(_AT_ONCE):
            if self._answered and said != _GOODBYE:
                self._answered = False
                self._line.trips.said.append(said)
                time.sleep(self._seconds)
            self._server.sendall(said)

    def _answer(self) -> None:
        while said := self._server.recv(_AT_ONCE):
            self._answered = True
            self._client.sendall(said)
