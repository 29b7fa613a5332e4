"""Events that webhooks tell of: what is kept of a payload when it comes, and the event that is made of it later.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gh_backfill.models.events import FORK, NOBODY, STAR, STAR_REMOVED, Event, Source, fork, star, star_removed
from gh_backfill.policy import names
from gh_backfill.policy.events.reading import BEFORE_GITHUB

# The largest numbers of PostgreSQL's `integer` and `bigint`.
_MOST_NUMBER, _MOST_ID = 2**31 - 1, 2**63 - 1
_LONGEST_LOGIN = 100
# A clock may be wrong; what happens later than this after it was told has no time that anybody could count by.
_AHEAD = timedelta(days=1)
CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """A kind of webhook that tells of an event: the type of that, the thing it is about, and when that says it was."""

    event_type: str
    thing: str
    time: str


# By the name of the webhook and its action.  Any other action is no event that is stored here.
_RULES: Mapping[tuple[str, object], _Rule] = {
    # The removal of a star has no time of its own: the repository was updated by it.
    ("star", "created"): _Rule(event_type=STAR, thing="repository", time="starred_at"),
    ("star", "deleted"): _Rule(event_type=STAR_REMOVED, thing="repository", time="updated_at"),
    ("fork", None): _Rule(event_type=FORK, thing="forkee", time="created_at"),
    ("issues", "opened"): _Rule(event_type="IssuesEvent", thing="issue", time="created_at"),
    ("issues", CLOSED): _Rule(event_type="IssuesEvent", thing="issue", time="closed_at"),
    ("issue_comment", "created"): _Rule(event_type="IssueCommentEvent", thing="comment", time="created_at"),
    ("pull_request", "opened"): _Rule(event_type="PullRequestEvent", thing="pull_request", time="created_at"),
    ("pull_request", CLOSED): _Rule(event_type="PullRequestEvent", thing="pull_request", time="closed_at"),
    ("pull_request_review", "submitted"): _Rule(
        event_type="PullRequestReviewEvent", thing="review", time="submitted_at"
    ),
    ("pull_request_review_comment", "created"): _Rule(
        event_type="PullRequestReviewCommentEvent", thing="comment", time="created_at"
    ),
}


class Unusable(ValueError):
    """What was kept of a webhook is no event that could be stored; says why."""


def is_event(webhook: str, payload: Mapping[str, object]) -> bool:
    """Say whether a webhook tells of an event that is stored."""
    return _rule(webhook, payload) is not None


def identity(webhook: str, payload: Mapping[str, object]) -> str:
    """Return what a webhook is known by while it waits; of stars there may be several of an actor."""
    if webhook == "star":
        return f"star {_plain(_part(payload, 'sender').get('id'))}"
    rule = _rule(webhook, payload)
    words = (webhook, payload.get("action"), _part(payload, rule.thing if rule else "").get("id"))
    return " ".join(str(_plain(word)) for word in words if word is not None)


def kept(webhook: str, payload: Mapping[str, object]) -> dict[str, object]:
    """Return what is kept of a payload: who, what and when, as it was told; texts and other names are not.

    Whatever is no plain word or number is left out: whether an event can be made of the rest is said later.
    """
    rule = _rule(webhook, payload)
    thing = _part(payload, rule.thing if rule else "")
    numbered = {**_part(payload, "issue"), **_part(payload, "pull_request")}
    sender = _part(payload, "sender")
    at = payload.get("starred_at") if webhook == "star" and payload.get("action") == "created" else None
    found = {
        "action": payload.get("action"),
        "actor": sender.get("login"),
        "actor_id": sender.get("id"),
        "at": at or thing.get(rule.time if rule else ""),
        "id": thing.get("id"),
        "name": None if thing.get("private") is not False else thing.get("full_name"),
        "number": numbered.get("number"),
        "merged": numbered.get("merged"),
        "state": thing.get("state"),
        "private": _part(payload, "repository").get("private"),
    }
    return {name: _plain(value) for name, value in found.items() if value is not None}


def event_of(webhook: str, told: Mapping[str, object], repository_github_id: int, heard_at: datetime) -> Event:
    """Make the event of what was kept of a webhook that came at `heard_at`; raises Unusable where that is none.

    It has the same id that other sources would give it.
    """
    rule = _RULES.get((webhook, None if webhook == "fork" else told.get("action")))
    if rule is None:
        raise Unusable(f"{webhook} {told.get('action')} is no event that is stored")
    at = _time(told, heard_at)
    login = _login(told.get("actor"))
    actor = None if told.get("actor_id") is None else _whole(told, "actor_id", _MOST_ID)
    if rule.event_type in (STAR, STAR_REMOVED) and actor is None:
        raise Unusable("actor_id is missing")
    match rule.event_type:
        case str(kind) if kind == STAR:
            return star(repository_github_id, login, actor, at, Source.WEBHOOK)
        case str(kind) if kind == STAR_REMOVED:
            return star_removed(repository_github_id, login, actor, at, Source.WEBHOOK)
        case str(kind) if kind == FORK:
            name = told.get("name")
            public = name if isinstance(name, str) and names.parse(name) is not None else None
            return fork(_whole(told, "id", _MOST_ID), public, login if public else None, at, Source.WEBHOOK)
        case kind:
            return _of_an_item(kind, told, login, actor, at)


def _of_an_item(kind: str, told: Mapping[str, object], login: str | None, actor: int | None, at: datetime) -> Event:
    """Make the event of a pull request, issue, review or comment, as it is made of what is captured of these."""
    number, ends = _whole(told, "id", _MOST_ID), kind in ("PullRequestEvent", "IssuesEvent")
    action = str(told["action"])
    payload: dict[str, object] = {
        "action": action if ends else "created",
        "number": _whole(told, "number", _MOST_NUMBER),
    }
    if kind == "PullRequestEvent" and action == CLOSED:
        payload["merged"] = told.get("merged") is True
    if kind == "PullRequestReviewEvent":
        payload["state"] = str(told.get("state")).upper()
    return Event(
        event_id=f"{kind}_{number}_{action}" if ends else f"{kind}_{number}",
        event_type=kind,
        actor_login=login or NOBODY,
        actor_github_id=actor,
        payload=payload,
        created_at=at,
        source=Source.WEBHOOK,
    )


def _rule(webhook: str, payload: Mapping[str, object]) -> _Rule | None:
    action = payload.get("action")
    return _RULES.get((webhook, action if isinstance(action, str) else None))


def _part(payload: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = payload.get(name)
    return part if isinstance(part, Mapping) else {}


def _plain(value: object) -> str | int | bool | None:
    """Return a short text, a number or a truth value; None for anything else that GitHub may send one day."""
    if isinstance(value, str):
        return value if len(value) <= 2 * _LONGEST_LOGIN else None
    return value if isinstance(value, int) and abs(value) <= _MOST_ID else None


def _login(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > _LONGEST_LOGIN:
        raise Unusable("actor is no login")
    return value


def _whole(told: Mapping[str, object], name: str, most: int) -> int:
    value = told.get(name)
    if value is None:
        raise Unusable(f"{name} is missing")
    if type(value) is not int or not 1 <= value <= most:  # true is an int, too
        raise Unusable(f"{name} is no number")
    return value


def _time(told: Mapping[str, object], heard_at: datetime) -> datetime:
    """Return when it happened; a star that is taken back is told of at once, where nothing else says when."""
    value = told.get("at")
    if value is None and told.get("action") == "deleted":
        return heard_at
    try:
        at = datetime.fromisoformat(str(value)) if value is not None else None
    except ValueError:
        raise Unusable("its time is none") from None
    if at is None or at.tzinfo is None:
        raise Unusable("its time is missing" if at is None else "its time tells no zone")
    if not BEFORE_GITHUB <= at <= heard_at + _AHEAD:
        raise Unusable("its time is out of bounds")
    return at.astimezone(UTC)
