"""The way to GitHub of the smoke test: it can only read, counts what it spends, and stops where its budget ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

PATIENCE = 60  # seconds for an answer
RATE = "rateLimit { cost remaining resetAt }"


class OverBudgetError(Exception):
    """Ends the checks that are left: what may be spent is spent."""


class UnreachableError(Exception):
    """Says that GitHub does not answer, or not as it."""


class RefusedError(Exception):
    """Says that GitHub refuses the token."""


class NotNowError(Exception):
    """Says that GitHub answers nothing more for a while: the points are used up, or it asks to slow down."""


class UnansweredError(Exception):
    """Says that GitHub gave no answer to one request; the next one may have one."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer to a query: its data, errors, headers, and the points that it says it took."""

    status: int
    data: Any
    errors: list[dict[str, Any]]
    headers: Mapping[str, str]
    cost: int | None


@dataclass(kw_only=True)
class Github:
    """GitHub by its two doors; `budget` is how many points may be spent, `spent` how many are.

    Raises OverBudgetError before a query once the budget is spent, and what else the errors above say.
    """

    api_url: str
    graphql_url: str
    token: str
    budget: int
    spent: int = 0
    asked: int = 0
    session: requests.Session = field(default_factory=requests.Session)

    def graphql(self, document: str, **variables: object) -> Answer:
        """Send a query, which must be one; the points that it took are counted."""
        if not re.match(r"\s*(query\b|\{)", document):
            raise ValueError("the smoke test reads only")
        if self.spent >= self.budget:
            raise OverBudgetError
        response = self._sent("POST", self.graphql_url, json={"query": document, "variables": variables})
        try:
            body = response.json()
        except ValueError as error:
            raise UnreachableError(f"status {response.status_code} without JSON") from error
        if not isinstance(body, dict):
            raise UnreachableError("JSON of another shape")
        _refuse_no_answer(body)
        rate = (body.get("data") or {}).get("rateLimit") or {}
        cost = rate.get("cost")
        self.spent += 1 if cost is None else int(cost)
        return Answer(
            status=response.status_code,
            data=body.get("data"),
            errors=body.get("errors") or [],
            headers=response.headers,
            cost=cost,
        )

    def rest(self, path: str, **parameters: str) -> requests.Response:
        """Read a path of REST."""
        return self._sent("GET", f"{self.api_url}{path}", params=parameters)

    def _sent(self, method: str, url: str, **more: Any) -> requests.Response:
        self.asked += 1
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "gh-backfill-smoke"}
        try:
            response = self.session.request(method, url, headers=headers, timeout=PATIENCE, **more)
        except requests.RequestException as error:
            raise UnreachableError(type(error).__name__) from error
        _refuse_status(response)
        return response


def _refuse_status(response: requests.Response) -> None:
    """Raise what an answer says of the token or of GitHub itself, and nothing of what was asked."""
    if response.status_code == 401:
        raise RefusedError
    limited = "retry-after" in response.headers or "rate limit" in response.text[:2000].lower()
    if response.status_code == 429 or (response.status_code == 403 and limited):
        raise NotNowError("GitHub asks to slow down")
    if response.status_code >= 500:
        raise UnansweredError(f"no answer (status {response.status_code})")


def _refuse_no_answer(body: Mapping[str, Any]) -> None:
    """Raise what GraphQL says of GitHub itself, with the status of an answer."""
    for error in body.get("errors") or ():
        if error.get("type") in ("RATE_LIMITED", "RATE_LIMIT"):
            raise NotNowError("the points of this hour are used up")
        if body.get("data") is None and str(error.get("message", "")).startswith("Something went wrong"):
            raise UnansweredError("no answer (something went wrong there)")
