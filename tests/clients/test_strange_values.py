"""Each kind of place in each answer, with each kind of value: what leaves the clients has the types it promises."""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import GitHubError
from tests.clients.test_forged_answers import QUESTIONS, Ids, Relay, everything, ids, places, relay

__all__ = ["ids", "relay"]

STRANGE: list[Any] = [None, True, 1.5, "x", {"x": 7}]


def kinds_of_places(body: Any) -> list[tuple[Any, ...]]:
    """Return one place of each kind: of the elements of a list only one is looked at."""
    kinds: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for path in places(body):
        kinds.setdefault(tuple("*" if isinstance(step, int) else step.rstrip("0123456789") for step in path), path)
    return [path for path in kinds.values() if path]


def broken_promises(value: Any, seen: str = "") -> Iterator[str]:
    """Yield each field of each of our values, however deep, that has another type than it says."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        for field in dataclasses.fields(value):
            found, where = getattr(value, field.name), f"{seen}.{type(value).__name__}.{field.name}"
            if not _is_a(found, hints[field.name]):
                yield f"{where} = {found!r}"
            yield from broken_promises(found, where)
    elif isinstance(value, Mapping):
        yield from (each for child in value.values() for each in broken_promises(child, seen))
    elif isinstance(value, list | tuple):
        yield from (each for child in value for each in broken_promises(child, seen))


def _is_a(value: Any, hint: Any) -> bool:
    """Say whether a value is of a type, as far as plain types go; what holds others is looked into by the caller."""
    if get_origin(hint) in (typing.Union, UnionType):
        return any(_is_a(value, each) for each in get_args(hint))
    hint = getattr(hint, "__supertype__", hint)
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    if hint in (str, bool, datetime, NoneType):
        return isinstance(value, hint)
    return not isinstance(value, str | int | float | NoneType) or get_origin(hint) is not tuple


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_strange_value_anywhere_is_an_error_of_ours_or_set_apart(relay: Relay, ids: Ids, question: str) -> None:
    asked: list[Any] = []

    def listen(true: Any) -> Any:
        asked.append(copy.deepcopy(true))
        return true

    relay.spoil = listen
    with suppress(GitHubError):
        everything(relay.graphql(), ids, relay.url)[question]()
    wrong: list[str] = []
    for path in kinds_of_places(asked[0]):
        for strange in STRANGE:

            def spoil(true: Any, path: tuple[Any, ...] = path, strange: Any = strange) -> Any:
                holder = true
                with suppress(LookupError, TypeError):
                    for step in path[:-1]:
                        holder = holder[step]
                    holder[path[-1]] = copy.deepcopy(strange)
                return true

            relay.spoil = spoil
            graphql = GraphQL(f"{relay.url}/graphql", "tok", tries=1, sleep=lambda seconds: None)
            try:
                found = everything(graphql, ids, relay.url)[question]()
            except GitHubError:
                continue
            except Exception as error:  # noqa: BLE001  (this is what is looked for)
                wrong.append(f"{path} = {strange!r}: {type(error).__name__}: {error}")
                continue
            wrong += [f"{path} = {strange!r}: {each}" for each in broken_promises(found)]
    assert wrong == []
