"""GitHub's ways of saying no, word by word."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from gh_backfill.simulator.messages import Response, refusal, reply

_LIMITS_PAGE = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"
_SECONDARY_PAGE = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"
_TERMS = (
    "For more on scraping GitHub and how it may affect your rights, please review our Terms of Service "
    "(https://docs.github.com/en/site-policy/github-terms/github-terms-of-service)"
)
NO_DRY_RUN: dict[str, Any] = {
    "path": ["query Prices", "rateLimit", "dryRun"],
    "extensions": {"code": "argumentNotAccepted", "name": "rateLimit", "typeName": "Field", "argumentName": "dryRun"},
    "locations": [{"line": 1, "column": 1}],
    "message": "Field 'rateLimit' doesn't accept argument 'dryRun'",
}
NO_ADDRESSES: dict[str, Any] = {
    "type": "INSUFFICIENT_SCOPES",
    "locations": [{"line": 1, "column": 1}],
    "message": "Your token has not been granted the required scopes to execute this query. The 'email' field requires "
    "one of the following scopes: ['user:email', 'read:user'], but your token has only been granted the: ['repo'] "
    "scopes. Please modify your token's scopes at: https://github.com/settings/tokens.",
}
REQUEST_ID = "FA2D:87B1:8879E3:1176C87:6570B7E6"


class Exhausted(StrEnum):
    """The two shapes in which GraphQL says that the points are used up."""

    RATE_LIMITED = "RATE_LIMITED"
    RATE_LIMIT = "RATE_LIMIT"


class Secondary(StrEnum):
    """How a secondary limit says when to come back."""

    RETRY_AFTER = "a"
    RESET_SOON = "b"
    SILENT = "c"


def points_used_up(shape: Exhausted, user_id: int) -> dict[str, Any]:
    """GraphQL's answer, with status 200, to a query that costs more points than are left."""
    if shape is Exhausted.RATE_LIMITED:
        return {"errors": [{"type": "RATE_LIMITED", "message": f"API rate limit exceeded for user ID {user_id}."}]}
    message = f"API rate limit already exceeded for user ID {user_id}."
    return {"errors": [{"type": "RATE_LIMIT", "code": "graphql_rate_limit", "message": message}]}


def requests_used_up(user_id: int, now: float) -> Response:
    """The REST interface's answer to a request too many."""
    time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    message = (
        f"API rate limit exceeded for user ID {user_id}. If you reach out to GitHub Support for help, please include "
        f"the request ID {REQUEST_ID} and timestamp {time}. {_TERMS}"
    )
    return refusal(403, message, _LIMITS_PAGE)


def slow_down(shape: Secondary, retry_after: int, now: float) -> Response:
    """A secondary limit: with `retry-after`, with a reset soon, or without a word on when."""
    message = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to "
        f"GitHub Support for help, please include the request ID {REQUEST_ID}."
    )
    answer = refusal(403, message, _SECONDARY_PAGE)
    if shape is Secondary.RETRY_AFTER:
        return answer.with_headers({"Retry-After": str(retry_after)})
    if shape is Secondary.RESET_SOON:
        return answer.with_headers({"X-RateLimit-Reset": str(int(now) + retry_after)})
    return answer


def bad_credentials(path: str) -> Response:
    """A token that GitHub does not know."""
    page = "graphql" if path.endswith("/graphql") else "rest"
    return refusal(401, "Bad credentials", f"https://docs.github.com/{page}")


def not_accessible() -> Response:
    """A token that GitHub knows, and that may not do this."""
    return refusal(403, "Resource not accessible by integration")


def blocked() -> Response:
    """A repository that a law keeps everybody from."""
    block = {
        "reason": "dmca",
        "created_at": "2021-04-22T17:53:56Z",
        "html_url": "https://github.com/github/dmca/blob/master/2021/04/2021-04-22-example.md",
    }
    return reply({"message": "Repository access blocked", "block": block}, 451)


def no_credentials() -> Response:
    """GraphQL without a token."""
    page = "https://docs.github.com/graphql/guides/forming-calls-with-graphql#authenticating-with-graphql"
    return refusal(401, "This endpoint requires you to be authenticated.", page)


def no_user_agent() -> Response:
    """A request that does not say which program makes it."""
    text = (
        "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header "
        "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). "
        "Check https://developer.github.com for other possible causes.\r\n"
    )
    return Response(status=403, headers={"Content-Type": "text/html; charset=utf-8"}, body=text.encode())


def too_far_back() -> Response:
    """A page beyond the end that long lists have."""
    message = (
        "In order to keep the API fast for everyone, pagination is limited for this resource. Check the rel=last link "
        "relation in the Link response header to see how far back you can traverse."
    )
    return refusal(422, message)


def only_by_cursor() -> Response:
    """A page far down a list that leads on by cursors (josegonzalez/python-github-backup#429)."""
    message = (
        "Pagination with the page parameter is not supported for large datasets, please use cursor based pagination "
        "(after/before)"
    )
    return refusal(422, message)


def issue_deleted() -> Response:
    """An issue that somebody deleted."""
    return refusal(410, "This issue was deleted", "https://docs.github.com/rest/issues/issues#get-an-issue")


def not_found() -> Response:
    """What is not there, or not for whoever asks."""
    return refusal(404, "Not Found")


def went_wrong(now: float, *, timeout: bool = True) -> dict[str, Any]:
    """GraphQL's body for a query that took too long; the shorter form leaves the reason out."""
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    reason = "This may be the result of a timeout, or it could be a GitHub bug. " if timeout else ""
    message = (
        f"Something went wrong while executing your query on {time}. {reason}"
        f"Please include `{REQUEST_ID}` when reporting this issue."
    )
    return {"data": None, "errors": [{"message": message}]}


def timed_out(now: float) -> Response:
    """The most frequent answer to a query that takes more than ten seconds; it has no rate limit headers."""
    return reply(went_wrong(now), 502)


def no_answer_in_time() -> Response:
    """The other one, from further out."""
    message = (
        "We couldn't respond to your request in time. Sorry about that. Please try resubmitting your request and "
        "contact us if the problem persists."
    )
    return reply({"message": message}, 504)


def bad_gateway() -> Response:
    """A page of HTML from the proxy in front."""
    page = (
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
        "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return Response(status=502, headers={"Content-Type": "text/html"}, body=page.encode())
