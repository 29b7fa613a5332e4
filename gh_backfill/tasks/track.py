"""Register repositories: ask GitHub about them, store what it says, one bad name rejects only itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gh_backfill import hidden
from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models import Goal, Repository
from gh_backfill.policy.names import parse
from gh_backfill.store import backfills, repositories
from gh_backfill.store.db import Database, Transaction

MOST_DIGITS = 18
NameOf = Callable[[int], str | None]


class Result(StrEnum):
    """What became of one name."""

    ADDED = "added"
    KNOWN = "already tracked"
    RENAMED = "tracked under its new name"
    DUPLICATE = "named twice"
    MALFORMED = "not of the form owner/name"
    NOT_FOUND = "GitHub has no such repository, or the token may not see it"


FAILURES = frozenset({Result.MALFORMED, Result.NOT_FOUND})


@dataclass(frozen=True, kw_only=True, slots=True)
class Tracked:
    """One name that was given, and what it led to."""

    given: str
    result: Result
    repository: Repository | None = None
    repository_id: str | None = None

    @property
    def failed(self) -> bool:
        """Say whether this name could not be tracked."""
        return self.result in FAILURES


def ask(graphql: GraphQL, names: Sequence[str], *, name_of: NameOf) -> list[Tracked]:
    """Ask GitHub about the named repositories, many in one query; returns what became of each name, in their order.

    Names are compared without regard to case; an address of a repository is taken as its name, and GitHub's numeric id
    is resolved by `name_of`.
    """
    parsed = {name: _resolve(name, name_of) for name in names}
    wanted: dict[str, tuple[str, str]] = {}
    for pair in parsed.values():
        if not isinstance(pair, Result):
            wanted.setdefault(_key(pair), pair)
    answers = dict(zip(wanted, github.repositories_by_name(graphql, list(wanted.values())), strict=True))
    results: list[Tracked] = []
    seen: set[int] = set()
    for name in names:
        pair = parsed[name]
        repository = None if isinstance(pair, Result) else answers[_key(pair)]
        if repository is None:
            results.append(Tracked(given=name, result=pair if isinstance(pair, Result) else Result.NOT_FOUND))
            continue
        if not isinstance(pair, Result):  # the name that was given may be an old one of it
            hidden.repository("/".join(pair), str(repository.github_id), is_private=repository.is_private)
        result = Result.DUPLICATE if repository.github_id in seen else Result.ADDED
        if result is Result.ADDED and not isinstance(pair, Result) and _key(pair) != repository.full_name.lower():
            result = Result.RENAMED
        seen.add(repository.github_id)
        results.append(Tracked(given=name, result=result, repository=repository))
    return results


def track(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    *,
    name_of: NameOf = lambda github_id: None,
    backfill: Goal | None = None,
) -> list[Tracked]:
    """Track the named repositories; returns what became of each name, in their order.

    With `backfill`, the first backfill of each is opened to that goal.
    """
    asked = ask(graphql, names, name_of=name_of)
    found = list({each.repository.github_id: each.repository for each in asked if each.repository}.values())
    if not found:
        return asked
    with db.transaction() as tx:
        ids = repositories.store(tx, found)
        added = repositories.track(tx, found)
        if backfill is not None:
            _open_new(tx, found, ids, backfill)
    return [_stored(each, ids, added) for each in asked]


def _resolve(given: str, name_of: NameOf) -> tuple[str, str] | Result:
    """Return owner and name of what was given, or why there are none."""
    text = given.strip()
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        name = name_of(int(text))
        return Result.NOT_FOUND if name is None else parse(name) or Result.MALFORMED
    return parse(text) or Result.MALFORMED


def _open_new(tx: Transaction, found: Sequence[Repository], ids: dict[int, str], goal: Goal) -> None:
    """Open the backfill of those that never had one; what is under way or done is not started again."""
    known = repositories.candidates(tx, asked=sorted(ids.values()))
    started = {each.id for each in known if each.has_stream}
    for repository in found:
        repository_id = ids[repository.github_id]
        if repository_id not in started:
            backfills.open_backfill(tx, repository_id, total=repository.pull_requests, goal=goal)


def _stored(asked: Tracked, ids: dict[int, str], added: set[str]) -> Tracked:
    if asked.repository is None:
        return asked
    repository_id = ids[asked.repository.github_id]
    known = asked.result is Result.ADDED and repository_id not in added
    return replace(asked, repository_id=repository_id, result=Result.KNOWN if known else asked.result)


def _key(pair: tuple[str, str]) -> str:
    return "/".join(pair).lower()
