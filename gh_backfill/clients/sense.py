"""Check values from outside for sense before anything rests on them: JSON, errors, numbers and times."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Never

import requests

from gh_backfill.errors import Unreachable
from gh_backfill.models.github import NodeId

# What a part that is missing, null, out of bounds or of another shape than promised ends in.
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)
# The largest numbers of PostgreSQL's `integer` and `bigint`.
MOST_COUNT = 2**31 - 1
MOST_NUMBER = 999_999_999
MOST_ID = 2**63 - 1
_NUMBERS = (int, str)
# A message of another's is told in a line.
LONGEST_MESSAGE = 300
# What PostgreSQL can't store: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Error:
    """An error beside or in the place of data.  `path` is None where there is none that can lead anywhere."""

    kind: str
    code: str
    message: str
    path: tuple[str | int, ...] | None


def parsed(response: requests.Response) -> Any:
    """Return the JSON of an answer; None where it is none, or none that can be stored."""
    try:
        return json.loads(response.content, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def errors(body: Mapping[str, Any]) -> list[Error]:
    """Return the errors of a GraphQL answer, whatever shape they have."""
    found = body.get("errors")
    if not found:
        return []
    return [_error(each) for each in (found if isinstance(found, list) else [found])]


def one_line(value: object) -> str:
    """Return a text of another's as one line that is not too long, and that every database can store."""
    return _UNSTORABLE.sub("\ufffd", " ".join(str(value).split())[:LONGEST_MESSAGE])


def count(value: Any, *, least: int = 0, most: int = MOST_COUNT) -> int:
    """Return a whole number within bounds; raises ValueError or TypeError for anything else."""
    if type(value) not in _NUMBERS:  # true is an int, too
        raise TypeError(f"not a number: {one_line(value)[:40]}")
    number = int(value)
    if not least <= number <= most:
        raise ValueError("a number out of bounds")
    return number


def number(value: Any) -> int:
    """Return the number of a pull request; one beyond reason would never be found again."""
    return count(value, least=1, most=MOST_NUMBER)


def identity(value: Any) -> int:
    """Return one of GitHub's numeric ids, which may come as a text."""
    return count(value, least=1, most=MOST_ID)


@lru_cache(maxsize=1_000)  # most of what is written is never changed, and tells the same time twice
def moment(value: Any) -> datetime:
    """Return an ISO time as UTC; raises ValueError or TypeError for what is none, or tells no zone."""
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError("a time without a zone")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time out of bounds") from None


def text(value: Any) -> str:
    """Return a text; raises TypeError for anything else, null included."""
    if not isinstance(value, str):
        raise TypeError(f"not a text: {one_line(value)[:40]}")
    return value


def text_or_none(value: Any) -> str | None:
    """Return a text, or None for null; raises TypeError for anything else."""
    return value if isinstance(value, str) or value is None else text(value)


def node_id(value: Any) -> NodeId:
    """Return GitHub's own name of a thing; raises TypeError or ValueError for what can be none."""
    if not text(value):
        raise ValueError("an id without a character")
    return NodeId(value)


def elements(value: Any) -> list[Any]:
    """Return a list; raises TypeError for anything else."""
    if not isinstance(value, list):
        raise TypeError(f"not a list: {one_line(value)[:40]}")
    return value


def position(value: Any) -> int | None:
    """Return a line of a difference, or None for null; raises ValueError or TypeError for anything else."""
    return None if value is None else count(value, least=-MOST_COUNT)


def full_name(value: Any) -> str:
    """Return a name such as `owner/name`; raises ValueError or TypeError for anything else."""
    owner, name = value.split("/")
    if not owner or not name:
        raise ValueError("no name of a repository")
    return str(value)


def truth(value: Any) -> bool:
    """Return true or false; raises TypeError for anything else."""
    if not isinstance(value, bool):
        raise TypeError("neither true nor false")
    return value


@contextmanager
def understood() -> Iterator[None]:
    """Turn what reading an answer of a strange shape ends in into Unreachable, as a cut answer: another may be whole.

    Put nothing but reading in the block, or in the function that it decorates.
    """
    try:
        yield
    except UNREADABLE as error:
        raise not_understood(error) from None


def not_understood(error: BaseException) -> Unreachable:
    """Return the error of an answer whose shape is strange."""
    detail = f"{type(error).__name__}: {one_line(error)[:80]}"
    return Unreachable(f"GitHub's answer has a shape that is not understood ({detail})")


def _error(value: Any) -> Error:
    fields = value if isinstance(value, dict) else {"message": value}
    path = fields.get("path")
    leads = isinstance(path, list) and path and all(type(step) in (str, int) for step in path)
    return Error(
        kind=one_line(fields.get("type") or ""),
        code=one_line(fields.get("code") or ""),
        message=one_line(fields.get("message") or ""),
        path=tuple(path) if leads and path else None,
    )


def _refuse(name: str) -> Never:
    """Refuse NaN and infinities, which are no JSON, and which no database takes as such."""
    raise ValueError(name)
