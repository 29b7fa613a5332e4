"""The web application: which address is answered by what."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from gh_backfill.errors import BackfillError
from gh_backfill.web import acting, answers, api, api_errors, badge_files, events_api, showing, signing_in
from gh_backfill.web.access import Role
from gh_backfill.web.answers import Refused
from gh_backfill.web.context import Context
from gh_backfill.web.described import description
from gh_backfill.web.door import Door
from gh_backfill.web.page import Acting, Showing
from gh_backfill.web.pages import add, aggressive, monitor, operate, repositories, repository, search, workspace
from gh_backfill.web.rendering import Renderings
from gh_backfill.web.static_files import favicon, static_file
from gh_backfill.web.stream import stream

_LIST = {
    "state": "Only those in such a state: active, running, waiting, failed, held, complete or all.",
    "q": "Only those whose name has this in it.",
    "sort": "name, progress, captured, fresh or activity; the other way round with - before it.",
    "after": "Where the list goes on, as the page before it says.",
}
_JOBS = {
    "jobs": "Only such jobs: all, running or failed.",
    "jobs_after": "Where the list of jobs goes on.",
    "runs_after": "Where the list of runs goes on.",
}
_SEARCH = {
    "q": "What is searched for.",
    "repository": "Only in this repository; may be given again.",
    "type": "issue, pull_request, discussion, or several with commas.",
    "state": "open, closed, merged, or several with commas.",
    "like": "In place of a text: an item, owner/name#number, to which others are similar.",
    "everywhere": "With like: yes for those of all repositories.",
}
# Pages and forms in the order in which their paths are tried: one that fits anything comes last.
PAGES: tuple[Showing, ...] = (
    Showing(path="/monitor", page=monitor.page, summary="How things are, and what needs a person", query=_LIST | _JOBS),
    Showing(path="/repositories", page=repositories.page, summary="All repositories", query=_LIST),
    Showing(
        path="/search", page=search.page, summary="What is found for a text, or is similar to an item", query=_SEARCH
    ),
    Showing(
        path="/add",
        page=add.page,
        summary="Repositories that were added together",
        query={"batch": "The id of a batch; the last one where none is given.", "names": "Names to begin with."},
    ),
    Showing(path="/workspaces", page=workspace.listed, summary="All workspaces"),
    *(
        Showing(
            path=f"/i/{{slug}}{f'/{name}' if name else ''}", page=workspace.tab(name), summary=f"{words} of a workspace"
        )
        for name, words in workspace.TABS.items()
    ),
    Showing(path="/{owner}/{name}", page=repository.page, summary="One repository"),
)
ACTIONS: tuple[Acting, ...] = (
    Acting(path="/add", action=add.begin, needs=Role.ADMIN, of_github=True),
    Acting(path="/add/check", action=add.check, needs=Role.ADMIN, asks=True, of_github=True),
    Acting(path="/add/cancel", action=add.cancel, needs=Role.ADMIN),
    Acting(path="/add/retry", action=add.retry),
    Acting(path="/events/backfill", action=workspace.backfill),
    Acting(path="/events/cancel", action=workspace.cancel),
    Acting(path="/aggressive/start", action=aggressive.start, needs=Role.ADMIN),
    Acting(path="/aggressive/cancel", action=aggressive.cancel, needs=Role.ADMIN),
    Acting(path="/workspaces/create", action=workspace.create, needs=Role.ADMIN),
    Acting(path="/workspaces/schedule", action=workspace.schedule, needs=Role.ADMIN),
    Acting(path="/workspaces/members", action=workspace.members, needs=Role.ADMIN),
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
    functions: Callable[[FastAPI], None] | None = None,
    pages: Sequence[Showing] = PAGES,
    actions: Sequence[Acting] = ACTIONS,
) -> ASGIApp:
    """Return the application; GitHub's webhooks are taken by `webhooks`, where there is one.

    `functions` attaches those that Inngest calls.
    """
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={
            Refused: answers.of_refusal,
            HTTPException: answers.of_http,
            RequestValidationError: api_errors.of_validation,
            BackfillError: answers.of_error,
            Exception: answers.of_error,
        },
    )
    app.state.context = context
    app.state.kept = kept = Renderings()
    app.include_router(api.router)
    app.include_router(events_api.router)
    told = description(app, pages)

    async def described(_request: Request) -> Response:
        return JSONResponse(told)

    app.router.routes.append(Route("/openapi.json", described, methods=["GET"]))
    if functions is not None:
        functions(app)
    app.router.routes.extend(_routes(pages, actions, kept))
    return Door(app, hosts=context.access.hosts, webhooks=webhooks)


def _routes(pages: Sequence[Showing], actions: Sequence[Acting], kept: Renderings) -> Iterator[BaseRoute]:
    yield Route("/", _first, methods=["GET"])
    yield Route("/login", signing_in.login, methods=["GET", "POST"])
    yield Route("/logout", signing_in.logout, methods=["POST"])
    yield Route("/live", stream, methods=["GET"])
    yield Route("/static/{fingerprint}/{name}", static_file, methods=["GET"])
    yield Route("/favicon.ico", favicon, methods=["GET"])
    yield Route("/{owner}/{name}/{figure}.svg", badge_files.badge, methods=["GET"])
    for each in actions:
        yield Route(each.path, acting.endpoint(each, kept), methods=["POST"])
    for page in pages:
        answer: Callable[[Request], Awaitable[Response]] = showing.endpoint(page, kept)
        yield Route(f"{page.path}{showing.TWIN}", answer, methods=["GET"])
        yield Route(page.path, answer, methods=["GET"])


async def _first(_request: Request) -> Response:
    return RedirectResponse(signing_in.FIRST_PAGE, status_code=302)
