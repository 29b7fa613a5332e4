"""Register repositories: ask GitHub about them, store what it says, one bad name rejects only itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models import Goal, Repository
from gh_backfill.store import backfills, repositories
from gh_backfill.store.db import Database, Transaction

# https://docs.github.com/en/enterprise-cloud@latest/admin/identity-and-access-management/iam-configuration-reference/username-considerations-for-external-authentication
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_ADDRESS = re.compile(r"^(?:https?://[^/]+/|git@[^:]+:)")


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


def track(
    db: Database, graphql: GraphQL, names: Sequence[str], *, backfill: Goal | None = None, dry_run: bool = False
) -> list[Tracked]:
    """Track the named repositories; returns what became of each name, in their order.

    Names are compared without regard to case; an address of a repository is taken as its name.  With `backfill`, the
    first backfill of each is opened to that goal.  A dry run asks GitHub and writes nothing.
    """
    parsed = {name: parse(name) for name in names}
    wanted: dict[str, tuple[str, str]] = {}
    for pair in parsed.values():
        if pair is not None:
            wanted.setdefault("/".join(pair).lower(), pair)
    answers = github.repositories_by_name(graphql, list(wanted.values()))
    found = {key: repository for key, repository in zip(wanted, answers, strict=True) if repository is not None}
    ids: dict[int, str] = {}
    added: set[str] = set()
    if not dry_run and found:
        with db.transaction() as tx:
            unique = list({repository.github_id: repository for repository in found.values()}.values())
            ids = repositories.store(tx, unique)
            added = repositories.track(tx, unique)
            if backfill is not None:
                _open_new(tx, unique, ids, backfill)
    return _results(names, parsed, found, ids, added)


def parse(text: str) -> tuple[str, str] | None:
    """Read `owner/name` or the address of a repository; None for anything else."""
    name = _ADDRESS.sub("", text.strip()).removesuffix("/").removesuffix(".git")
    owner, slash, rest = name.partition("/")
    if not slash or not _OWNER.fullmatch(owner) or not _NAME.fullmatch(rest) or rest in {".", ".."}:
        return None
    return owner, rest


def _open_new(tx: Transaction, found: Sequence[Repository], ids: dict[int, str], goal: Goal) -> None:
    """Open the backfill of those that never had one; what is under way or done is not started again."""
    known = repositories.candidates(tx, asked=sorted(ids.values()))
    started = {each.id for each in known if each.has_stream}
    for repository in found:
        repository_id = ids[repository.github_id]
        if repository_id not in started:
            backfills.open_backfill(tx, repository_id, total=repository.pull_requests, goal=goal)


def _results(
    names: Sequence[str],
    parsed: dict[str, tuple[str, str] | None],
    found: dict[str, Repository],
    ids: dict[int, str],
    added: set[str],
) -> list[Tracked]:
    results: list[Tracked] = []
    seen: set[int] = set()
    for name in names:
        pair = parsed[name]
        repository = found.get("/".join(pair).lower()) if pair else None
        if repository is None:
            results.append(Tracked(given=name, result=Result.NOT_FOUND if pair else Result.MALFORMED))
            continue
        repository_id = ids.get(repository.github_id)
        renamed = pair is not None and "/".join(pair).lower() != repository.full_name.lower()
        if repository.github_id in seen:
            result = Result.DUPLICATE
        elif renamed:
            result = Result.RENAMED
        else:
            result = Result.ADDED if repository_id is None or repository_id in added else Result.KNOWN
        seen.add(repository.github_id)
        results.append(Tracked(given=name, result=result, repository=repository, repository_id=repository_id))
    return results
