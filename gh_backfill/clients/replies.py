"""What an HTTP answer of GitHub means: the one place where limits, faults and refusals are told apart.

The shapes are GitHub's documented ones and those its users reported:
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api and
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from gh_backfill.clients import damage
from gh_backfill.errors import BadCredentials, Denied, GitHubError, Gone, RateLimited, TooBig, Unexpected, Unreachable
from gh_backfill.models import Budget
from gh_backfill.policy.governor import UNITS, Resource

_SECONDARY = re.compile(r"\bsecondary rate\b|abuse detection", re.IGNORECASE)
_TIMED_OUT = re.compile(r"result of a timeout|respond to your request in time|Something went wrong while executing")
_TOO_HEAVY = "RESOURCE_LIMITS_EXCEEDED"
_REFUSED = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES"})
_LIMITED = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_LEAST_WAIT = timedelta(seconds=60)
_NEAR = timedelta(minutes=5)
_CLOCK_MARGIN = timedelta(seconds=1)

Error = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer with data, in which `damage` has marked what can't be believed, and GitHub's clock.

    `not_found` are the paths of what does not exist, `too_heavy` says that GitHub left parts out to save itself work.
    `causes` say why what is at a path could not be read.
    """

    data: Mapping[str, Any]
    not_found: frozenset[tuple[str | int, ...]]
    server_time: datetime
    too_heavy: bool = False
    causes: Mapping[tuple[str | int, ...], GitHubError] = field(default_factory=dict)


def read(response: requests.Response, now: datetime) -> Reply:
    """Return the answer, or raise the GitHubError that says what happened.

    A null at the path of an error is a value that GitHub failed to read, never an absent one: what holds it is marked.
    Errors without a path, or without data, are about the whole query.
    """
    body = _json(response)
    if response.status_code == 401:
        raise BadCredentials("GitHub does not accept the token: check GITHUB_TOKEN (it may have expired)")
    if response.status_code in (403, 429):
        raise _forbidden(response, body, now)
    if response.status_code >= 500:
        raise _server_error(response, body)
    if not isinstance(body, dict):
        raise Unreachable(f"GitHub's answer (status {response.status_code}) was cut off or is no JSON")
    errors = body.get("errors") or ()
    data = body.get("data")
    missing = [error for error in errors if _is_missing(error)]
    located = [error for error in errors if error not in missing and damage.leads_into(data, error.get("path"))]
    if len(missing) + len(located) < len(errors) or not isinstance(data, dict):
        raise _query_error([error for error in errors if error not in missing + located] or errors, response, now)
    for error in located:
        damage.mark(data, error["path"], _reason(error))
    damage.mend_texts(data, response.content)
    return Reply(
        data=data,
        not_found=frozenset(tuple(error["path"]) for error in missing),
        server_time=server_time(response, now),
        too_heavy=any(error.get("type") == _TOO_HEAVY for error in located),
        causes={tuple(error["path"]): _cause(error) for error in located},
    )


def rows(response: requests.Response, now: datetime) -> list[Any]:
    """Return the rows of a list of REST, or raise the GitHubError that says what happened."""
    body = _json(response)
    if response.status_code == 200 and isinstance(body, list):
        return body
    if response.status_code == 401:
        raise BadCredentials("GitHub does not accept the token: check GITHUB_TOKEN (it may have expired)")
    if response.status_code in (403, 429):
        raise _forbidden(response, body, now)
    if response.status_code in (404, 410, 451):
        raise Gone(f"GitHub does not show {response.url.partition('?')[0]} (status {response.status_code})")
    if response.status_code >= 500 or response.status_code == 200:
        raise Unreachable(f"GitHub has trouble (status {response.status_code}), or its answer was cut off")
    raise Unexpected(f"GitHub answered with status {response.status_code}: {_message(body)}")


def budget(
    response: requests.Response, data: Mapping[str, Any] | None, resource: Resource = "graphql"
) -> Budget | None:
    """Return what is left of the hour: by the headers, which GitHub keeps more truly than the body's `rateLimit`."""
    headers = response.headers
    try:
        if headers.get("x-ratelimit-resource", resource) != resource or response.status_code == 401:
            return None
        return Budget(
            limit=int(headers["x-ratelimit-limit"]),
            remaining=int(headers["x-ratelimit-remaining"]),
            reset_at=datetime.fromtimestamp(int(headers["x-ratelimit-reset"]), UTC),
        )
    except (KeyError, ValueError):
        return _body_budget(data)


def server_time(response: requests.Response, now: datetime) -> datetime:
    """Return GitHub's own time of the answer; ours where the header is missing."""
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return now


