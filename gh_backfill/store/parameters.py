"""Parameters of statements: what of Python becomes jsonb, and what an array."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from psycopg2 import extensions


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonText:
    """A value that is JSON already, and arrives as jsonb."""

    text: str


def adapted(params: Mapping[str, object]) -> dict[str, object] | None:
    """Return the parameters of a statement as psycopg2 takes them; None where there are none."""
    return {name: _adapted(value) for name, value in params.items()} or None


def encoded(value: object) -> str:
    """Return a value as JSON in ASCII; raises TypeError for what has no place in it."""
    return _ENCODER.encode(value)


class _Jsonb:
    """A parameter that is sent as a typed jsonb literal, so that no statement has to cast it."""

    def __init__(self, text: str) -> None:
        self._text = extensions.QuotedString(text)

    def __conform__(self, protocol: object) -> Self:
        return self

    def prepare(self, connection: extensions.connection) -> None:
        self._text.prepare(connection)

    def getquoted(self) -> bytes:
        return self._text.getquoted() + b"::jsonb"


def _adapted(value: object) -> object:
    match value:
        case JsonText():
            return _Jsonb(value.text)
        case dict() | list():
            return _Jsonb(encoded(value))
        case tuple():
            return list(value)  # psycopg2 writes a list as an array
        case _:
            return value


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into JSON")


_ENCODER = json.JSONEncoder(default=_plain)
