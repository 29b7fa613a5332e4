"""The events of a repository in the last thirty days, as GitHub's list of events tells it.

Payloads are as short as they are since October 2025.
https://docs.github.com/en/rest/using-the-rest-api/github-event-types
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from gh_backfill.simulator import views
from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.messages import Response
from gh_backfill.simulator.rest_call import Call, page
from gh_backfill.simulator.rows import IssueRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.shelf import Shelf

EVENTS_KEPT, MOST_EVENTS = timedelta(days=30), 300
# type, what tells it apart, who, when, payload
_Told = tuple[str, tuple[object, ...], int | None, str, dict[str, Any]]


def events(call: Call, repository: RepositoryRow) -> Response:
    """The last three hundred events of thirty days, newest first; pages behind that are refused.

    Of pull requests and issues, those three hundred that changed last are looked at.
    """
    oldest = datetime.fromtimestamp(call.options.clock(), UTC) - EVENTS_KEPT
    since = f"{oldest:%Y-%m-%dT%H:%M:%SZ}"
    shelf = call.world.shelves[repository.id]
    told = [*_stars(shelf, repository, since), *_forks(call, shelf, since), *_happenings(shelf), *_items(shelf, since)]
    kept = sorted(
        (each for each in told if each[3] >= since), key=lambda each: (each[3], _event_id(each)), reverse=True
    )
    response = page(call, repository, kept[:MOST_EVENTS], lambda each: _view(call, repository, each), most=MOST_EVENTS)
    return response.with_headers({"X-Poll-Interval": "60"})


def _view(call: Call, repository: RepositoryRow, told: _Told) -> dict[str, Any]:
    kind, _, account, at, payload = told
    actor = views.author(call.world, account)
    return {
        "id": _event_id(told),
        "type": kind,
        "actor": {"id": actor["id"], "login": actor["login"]},
        "repo": {"id": repository.id, "name": repository.full_name},
        "payload": payload,
        "public": True,
        "created_at": at,
    }


def _stars(shelf: Shelf, repository: RepositoryRow, since: str) -> Iterator[_Told]:
    for at, account, _ in _latest(shelf.stars.keys, since):
        yield "WatchEvent", (repository.id, account, at), account, at, {"action": "started"}


def _forks(call: Call, shelf: Shelf, since: str) -> Iterator[_Told]:
    order = shelf.forks.ordered("CREATED_AT", call.world.repositories)
    for key in _latest(order.keys, since):
        made = order.row(key)
        forkee = {"id": made.id, "full_name": made.full_name}
        yield "ForkEvent", ("fork", made.id), made.owner_id, made.created_at, {"forkee": forkee}


def _happenings(shelf: Shelf) -> Iterator[_Told]:
    for each in shelf.happenings:
        yield each.type, (each.id,), each.account, each.created_at, dict(each.payload)


def _items(shelf: Shelf, since: str) -> Iterator[_Told]:
    for _, _, number in _latest(shelf.ordered("UPDATED_AT"), since):
        if (pull := shelf.pull(number)) is not None:
            yield from _of_pull(pull)
            yield from _conversation(pull)
    for _, _, number in _latest(shelf.ordered_issues("UPDATED_AT"), since):
        issue = shelf.issues[number]
        payload = {"issue": {"id": issue.id, "number": number}}
        yield "IssuesEvent", ("opened", issue.id), issue.author, issue.created_at, {"action": "opened", **payload}
        if issue.closed_at is not None:
            closed = {"action": "closed", **payload}
            yield "IssuesEvent", ("closed", issue.id), issue.closed_by, issue.closed_at, closed
        yield from _conversation(issue)


def _of_pull(pull: PullRequestRow) -> Iterator[_Told]:
    named = {"pull_request": {"id": pull.id, "number": pull.number}}
    opened = {"action": "opened", "number": pull.number, **named}
    yield "PullRequestEvent", ("opened", pull.id), pull.author, pull.created_at, opened
    if pull.closed_at is not None:
        closed = {"action": "closed", "number": pull.number, **named}
        yield "PullRequestEvent", ("closed", pull.id), pull.merged_by, pull.closed_at, closed
    for review in pull.reviews:
        payload = {"action": "created", "review": {"id": review.id}, **named}
        yield "PullRequestReviewEvent", ("review", review.id), review.author, review.created_at, payload
    for comment in pull.review_comments:
        payload = {"action": "created", "comment": {"id": comment.id}, **named}
        yield "PullRequestReviewCommentEvent", ("line", comment.id), comment.author, comment.created_at, payload


def _conversation(item: PullRequestRow | IssueRow) -> Iterator[_Told]:
    for comment in item.comments:
        payload = {"action": "created", "issue": {"number": item.number}, "comment": {"id": comment.id}}
        yield "IssueCommentEvent", ("comment", comment.id), comment.author, comment.created_at, payload


def _latest(keys: list[Key], since: str) -> list[Key]:
    """Return the last three hundred keys of an order since a time."""
    return keys[bisect_left(keys, (since,)) :][-MOST_EVENTS:]


def _event_id(told: _Told) -> str:
    """Return the same number for the same event, whatever else happened."""
    digest = hashlib.sha256("/".join(map(str, told[1])).encode()).digest()
    return str(10**10 + int.from_bytes(digest[:5]) % 10**10)
