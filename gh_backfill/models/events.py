"""Events of repositories, stars by day, and the sources that tell of them.  Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Series(StrEnum):
    """What is counted over time."""

    STARS = "stars"
    FORKS = "forks"
    EVENTS = "events"


class Source(StrEnum):
    """Who tells of a series.

    The list of stargazers, GitHub's daily history of stars, the list of forks, the events call, webhooks, what is
    captured here of pull requests and issues, and the service gh-datpipe.
    """

    STARGAZERS = "stargazers"
    HISTORY = "history"
    FORKS = "forks"
    EVENTS = "events"
    WEBHOOK = "webhook"
    CAPTURED = "captured"
    DATPIPE = "datpipe"


class Answering(StrEnum):
    """Whether a source answers us; what does not answer is unknown, never zero."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"


# What stands for an account that GitHub does not name any more.
NOBODY = "ghost"
# GitHub calls a star that is given a WatchEvent; of one that is taken back only webhooks tell.
STAR, STAR_REMOVED, FORK = "WatchEvent", "StarRemovedEvent", "ForkEvent"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened in a repository; `event_id` is the same whoever tells of it, and whenever."""

    event_id: str
    event_type: str
    actor_login: str
    actor_github_id: int | None
    payload: Mapping[str, object]
    created_at: datetime
    source: Source


@dataclass(frozen=True, kw_only=True, slots=True)
class StarDay:
    """How many stars that still exist were given on a UTC day; `provisional` where it was not over when it was read."""

    day: date
    stars: int
    provisional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StarsAndForks:
    """How many stars and forks GitHub counts of a repository."""

    stars: int
    forks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Covered:
    """A half-open span of time, of which a source told everything."""

    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Reached:
    """A place of a list that is read newest first: what leads on from it, and down to when it was read."""

    cursor: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceAnswer:
    """What asking a source brought: whether it answers, why not, and the spans that it covered this time.

    Of a list `deepest` is the oldest place that was reached, and `head` where the reading of what is newer stands until
    it is done.  `found` is the source's own sum and `expected` GitHub's count at the time, where both are known.
    """

    series: Series
    source: Source
    state: Answering
    asked_at: datetime
    reason: str | None = None
    covered: tuple[Covered, ...] = ()
    deepest: Reached | None = None
    head: Reached | None = None
    found: int | None = None
    expected: int | None = None


def star(
    repository_github_id: int, login: str | None, actor_github_id: int | None, at: datetime, source: Source
) -> Event:
    """Return the event of a star: one for each actor and day, whoever tells of it.

    Of nobody it is one for each moment: several accounts that are gone may have given theirs on the same day.
    """
    who = at.isoformat() if actor_github_id is None else f"{actor_github_id}_{at.date().isoformat()}"
    return Event(
        event_id=f"{STAR}_{repository_github_id}_{who}",
        event_type=STAR,
        actor_login=login or NOBODY,
        actor_github_id=actor_github_id,
        payload={"action": "started"},
        created_at=at,
        source=source,
    )


def star_removed(
    repository_github_id: int, login: str | None, actor_github_id: int | None, at: datetime, source: Source
) -> Event:
    """Return the event of a star that was taken back: one for each actor and moment, for the order of a day counts."""
    who = "" if actor_github_id is None else f"{actor_github_id}_"
    return Event(
        event_id=f"{STAR_REMOVED}_{repository_github_id}_{who}{at.isoformat()}",
        event_type=STAR_REMOVED,
        actor_login=login or NOBODY,
        actor_github_id=actor_github_id,
        payload={"action": "deleted"},
        created_at=at,
        source=source,
    )


def fork(fork_github_id: int, full_name: str | None, owner: str | None, at: datetime, source: Source) -> Event:
    """Return the event of a fork, which is known by the id of the repository that came of it; None hides its name."""
    forkee: dict[str, object] = {"id": fork_github_id} | ({"full_name": full_name} if full_name else {})
    return Event(
        event_id=f"{FORK}_{fork_github_id}",
        event_type=FORK,
        actor_login=owner or NOBODY,
        actor_github_id=None,
        payload={"forkee": forkee},
        created_at=at,
        source=source,
    )
