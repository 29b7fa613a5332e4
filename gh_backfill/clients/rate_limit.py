"""Ask GitHub how the budgets of a credential stand, which costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from gh_backfill.clients import replies, sense, transport
from gh_backfill.clients.attempts import TIMEOUT
from gh_backfill.models.github import Budget
from gh_backfill.policy.governor import Resource

RESOURCES: tuple[Resource, ...] = ("graphql", "core")


def ask(api_url: str, token: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> dict[Resource, Budget]:
    """Return what GitHub says is left of each budget; one whose numbers can't be is left out.

    Costs neither a point nor a request.  Raises Denied, RateLimited, Unreachable, Misrouted or Unexpected; Gone where
    the server keeps no limits (GitHub Enterprise Server, by default).
    https://docs.github.com/en/rest/rate-limit/rate-limit
    """
    url = f"{api_url.rstrip('/')}/rate_limit"
    with transport.session(accept="application/vnd.github+json") as session:
        response = transport.send(session, "GET", url, token=token, timeout=TIMEOUT)
    moment = now()
    body = sense.parsed(response)
    if response.status_code != 200 or not isinstance(body, dict):
        raise replies.refusal(response, body, moment)
    found: dict[Resource, Budget] = {}
    for resource in RESOURCES:
        try:
            told = body["resources"][resource]
            found[resource] = replies.sensible(
                told["limit"], told["remaining"], told["reset"], response.headers, moment
            )
        except sense.UNREADABLE:
            continue
    return found
