"""The effect of each fault.

`instead` answers in place of the server, which then neither runs nor charges the request; `data` changes the decoded
answer of a GraphQL query that ran, `ends` how its lists end, for which it sees the variables; `wire` changes the answer
on its way out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gh_backfill.simulator import damage, refusals
from gh_backfill.simulator.damage import Answer
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.messages import Delivery, Response, reply
from gh_backfill.simulator.refusals import Exhausted, Secondary

_SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the effect may want to know: the time, the path asked for, the user's id."""

    now: float
    path: str
    user_id: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a fault does, in words and in code."""

    text: str
    instead: Callable[[Fault, Moment], Response] | None = None
    data: Callable[[Fault, Answer], None] | None = None
    ends: Callable[[Fault, Answer, Mapping[str, Any]], None] | None = None
    wire: Callable[[Fault, Response], Response] | None = None


def _empty_list(_fault: Fault, response: Response) -> Response:
    """Empty a list of REST that says it has more."""
    if not response.body.startswith(b"["):
        return response
    return replace(response, body=b"[]").with_headers({"Link": '<https://api.github.com/?page=2>; rel="next"'})


def _cut(fault: Fault, response: Response) -> Response:
    return replace(response, body=response.body[: int(len(response.body) * (fault.size or 0.5))])


def _secondary(shape: Secondary) -> Callable[[Fault, Moment], Response]:
    return lambda fault, moment: refusals.slow_down(shape, int(fault.size or 60), moment.now)


def _exhausted(shape: Exhausted) -> Callable[[Fault, Moment], Response]:
    return lambda fault, moment: reply(refusals.points_used_up(shape, moment.user_id))


EFFECTS: dict[str, Effect] = {
    "502_json": Effect(
        text="502 with GraphQL's `Something went wrong` body and no rate limit headers, the usual time-out",
        instead=lambda fault, moment: refusals.timed_out(moment.now),
    ),
    "502_html": Effect(text="502 with a page of HTML", instead=lambda fault, moment: refusals.bad_gateway()),
    "504": Effect(text="504 `We couldn't respond in time`", instead=lambda fault, moment: refusals.no_answer_in_time()),
    "200_timeout": Effect(
        text="200 with the `Something went wrong` body",
        instead=lambda fault, moment: reply(refusals.went_wrong(moment.now, timeout=False)),
    ),
    "truncated": Effect(text="200 with JSON cut off at `size` (0.5) of its length", wire=_cut),
    "reset": Effect(
        text="the request is carried out and charged, then the connection is cut before the answer",
        wire=lambda fault, response: replace(response, delivery=Delivery.RESET),
    ),
    "stall": Effect(
        text="the request is carried out and charged, then nothing is sent until either side gives up",
        wire=lambda fault, response: replace(response, delivery=Delivery.STALLED),
    ),
    "secondary_a": Effect(
        text="a secondary limit with `retry-after: size` (60)", instead=_secondary(Secondary.RETRY_AFTER)
    ),
    "secondary_b": Effect(
        text="a secondary limit with `x-ratelimit-reset` in `size` (60) seconds",
        instead=_secondary(Secondary.RESET_SOON),
    ),
    "secondary_c": Effect(text="a secondary limit with ordinary headers", instead=_secondary(Secondary.SILENT)),
    "rate_limited": Effect(
        text="200 `type: RATE_LIMITED`, whatever is left", instead=_exhausted(Exhausted.RATE_LIMITED)
    ),
    "rate_limit": Effect(
        text="200 `type: RATE_LIMIT`, `code: graphql_rate_limit`", instead=_exhausted(Exhausted.RATE_LIMIT)
    ),
    "resource_limits": Effect(
        text="pages of more than `size` (25) pull requests, issues or discussions are nulls, one "
        "RESOURCE_LIMITS_EXCEEDED each",
        data=damage.limit_resources,
    ),
    "null_with_error": Effect(
        text="in `size` (0.1) of all objects `author`, `body`, `labels`, `milestone`, `answer`, `requestedReviewer` or "
        "`issueOrPullRequest` is null with an error at it",
        data=damage.null_with_error,
    ),
    "node_unread": Effect(
        text="`size` (1) of what is named (`repository`, `node`, `nodes`, `viewer`) is null: RESOURCE_LIMITS_EXCEEDED",
        data=damage.null_named("RESOURCE_LIMITS_EXCEEDED", damage.TOO_MUCH),
    ),
    "node_forbidden": Effect(
        text="`size` (1) of what is named is null with FORBIDDEN, as an organisation with SAML answers",
        data=damage.null_named("FORBIDDEN", _SAML),
    ),
    "node_untyped": Effect(
        text="`size` (1) of what is named is null with an error that has no type",
        data=damage.null_named(None, "Something is wrong here."),
    ),
    "shrink": Effect(
        text="connections below a node end at `size` (10) rows, as if there were no more, without an error",
        data=damage.shrink,
    ),
    "phantoms": Effect(
        text="`size` (1) more are counted than listed of the connection `on` (pullRequests, issues, discussions)",
        data=damage.count_more,
    ),
    "no_cursor": Effect(
        text="lists (`on`: those of this name) say that there is more and give no cursor", ends=damage.no_cursor
    ),
    "old_cursor": Effect(
        text="lists (`on`: those of this name) go on at `cursor`, or where they were asked to begin",
        ends=damage.old_cursor,
    ),
    "empty_page": Effect(
        text="lists (`on`: those of this name) have no rows and say that there is more", ends=damage.empty
    ),
    "empty_list": Effect(text="a list of REST has no rows and says that there is more", wire=_empty_list),
    "bad_credentials": Effect(
        text="401 `Bad credentials`", instead=lambda fault, moment: refusals.bad_credentials(moment.path)
    ),
    "forbidden": Effect(
        text="403 `Resource not accessible by integration`", instead=lambda fault, moment: refusals.not_accessible()
    ),
    "blocked": Effect(text="451 `Repository access blocked`", instead=lambda fault, moment: refusals.blocked()),
    "nul_in_body": Effect(
        text="`size` (0.1) of all bodies and descriptions of labels have a NUL in them", data=damage.spoil_body("\0")
    ),
    "lone_surrogate": Effect(
        text="`size` (0.1) of all bodies and descriptions of labels have half a surrogate pair",
        data=damage.spoil_body("\ud83d"),
    ),
    "null_edge": Effect(
        text="`size` (0.1) of the places of a page, or of the rows of a list below an issue, are null without an error",
        data=damage.null_edge,
    ),
    "double": Effect(
        text="the second place of a page, or of a list below an issue, holds what the first one holds",
        data=damage.double,
    ),
    "newest_unread": Effect(
        text="the first place of a page is null, without an error", data=damage.leave_out_the_newest
    ),
    "huge_number": Effect(text="the first place of a page has the number 2,147,483,647", data=damage.huge_number),
    "wrong_cursors": Effect(text="every place of a page leads to what follows the page", data=damage.wrong_cursors),
    "missing_id": Effect(
        text="`size` (0.1) of all objects have `fullDatabaseId: null` (assignees and discussions: `databaseId`), "
        "without an error",
        data=damage.drop_id,
    ),
}
