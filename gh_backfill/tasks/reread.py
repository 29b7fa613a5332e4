"""Read again what is in the quarantine of repositories, because a person asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import quarantine
from gh_backfill.engine.quarantine import Retried
from gh_backfill.engine.registry import KINDS
from gh_backfill.errors import GitHubError
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.markdown import counted
from gh_backfill.store import recovery, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.quarantine import quarantined_numbers
from gh_backfill.tasks.operate import Operated, ids_of, why_untracked


def retry_quarantined(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    *,
    in_time: Callable[[], bool] = lambda: True,
    dry_run: bool = False,
) -> list[Operated]:
    """Read again what is in the quarantine of repositories while it is `in_time`, and store what can be stored now.

    What GitHub does not answer fails for its repository alone; what was done of it until then stays done, and is told.
    A repository of which something was tried and still fails has failed, and one that somebody untracked is left alone.
    """
    return [_reread(db, graphql, name, found, in_time, dry_run=dry_run) for name, found in ids_of(db, names).items()]


def _reread(
    db: Database,
    graphql: GraphQL,
    name: str,
    repository_id: str | None,
    in_time: Callable[[], bool],
    *,
    dry_run: bool,
) -> Operated:
    if repository_id is None:
        return Operated(given=name, result="not tracked here", failed=True)
    with db.transaction(read_only=True) as tx:
        waiting = {
            kind: len(quarantined_numbers(tx, repository_id, most_attempts=quarantine.WITHOUT_END, kind=kind))
            for kind in KINDS
        }
        entries = _open_entries(tx, repository_id)
        untracked = why_untracked(recovery.states(tx, repository_id)[0])
        (repository,) = (
            each for each in repositories.candidates(tx, asked=[repository_id]) if each.id == repository_id
        )
    if untracked is not None:
        return Operated(given=name, repository_id=repository_id, result=untracked, failed=True)
    if dry_run or not entries:
        result = _outlook(waiting, entries)
        return Operated(given=name, repository_id=repository_id, result=result, changed=any(waiting.values()))
    done, error = _retried(db, graphql, repository, in_time)
    result = _told(done, waiting) if done.tried or error is None else str(error)
    all_read = done.tried >= sum(waiting.values()) and not done.remaining and not done.left
    rest = _without_number(db, repository_id) if all_read else None
    if rest:
        result = f"{result}; {rest}" if done.tried else rest
    return Operated(
        given=name,
        repository_id=repository_id,
        result=result,
        changed=done.resolved > 0,
        failed=done.remaining > 0 or error is not None,
    )


def _retried(
    db: Database, graphql: GraphQL, repository: TrackedRepository, in_time: Callable[[], bool]
) -> tuple[Retried, GitHubError | None]:
    """Read the quarantine again; where a step fails, return what those before it did, and why it failed."""
    before = heard = Retried()

    def go_on(done: Retried) -> bool:
        nonlocal heard
        heard = before + done
        return in_time()

    try:
        for kind in KINDS.values():
            done = quarantine.retry_quarantined(db, graphql, kind, repository, go_on=go_on)
            before = replace(before + done, left=before.left + done.left, why=done.why or before.why)
    except GitHubError as error:
        return replace(heard, why=str(error)), error
    return before, None


def _item(waiting: Mapping[str, int]) -> str:
    """Return the word for one of the items that wait."""
    words = [KINDS[kind].item for kind, many in waiting.items() if many]
    return words[0] if len(words) == 1 else "item"


def _told(done: Retried, waiting: Mapping[str, int]) -> str:
    closed = f"{counted(done.resolved, 'entry')} closed"
    text = f"{counted(done.tried, _item(waiting))} read again, {closed}, {done.remaining} still fail"
    return f"{text}, {done.left} are left for another time: {done.why}" if done.left else text


def _open_entries(tx: Transaction, repository_id: str) -> int:
    return sum(each.quarantined for each in repositories.status(tx, [repository_id]))


def _outlook(waiting: Mapping[str, int], entries: int) -> str:
    """Say what would be done about a quarantine."""
    if numbers := sum(waiting.values()):
        return f"{counted(numbers, _item(waiting))} would be read again"
    if not entries:
        return "nothing is in the quarantine"
    have = "has" if entries == 1 else "have"
    return (
        f"{counted(entries, 'entry')} of the quarantine {have} no number: GitHub would be asked for it where it can be"
    )


def _without_number(db: Database, repository_id: str) -> str | None:
    """Say what is in a quarantine in which nothing is left that has a number; None where nothing is left at all."""
    with db.transaction(read_only=True) as tx:
        many = _open_entries(tx, repository_id)
    if not many:
        return None
    have, they = ("has", "it stays") if many == 1 else ("have", "they stay")
    return (
        f"{counted(many, 'entry')} of the quarantine {have} no number to ask GitHub for: {they} there, and what is "
        "missing comes when the whole history is read again"
    )
