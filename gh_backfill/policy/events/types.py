"""The types of events, and how important each is.

https://docs.github.com/en/rest/using-the-rest-api/github-event-types
"""

from __future__ import annotations

import re
from enum import StrEnum

from gh_backfill.errors import ConfigurationError
from gh_backfill.models.events import FORK, STAR


class Importance(StrEnum):
    """How much an event says of the interest in a repository."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


TYPES: dict[str, Importance] = {
    STAR: Importance.HIGH,
    FORK: Importance.HIGH,
    "ReleaseEvent": Importance.HIGH,
    "PullRequestEvent": Importance.HIGH,
    "PublicEvent": Importance.HIGH,
    "IssuesEvent": Importance.MEDIUM,
    "PullRequestReviewEvent": Importance.MEDIUM,
    "DiscussionEvent": Importance.MEDIUM,
    "MemberEvent": Importance.MEDIUM,
    "PushEvent": Importance.MEDIUM,
    "IssueCommentEvent": Importance.LOW,
    "PullRequestReviewCommentEvent": Importance.LOW,
    "CommitCommentEvent": Importance.LOW,
    "CreateEvent": Importance.LOW,
    "DeleteEvent": Importance.LOW,
    "GollumEvent": Importance.LOW,
}
# What the metrics of a workspace are made of.
USUAL = (STAR, FORK)
# These are made of what is captured; GitHub's own list has thirty days of them at most.
CAPTURED = frozenset(
    {
        "PullRequestEvent",
        "PullRequestReviewEvent",
        "PullRequestReviewCommentEvent",
        "IssuesEvent",
        "IssueCommentEvent",
    }
)
# These exist in the events call alone.
ONLY_EVENTS = frozenset(TYPES) - CAPTURED - {STAR, FORK}


def chosen(types: str | None, importance: str | None) -> tuple[str, ...]:
    """Read which types are wanted: those that are named, and those of at least an importance; without both, the usual.

    Raises ConfigurationError for what is none, and tells those there are.
    """
    named = [each for each in re.split(r"[\s,]+", types or "") if each]
    known = {each.lower(): each for each in TYPES}
    if unknown := [each for each in named if each.lower() not in known]:
        raise ConfigurationError(f"--types: {', '.join(unknown)[:80]}: name some of {', '.join(TYPES)}")
    wanted = {known[each.lower()] for each in named}
    if importance:
        levels = list(Importance)
        if importance.lower() not in levels:
            raise ConfigurationError(f"--importance: {importance[:20]}: name one of {', '.join(levels)}")
        least = levels.index(Importance(importance.lower()))
        wanted |= {each for each, level in TYPES.items() if levels.index(level) <= least}
    return tuple(each for each in TYPES if each in (wanted or USUAL))
