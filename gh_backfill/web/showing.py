"""Pages on the way out: made once for many viewers, whole or by region, as HTML or as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gh_backfill.web import said
from gh_backfill.web.access import Role, Viewer
from gh_backfill.web.answers import Refused, accepts_json
from gh_backfill.web.page import Ask, Showing, WebPage
from gh_backfill.web.rendering import CSRF, SAID, Rendered, Renderings, regions
from gh_backfill.web.signing_in import context_of, reader_of
from gh_backfill.web.templating import NAVIGATION, Shell

TWIN = ".json"
VARY = {"Vary": "Accept, Cookie, Authorization"}
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(showing: Showing, kept: Renderings) -> Endpoint:
    """Return what answers a request for a page."""

    async def show(request: Request) -> Response:
        viewer = await reader_of(request)
        twin = request.url.path.endswith(TWIN)
        path = {name: str(value) for name, value in request.path_params.items()}
        rendered = await _rendered(request, viewer, showing, kept, path, twin=twin)
        if rendered.status == 404 and twin and path:  # there are repositories whose names end so
            last = list(path)[-1]
            path[last] += TWIN
            whole = await _rendered(request, viewer, showing, kept, path, twin=False)
            rendered, twin = (whole, False) if whole.status == 200 else (rendered, twin)
        return _sent(request, viewer, rendered, twin=twin)

    return show


async def _rendered(
    request: Request,
    viewer: Viewer,
    showing: Showing,
    kept: Renderings,
    path: Mapping[str, str],
    *,
    twin: bool,
) -> Rendered:
    context = context_of(request)
    address = request.url.path.removesuffix(TWIN) if twin else request.url.path
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "region"]
    asked = f"?{urlencode(query)}" if query else ""
    shell = shell_of(request, viewer, json=f"{address}{TWIN}{asked}", address=f"{address}{asked}")

    async def make() -> tuple[WebPage, Shell]:
        page = await context.read(
            lambda db: showing.page(
                Ask(
                    db=db,
                    path=path,
                    query=request.query_params,
                    now=shell.now,
                    viewer=viewer,
                    context=context,
                )
            )
        )
        return page, shell.at(page.place, has_json=page.json is not None)

    await context.hub.refresh()
    key = (shell.address, shell.may_change, shell.may_administer, shell.signed_in)
    return await kept.get(key, context.hub, make)


def shell_of(request: Request, viewer: Viewer, *, json: str | None = None, address: str = "") -> Shell:
    """Return what a page knows of who looks at it; the token of the forms is put in when it is sent."""
    context = context_of(request)
    changes = context.access.csrf(viewer) is not None
    return Shell(
        now=context.clock(),
        json=json,
        csrf=CSRF if changes else None,
        may_administer=changes and viewer.role >= Role.ADMIN,
        signed_in=viewer.signed_in,
        offers_changes=context.access.changes,
        said=SAID,
        address=address,
        revision=context.hub.name,
        navigation=NAVIGATION if context.access.changes else tuple(each for each in NAVIGATION if each[1] != "/add"),
    )


def html_for(request: Request, viewer: Viewer, html: str, status: int = 200) -> Response:
    """Return a page for its viewer, with the token of that session's forms and what one of them has just done.

    A region of a page has no place for that line, and leaves it to the next page.
    """
    token = context_of(request).access.csrf(viewer) or ""
    if SAID not in html:
        return HTMLResponse(html.replace(CSRF, token), status_code=status, headers=VARY)
    told = html.replace(CSRF, token).replace(SAID, said.line(said.heard(request, viewer)))
    answer = HTMLResponse(told, status_code=status, headers=VARY)
    said.forget(answer, request)
    return answer


def _sent(request: Request, viewer: Viewer, rendered: Rendered, *, twin: bool) -> Response:
    if twin or accepts_json(request):
        if rendered.json is None:
            raise Refused(404, "this page has no twin in JSON")
        return Response(rendered.json, rendered.status, VARY, "application/json")
    wanted = request.query_params.getlist("region")
    html = regions(rendered.html, wanted) if wanted else rendered.html
    return html_for(request, viewer, html, rendered.status)
