"""Who we are to GitHub: the one cheap real call that proves a token."""

from __future__ import annotations

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Unexpected
from gh_backfill.resources import text


def login(graphql: GraphQL) -> str:
    """Return the login that GitHub knows the token by; afterwards `graphql.budget` is known, too.

    Costs one point.  Raises Denied for a wrong token, and what every query raises.
    """
    answer = graphql.execute(text("clients/queries/account.graphql"), {})
    viewer = answer.data.get("viewer")
    if not isinstance(viewer, dict) or not isinstance(viewer.get("login"), str):
        raise Unexpected("GitHub does not say whose token this is: try again, or check GITHUB_TOKEN")
    return str(viewer["login"])
