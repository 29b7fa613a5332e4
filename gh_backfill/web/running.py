"""The pages as a process: port, database, captures and webhooks beside them, and an end in good order."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType

import uvicorn
from fastapi import FastAPI
from sse_starlette.sse import AppStatus
from starlette.concurrency import run_in_threadpool

from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import up_to_date
from gh_backfill.tasks.aggressive import runner as aggressive_runner
from gh_backfill.tasks.asked_runner import AskedRunner
from gh_backfill.tasks.events import runner as events_runner
from gh_backfill.tasks.initial.runner import Runner
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.webhooks.stay_fresh import stay_fresh
from gh_backfill.web import access, context, serving
from gh_backfill.web.app import application
from gh_backfill.web.context import Context
from gh_backfill.web.guesses import Guesses
from gh_backfill.web.limits import DoorLimits
from gh_backfill.web.live import Hub
from gh_backfill.web.refusals import Refusals, counted
from gh_backfill.web.signing_in import TICKET
from gh_backfill.web.way import Way
from gh_backfill.web.webhooks import Receiver

log = logging.getLogger(__name__)

# In seconds: what is in hand when the server is told to end may take so long.
GRACE = 1
# In seconds: so often the captures on this machine look for what may go on.
WAKE_EVERY = 60.0
Look = Callable[[Database], Mapping[str, str]]


class PagesServer(uvicorn.Server):
    """A server that ends its streams when it is told to end, so that none of them keeps it."""

    def __init__(self, config: uvicorn.Config, hub: Hub, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._hub = hub
        self._ready = ready
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        AppStatus.should_exit = False  # as an earlier server of this process may have left it: it ends every stream
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._close)

    def _close(self) -> None:
        self._closing.append(asyncio.ensure_future(self._hub.close()))


@dataclass(frozen=True, kw_only=True, slots=True)
class PagesDoor:
    """Where the pages will be: who may come in, and a socket that has the address and does not listen yet."""

    rules: access.WebAccess
    socket: socket.socket


@contextmanager
def door(settings: Settings, *, host: str, port: int) -> Iterator[PagesDoor]:
    """Yield the door of the pages, before anything is touched for them.

    Raises ConfigurationError where the address can't be had, or where others would reach it without a token.
    """
    rules = access.of(settings, host)
    _refuse_unsigned(settings, host)
    with serving.bind(host, port) as bound:
        yield PagesDoor(rules=rules, socket=bound)


def serve(
    settings: Settings,
    database_url: str,
    *,
    door: PagesDoor,
    look: Look,
    ready: Callable[[str], None],
    runner: Runner | None,
) -> None:
    """Serve the pages until interrupted; `ready` is told the address to open, with the token where one was made.

    `look` tells what changed, `runner` captures on this machine.  Raises ConfigurationError where the database can't
    be used.
    """
    rules, listening = door.rules, door.socket
    with ExitStack() as stack:
        with Database(database_url) as db:
            up_to_date.prepare(db, settings, writing=settings.web_changes)
        pool, acting = context.pools(database_url)
        stack.callback(pool.close)
        stack.callback(acting.close)
        hub = Hub(lambda: run_in_threadpool(context.lent, pool, look))
        receiver = stack.enter_context(_webhooks(settings, database_url))
        functions = stack.enter_context(_inngest(settings, database_url))
        events = aggressive = None
        if runner is not None:
            events = AskedRunner(settings, database_url, events_runner.look, name="events")
            aggressive = AskedRunner(settings, database_url, aggressive_runner.look, name="aggressive")
        app = application(
            Context(
                settings=settings,
                access=rules,
                pool=pool,
                acting=acting,
                hub=hub,
                github=Way(settings),
                runner=runner,
                guesses=Guesses(time.monotonic),
                events=events,
                aggressive=aggressive,
                month=KeptMonth(settings),
            ),
            webhooks=receiver,
            functions=functions,
        )
        limits = DoorLimits(stop_seconds=GRACE)
        refusals = Refusals(what="requests")

        async def tell() -> None:
            refusals.tell()

        server = PagesServer(
            serving.configured(app, limits, refusals, tell), hub, lambda: ready(_address(rules, settings, listening))
        )
        if runner is not None:
            stack.callback(runner.stop)
            stack.enter_context(kept_awake(runner))
        for each in filter(None, (events, aggressive)):
            stack.callback(each.stop)
            each.start()
        try:
            with counted(refusals, "uvicorn.error", "asyncio"):
                server.run(sockets=[listening])
        except KeyboardInterrupt:  # the server has ended in good order, and hands the signal on
            log.info("the pages are closed")


@contextmanager
def kept_awake(runner: Runner, *, every: float = WAKE_EVERY) -> Iterator[None]:
    """Wake the captures now and, within the block, every so many seconds: where a pause ends, nobody else does."""
    ended = threading.Event()

    def again() -> None:
        while not ended.wait(every):
            runner.wake()

    runner.wake()
    threading.Thread(target=again, name="wake", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextmanager
def _webhooks(settings: Settings, database_url: str) -> Iterator[Receiver | None]:
    """Take GitHub's webhooks within the block, and fetch what they announce, where their secret is known."""
    if settings.webhook_key is None:
        yield None
        return
    receiver = Receiver(settings.webhook_key.get_secret_value(), database_url)
    stopping = threading.Event()
    worker = threading.Thread(target=stay_fresh, args=(settings, database_url, stopping), name="fresh", daemon=True)
    worker.start()
    try:
        yield receiver
    finally:
        stopping.set()
        receiver.close()
        worker.join(timeout=receiver.limits.stop_seconds)


def _for_inngest(settings: Settings) -> bool:
    return settings.inngest_serves and settings.web_changes


def _refuse_unsigned(settings: Settings, host: str) -> None:
    if _for_inngest(settings) and settings.inngest_in_development and not access.on_loopback(host):
        raise ConfigurationError(
            "INNGEST_DEV lets whoever reaches this server start captures, for nothing is signed then: unset it, or "
            "listen on 127.0.0.1"
        )


@contextmanager
def _inngest(settings: Settings, database_url: str) -> Iterator[Callable[[FastAPI], None] | None]:
    """Yield what attaches the functions that Inngest calls, where its key is known."""
    if not _for_inngest(settings):
        yield None
        return
    from gh_backfill.tasks.inngest_client import client  # noqa: PLC0415  (its library loads for half a second)
    from gh_backfill.tasks.inngest_steps import InngestSteps  # noqa: PLC0415
    from gh_backfill.web import inngest  # noqa: PLC0415

    steps = InngestSteps(settings=settings, database_url=database_url)
    if not settings.has_credential:
        log.warning("inngest: without GITHUB_TOKEN its functions can't fetch anything")
    try:
        yield inngest.attaching(client(settings), steps)
    finally:
        steps.close(GRACE)


def _address(rules: access.WebAccess, settings: Settings, listening: socket.socket) -> str:
    """Return the address to open: with the token where this start made one, for nobody can know it."""
    host, port, *_ = listening.getsockname()
    anywhere = host in ("0.0.0.0", "::")  # noqa: S104  (what was asked for is compared)
    name = next(iter(sorted(settings.host_names)), socket.gethostname().lower()) if anywhere else access.literal(host)
    where = f"http://{name}:{port}"
    return f"{where}/login?{TICKET}={rules.token}" if rules.made else f"{where}/monitor"