def _body_budget(data: Mapping[str, Any] | None) -> Budget | None:
    limit = (data or {}).get("rateLimit")
    if not limit:
        return None
    reset_at = datetime.fromisoformat(limit["resetAt"]).astimezone(UTC)
    return Budget(limit=limit["limit"], remaining=limit["remaining"], reset_at=reset_at)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _is_missing(error: Error) -> bool:
    """Say whether an error only tells that a thing we named does not exist."""
    path: Sequence[str | int] = error.get("path") or ()
    by_place = len(path) == 2 and (path[0] in ("nodes", "known", "numbers") or path[1] == "pullRequest")
    whole_thing = len(path) == 1 or by_place
    return error.get("type") == "NOT_FOUND" and whole_thing


def _reason(error: Error) -> str:
    return f"GitHub could not read it: {error.get('message') or error.get('type') or 'no reason given'}"


def _cause(error: Error) -> GitHubError:
    """Say as an error of ours why a part of an answer is not there."""
    kind = str(error.get("type", ""))
    if kind in _REFUSED:
        return Denied(f"GitHub refuses: {error.get('message') or kind}")
    return TooBig(_reason(error)) if kind == _TOO_HEAVY else Unreachable(_reason(error))


def _message(body: Any) -> str:
    return str(body.get("message", "")) if isinstance(body, dict) else ""


def _forbidden(response: requests.Response, body: Any, now: datetime) -> GitHubError:
    message = _message(body)
    if response.headers.get("retry-after") or _SECONDARY.search(message):
        return _slow_down(response, now)
    if response.headers.get("x-ratelimit-remaining") == "0" or "rate limit" in message.lower():
        return _exhausted(response, now)
    return Denied(f"GitHub refuses: {message or 'status 403'}")


def _server_error(response: requests.Response, body: Any) -> GitHubError:
    message = _message(body)
    if isinstance(body, dict) and body.get("errors"):
        message = " ".join(str(error.get("message", "")) for error in body["errors"])
    if response.status_code == 504 or _TIMED_OUT.search(message):
        return TooBig(f"GitHub gave up after its time limit (status {response.status_code})")
    return Unreachable(f"GitHub has trouble (status {response.status_code})")


def _query_error(errors: Sequence[Error], response: requests.Response, now: datetime) -> GitHubError:
    kinds = {str(error.get("type", "")) for error in errors}
    message = "; ".join(sorted({str(error.get("message", "")) for error in errors})[:3]) or "an answer without data"
    if kinds & _LIMITED or any(error.get("code") == "graphql_rate_limit" for error in errors):
        return _exhausted(response, now)
    if _SECONDARY.search(message):
        return _slow_down(response, now)
    if _TOO_HEAVY in kinds or _TIMED_OUT.search(message):
        return TooBig(f"the query was too heavy for GitHub: {message}")
    if kinds & _REFUSED:
        return Denied(f"GitHub refuses: {message}")
    return Unexpected(f"GitHub answered: {message}")


def _slow_down(response: requests.Response, now: datetime) -> RateLimited:
    """Tell the wait of a secondary limit, which may be said in three ways: a time, a near reset, or nothing at all.

    A reset far away is that of the hour's points, and no word about this limit.
    """
    least = now + _LEAST_WAIT
    reset = _reset(response, now)
    near = reset is not None and (reset <= now + _NEAR or response.headers.get("x-ratelimit-remaining") == "0")
    until = _retry_after(response, now) or (max(reset, least) if reset is not None and near else None)
    text = "GitHub asks to slow down (secondary rate limit)"
    return RateLimited(text, resume_at=until or least, secondary=True, guessed=until is None)


def _exhausted(response: requests.Response, now: datetime) -> RateLimited:
    until = _retry_after(response, now) or _reset(response, now) or now + _LEAST_WAIT
    resource: Resource = "core" if response.headers.get("x-ratelimit-resource") == "core" else "graphql"
    return RateLimited(f"the {UNITS[resource]} of this hour are used up", resume_at=until)


def _reset(response: requests.Response, now: datetime) -> datetime | None:
    try:
        at = datetime.fromtimestamp(int(response.headers["x-ratelimit-reset"]), UTC) + _CLOCK_MARGIN
    except (KeyError, ValueError):
        return None
    return at if at > now else None


def _retry_after(response: requests.Response, now: datetime) -> datetime | None:
    """Read `Retry-After`: seconds, or a date."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    if value.strip().isdigit():
        return now + timedelta(seconds=int(value))
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except ValueError:
        return now + _LEAST_WAIT
