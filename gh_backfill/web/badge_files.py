"""The badges of a repository on a server: small pictures that pages elsewhere show, so they may be kept for minutes."""

from __future__ import annotations

import hashlib
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gh_backfill.tasks.pages import badge_figures
from gh_backfill.tasks.pages.badge_figures import BadgeFigures
from gh_backfill.web import badges
from gh_backfill.web.signing_in import context_of, reader_of

# What shows pictures for others, as GitHub's proxy does, asks again after so many seconds.
KEPT_SECONDS = 300


async def badge(request: Request) -> Response:
    """Return a badge: to everybody where the repository is known to be public, else to who may read.

    Who may read sees of what is not here one that says so, for a picture is all that its reader sees; nobody else
    learns whether something private is here.
    """
    which = request.path_params["figure"]
    if which not in badges.FIGURES:
        raise HTTPException(404)
    context, name = context_of(request), f"{request.path_params['owner']}/{request.path_params['name']}"
    now = context.clock()
    found = await context.read(lambda db: badge_figures.figures(db, name, now))
    if found is None or found.is_private:
        await reader_of(request)
    text = picture(which, found, now)
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
    headers = {"Cache-Control": _kept(found), "ETag": tag}
    if request.headers.get("if-none-match") == tag and found is not None:
        return Response(status_code=304, headers=headers)
    return Response(text, 404 if found is None else 200, headers, "image/svg+xml")


def picture(figure: str, found: BadgeFigures | None, now: datetime) -> str:
    """Return the badge of a figure; without any it says that nothing is known."""
    if figure == "history":
        return badges.history(found.percent if found else None)
    if figure == "proof":
        proof = found.proof if found else None
        return badges.proof(None if proof is None else proof.open, proven=proof is not None and proof.whole)
    return badges.fresh(found.fresh_at if found else None, now)


def _kept(found: BadgeFigures | None) -> str:
    """Say how long it may be kept, and whether also by others than whoever asked."""
    anybody = found is not None and not found.is_private
    return f"{'public' if anybody else 'private'}, max-age={KEPT_SECONDS}"
