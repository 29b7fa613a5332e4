"""A wire between a worker and PostgreSQL that shows every statement, and can be cut at any of them.

It speaks just enough of the simple query protocol, which is all that psycopg2 uses: a statement goes through, its whole
answer comes back, and in between somebody may look.  https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from urllib.parse import urlencode

from psycopg2.extensions import parse_dsn


class Moment(StrEnum):
    """When somebody looks at a statement: it has not reached the server yet, or its answer has not left it."""

    BEFORE = "before"
    AFTER = "after"


class Cut(Exception):
    """Raised by a listener: both ends of the connection are closed here and now."""


Listener = Callable[[str, Moment], None]


class Wire:
    """A port of this machine that leads to a database.  The listener runs in the thread of the connection."""

    def __init__(self, database_url: str, listener: Listener) -> None:
        self._target = parse_dsn(database_url)
        self._listener = listener
        self._port = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, application_name: str) -> str:
        """Return the address for the worker; the server knows it by this name."""
        user = self._target.get("user", "postgres")
        password = f":{self._target['password']}" if "password" in self._target else ""
        options = urlencode({"application_name": application_name, "sslmode": "disable", "gssencmode": "disable"})
        address = f"127.0.0.1:{self._port.getsockname()[1]}"
        return f"postgresql://{user}{password}@{address}/{self._target['dbname']}?{options}"

    def hang_up(self) -> None:
        """Cut the connections that are open; new ones may be made."""
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Cut everything, as the kernel does for a process that is gone."""
        with suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)
        self._port.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._port.accept()
                server = self._connect()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _connect(self) -> socket.socket:
        host, port = self._target.get("host", "127.0.0.1"), self._target.get("port", "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        with self._both(client, server), suppress(OSError, Cut):
            _relay_until_ready(client, server)
            while (message := _next_message(client, server)) is not None:
                self._pass_on(message, client, server)

    def _pass_on(self, message: bytes, client: socket.socket, server: socket.socket) -> None:
        statement = message[5:-1].decode(errors="replace") if message[:1] == b"Q" else ""
        if statement:
            self._listener(statement, Moment.BEFORE)
        server.sendall(message)
        if message[:1] == b"X":
            raise Cut
        answer, whole = _answer(server)
        if statement and whole:
            self._listener(statement, Moment.AFTER)
        client.sendall(answer)
        if not whole:
            raise Cut

    @contextmanager
    def _both(self, *ends: socket.socket) -> Iterator[None]:
        self._open.update(ends)
        try:
            yield
        finally:
            self._open.difference_update(ends)
            for each in ends:
                each.close()


def _relay_until_ready(client: socket.socket, server: socket.socket) -> None:
    """Let the two agree on who is who, until the server is ready for the first query."""
    size = _exactly(client, 4)
    server.sendall(_exactly(client, int.from_bytes(size, "big") - 4, before=size))
    while True:
        kind, message = _message(server)
        client.sendall(message)
        if kind == b"Z":
            return
        if kind == b"R" and int.from_bytes(message[5:9], "big") in (3, 5, 10, 11):  # it wants a word from the client
            server.sendall(_message(client)[1])


def _next_message(client: socket.socket, server: socket.socket) -> bytes | None:
    """Return what the client says next; None where either has hung up.  What the server says unasked is passed on."""
    while True:
        readable, _, _ = select.select((client, server), (), ())
        if client in readable:
            return _message(client)[1]
        said = server.recv(65_536)
        if not said:
            return None
        client.sendall(said)


def _answer(server: socket.socket) -> tuple[bytes, bool]:
    """Return all that belongs to an answer, and whether it came to its end."""
    messages: list[bytes] = []
    kind = b""
    while kind != b"Z":
        try:
            kind, message = _message(server)
        except OSError:
            return b"".join(messages), False
        messages.append(message)
    return b"".join(messages), True


def _message(end: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(end, 5)
    return head[:1], _exactly(end, int.from_bytes(head[1:], "big") - 4, before=head)


def _exactly(end: socket.socket, size: int, *, before: bytes = b"") -> bytes:
    parts = [before]
    while size:
        part = end.recv(min(size, 1 << 20))
        if not part:
            raise ConnectionResetError("hung up in the middle of a message")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
