"""Register repositories: ask GitHub about them, store what it says, one bad name rejects only itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models import Goal, Repository
from gh_backfill.store import backfills, repositories
from gh_backfill.store.db import Database, Transaction

# https://docs.github.com/en/enterprise-cloud@latest/admin/identity-and-access-management/iam-configuration-reference/username-considerations-for-external-authentication
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
MOST_DIGITS = 18
NameOf = Callable[[int], str | None]
_ADDRESS = re.compile(r"^(?:https?://[^/]+/|git@[^:]+:)")


class Result(StrEnum):
    """What became of one name."""

    ADDED = "added"
    KNOWN = "already tracked"
    RAISED = "goes on to its larger goal"
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
    larger: bool = False,
) -> list[Tracked]:
    """Track the named repositories; returns what became of each name, in their order.

    With `backfill`, the first backfill of each is opened to that goal; `larger` also raises the goals of others to it.
    """
    asked = ask(graphql, names, name_of=name_of)
    found = list({each.repository.github_id: each.repository for each in asked if each.repository}.values())
    if not found:
        return asked
    with db.transaction() as tx:
        ids = repositories.store(tx, found)
        added = repositories.track(tx, found)
        raised = set() if backfill is None else _open(tx, found, ids, backfill, larger=larger)
    return [_stored(each, ids, added, raised) for each in asked]


def parse(text: str) -> tuple[str, str] | None:
    """Read `owner/name` or the address of a repository; None for anything else."""
    name = _ADDRESS.sub("", text.strip()).removesuffix("/").removesuffix(".git")
    owner, slash, rest = name.partition("/")
    if not slash or not _OWNER.fullmatch(owner) or not _NAME.fullmatch(rest) or rest in {".", ".."}:
        return None
    return owner, rest


def _resolve(given: str, name_of: NameOf) -> tuple[str, str] | Result:
    """Return owner and name of what was given, or why there are none."""
    text = given.strip()
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        name = name_of(int(text))
        return Result.NOT_FOUND if name is None else parse(name) or Result.MALFORMED
    return parse(text) or Result.MALFORMED


def _open(tx: Transaction, found: Sequence[Repository], ids: dict[int, str], goal: Goal, *, larger: bool) -> set[str]:
    """Open the backfill of those that never had one, or raise a goal; what else is under way or done stays so.

    Returns our ids of those whose goal was raised.
    """
    known = repositories.candidates(tx, asked=sorted(ids.values()))
    started = {each.id: each.goal for each in known if each.has_stream}
    raised_ids: set[str] = set()
    for repository in found:
        repository_id = ids[repository.github_id]
        before = started.get(repository_id)
        raised = larger and before is not None and (goal.max_items is None or goal.max_items > before)
        if raised:
            backfills.lock_status(tx, repository_id)
            raised_ids.add(repository_id)
        if raised or repository_id not in started:
            backfills.open_backfill(tx, repository_id, total=repository.pull_requests, goal=goal)
    return raised_ids


def _stored(asked: Tracked, ids: dict[int, str], added: set[str], raised: set[str]) -> Tracked:
    if asked.repository is None:
        return asked
    repository_id = ids[asked.repository.github_id]
    result = asked.result
    if repository_id in raised:
        result = Result.RAISED
    elif result is Result.ADDED and repository_id not in added:
        result = Result.KNOWN
    return replace(asked, repository_id=repository_id, result=result)


def _key(pair: tuple[str, str]) -> str:
    return "/".join(pair).lower()
