"""Each kind of place in each answer, with each kind of value: what leaves the clients has the types it promises.

A place and the next two share the values, and so do three days; with GH_BACKFILL_TESTS=whole each has all of them.
"""

from __future__ import annotations

import copy
import dataclasses
import typing
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import GitHubError
from gh_backfill.models.github import Person
from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.policy.issues.follow_ups import PageIssue
from gh_backfill.policy.items import FollowUp, PageItem
from gh_backfill.policy.pull_requests.follow_ups import (
    CommentsOfReview,
    MoreComments,
    MoreReviews,
    PagePullRequest,
    Threads,
)
from tests.clients.test_forged_answers import QUESTIONS, Ids, Relay, everything, ids, places, relay
from tests.turns import some

__all__ = ["ids", "relay"]

STRANGE: list[Any] = [None, True, False, 0, 1.5, "", "x", [], {}, {"x": 7}]


def kinds_of_places(body: Any) -> list[tuple[Any, ...]]:
    """Return one place of each kind: of the elements of a list only one is looked at."""
    kinds: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for path in places(body):
        kinds.setdefault(tuple("*" if isinstance(step, int) else step.rstrip("0123456789") for step in path), path)
    return [path for path in kinds.values() if path]


def broken_promises(value: Any, seen: str = "") -> Iterator[str]:
    """Yield each field of each of our values, however deep, that has another type than it says."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for name, hint in promised(type(value)):
            found, where = getattr(value, name), f"{seen}.{type(value).__name__}.{name}"
            if not is_a(found, hint):
                yield f"{where} = {found!r}"
            yield from broken_promises(found, where)
    elif isinstance(value, Mapping):
        yield from (each for child in value.values() for each in broken_promises(child, seen))
    elif isinstance(value, list | tuple):
        yield from (each for child in value for each in broken_promises(child, seen))


@cache
def promised(kind: type[Any]) -> list[tuple[str, Any]]:
    """Return the fields of a type with the types that they promise."""
    hints = get_type_hints(kind)
    return [(field.name, hints[field.name]) for field in dataclasses.fields(kind)]


# What keeps the promise of a protocol.
PROMISES: Mapping[object, tuple[type, ...]] = {
    PageItem: (PagePullRequest, PageIssue),
    FollowUp: (MoreReviews, MoreComments, CommentsOfReview, Threads),
}


def is_a(value: Any, hint: Any) -> bool:
    """Say whether a value is of a type, its elements too; fields of values are looked into by the caller."""
    hint = getattr(hint, "__supertype__", getattr(hint, "__value__", hint))
    if isinstance(hint, TypeVar):
        return True  # what stands for it is looked into as a value of its own
    origin, within = get_origin(hint) or hint, get_args(hint)
    if origin in PROMISES:
        return isinstance(value, PROMISES[origin])
    if origin in (typing.Union, UnionType):
        return any(is_a(value, each) for each in within)
    if origin is typing.Literal:
        return value in within
    if origin in (int, float):
        return isinstance(value, int | origin) and not isinstance(value, bool)
    if not isinstance(value, origin):
        return False
    if not within or dataclasses.is_dataclass(origin):
        return True
    if isinstance(value, Mapping):
        return all(is_a(key, within[0]) and is_a(child, within[1]) for key, child in value.items())
    if isinstance(value, str):
        return True
    if origin is tuple and Ellipsis not in within:
        return len(value) == len(within) and all(map(is_a, value, within))
    return all(is_a(child, within[0]) for child in value)


def test_types_are_told_apart() -> None:
    """A check that passes everything would find nothing."""
    person = Person(github_id=1, login="x", is_bot=False, avatar_url=None)
    assert [is_a(person, Person), is_a("x", Person), is_a({"x": 7}, Person)] == [True, False, False]
    assert [is_a((1,), tuple[int, ...]), is_a(("x",), tuple[int, ...])] == [True, False]
    assert [is_a({1: "x"}, Mapping[int, str]), is_a({1: 2}, Mapping[int, str])] == [True, False]
    assert [is_a(None, Person | None), is_a(1.5, PullRequestState), is_a(True, int)] == [True, False, False]


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
    for place, path in enumerate(kinds_of_places(asked[0])):
        for strange in some(STRANGE, place, step=3):

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
