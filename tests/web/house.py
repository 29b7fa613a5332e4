"""The web application on a real port, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from gh_backfill import settings
from gh_backfill.store.db import Database
from gh_backfill.tasks.asked_runner import AskedRunner
from gh_backfill.tasks.initial.runner import Runner
from gh_backfill.web import access, context, running, serving
from gh_backfill.web.app import ACTIONS, PAGES, application
from gh_backfill.web.context import Context
from gh_backfill.web.guesses import Guesses
from gh_backfill.web.limits import DoorLimits
from gh_backfill.web.live import Hub
from gh_backfill.web.page import Acting, Ask, Form, Goto, Showing, WebPage
from gh_backfill.web.refusals import Refusals
from gh_backfill.web.way import Way

TOKEN = "editor-token-0123456789"
ADMIN = "admin-token-0123456789"
NOW = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)


@dataclass(kw_only=True)
class World:
    """What the pages of a test see: `prints` is what a look returns; time stands still unless it is moved."""

    prints: dict[str, str] = field(default_factory=lambda: {"things": "1", "others": "1"})
    looks: int = 0
    renderings: int = 0
    seconds: float = 0.0
    things: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class House:
    """A running application."""

    url: str
    port: int
    access: access.WebAccess
    context: Context
    world: World

    @contextmanager
    def client(self, *, token: str | None = None, **headers: str) -> Iterator[httpx.Client]:
        """Give the block a browser, signed in where a token is given."""
        with httpx.Client(base_url=self.url, headers=headers, timeout=20) as client:
            if token is not None:
                answer = client.post("/login", data={"token": token})
                assert answer.status_code == 303, answer.text
            yield client

    def csrf(self, client: httpx.Client) -> str:
        """Return the token that the forms of a browser's session carry."""
        (cookie,) = (each.value for each in client.cookies.jar if not each.name.endswith("_said"))
        found = self.access.csrf(self.access.viewer(cookie))
        assert found is not None
        return found


def page_of(world: World) -> tuple[Sequence[Showing], Sequence[Acting]]:
    """Return a page of things and a form that adds one."""

    def things(ask: Ask) -> WebPage:
        world.renderings += 1
        (row,) = ask.db.statement("select 1 as one")
        data = {"title": "Things", "reason": " ".join([*world.things, ask.query.get("filter", "")]), "status": 200}
        return WebPage(
            template="error.html",
            data=data,
            json={"things": world.things, "one": row["one"]},
            topics=("things",),
            place="/monitor",
        )

    def thing(ask: Ask) -> WebPage:
        name = f"{ask.path['owner']}/{ask.path['name']}"
        known = name in world.things
        data = {"title": name, "reason": "a thing" if known else "unknown", "status": 200}
        return WebPage(template="error.html", data=data, json={"name": name}, status=200 if known else 404)

    def add(_ask: Ask, form: Form) -> WebPage | Goto:
        if not form.one("thing"):
            data = {"title": "Which one?", "reason": "Name it.", "status": 409}
            return WebPage(template="error.html", data=data, json={"error": "name it"}, status=409)
        world.things += form.all("thing")
        return Goto(address="/things")

    def fail(_ask: Ask) -> WebPage:
        raise RuntimeError("the password is hunter2")

    def slow(ask: Ask) -> WebPage:
        ask.db.statement("select pg_sleep(30)")
        raise AssertionError

    shown = [("/things", things), ("/fail", fail), ("/slow", slow), ("/{owner}/{name}", thing)]
    return (
        [Showing(path=path, page=page) for path, page in shown],
        [Acting(path="/things", action=add), Acting(path="/things/admin", action=add, needs=access.Role.ADMIN)],
    )


@contextmanager
def open_house(
    database_url: str,
    *,
    host: str = "127.0.0.1",
    world: World | None = None,
    own_pages: bool = False,
    webhooks: ASGIApp | None = None,
    functions: Callable[[FastAPI], None] | None = None,
    runner: Runner | None = None,
    events: AskedRunner | None = None,
    aggressive: AskedRunner | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[House]:
    """Run the application beside the block: with two pages of the test's, or with its own."""
    world = world or World()
    given = {"GH_BACKFILL_WEB_TOKEN": TOKEN, **(environment or {})}
    read = settings.load({name: value for name, value in given.items() if value}, dotenv=None)
    pool, acting = context.pools(database_url)

    def look(_db: Database) -> Mapping[str, str]:
        world.looks += 1
        return dict(world.prints)

    hub = Hub(lambda: run_in_threadpool(context.lent, pool, look))
    made = Context(
        settings=read,
        access=access.of(read, host),
        pool=pool,
        acting=acting,
        hub=hub,
        github=Way(read),
        runner=runner,
        events=events,
        aggressive=aggressive,
        guesses=Guesses(lambda: world.seconds),
        clock=(lambda: datetime.now(UTC)) if own_pages else (lambda: NOW),
    )
    pages, actions = (PAGES, ACTIONS) if own_pages else page_of(world)
    app = application(made, webhooks=webhooks, functions=functions, pages=pages, actions=actions)
    listening = serving.bind(host, 0)

    async def tell() -> None: ...

    ready = threading.Event()
    server = running.PagesServer(
        serving.configured(app, DoorLimits(stop_seconds=1), Refusals(what="requests"), tell), hub, ready.set
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    assert ready.wait(20)
    port = listening.getsockname()[1]
    try:
        yield House(url=f"http://127.0.0.1:{port}", port=port, access=made.access, context=made, world=world)
    finally:
        server.handle_exit(15, None)
        thread.join(20)
        listening.close()
        pool.close()
        acting.close()
        assert not thread.is_alive()
