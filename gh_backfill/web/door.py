"""What every request passes first: by which name it calls us, and how large it is; and what every answer says."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gh_backfill.web.access import literal
from gh_backfill.web.answers import Refused

WEBHOOKS = "/webhooks/"
LARGEST_BODY = 1024 * 1024
TOO_LARGE = f"more than {LARGEST_BODY // 1024} kB is no form of ours"
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
        with suppress(Exception):  # it was answered and logged where it was raised
            await self._inner(scope, _limited(receive), guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what is answered to who calls us by a wrong name, from another site's page, or sends too much."""
        headers = Headers(scope=scope)
        called = host_of(headers.get("host", ""))
        if called not in self._hosts and not _is_own_address(called, scope):
            known = ", ".join(sorted(self._hosts))
            return _says(
                421, f"this server is not called {called[:80] or 'nothing'}: use {known}, or set GH_BACKFILL_WEB_HOSTS"
            )
        if headers.get("sec-fetch-site") in FOREIGN and headers.get("sec-fetch-mode") != "navigate":
            return _says(403, "a page of another site asks for this: only a link may lead here from there")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            return _says(413, TOO_LARGE)
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


def _limited(receive: Receive) -> Receive:
    so_far = 0

    async def counted() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > LARGEST_BODY:
            raise Refused(413, TOO_LARGE)
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


def _says(status: int, said: str) -> Response:
    return PlainTextResponse(said + "\n", status_code=status)
