"""Prove a token: one cheap real call asks GitHub who we are."""

from __future__ import annotations

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Unreachable
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
