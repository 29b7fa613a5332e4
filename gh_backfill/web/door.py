"""The door that every request passes first: by which name it calls us, and how large it is; headers of every answer."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gh_backfill.web.access import literal
from gh_backfill.web.answers import wants_json
from gh_backfill.web.bodies import Incoming, lingering

WEBHOOKS = "/webhooks/"
LARGEST_BODY = 1024 * 1024
TOO_LARGE = f"More than {LARGEST_BODY // 1024:,} kB are too much for one request."
# In seconds: so long what is too much is read on and thrown away, so that its sender hears the answer.
LINGER = 2.0
# What a browser says of a request that a page of somebody else's makes.
FOREIGN = frozenset({"cross-site", "same-site"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Door:
    """The outermost application.

    A page of somebody else's can make a browser call us by a name of its own, whose address it then changes to ours
    (DNS rebinding).  So who does not call us by a name that we know gets nothing, also on this machine.
    """

    def __init__(self, inner: ASGIApp, *, hosts: frozenset[str], webhooks: ASGIApp | None = None) -> None:
        """Let requests for webhooks through to their receiver, which checks who signed them."""
        self._inner = inner
        self._hosts = hosts
        self._webhooks = webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        if self._webhooks is not None and scope["path"].startswith(WEBHOOKS):
            await self._webhooks(scope, receive, send)
            return
        guarded = _with_headers(send)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        incoming = Incoming(receive)
        patient = lingering(guarded, incoming, LINGER, status=413)
        with suppress(Exception):  # it was answered and logged where it was raised
            await self._inner(scope, _limited(incoming, Headers(scope=scope)), patient)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what is answered to who calls us by a wrong name, or from another site's page."""
        headers = Headers(scope=scope)
        called = host_of(headers.get("host", ""))
        if called not in self._hosts and not _is_own_address(called, scope):
            known = ", ".join(sorted(self._hosts))
            said = f"this server is not called {called[:80] or 'nothing'}: use {known}, or set GH_BACKFILL_WEB_HOSTS"
            return _says(scope, 421, said)
        if headers.get("sec-fetch-site") in FOREIGN and headers.get("sec-fetch-mode") != "navigate":
            return _says(scope, 403, "a page of another site asks for this: only a link may lead here from there")
        return None


def host_of(header: str) -> str:
    """Return the host of a Host header, in lower case and without its port."""
    host = header.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def _is_own_address(called: str, scope: Scope) -> bool:
    """Say whether somebody calls us by the very address that they reached: no name leads there but that itself."""
    try:
        address = ip_address(called.strip("[]"))
    except ValueError:
        return False
    reached = (scope.get("server") or ("",))[0]
    return literal(str(address)) == literal(str(reached))


def _limited(incoming: Incoming, headers: Headers) -> Receive:
    """Return what reads a body up to the limit, whether its length was told before or it comes in chunks.

    Of what is told to be longer nothing is read.  FastAPI lets an HTTPException through, and no other exception.
    """
    told = headers.get("content-length", "0")
    so_far = LARGEST_BODY if told.isdecimal() and int(told) > LARGEST_BODY else 0

    async def counted() -> Message:
        nonlocal so_far
        message = await incoming()
        so_far += len(message.get("body", b""))
        if so_far > LARGEST_BODY:
            raise HTTPException(413, TOO_LARGE)
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


def _says(scope: Scope, status: int, said: str) -> Response:
    if wants_json(Request(scope)):
        return JSONResponse({"error": said}, status_code=status)
    return PlainTextResponse(said + "\n", status_code=status)
