"""The web application: which address is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from gh_backfill import __version__
from gh_backfill.errors import BackfillError
from gh_backfill.web import acting, answers, api, showing, signing_in
from gh_backfill.web.access import Role
from gh_backfill.web.answers import Refused
from gh_backfill.web.context import Context
from gh_backfill.web.door import Door
from gh_backfill.web.page import Acting, Showing
from gh_backfill.web.pages import add, monitor, operate, repositories, repository
from gh_backfill.web.rendering import Renderings
from gh_backfill.web.static_files import favicon, static_file
from gh_backfill.web.stream import stream

# Pages and forms in the order in which their paths are tried: one that fits anything comes last.
PAGES: tuple[Showing, ...] = (
    Showing(path="/monitor", page=monitor.page),
    Showing(path="/repositories", page=repositories.page),
    Showing(path="/add", page=add.page),
    Showing(path="/{owner}/{name}", page=repository.page),
)
ACTIONS: tuple[Acting, ...] = (
    Acting(path="/add", action=add.begin, needs=Role.ADMIN),
    Acting(path="/add/check", action=add.check, needs=Role.ADMIN, asks=True),
    Acting(path="/add/cancel", action=add.cancel, needs=Role.ADMIN),
    Acting(path="/add/retry", action=add.retry),
    Acting(path="/operate/pause", action=operate.pause),
    Acting(path="/operate/resume", action=operate.resume),
    Acting(path="/operate/retry", action=operate.retry),
    Acting(path="/operate/cancel", action=operate.cancel, needs=Role.ADMIN),
    Acting(path="/operate/untrack", action=operate.stop_tracking, needs=Role.ADMIN),
)


def application(
    context: Context,
    *,
    webhooks: ASGIApp | None = None,
    pages: Sequence[Showing] = PAGES,
    actions: Sequence[Acting] = ACTIONS,
) -> ASGIApp:
    """Return the application; GitHub's webhooks are taken by `webhooks`, where there is one."""
    app = FastAPI(
        title="gh_backfill",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            Refused: answers.of_refusal,
            HTTPException: answers.of_http,
            RequestValidationError: api.of_validation,
            BackfillError: answers.of_error,
            Exception: answers.of_error,
        },
    )
    app.state.context = context
    app.include_router(api.router)
    app.router.routes.extend(_routes(pages, actions, Renderings()))
    return Door(app, hosts=context.access.hosts, webhooks=webhooks)


def _routes(pages: Sequence[Showing], actions: Sequence[Acting], kept: Renderings) -> Iterator[BaseRoute]:
    yield Route("/", _first, methods=["GET"])
    yield Route("/login", signing_in.login, methods=["GET", "POST"])
    yield Route("/logout", signing_in.logout, methods=["POST"])
    yield Route("/live", stream, methods=["GET"])
    yield Route("/static/{fingerprint}/{name}", static_file, methods=["GET"])
    yield Route("/favicon.ico", favicon, methods=["GET"])
    for each in actions:
        yield Route(each.path, acting.endpoint(each, kept), methods=["POST"])
    for page in pages:
        answer: Callable[[Request], Awaitable[Response]] = showing.endpoint(page, kept)
        yield Route(f"{page.path}{showing.TWIN}", answer, methods=["GET"])
        yield Route(page.path, answer, methods=["GET"])


async def _first(_request: Request) -> Response:
    return RedirectResponse(signing_in.FIRST_PAGE, status_code=302)
