"""Static files: each at an address that changes with its content, so that a browser keeps it for good."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gh_backfill import resources
from gh_backfill.web.templating import STATIC, fingerprint

KINDS = {"style.css": "text/css", "page.js": "text/javascript", "favicon.svg": "image/svg+xml"}
FOR_GOOD = "public, max-age=31536000, immutable"


async def static_file(request: Request) -> Response:
    """Return a file; one that is asked for as it was before an update, as it is now."""
    name, given = request.path_params["name"], request.path_params["fingerprint"]
    if name not in KINDS:
        raise HTTPException(404)
    current = given == fingerprint(name)
    return Response(
        resources.text(f"{STATIC}/{name}"),
        media_type=KINDS[name],
        headers={"Cache-Control": FOR_GOOD if current else "no-cache"},
    )


async def favicon(_request: Request) -> Response:
    """Lead browsers that look for an icon by themselves to ours."""
    return RedirectResponse(f"/static/{fingerprint('favicon.svg')}/favicon.svg", status_code=301)
