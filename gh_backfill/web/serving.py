"""The receiver as a process: its port, its worker, its first line and its end."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Awaitable, Callable

import uvicorn
from starlette.types import ASGIApp

from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import up_to_date
from gh_backfill.tasks.webhooks.stay_fresh import stay_fresh
from gh_backfill.web.doorkeeper import protocol
from gh_backfill.web.limits import BACKLOG, DoorLimits, connections
from gh_backfill.web.refusals import EVERY, Refusals, counted
from gh_backfill.web.webhooks import ADDRESS, Receiver

log = logging.getLogger(__name__)

SECRET = "WEBHOOK_SECRET"  # noqa: S105  (the name of the setting)


class Server(uvicorn.Server):
    """A server that says when it is ready, and counts what it refuses."""

    def __init__(self, receiver: Receiver, *, ready: threading.Event | None = None) -> None:
        limits = receiver.limits
        super().__init__(configured(receiver, limits, receiver.refusals, self._tell))
        self.ready = ready or threading.Event()
        self._receiver = receiver

    def serve_at(self, listening: socket.socket) -> None:
        """Serve until told to end; what is in hand then is finished."""
        try:
            with counted(self._receiver.refusals, "uvicorn.error", "asyncio"):
                self.run(sockets=[listening])
        finally:
            self._receiver.close()
            listening.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if sockets:
            log.info("webhooks: ready at %s; signatures are checked with %s", address(sockets[0]), SECRET)
        self.ready.set()

    async def _tell(self) -> None:
        self._receiver.refusals.tell()


def serve(settings: Settings, database_url: str, *, host: str, port: int) -> None:
    """Listen until interrupted; with a token, what moved is fetched within a minute.

    Raises ConfigurationError where the address can't be had, or the database can't be written.
    """
    assert settings.webhook_key is not None
    listening = bind(host, port)
    with Database(database_url) as db:
        up_to_date.prepare(db, settings)
    stopping = threading.Event()
    worker = threading.Thread(target=stay_fresh, args=(settings, database_url, stopping), name="fresh", daemon=True)
    worker.start()
    receiver = Receiver(settings.webhook_key.get_secret_value(), database_url)
    try:
        Server(receiver).serve_at(listening)
    except KeyboardInterrupt:  # the server has ended in good order, and hands the signal on
        log.info("webhooks: stopped; what was announced is kept")
    finally:
        stopping.set()
        worker.join(timeout=receiver.limits.stop_seconds)


def configured(
    application: ASGIApp, limits: DoorLimits, refusals: Refusals, tell: Callable[[], Awaitable[None]]
) -> uvicorn.Config:
    """Return how an application is served: within limits, and counting in place of logging what anybody may cause.

    What a request says about who stands before us is not believed; `tell` is called once a minute.
    """
    return uvicorn.Config(
        application,
        http=protocol(limits, connections(limits.most_connections), refusals),
        ws="none",
        loop="asyncio",
        lifespan="off",
        backlog=BACKLOG,
        h11_max_incomplete_event_size=limits.largest_head,
        timeout_graceful_shutdown=limits.stop_seconds,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        callback_notify=tell,
        timeout_notify=int(EVERY),
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that has the address, and does not listen yet; raises ConfigurationError where it can't."""
    try:
        family, kind, protocol_number, _, where = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError):
        raise ConfigurationError(f"--host {host}: there is no such address") from None
    bound = socket.socket(family, kind, protocol_number)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
    except OSError as error:
        bound.close()
        raise ConfigurationError(_why_not(error, host, port)) from None
    bound.setblocking(False)
    return bound


def address(listening: socket.socket) -> str:
    """Return where GitHub's webhooks are to be sent, as seen from this machine."""
    host, port, *_ = listening.getsockname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{ADDRESS}"


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} of {host} is taken by another program: choose another one with --port"
        case errno.EACCES:
            return f"port {port} needs more rights: choose one above 1023 with --port"
        case errno.EADDRNOTAVAIL:
            return f"--host {host} is no address of this machine"
        case _:
            return f"{host}, port {port}, can't be had: {error.strerror}"
