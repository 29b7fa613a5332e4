"""The simulated GitHub on a port of this machine."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.messages import Delivery, Request, Response
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.stats import Stats
from gh_backfill.simulator.strikes import Faults
from gh_backfill.simulator.world import World


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """A running simulator: where it is, and what tests look at or turn."""

    url: str
    world: World
    stats: Stats
    ledger: Ledger
    faults: Faults

    @property
    def graphql_url(self) -> str:
        """The address of the GraphQL interface."""
        return f"{self.url}/graphql"


@contextmanager
def running(world: World, options: Options | None = None, *, port: int = 0) -> Iterator[Simulator]:
    """Serve a world on 127.0.0.1 until the block ends; port 0 takes a free one.

    `GITHUB_API_URL` is the simulator's `url`, `GITHUB_GRAPHQL_URL` its `graphql_url`.
    """
    server = _Server(("127.0.0.1", port), _Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    server.application = Application(world, options or Options(), origin=url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    application = server.application
    try:
        yield Simulator(
            url=url, world=world, stats=application.stats, ledger=application.ledger, faults=application.faults
        )
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def serve(data: list[Path], synthetic: list[str], port: int = 0, options: Options | None = None) -> None:
    """Load a world and serve it until interrupted; one line tells the address as soon as it listens."""
    world = load(data, synthetic)
    # Whoever reads the line may interrupt before we have gone on from writing it.
    with suppress(KeyboardInterrupt), running(world, options, port=port) as simulator:
        pulls = sum(len(shelf) for shelf in world.shelves.values())
        sys.stdout.write(f"The simulated GitHub listens at {simulator.url} with {pulls:,} pull requests.\n")
        sys.stdout.flush()
        threading.Event().wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    application: Application

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.stopping = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no event."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            method=self.command,
            path=parts.path.rstrip("/") or "/",
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        self._send(self.server.application.answer(request))

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815

    def _send(self, response: Response) -> None:
        if response.delivery is Delivery.RESET:
            # Lingering for no time at all makes closing a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if response.delivery is Delivery.STALLED:
            self._stall()
            return
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string(self.server.application.options.clock()))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.status != 304:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)
        self.wfile.flush()

    def _stall(self) -> None:
        """Say nothing until the client hangs up or the server stops."""
        self.close_connection = True
        self.connection.settimeout(0.05)
        while not self.server.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def log_message(self, *_: object) -> None:
        """Nothing is logged; `/_stats` tells."""
