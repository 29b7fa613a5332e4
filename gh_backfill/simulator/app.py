"""One request in, one answer out: credentials, limits, faults, then GraphQL, REST or the simulator's own addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gh_backfill.simulator import derive, refusals, rest
from gh_backfill.simulator.controls import Controls
from gh_backfill.simulator.effects import EFFECTS, Moment
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.graphql import Engine, QueryOutcome
from gh_backfill.simulator.limits import Ledger
from gh_backfill.simulator.messages import Request, Response, encode, refusal, reply
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.rest_call import Call
from gh_backfill.simulator.stats import Stats
from gh_backfill.simulator.strikes import Faults
from gh_backfill.simulator.world import World

ANONYMOUS = "anonymous"


class Application:
    """A simulated GitHub without the network.  `answer` may be called by many threads at once."""

    def __init__(self, world: World, options: Options, origin: str = "http://127.0.0.1") -> None:
        self.world, self.options, self.origin = world, options, origin
        self.ledger = Ledger(options.clock, options.window, self._limit)
        self.faults = Faults(options.faults)
        self.stats = Stats()
        self._controls = Controls(
            world=world,
            ledger=self.ledger,
            faults=self.faults,
            stats=self.stats,
            identities=options.identities,
        )
        self._engine = Engine(world, options, self.ledger)

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        if request.path.startswith("/_"):
            return self._controls.answer(request)
        token, resource = request.token or ANONYMOUS, "graphql" if _is_graphql(request) else "core"
        identity = self._identity(request)
        agent = bool(request.headers.get("user-agent"))
        self.stats.begin(token, identity, self.options.clock(), resource=resource, user_agent=agent)
        response = Response(status=500)
        try:
            response = self._admitted(request, token, identity, resource) if agent else refusals.no_user_agent()
        finally:
            self.stats.end(token, identity, status=response.status)
        return response.with_headers({"Server": "github.com", "X-GitHub-Request-Id": refusals.REQUEST_ID})

    def _admitted(self, request: Request, token: str, identity: str, resource: str) -> Response:
        if not self.ledger.enter(identity, self.options.concurrency):
            return self._slow_down(token, identity, resource)
        try:
            return self._faulty(request, token, identity, resource)
        finally:
            self.ledger.leave(identity)

    def _faulty(self, request: Request, token: str, identity: str, resource: str) -> Response:
        query = _query(request) if resource == "graphql" else {}
        struck = self.faults.strike(_seen(request, token, identity, query if isinstance(query, dict) else {}))
        moment = Moment(now=self.options.clock(), path=request.path, user_id=derive.derived_user_id(identity))
        for fault in struck:
            if (instead := EFFECTS[fault.name].instead) is not None:
                return self._instead(instead(fault, moment), token, identity, resource)
        response = self._authorised(request, token, identity, query, struck)
        for fault in struck:
            if (wire := EFFECTS[fault.name].wire) is not None:
                response = wire(fault, response)
        return response

    def _instead(self, response: Response, token: str, identity: str, resource: str) -> Response:
        """The answer of a fault; time-outs come from in front of the part that knows about limits."""
        if response.status >= 500:
            return response
        waits = response.headers.get("Retry-After") or self.options.retry_after
        if response.status == 403 or b"RATE_LIMIT" in response.body:
            self.stats.refused(token, identity, self.options.clock() + float(waits))
        bucket = ANONYMOUS if response.status == 401 else identity
        return response.with_headers(self.ledger.standing(bucket, resource).headers())

    def _authorised(
        self, request: Request, token: str, identity: str, query: object, struck: Sequence[Fault]
    ) -> Response:
        graphql = _is_graphql(request)
        resource = "graphql" if graphql else "core"
        if (
            request.token is not None
            and self.options.only_known_tokens
            and request.token not in self.options.identities
        ):
            return refusals.bad_credentials(request.path).with_headers(
                self.ledger.standing(ANONYMOUS, resource).headers()
            )
        if graphql and request.token is None:
            return refusals.no_credentials().with_headers(self.ledger.standing(ANONYMOUS, resource).headers())
        most = self.options.graphql_per_minute if graphql else self.options.rest_per_minute
        points = 1 if graphql or request.method in ("GET", "HEAD", "OPTIONS") else 5
        if self.ledger.hurried(identity, resource, points, most):
            return self._slow_down(token, identity, resource)
        return (
            self._graphql(request, token, identity, query, struck) if graphql else self._rest(request, token, identity)
        )

    def _graphql(self, request: Request, token: str, identity: str, query: object, struck: Sequence[Fault]) -> Response:
        headers = {
            "X-GitHub-Media-Type": "github.v4; format=json",
            "X-OAuth-Scopes": "public_repo",
            "X-Accepted-OAuth-Scopes": "repo",
        }
        if request.method != "POST":
            return refusals.not_found().with_headers(self.ledger.standing(identity, "graphql").headers())
        if query is None:
            return refusal(400, "Problems parsing JSON").with_headers(
                self.ledger.standing(identity, "graphql").headers()
            )
        if not isinstance(query, dict) or not isinstance(query.get("query"), str):
            errors = [{"message": "A query attribute must be specified and must be a string."}]
            return reply({"errors": errors}).with_headers(self.ledger.standing(identity, "graphql").headers() | headers)
        outcome = self._engine.run(
            *(query["query"], query.get("variables") or {}, query.get("operationName"), identity),
            to_change=any(EFFECTS[fault.name].data or EFFECTS[fault.name].ends for fault in struck),
        )
        if outcome.refused:
            self.stats.refused(token, identity, outcome.standing.reset)
        else:
            name = query.get("operationName") or _operation_name(query["query"])
            self.stats.spent(token, identity, operation=name, points=outcome.cost, nodes=outcome.nodes)
        if (late := self._wait(outcome)) is not None:
            return late
        _spoil(outcome.answer, struck, query.get("variables") or {})
        return reply(outcome.answer).with_headers(outcome.standing.headers() | headers)

    def _rest(self, request: Request, token: str, identity: str) -> Response:
        free = request.path == "/rate_limit"
        call = Call(
            world=self.world,
            options=self.options,
            ledger=self.ledger,
            request=request,
            identity=identity,
            origin=self.origin,
            parts={},
        )
        fits, standing = self.ledger.charge(identity, "core", 0 if free else 1)
        if not fits:
            self.stats.refused(token, identity, standing.reset)
            response = refusals.requests_used_up(derive.derived_user_id(identity), self.options.clock())
            return response.with_headers(standing.headers())
        response = rest.answer(call)
        if response.status == 304:
            _, standing = self.ledger.charge(identity, "core", -1)
        headers = {"X-GitHub-Media-Type": "github.v3; format=json", "X-GitHub-Api-Version-Selected": "2022-11-28"}
        return response.with_headers(standing.headers() | headers)

    def _wait(self, outcome: QueryOutcome) -> Response | None:
        """Take the time that the answer would take; past the limit, give up as GitHub does."""
        seconds = self.options.latency + self.options.latency_per_node * outcome.nodes
        if seconds > 0:
            self.options.sleep(min(seconds, self.options.timeout))
        return refusals.timed_out(self.options.clock()) if seconds > self.options.timeout else None

    def _slow_down(self, token: str, identity: str, resource: str) -> Response:
        now = self.options.clock()
        self.stats.refused(token, identity, now + self.options.retry_after)
        response = refusals.slow_down(self.options.secondary, self.options.retry_after, now)
        return response.with_headers(self.ledger.standing(identity, resource).headers())

    def _identity(self, request: Request) -> str:
        token = request.token
        return ANONYMOUS if token is None else self.options.identities.get(token, token)

    def _limit(self, identity: str, resource: str) -> int:
        if identity == ANONYMOUS:
            return self.options.anonymous_limit
        default = self.options.graphql_limit if resource == "graphql" else self.options.rest_limit
        return self.options.limits.get(identity, default)


def _spoil(answer: dict[str, Any], struck: Sequence[Fault], variables: Mapping[str, Any]) -> None:
    for fault in struck:
        effect = EFFECTS[fault.name]
        if effect.data is not None:
            effect.data(fault, answer)
        if effect.ends is not None:
            effect.ends(fault, answer, variables)


def _is_graphql(request: Request) -> bool:
    return request.path in ("/graphql", "/api/graphql")


def _query(request: Request) -> object:
    """The JSON of a GraphQL request; None where it is broken."""
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _operation_name(text: str) -> str:
    found = re.match(r"(?:\s|#[^\n]*\n)*query\s+(\w+)", text)
    return found[1] if found else ""


def _seen(request: Request, token: str, identity: str, query: dict[str, Any]) -> dict[str, str]:
    text = query.get("query") if isinstance(query.get("query"), str) else ""
    return {
        "path": request.path,
        "token": token,
        "identity": identity,
        "query": text or "",
        "operation": str(query.get("operationName") or _operation_name(text or "")),
        "variables": encode(query.get("variables") or {}).decode(),
    }
