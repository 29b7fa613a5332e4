"""Take repositories off the list: nothing is captured of them any more; their rows stay, or go where that is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.lifecycle import UNTRACKED, BackfillEvent
from gh_backfill.store import access, backfill_events, recovery, untracking
from gh_backfill.store.backfill_events import ITSELF, Actor
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.untracking import Held
from gh_backfill.tasks.not_now import NOT_NOW, why_not_now
from gh_backfill.tasks.operate import ids_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Untracked:
    """What became of one name; `held` are the rows that are here, `deleted` says whether they went."""

    given: str
    result: str
    repository_id: str | None = None
    held: Held | None = None
    deleted: bool = False
    failed: bool = False

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "given": self.given,
            "repository_id": self.repository_id,
            "deleted": self.deleted,
            "failed": self.failed,
            "result": self.result,
            "rows": None if self.held is None else self.held.as_json(),
        }


def untrack(
    db: Database, names: Sequence[str], *, delete_rows: bool, dry_run: bool = False, actor: Actor = ITSELF
) -> list[Untracked]:
    """Untrack repositories, each in a transaction of its own; raises ConfigurationError if none of them is here.

    A capture that is running stops after the page in hand.  With `delete_rows` the pull requests, reviews and comments
    go, and the backfill's own state; accounts stay, for other repositories share them, and so does what a host
    application stored beside them.  To delete takes rights that nothing else needs: ConfigurationError names those that
    are missing.
    """
    if delete_rows:
        with db.reading() as tx:
            lacking = str(access.lacking_to_delete(tx))
        if lacking:
            raise ConfigurationError(f"rows can't be deleted: {lacking}")
    return [
        _one(db, name, found, delete_rows=delete_rows, dry_run=dry_run, actor=actor)
        for name, found in ids_of(db, names).items()
    ]


def _one(
    db: Database, name: str, repository_id: str | None, *, delete_rows: bool, dry_run: bool, actor: Actor
) -> Untracked:
    if repository_id is None:
        return Untracked(given=name, result="not tracked here", failed=True)
    try:
        with db.transaction(read_only=dry_run) as tx:
            held = untracking.held(tx, repository_id)
            was_tracked = untracking.is_tracked(tx, repository_id)
            if not dry_run:
                _untrack(tx, repository_id, delete_rows=delete_rows, actor=actor)
    except NOT_NOW as error:
        return Untracked(given=name, repository_id=repository_id, result=why_not_now(error), failed=True)
    would = "would be " if dry_run else ""
    kept = f"{held} {would}deleted" if delete_rows else f"{held} stay"
    return Untracked(
        given=name,
        repository_id=repository_id,
        held=held,
        deleted=delete_rows and not dry_run,
        result=f"{f'{would}untracked' if was_tracked else 'was not tracked any more'}; {kept}",
    )


def _untrack(tx: Transaction, repository_id: str, *, delete_rows: bool, actor: Actor) -> None:
    recovery.give_up(tx, repository_id, reason=UNTRACKED, who=actor.who)
    if untracking.untrack(tx, repository_id) or delete_rows:
        detail = "rows deleted" if delete_rows else None
        backfill_events.record(tx, BackfillEvent.UNTRACKED, {repository_id: detail}, actor)
    if delete_rows:
        untracking.delete_rows(tx, repository_id)
        if left := untracking.held(tx, repository_id):
            raise ConfigurationError(f"nothing was deleted: row level security keeps {left} from this role")
