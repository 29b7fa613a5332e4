"""The REST interface, as far as this product needs it: one function for each address.

https://docs.github.com/en/rest
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import urlencode

from gh_backfill.simulator import derive, refusals, rest_events, rest_reads, rest_stars, rest_writes, views, workflows
from gh_backfill.simulator.messages import Request, Response, refusal, reply
from gh_backfill.simulator.rest_call import Call, Handler
from gh_backfill.simulator.rows import RepositoryRow


def answer(call: Call) -> Response:
    """Answer a request to the REST interface."""
    request = call.request
    for method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(request.path)
        if found is None or method != request.method:
            continue
        located = Call(**{**_fields(call), "parts": {key: value for key, value in found.groupdict().items() if value}})
        repository = located.repository()
        if repository is None:
            return refusals.not_found()
        if moved := _moved(located, repository):
            return moved
        return _cached(request, handler(located, repository))
    return _cached(request, _others(call))


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__dataclass_fields__}


def _others(call: Call) -> Response:
    request = call.request
    if request.method == "GET" and request.path == "/rate_limit":
        return _rate_limit(call)
    if request.method == "GET" and request.path == "/user":
        if request.token is None:
            return refusal(401, "Requires authentication")
        account = call.world.account_by_login(call.identity)
        identity = derive.derived_user_id(call.identity)
        return reply(views.user(account) if account else {"login": call.identity, "id": identity, "type": "User"})
    return refusals.not_found()


def _moved(call: Call, repository: RepositoryRow) -> Response | None:
    """A former name leads on: 301, and 307 for what changes something."""
    if (
        "owner" not in call.parts
        or f"{call.parts['owner']}/{call.parts['repo']}".lower() == repository.full_name.lower()
    ):
        return None
    rest = re.sub(r"^/repos/[^/]+/[^/]+", "", call.request.path)
    address = f"{call.origin}/repositories/{repository.id}{rest}"
    if call.request.query:
        address += f"?{urlencode(call.request.query)}"
    value = {
        "message": "Moved Permanently",
        "url": address,
        "documentation_url": "https://docs.github.com/v3/#http-redirects",
    }
    return reply(value, 301 if call.request.method == "GET" else 307, Location=address)


def _cached(request: Request, response: Response) -> Response:
    """Give an answer its ETag, or 304 where the client has it."""
    if response.status != 200 or request.method != "GET":
        return response
    tag = f'W/"{hashlib.sha256(response.body).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=60, s-maxage=60"}
    if request.headers.get("if-none-match") == tag:
        return Response(status=304, headers=headers)
    return response.with_headers(headers)


def _rate_limit(call: Call) -> Response:
    standings = {name: call.ledger.standing(call.identity, name) for name in ("core", "graphql")}
    resources = {
        name: {"limit": found.limit, "used": found.used, "remaining": found.remaining, "reset": found.reset}
        for name, found in standings.items()
    }
    return reply({"resources": resources, "rate": resources["core"]})


_ROOT = r"/(?:repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)|repositories/(?P<id>\d+))"
_ROUTES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(_ROOT + path), handler)
    for method, path, handler in (
        ("GET", "", rest_reads.repository),
        ("GET", r"/pulls", rest_reads.pulls),
        ("GET", r"/pulls/comments", rest_reads.all_review_comments),
        ("GET", r"/pulls/(?P<number>\d+)", rest_reads.pull),
        ("GET", r"/pulls/(?P<number>\d+)/reviews", rest_reads.reviews),
        ("GET", r"/pulls/(?P<number>\d+)/comments", rest_reads.review_comments),
        ("GET", r"/issues", rest_reads.issues),
        ("POST", r"/issues", rest_writes.create_issue),
        ("GET", r"/issues/comments", rest_reads.all_issue_comments),
        ("GET", r"/issues/(?P<number>\d+)", rest_reads.issue),
        ("PATCH", r"/issues/(?P<number>\d+)", rest_writes.update_issue),
        ("GET", r"/issues/(?P<number>\d+)/comments", rest_reads.issue_comments),
        ("POST", r"/issues/(?P<number>\d+)/comments", rest_writes.create_comment),
        ("GET", r"/stargazers", rest_stars.stargazers),
        ("GET", r"/stargazers/history", rest_stars.history),
        ("GET", r"/stargazers/count", rest_stars.count),
        ("GET", r"/forks", rest_stars.forks),
        ("GET", r"/events", rest_events.events),
        ("GET", r"/labels", rest_reads.labels),
        ("POST", r"/labels", rest_writes.create_label),
        ("GET", r"/actions/workflows/(?P<workflow>[^/]+)", workflows.read),
        ("POST", r"/actions/workflows/(?P<workflow>[^/]+)/dispatches", workflows.dispatch),
        ("GET", r"/actions/runs/(?P<run>\d+)", rest_reads.run),
        ("GET", r"/actions/runs/(?P<run>\d+)/jobs", rest_reads.jobs),
    )
)
