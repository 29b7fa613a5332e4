"""What a person decides about backfills: pause, resume, retry, cancel.  A running capture obeys at its next claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import ConfigurationError, GitHubError, PartlyFailed, StoreConflict
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.store import items, recovery, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.recovery import State
from gh_backfill.tasks import quarantine

CANCELLED = "cancelled"
BY_HAND = "paused by hand"


@dataclass(frozen=True, kw_only=True, slots=True)
class Operated:
    """What became of one name: `changed` says whether a row did, `failed` that what was asked for can't be done."""

    given: str
    result: str
    repository_id: str | None = None
    status: BackfillStatus | None = None
    changed: bool = False
    failed: bool = False

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "given": self.given,
            "repository_id": self.repository_id,
            "status": self.status,
            "changed": self.changed,
            "failed": self.failed,
            "result": self.result,
        }


def pause(
    db: Database, names: Sequence[str], *, reason: str | None, until: datetime | None, dry_run: bool = False
) -> list[Operated]:
    """Pause backfills until a time, or until somebody resumes them."""
    given = reason or BY_HAND
    text = (
        f"paused ({given}), goes on {'with gh-backfill resume' if until is None else f'at {until:%Y-%m-%d %H:%M} UTC'}"
    )

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        if state.status not in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED):
            return False, f"nothing to pause: {_standing(state)}"
        if write:
            _sure(recovery.hold(tx, state.repository_id, reason=given, resume_at=until))
        return True, text

    return _each(db, names, one, dry_run=dry_run)


def cancel(db: Database, names: Sequence[str], *, dry_run: bool = False) -> list[Operated]:
    """Stop backfills until somebody resumes them; what was captured stays."""
    return pause(db, names, reason=CANCELLED, until=None, dry_run=dry_run)


def resume(db: Database, names: Sequence[str], *, dry_run: bool = False) -> list[Operated]:
    """Let paused backfills go on at once, whoever or whatever paused them."""

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        match state.status:
            case BackfillStatus.PAUSED:
                if write:
                    _sure(recovery.resume(tx, state.repository_id))
                return True, f"goes on (was paused: {state.pause_reason or 'no reason given'})"
            case BackfillStatus.FAILED:
                raise _Refused(f"{_standing(state)}: gh-backfill retry lets it go on")
            case _:
                return False, f"nothing to resume: {_standing(state)}"

    return _each(db, names, one, dry_run=dry_run)


def retry(db: Database, names: Sequence[str], *, dry_run: bool = False) -> list[Operated]:
    """Let failed backfills go on from where they are."""

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        match state.status:
            case BackfillStatus.FAILED:
                if write:
                    _sure(recovery.retry(tx, state.repository_id))
                return True, f"goes on (had failed: {state.last_error or 'no reason given'})"
            case BackfillStatus.PAUSED:
                raise _Refused(f"{_standing(state)}: gh-backfill resume lets it go on")
            case _:
                return False, f"nothing to retry: {_standing(state)}"

    return _each(db, names, one, dry_run=dry_run)


def retry_quarantined(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    *,
    in_time: Callable[[], bool] = lambda: True,
    dry_run: bool = False,
) -> list[Operated]:
    """Read again what is in the quarantine of repositories while it is `in_time`, and store what can be stored now.

    What GitHub does not answer fails for its repository alone.
    """
    return [_reread(db, graphql, name, found, in_time, dry_run=dry_run) for name, found in ids_of(db, names).items()]


def ids_of(db: Database, names: Sequence[str]) -> dict[str, str | None]:
    """Return our id for each name, None for what is not here; raises ConfigurationError if nothing is."""
    with db.transaction(read_only=True) as tx:
        known = repositories.find(tx, list(dict.fromkeys(names)))
    if names and not any(known.values()):
        raise ConfigurationError(f"not tracked here: {', '.join(known)}; run gh-backfill track owner/name first")
    return {name: found.id if found else None for name, found in known.items()}


def settle(operated: Sequence[Operated]) -> None:
    """Raise PartlyFailed that names what could not be done."""
    failed = [f"{each.given}: {each.result}" for each in operated if each.failed]
    if failed:
        raise PartlyFailed("; ".join(failed))


class _Refused(Exception):
    """What was asked for does not fit the state; the message says what would."""


_One = Callable[..., tuple[bool, str]]


def _each(db: Database, names: Sequence[str], one: _One, *, dry_run: bool) -> list[Operated]:
    """Do it for each repository in a transaction of its own, so that one that is locked stops no other."""
    return [_operate(db, name, found, one, dry_run=dry_run) for name, found in ids_of(db, names).items()]


def _operate(db: Database, name: str, repository_id: str | None, one: _One, *, dry_run: bool) -> Operated:
    if repository_id is None:
        return Operated(given=name, result="not tracked here", failed=True)
    try:
        with db.transaction(read_only=dry_run) as tx:
            changed, result = one(tx, recovery.state(tx, repository_id), write=not dry_run)
            status = recovery.state(tx, repository_id).status
    except (_Refused, StoreConflict) as refusal:
        return Operated(given=name, repository_id=repository_id, result=str(refusal), failed=True)
    return Operated(given=name, repository_id=repository_id, status=status, result=result, changed=changed)


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
        numbers = items.quarantined_numbers(tx, repository_id, most_attempts=quarantine.WITHOUT_END)
        (repository,) = (
            each for each in repositories.candidates(tx, asked=[repository_id]) if each.id == repository_id
        )
    if dry_run or not numbers:
        result = f"{len(numbers)} pull requests would be read again" if numbers else "nothing is in the quarantine"
        return Operated(given=name, repository_id=repository_id, result=result, changed=bool(numbers))
    try:
        done = quarantine.retry_quarantined(db, graphql, repository, go_on=lambda done: in_time())
    except GitHubError as error:
        return Operated(given=name, repository_id=repository_id, result=str(error), failed=True)
    result = f"{done.tried} pull requests read again, {done.resolved} entries closed, {done.remaining} still fail"
    if done.left:
        result += f", {done.left} are left for another time: {done.why}"
    return Operated(given=name, repository_id=repository_id, result=result, changed=done.resolved > 0)


def _sure(changed: bool) -> None:
    if not changed:
        raise _Refused("its state changed at this very moment: try again")


def _standing(state: State) -> str:
    return f"the backfill is {state.status}" if state.status else "it has no backfill"
