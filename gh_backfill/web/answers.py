"""The form of an answer: as a page or as JSON, whichever was asked for; an error as a sentence in both."""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from gh_backfill import unexpected
from gh_backfill.errors import BackfillError, ConfigurationError, GitHubError, StoreError
from gh_backfill.web.templating import Shell, render

log = logging.getLogger(__name__)

_TITLES = {
    400: "That can't be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not like that",
    409: "That does not fit how things stand",
    413: "Too large",
    429: "Too many wrong tokens",
    500: "Something went wrong here",
    502: "GitHub did not answer as it should",
    503: "The database did not answer in time",
}
_TEXTS = {
    404: "There is no page at this address. The monitor shows all there is.",
    405: "This address is not asked like that.",
}
# What the framework says where JSON can't be decoded.
_NO_TEXT = "There was an error parsing the body"


class Refused(Exception):
    """A request that is not obeyed: the status of the answer, and a sentence on what to do."""

    def __init__(self, status: int, reason: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers or {}


def wants_json(request: Request) -> bool:
    """Say whether JSON is asked for: by the address, or by what is accepted."""
    path: str = request.scope["path"]  # its whole address may be none, whatever somebody calls us
    return path.endswith(".json") or path.startswith("/api/") or accepts_json(request)


def accepts_json(request: Request) -> bool:
    """Say whether JSON is accepted, and no page."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def error(request: Request, status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error as a page or as JSON.  It is shown without asking the database for anything."""
    if wants_json(request):
        return JSONResponse({"error": reason}, status_code=status, headers=headers)
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    shell = Shell(now=request.app.state.context.clock(), live=False)
    html = render("error.html", shell, {"title": title, "reason": reason, "status": status})
    return HTMLResponse(html, status_code=status, headers=headers)


async def of_refusal(request: Request, refused: Exception) -> Response:
    """Answer what is not obeyed."""
    assert isinstance(refused, Refused)
    return error(request, refused.status, str(refused), refused.headers)


async def of_http(request: Request, raised: Exception) -> Response:
    """Answer what the framework refuses: no such address, not that method, a body that is none."""
    assert isinstance(raised, HTTPException)
    told = "what was sent is no JSON in UTF-8" if raised.detail == _NO_TEXT else str(raised.detail)
    reason = _TEXTS.get(raised.status_code) or f"{told.rstrip('.')}."
    return error(request, raised.status_code, reason, dict(raised.headers or {}))


async def of_error(request: Request, raised: Exception) -> Response:
    """Answer an error of ours by its cause, in its own words, and one that nobody expected without any."""
    match raised:
        case StoreError():
            log.warning("%s %s: %s", request.method, request.url.path, raised)
            return error(request, 503, str(raised), {"Retry-After": "5"})
        case ConfigurationError():
            return error(request, 400, str(raised))
        case GitHubError():
            return error(request, 502, str(raised))
        case BackfillError():
            return error(request, 409, str(raised))
    log.error("%s %s: %s", request.method, request.url.path, unexpected.told(raised))
    return error(request, 500, "This is a fault of gh_backfill; its log says more. Other pages may work.")
