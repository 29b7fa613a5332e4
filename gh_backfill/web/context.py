"""The context of one process's pages: settings, database, GitHub, who may do what, and what changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar, cast

from starlette.concurrency import run_in_threadpool

from gh_backfill.errors import StoreSlow, StoreUnavailable, Unreachable
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.store.pool import Pool
from gh_backfill.tasks.asked_runner import AskedRunner
from gh_backfill.tasks.initial.runner import Runner
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.search.query_vectors import QueryVectors
from gh_backfill.web.access import WebAccess
from gh_backfill.web.guesses import Guesses
from gh_backfill.web.live import Hub
from gh_backfill.web.way import Way

# Connections at the same time for pages, for what forms change, for forms that wait for GitHub, and for the hub's look.
PAGES, ACTIONS, ASKING, LOOKS = 4, 3, 2, 1
# In seconds: so long one waits for a connection, all of which others use.
PATIENCE = 5.0
# So long a statement of a page may take: one that is slow must not hold up the captures.  One of a form may wait for a
# lock, but not for ever: who holds the lock may wait for the disk.
STATEMENT_SECONDS, ACTION_SECONDS = 2.0, 6.0

Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What every request may use: `pool` for what pages read, `acting` for what forms change.

    `runner` captures on this machine, `events` fetches events and `aggressive` everything of a repository, None where
    nothing is done here.
    """

    settings: Settings
    access: WebAccess
    pool: Pool
    acting: Pool
    hub: Hub
    github: Way
    runner: Runner | None
    guesses: Guesses
    events: AskedRunner | None = None
    aggressive: AskedRunner | None = None
    # The costs of the month, which all viewers share; None: each page works them out.
    month: KeptMonth | None = None
    # Of what is searched for; whoever makes them is loaded once.
    query_vectors: QueryVectors = field(default_factory=QueryVectors)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Who waits for a connection waits here, where it holds no thread.
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PAGES))
    actions: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ACTIONS))
    asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASKING))

    async def read(self, work: Callable[[Database], Done]) -> Done:
        """Do what a page needs, with a connection in a thread.  Raises StoreError, and what the work raises."""
        return await self._in_turn(self.pages, self.pool, work)

    async def act(self, work: Callable[[Database], Done]) -> Done:
        """Do what a form asks for, in the same way, beside the pages."""
        return await self._in_turn(self.actions, self.acting, work)

    async def ask(self, work: Callable[[Database], Done]) -> Done:
        """Do what needs GitHub, in the same way: where GitHub takes its time, no other form waits for it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.asking.acquire()
        except TimeoutError:
            raise Unreachable("GitHub takes its time, and others wait for it, too: try again in a moment") from None
        try:
            return await abandoned(lambda: lent(self.acting, work))
        finally:
            self.asking.release()

    async def _in_turn(self, turns: asyncio.Semaphore, pool: Pool, work: Callable[[Database], Done]) -> Done:
        try:
            async with asyncio.timeout(PATIENCE):
                await turns.acquire()
        except TimeoutError:
            raise StoreUnavailable(f"no connection to the database was free for {PATIENCE:g} s: try again") from None
        try:
            return await run_in_threadpool(lent, pool, work)
        finally:
            turns.release()


def pools(database_url: str) -> tuple[Pool, Pool]:
    """Return the connections for pages, which end what is slow, and those for what forms change."""
    return (
        Pool(database_url, most=PAGES + LOOKS, seconds=PATIENCE, statement_seconds=STATEMENT_SECONDS),
        Pool(database_url, most=ACTIONS + ASKING, seconds=PATIENCE, statement_seconds=ACTION_SECONDS),
    )


async def abandoned(work: Callable[[], Done]) -> Done:
    """Do something in a thread that keeps no process from ending: it may wait for another server for long."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Done] = loop.create_future()

    def tell(result: Done | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast("Done", result))

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  (it is raised where it is waited for)
            failed = error
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(tell, result, failed)

    threading.Thread(target=run, name="asking", daemon=True).start()
    return await done


def lent(pool: Pool, work: Callable[[Database], Done]) -> Done:
    """Do something with a connection of the pool.  Raises StoreUnavailable where a statement took too long."""
    try:
        with pool.connection() as db:
            return work(db)
    except StoreSlow as error:
        text = "the database took too long for this: it is busy, try again"
        raise StoreUnavailable(text) from error
