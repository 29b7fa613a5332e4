"""Parameters of statements: what of Python becomes jsonb, and what an array."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Self

from psycopg2 import extensions, extras


def adapted(params: Mapping[str, object]) -> dict[str, object] | None:
    """Return the parameters of a statement as psycopg2 takes them; None where there are none."""
    return {name: _adapted(value) for name, value in params.items()} or None


class _Jsonb:
    """A parameter that is sent as a typed jsonb literal, so that no statement has to cast it."""

    def __init__(self, value: object) -> None:
        self._json = extras.Json(value, dumps=lambda value: json.dumps(value, default=_plain))

    def __conform__(self, protocol: object) -> Self:
        return self

    def prepare(self, connection: extensions.connection) -> None:
        self._json.prepare(connection)

    def getquoted(self) -> bytes:
        return bytes(self._json.getquoted()) + b"::jsonb"


def _adapted(value: object) -> object:
    match value:
        case dict() | list():
            return _Jsonb(value)
        case tuple():
            return list(value)  # psycopg2 writes a list as an array
        case _:
            return value


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into JSON")
