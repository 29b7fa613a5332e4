"""Pages of lists that are read by date alone: who starred a repository, and what was forked from it.

Since July 2026 GitHub shows the list of stargazers to those only who may write to the repository, and the effect has
come and gone for days.  Whoever may not see it gets FORBIDDEN, or an empty list: neither says that there are no stars.
https://github.blog/changelog/2026-06-30-upcoming-access-restrictions-to-public-api-endpoints-and-ui-views/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill import hidden
from gh_backfill.clients import damage, documents, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.errors import BadCredentials, Denied, GitHubError, Gone, Unreachable
from gh_backfill.models.events import Event, Series, Source, StarsAndForks, fork, star
from gh_backfill.models.github import NodeId
from gh_backfill.policy.query_prices import LARGEST_FIRST

_TEMPLATES = {Series.STARS: ("StarPage", "stargazers"), Series.FORKS: ("ForkPage", "forks")}


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedHome:
    """A repository as it is now, and how many stars and forks GitHub counts."""

    github_id: int
    full_name: str
    is_private: bool
    created_at: datetime
    stars: int
    forks: int
    server_time: datetime

    @property
    def counted(self) -> StarsAndForks:
        """Return both counts."""
        return StarsAndForks(stars=self.stars, forks=self.forks)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPage:
    """A page of such a list, newest first: its events, and where it goes on.

    A place that could not be read is None.  `more` is GitHub's word that others follow `end`.
    """

    places: tuple[Event | None, ...]
    more: bool
    end: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NotShown:
    """GitHub does not show this list to the token: nothing is known of what stands in it."""

    reason: str


def home(graphql: GraphQL, repository: NodeId) -> CountedHome:
    """Return what GitHub counts.

    Raises Gone where it does not show the repository, and what `GraphQL.execute` raises.
    """
    answer = graphql.execute(documents.aliases(("SeriesHome",)), {"repository": repository})
    return _home(answer)


def page(
    graphql: GraphQL, repository: NodeId, series: Series, after: str | None
) -> tuple[CountedHome, ListPage | NotShown]:
    """Return the hundred after a cursor, and what GitHub counts; raises as `home` does.  1 point.

    A first page without anything in it is one that is not shown: everybody else is told so by the history of stars.
    """
    template, connection = _TEMPLATES[series]
    variables = {"repository": repository, "first": LARGEST_FIRST, "after": after}
    try:
        answer = graphql.execute(documents.aliases(("SeriesHome", template)), variables)
    except BadCredentials:
        raise
    except Denied:  # refused as a whole: where the repository itself is shown, it is the list that is not
        return home(graphql, repository), NotShown(reason=_refused(connection))
    counted = _home(answer)
    holder = answer.data.get("list")
    listed = holder.get(connection) if isinstance(holder, Mapping) else None
    if listed is None:
        error = answer.why("list", connection)
        if isinstance(error, Denied) and not isinstance(error, BadCredentials):
            return counted, NotShown(reason=_refused(connection))
        raise error
    with sense.understood():
        read = _listed(series, counted, listed)
    if series is Series.STARS and after is None and not read.places:
        return counted, NotShown(reason="GitHub shows this token an empty list of stargazers")
    return counted, read


def _refused(connection: str) -> str:
    return f"GitHub does not show the list of {connection} to this token"


def _home(answer: Answer) -> CountedHome:
    node = answer.data.get("home")
    if not isinstance(node, Mapping) or damage.MARK in node:
        error: GitHubError = answer.why("home")
        raise Gone("GitHub does not show the repository") if ("home",) in answer.not_found else error
    with sense.understood():
        found = CountedHome(
            github_id=sense.identity(node["databaseId"]),
            full_name=sense.full_name(node["nameWithOwner"]),
            is_private=sense.truth(node["isPrivate"]),
            created_at=sense.moment(node["createdAt"]),
            stars=sense.count(node["stargazerCount"]),
            forks=sense.count(node["forkCount"]),
            server_time=answer.server_time,
        )
    hidden.repository(found.full_name, str(found.github_id), is_private=found.is_private)
    return found


def _listed(series: Series, counted: CountedHome, listed: Mapping[str, Any]) -> ListPage:
    info, edges = listed["pageInfo"], sense.elements(listed["edges"])
    read = _star if series is Series.STARS else _fork
    more, end = sense.truth(info["hasNextPage"]), sense.text_or_none(info["endCursor"])
    if more and not (end and edges):
        raise Unreachable("GitHub says that a list goes on, and not where")
    return ListPage(places=tuple(_place(read, counted, edge) for edge in edges), more=more, end=end)


def _place(read: Any, counted: CountedHome, edge: Any) -> Event | None:
    try:
        if damage.MARK in edge or damage.MARK in (edge["node"] or {}):
            return None
        event: Event = read(counted, edge)
    except sense.UNREADABLE:
        return None
    return event


def _star(counted: CountedHome, edge: Mapping[str, Any]) -> Event:
    node, at = edge["node"], sense.moment(edge["starredAt"])  # by GitHub's schema there is always somebody
    return star(counted.github_id, sense.text(node["login"]), sense.identity(node["databaseId"]), at, Source.STARGAZERS)


def _fork(_counted: CountedHome, edge: Mapping[str, Any]) -> Event:
    node = edge["node"]
    if sense.truth(node["isPrivate"]):  # seen by this token alone: that there is one is told, not which
        return fork(sense.identity(node["databaseId"]), None, None, sense.moment(node["createdAt"]), Source.FORKS)
    owner = None if node["owner"] is None else sense.text(node["owner"]["login"])
    name = sense.full_name(node["nameWithOwner"])
    return fork(sense.identity(node["databaseId"]), name, owner, sense.moment(node["createdAt"]), Source.FORKS)
