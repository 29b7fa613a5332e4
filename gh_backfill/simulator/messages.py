"""Requests and answers, apart from the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Delivery(StrEnum):
    """What becomes of an answer on its way."""

    WHOLE = "whole"
    RESET = "reset"
    STALLED = "stalled"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request; names of headers are lower case, `query` holds the parameters of the address."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def token(self) -> str | None:
        """The token of the request, from `Authorization: bearer X` or `token X`."""
        scheme, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest.strip() or None if scheme.lower() in ("bearer", "token") else None


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = Delivery.WHOLE

    def with_headers(self, headers: Mapping[str, str]) -> Response:
        """Return the same answer with more headers; those it has stay."""
        merged = {**headers, **self.headers}
        return Response(status=self.status, headers=merged, body=self.body, delivery=self.delivery)


def encode(value: object) -> bytes:
    """Write JSON; characters outside ASCII are escaped, so that lone surrogates get through."""
    return json.dumps(value, separators=(",", ":")).encode()


def reply(value: object, status: int = 200, **headers: str) -> Response:
    """Answer with JSON; underscores in the names of headers become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(
        status=status,
        headers={"Content-Type": "application/json; charset=utf-8", **named},
        body=b"" if value is None else encode(value),
    )


def refusal(status: int, message: str, page: str = "https://docs.github.com/rest", **more: Any) -> Response:
    """Answer with GitHub's JSON of an error."""
    return reply({"message": message, **more, "documentation_url": page, "status": str(status)}, status)
