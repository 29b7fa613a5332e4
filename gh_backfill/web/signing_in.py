"""Viewers, known by a cookie or by a token in the request; and the pages on which somebody signs in and out."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gh_backfill.web.access import SESSION_SECONDS, Role, Viewer, WebAccess
from gh_backfill.web.answers import Refused, wants_json
from gh_backfill.web.context import Context
from gh_backfill.web.forms import form_of
from gh_backfill.web.templating import Shell, render

FIRST_PAGE = "/monitor"
# By this name the token stands in the address that `serve` prints: what is called a token is hidden wherever we print.
TICKET = "ticket"
WRONG = "That is not the token. It stands in the line that serve printed, or in GH_BACKFILL_WEB_TOKEN."


def context_of(request: Request) -> Context:
    """Return what the application works with."""
    context: Context = request.app.state.context
    return context


async def viewer_of(request: Request) -> Viewer:
    """Return who asks.  Raises Refused for a wrong token in the request."""
    access = context_of(request).access
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        role = await _role(request, token.strip())
        if role is Role.NOBODY:
            raise Refused(401, "this token is not one of this server's", {"WWW-Authenticate": "Bearer"})
        return Viewer(role=role)
    return access.viewer(request.cookies.get(cookie_name(request)))


async def reader_of(request: Request) -> Viewer:
    """Return who asks, if that one may read.  Raises Refused."""
    viewer = await viewer_of(request)
    if viewer.role < Role.READER:
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if wants_json(request) or request.method not in ("GET", "HEAD") or "region" in request.query_params:
            raise Refused(401, "sign in, or send Authorization: Bearer with the token", {"WWW-Authenticate": "Bearer"})
        raise Refused(303, "sign in first", {"Location": f"/login?next={quote(address, safe='')}"})
    return viewer


def refuse_strangers(request: Request) -> None:
    """Raise Refused where a browser says that another site's page sent this: its cookie is not its wish.

    What it says of the site is believed first: a page that tells no referrer has the origin `null` in its forms, too.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    own = origin is None or urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    if site not in ("same-origin", "none") if site is not None else not own:
        raise Refused(403, "this came from a page of another site, and is not obeyed")


async def login(request: Request) -> Response:
    """Show the form, or let somebody in: with the token in the address, as `serve` prints it, or in the form."""
    target = request.query_params.get("next", "")
    token = request.query_params.get(TICKET)
    if request.method == "POST":
        refuse_strangers(request)
        form = await form_of(request)
        token, target = form.one("token"), form.one("next")
    if token is None or request.method == "HEAD":
        return _form(request, target, "", 200)
    role = await _role(request, token)
    if role is Role.NOBODY:
        return _form(request, target, WRONG, 401)
    answer = RedirectResponse(_local(target), status_code=303)
    answer.set_cookie(
        cookie_name(request),
        context_of(request).access.session(role),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",  # the printed address may be opened from anywhere, and leads on to a page
        secure=encrypted(request),
    )
    return answer


async def logout(request: Request) -> Response:
    """Forget the session of this browser."""
    refuse_strangers(request)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(cookie_name(request), path="/")
    return answer


def cookie_name(request: Request) -> str:
    """Return the name of our cookie: browsers share cookies between the ports of a machine."""
    return f"gh_backfill_{(request.scope.get('server') or ('', 0))[1]}"


def may_change(access: WebAccess, viewer: Viewer, needs: Role) -> None:
    """Raise Refused where somebody may not change so much."""
    if not access.changes:
        raise Refused(403, "changing things is turned off on this server (ENABLE_BACKFILL_UI=false)")
    if viewer.role < Role.EDITOR:
        raise Refused(403, "sign in first: this changes something")
    if viewer.role < needs:
        raise Refused(403, "this needs the administrator's token (GH_BACKFILL_WEB_ADMIN_TOKEN)")


def encrypted(request: Request) -> bool:
    """Say whether the browser's connection is encrypted, here or by who stands before us."""
    forwarded = request.headers.get("x-forwarded-proto", "").lower()
    return request.url.scheme == "https" or forwarded == "https"


async def _role(request: Request, token: str) -> Role:
    """Return what a token lets somebody do, after a moment where many wrong ones came from the same address.

    Raises Refused where too many wait already.
    """
    context, address = context_of(request), request.client.host if request.client else ""
    wait = context.guesses.turn(address)
    if wait is None:
        raise Refused(429, "too many wrong tokens came from your address: try again in 2 s", {"Retry-After": "2"})
    if wait > 0:
        await asyncio.sleep(wait)
    role = context.access.role_of(token)
    if role is not Role.NOBODY:
        context.guesses.right(address)
    return role


def _form(request: Request, target: str, wrong: str, status: int) -> Response:
    shell = Shell(now=context_of(request).clock(), live=False)
    html = render("login.html", shell, {"next": target, "wrong": wrong, "made": context_of(request).access.made})
    return HTMLResponse(html, status_code=status)


def _local(target: str) -> str:
    """Return where to go after signing in: an address of this server, whatever was asked for."""
    parts = urlsplit(target)
    fits = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and target.isprintable()
    return target if fits else FIRST_PAGE
