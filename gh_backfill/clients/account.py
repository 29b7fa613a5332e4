"""Ask GitHub who we are: by a cheap real call, which proves a token, or for free, where only the user is wanted."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_backfill.clients import replies, sense, transport
from gh_backfill.clients.attempts import TIMEOUT
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BadCredentials, Denied, Gone, Unexpected, Unreachable
from gh_backfill.resources import text


def login(graphql: GraphQL) -> str:
    """Return the login that GitHub knows the token by; afterwards `graphql.budget` is known, too.

    Costs one point.  Raises what every query raises, and Unreachable where GitHub does not say.
    """
    answer = graphql.execute(text("clients/queries/account.graphql"), {})
    viewer = answer.data.get("viewer")
    if not isinstance(viewer, dict) or not isinstance(viewer.get("login"), str):
        raise Unreachable(f"GitHub does not say whose token this is, try again: {answer.why('viewer')}")
    return str(viewer["login"])


def user_id(api_url: str, token: str, name: str) -> int:
    """Return GitHub's id of the user to whom a token belongs; `name` is where the token comes from, for messages.

    Costs one REST request and no points, so it can be asked when the points are used up.  Raises BadCredentials,
    Denied, RateLimited, Unreachable or Misrouted.  Every capture asks, so it does not wait until PyGithub is loaded.
    https://docs.github.com/en/rest/users/users#get-the-authenticated-user
    """
    with transport.session(accept="application/vnd.github+json") as session:
        response = transport.send(session, "GET", f"{api_url.rstrip('/')}/user", token=token, timeout=TIMEOUT)
    body = sense.parsed(response)
    if response.status_code == 200:
        with sense.understood():
            return sense.identity(body["id"])
    match replies.refusal(response, body, datetime.now(UTC)):
        case BadCredentials():
            raise BadCredentials(f"GitHub does not accept the token: check {name}")
        case Denied() | Gone() if response.status_code in (403, 404):
            raise Denied(f"GitHub refuses (status {response.status_code}): check {name}")
        case Gone() | Unexpected():  # of the user of a token it is a fault of the moment
            raise Unreachable(f"GitHub has trouble (status {response.status_code})")
        case error:
            raise error
