"""Read GitHub's HTTP answers: the one place where limits, faults and refusals are told apart.

The shapes are GitHub's documented ones and those its users reported:
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api and
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from gh_backfill.clients import damage, documents, sense
from gh_backfill.clients.sense import Error
from gh_backfill.errors import BadCredentials, Denied, GitHubError, Gone, RateLimited, TooBig, Unexpected, Unreachable
from gh_backfill.models.github import Budget
from gh_backfill.policy import waits
from gh_backfill.policy.governor import UNITS, Resource

_SECONDARY = re.compile(r"\bsecondary rate\b|abuse detection", re.IGNORECASE)
_TIMED_OUT = re.compile(r"result of a timeout|respond to your request in time|Something went wrong while executing")
_TOO_HEAVY = "RESOURCE_LIMITS_EXCEEDED"
_REFUSED = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})
_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
# What a credential has an hour lies well between these: https://docs.github.com/en/rest/rate-limit/rate-limit
_LEAST_LIMIT = 5
_MOST_LIMIT = 10_000_000
_MOST_COST = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer with data, in which `damage` has marked what can't be believed, and a time no later than its reading.

    `not_found` are the paths of what does not exist, `too_heavy` says that GitHub left parts out to save itself work,
    `cost` are the points that GitHub charged, None where it tells none that can be.  `causes` say why what is at a path
    could not be read.
    """

    data: Mapping[str, Any]
    not_found: frozenset[tuple[str | int, ...]]
    server_time: datetime
    too_heavy: bool = False
    cost: int | None = None
    causes: Mapping[tuple[str | int, ...], GitHubError] = field(default_factory=dict)


def read(response: requests.Response, now: datetime) -> Reply:
    """Return the answer, or raise the GitHubError that says what happened.

    A null at the path of an error is a value that GitHub failed to read, never an absent one: what holds it is marked.
    Errors without a path, or without data, are about the whole query.
    """
    body = sense.parsed(response)
    if response.status_code == 401:
        raise BadCredentials("GitHub does not accept the token: check GITHUB_TOKEN (it may have expired)")
    if response.status_code in (403, 429):
        raise _forbidden(response, body, now)
    if response.status_code >= 500:
        raise _server_error(response, body)
    if not isinstance(body, dict):
        raise Unreachable(f"GitHub's answer (status {response.status_code}) was cut off or is no JSON")
    with sense.understood():
        return _read(body, response, now)


def _read(body: dict[str, Any], response: requests.Response, now: datetime) -> Reply:
    errors = sense.errors(body)
    data = body.get("data")
    missing = [error for error in errors if _is_missing(error)]
    located = [error for error in errors if error not in missing and damage.leads_into(data, error.path)]
    if len(missing) + len(located) < len(errors) or not isinstance(data, dict):
        about = [error for error in errors if error not in missing + located] or errors
        raise _query_error(about, response, now, _message(body))
    for error in located:
        damage.mark(data, error.path or (), _reason(error))
    damage.mend_texts(data, response.content)
    return Reply(
        data=data,
        not_found=frozenset(error.path for error in missing if error.path),
        server_time=waits.server_time(response.headers, now, _reset_at(data)),
        too_heavy=any(error.kind == _TOO_HEAVY for error in located),
        cost=_cost(data),
        causes={error.path: _cause(error) for error in located if error.path},
    )


def rows(response: requests.Response, now: datetime) -> list[Any]:
    """Return the rows of a list of REST, or raise the GitHubError that says what happened."""
    body = sense.parsed(response)
    if response.status_code == 200 and isinstance(body, list):
        return body
    raise refusal(response, body, now)


def refusal(response: requests.Response, body: Any, now: datetime) -> GitHubError:
    """Return what an answer of REST means that is not the one that was asked for."""
    if response.status_code == 401:
        return BadCredentials("GitHub does not accept the token: check GITHUB_TOKEN (it may have expired)")
    if response.status_code in (403, 429):
        return _forbidden(response, body, now)
    if response.status_code in (404, 410, 451):
        return Gone(f"GitHub does not show {response.url.partition('?')[0]} (status {response.status_code})")
    if response.status_code >= 500 or response.status_code == 200:
        return Unreachable(f"GitHub has trouble (status {response.status_code}), or its answer was cut off")
    return Unexpected(f"GitHub answered with status {response.status_code}: {_message(body)}")


