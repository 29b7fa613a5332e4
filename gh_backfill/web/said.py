"""One line on what a form did, carried to the page that is shown next: a signed cookie, which that page takes away.

The address would be the other place: it is kept in bookmarks, told to others, and written by anybody.
"""

from __future__ import annotations

import hashlib

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from gh_backfill.policy.markdown import shortened
from gh_backfill.web.access import Viewer
from gh_backfill.web.signing_in import context_of, cookie_name, encrypted
from gh_backfill.web.templating import environment

# A line that no page has shown by then is old.
SECONDS = 60
# In characters: a cookie has room for 4,096 bytes, and a character of another script takes eight of them.
LONGEST = 300


def tell(answer: Response, request: Request, viewer: Viewer, text: str) -> None:
    """Let the next page of this session say it; who has no session has no next page."""
    if viewer.session is None or not text:
        return
    answer.set_cookie(
        _name(request),
        _signer(request).dumps([viewer.session, shortened(text, LONGEST)]),
        max_age=SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=encrypted(request),
    )


def heard(request: Request, viewer: Viewer) -> str:
    """Return what the page of this session is to say; empty where that is nothing, or not of ours."""
    cookie = request.cookies.get(_name(request))
    if not cookie or viewer.session is None:
        return ""
    try:
        session, text = _signer(request).loads(cookie, max_age=SECONDS)
    except (BadSignature, ValueError, TypeError):
        return ""
    return str(text) if session == viewer.session else ""


def forget(answer: Response, request: Request) -> None:
    """Take the cookie away: what was said is not said twice."""
    if _name(request) in request.cookies:
        answer.delete_cookie(_name(request), path="/")


def line(text: str) -> str:
    """Return the line as the page has it; without a text there is none."""
    return environment().get_template("said.html").render(text=text) if text else ""


def _name(request: Request) -> str:
    return f"{cookie_name(request)}_said"


def _signer(request: Request) -> URLSafeTimedSerializer:
    key = context_of(request).access.key
    return URLSafeTimedSerializer(key, salt="said", signer_kwargs={"digest_method": hashlib.sha256})
