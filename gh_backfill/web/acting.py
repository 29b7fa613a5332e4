"""Forms on the way in: sent by one of our pages, by somebody who may; obeyed, and the result shown."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gh_backfill.policy.json_text import json_text
from gh_backfill.store.db import Database
from gh_backfill.web import said
from gh_backfill.web.access import Viewer
from gh_backfill.web.answers import Refused, wants_json
from gh_backfill.web.forms import form_of
from gh_backfill.web.page import Acting, Ask, Form, Goto, WebPage
from gh_backfill.web.rendering import Renderings, regions
from gh_backfill.web.showing import Endpoint, html_for, shell_of
from gh_backfill.web.signing_in import context_of, may_change, refuse_strangers, viewer_of
from gh_backfill.web.templating import render

FOREIGN = "this form is not one of ours any more (you may have signed in anew): go back, reload, and send it again"


def endpoint(acting: Acting, kept: Renderings) -> Endpoint:
    """Return what answers a form."""

    async def act(request: Request) -> Response:
        context, viewer = context_of(request), await viewer_of(request)
        may_change(context.access, viewer, acting.needs)
        form = await _own_form(request, viewer)
        now = context.clock()

        path = {name: str(value) for name, value in request.path_params.items()}

        def work(db: Database) -> WebPage | Goto:
            query = request.query_params
            return acting.action(Ask(db=db, path=path, query=query, now=now, viewer=viewer, context=context), form)

        try:
            done = await (context.ask(work) if acting.of_github else context.act(work))
        finally:
            if not acting.asks:
                context.hub.expire()
                kept.expire()
        return _answer(request, viewer, done)

    return act


async def _own_form(request: Request, viewer: Viewer) -> Form:
    """Return the form of a session of ours.  Raises Refused for one that another page may have sent.

    Who shows the token with the request itself acts in person, and needs no proof.
    """
    refuse_strangers(request)
    form = await form_of(request)
    if viewer.signed_in and not context_of(request).access.is_csrf(viewer, form.one("csrf")):
        raise Refused(403, FOREIGN)
    return form


def _answer(request: Request, viewer: Viewer, done: WebPage | Goto) -> Response:
    if isinstance(done, Goto):
        answer = RedirectResponse(done.address, status_code=303)
        said.tell(answer, request, viewer, done.said)
        return answer
    if wants_json(request):
        return Response(json_text(done.json), done.status, media_type="application/json")
    shell = shell_of(request, viewer).at(done.place, has_json=False, address=done.address)
    html = render(done.template, shell, done.data)
    wanted = request.query_params.getlist("region")
    return html_for(request, viewer, regions(html, wanted) if wanted else html, done.status)
