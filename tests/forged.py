"""A server on loopback that answers whatever a test wants, and notes what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A request; names of headers are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Forged:
    """A running server: where it is, and what it was asked; `stopping` is set when the test is over."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def drip(self, first: bytes = b"") -> Iterator[bytes]:
        """Send some bytes, then one now and then without end."""
        yield first
        while not self.stopping.wait(0.05):
            yield b" "


Answer = Callable[[Forged, Seen], Iterable[bytes]]


def whole(body: object, status: str = "200 OK", **headers: str) -> list[bytes]:
    """Return a whole answer with a body of JSON, or of bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    # The server ends each connection. A client that is not told so may send its next request into the closed one.
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return ["\r\n".join([*lines, "", ""]).encode("latin-1"), content]


@contextmanager
def serving(answer: Answer) -> Iterator[Forged]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(method=self.command, path=self.path, headers=headers, body=self.rfile.read(length))
            forged.seen.append(seen)
            self.close_connection = True
            try:
                for part in answer(forged, seen):
                    self.wfile.write(part)
                    self.wfile.flush()
            except OSError:
                return

        do_GET = do_POST = do_PATCH = do_CONNECT = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    forged = Forged(url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield forged
    finally:
        forged.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
