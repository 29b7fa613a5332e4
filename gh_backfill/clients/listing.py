"""All review comments of a repository from REST, 100 a request, in the values that GraphQL would have given.

What REST can't tell exactly as GraphQL does is left out, and so left to GraphQL:

- comments on a whole file, whose positions GraphQL tells in another way;
- comments without an original position, which GraphQL always gives;
- texts that no database can store: the reader of GraphQL's answers replaces characters and reports it.

The author has no name here, and a bot may have another login than GraphQL gives it: whoever takes a comment puts the
account that GraphQL told of in the place of its author.
https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gh_backfill.clients import damage, sense
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.clients.sense import UNREADABLE
from gh_backfill.errors import Unexpected
from gh_backfill.models.github import GHOST, Person
from gh_backfill.models.pull_requests import ReviewComment

PER_PAGE = 100
# GitHub ends such a list after 40,000 items, whatever it has.
MOST_PAGES = 400
# `since` is said to be "after", and is "at or after" in practice: one second less is right for both.
OVERLAP = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedComment:
    """A review comment and the number of its pull request."""

    number: int
    comment: ReviewComment


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPage:
    """What one request brought, how many rows of it are left to GraphQL, GitHub's clock, and the seconds it took."""

    comments: tuple[ListedComment, ...]
    left_out: int
    server_time: datetime
    seconds: float


def review_comments(
    rest: RestPages, full_name: str, since: datetime | None = None, *, most_pages: int = MOST_PAGES
) -> Iterator[ListedPage]:
    """Yield all review comments that were updated at `since` or later, the earliest update first.

    Past the end that GitHub sets to a list, the next window begins at the last update seen, so some come twice.  What
    changes meanwhile may come twice, too, or not at all.  Raises Unexpected where one second has more comments than a
    window, or where the list says that it goes on and does not, and what `RestPages.get` raises.
    """
    start = None if since is None else since - OVERLAP
    while True:
        latest, pages, full = start, 0, True
        more, before = True, None
        while more and pages < most_pages:
            pages += 1
            page = rest.get(f"/repos/{full_name}/pulls/comments", _params(pages, start))
            if page.rows == before or (page.more and not page.rows):
                raise Unexpected(f"{full_name}: GitHub's list of review comments does not lead on after page {pages}")
            yield _listed(page.rows, page.server_time, page.seconds)
            before, more, full = page.rows, page.more, len(page.rows) >= PER_PAGE
            latest = max(filter(None, [latest, *map(_updated_at, page.rows)]), default=None)
        if not full or latest is None:
            return
        following = latest - OVERLAP
        if start is not None and following <= start:
            if pages < most_pages:
                return
            raise Unexpected(
                f"{full_name} has more review comments updated at {latest.isoformat()} than GitHub lists: "
                "they can only be read by GraphQL"
            )
        start = following


def look(rest: RestPages, full_name: str) -> None:
    """Ask for the shortest page there is, to learn how the budget stands.  Raises what `RestPages.get` raises."""
    rest.get(f"/repos/{full_name}/pulls/comments", {"per_page": "1"})


def _params(page: int, since: datetime | None) -> dict[str, str]:
    params = {"sort": "updated", "direction": "asc", "per_page": str(PER_PAGE), "page": str(page)}
    return params if since is None else params | {"since": since.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _listed(rows: list[Any], server_time: datetime, seconds: float) -> ListedPage:
    known = tuple(filter(None, map(_comment, rows)))
    return ListedPage(comments=known, left_out=len(rows) - len(known), server_time=server_time, seconds=seconds)


def _comment(node: Mapping[str, Any]) -> ListedComment | None:
    """Read one row; None where GraphQL might tell it in another way."""
    try:
        texts = [sense.text(node[name]) for name in ("body", "path", "diff_hunk")]
        if node.get("subject_type", "line") != "line" or any(map(damage.unstorable, texts)):
            return None
        return ListedComment(
            number=sense.count(node["pull_request_url"].rpartition("/")[2]),
            comment=ReviewComment(
                github_id=sense.identity(node["id"]),
                review_id=_optional(node["pull_request_review_id"]),
                reply_to=_optional(node.get("in_reply_to_id")),
                author=_author(node["user"]),
                body=node["body"],
                path=node["path"],
                position=_optional(node["position"]),
                original_position=sense.count(node["original_position"]),
                diff_hunk=node["diff_hunk"],
                commit_id=sense.text(node["commit_id"]),
                original_commit_id=sense.text(node["original_commit_id"]),
                created_at=_time(node["created_at"]),
                updated_at=_time(node["updated_at"]),
                node_id=None if node.get("node_id") is None else sense.node_id(node["node_id"]),
            ),
        )
    except UNREADABLE:
        return None


def _author(user: Mapping[str, Any] | None) -> Person:
    """Read an account; REST shows a deleted one as null here, and as `ghost` elsewhere."""
    if user is None or user["id"] == GHOST.github_id:
        return GHOST
    return Person(
        github_id=sense.identity(user["id"]),
        login=sense.text(user["login"]),
        is_bot=user.get("type") == "Bot",
        avatar_url=sense.text_or_none(user.get("avatar_url")),
        node_id=None if user.get("node_id") is None else sense.node_id(user["node_id"]),
    )


def _updated_at(node: Any) -> datetime | None:
    try:
        return _time(node["updated_at"])
    except UNREADABLE:
        return None


def _time(value: str) -> datetime:
    return sense.moment(value)


def _optional(value: Any) -> int | None:
    return None if value is None else sense.count(value, most=sense.MOST_ID)