def budget(
    response: requests.Response, data: Mapping[str, Any] | None, now: datetime, *, resource: Resource = "graphql"
) -> Budget | None:
    """Return what is left of the hour: by the headers, which GitHub keeps more truly than the body's `rateLimit`.

    None where nothing is told that can be.  The reset is on our clock, `now`.
    """
    headers = response.headers
    if headers.get("x-ratelimit-resource", resource) != resource or response.status_code == 401:
        return None
    try:
        return sensible(
            headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"], headers, now
        )
    except sense.UNREADABLE:
        pass
    told = (data or {}).get("rateLimit")
    try:
        reset = sense.moment(told["resetAt"]).timestamp() if told else 0.0
        return sensible(told["limit"], told["remaining"], reset, headers, now) if told else None
    except sense.UNREADABLE:
        return None


def sensible(limit: Any, remaining: Any, reset: Any, headers: Mapping[str, str], now: datetime) -> Budget:
    """Return a budget whose numbers can be; raises one of `sense.UNREADABLE` for others."""
    most = sense.count(limit, least=_LEAST_LIMIT, most=_MOST_LIMIT)
    left = sense.count(remaining)
    return Budget(limit=most, remaining=min(left, most), reset_at=waits.window_ends(float(reset), headers, now))


def _cost(data: Mapping[str, Any]) -> int | None:
    try:
        return sense.count(data["rateLimit"]["cost"], most=_MOST_COST)
    except sense.UNREADABLE:
        return None


def _reset_at(data: Mapping[str, Any]) -> datetime | None:
    try:
        return sense.moment(data["rateLimit"]["resetAt"])
    except sense.UNREADABLE:
        return None


def _is_missing(error: Error) -> bool:
    """Say whether an error only tells that a thing we named does not exist."""
    return error.kind == "NOT_FOUND" and documents.names_one(error.path or ())


def _reason(error: Error) -> str:
    return f"GitHub could not read it: {error.message or error.kind or 'no reason given'}"


def _cause(error: Error) -> GitHubError:
    """Say as an error of ours why a part of an answer is not there."""
    if error.kind in _REFUSED:
        return Denied(f"GitHub refuses: {error.message or error.kind}")
    return TooBig(_reason(error)) if error.kind == _TOO_HEAVY else Unreachable(_reason(error))


def _message(body: Any) -> str:
    return sense.one_line(body.get("message") or "") if isinstance(body, dict) else ""


def _forbidden(response: requests.Response, body: Any, now: datetime) -> GitHubError:
    message = _message(body)
    if "retry-after" in response.headers or _SECONDARY.search(message):
        return _slow_down(response, now)
    remaining = response.headers.get("x-ratelimit-remaining", "").strip()
    if remaining == "0" or response.status_code == 429 or "rate limit" in message.lower():
        return _exhausted(response, now)
    return Denied(f"GitHub refuses: {message or 'status 403'}")


def _server_error(response: requests.Response, body: Any) -> GitHubError:
    message = _message(body)
    if isinstance(body, dict) and body.get("errors"):
        message = " ".join(error.message for error in sense.errors(body))
    if response.status_code == 504 or _TIMED_OUT.search(message):
        return TooBig(f"GitHub gave up after its time limit (status {response.status_code})")
    return Unreachable(f"GitHub has trouble (status {response.status_code})")


def _query_error(errors: Sequence[Error], response: requests.Response, now: datetime, about: str) -> GitHubError:
    kinds = {error.kind for error in errors}
    message = "; ".join(sorted({error.message for error in errors})[:3]) or about or "an answer without data"
    if kinds & _LIMITED or any(error.code == "graphql_rate_limit" for error in errors):
        return _exhausted(response, now)
    if _SECONDARY.search(message):
        return _slow_down(response, now)
    if _TOO_HEAVY in kinds or _TIMED_OUT.search(message):
        return TooBig(f"the query was too heavy for GitHub: {message}")
    if kinds & _REFUSED:
        return Denied(f"GitHub refuses: {message}")
    return Unexpected(f"GitHub answered: {message}")


def _slow_down(response: requests.Response, now: datetime) -> RateLimited:
    asked = waits.after_refusal(response.headers, now, secondary=True)
    text = "GitHub asks to slow down (secondary rate limit)"
    return RateLimited(text, resume_at=asked.until, secondary=True, guessed=asked.guessed)


def _exhausted(response: requests.Response, now: datetime) -> RateLimited:
    asked = waits.after_refusal(response.headers, now, secondary=False)
    resource: Resource = "core" if response.headers.get("x-ratelimit-resource") == "core" else "graphql"
    text = f"the {UNITS[resource]} of this hour are used up"
    return RateLimited(text, resume_at=asked.until, guessed=asked.guessed)
