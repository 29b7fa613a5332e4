"""Decisions of a person about backfills: pause, resume, retry, cancel.  A running capture obeys at its next claim.

Each kind of items of a repository is judged by how its own backfill stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from gh_backfill.engine.recover import recover
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.models.work import PULL_REQUESTS, words_of
from gh_backfill.policy.lifecycle import CANCELLED, UNTRACKED, BackfillEvent, BackfillStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.standing import RESUME, shown_status, what_stopped, why_it_stands
from gh_backfill.store import backfill_events, kinds, recovery, repositories, untracking
from gh_backfill.store.backfill_events import ITSELF, Actor
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.recovery import State
from gh_backfill.tasks.not_now import NOT_NOW, why_not_now

BY_HAND = "no reason given"


@dataclass(frozen=True, kw_only=True, slots=True)
class OfKind:
    """What became of one kind of items: `refused` says that what was asked for does not fit how it stands."""

    kind: str
    result: str
    status: BackfillStatus | None = None
    changed: bool = False
    refused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Operated:
    """What became of one name: `changed` says whether a row did, `failed` that what was asked for can't be done.

    Of several `kinds` it has failed where that is so of one, and none has changed; `status` is that of the first.
    """

    given: str
    result: str
    repository_id: str | None = None
    status: BackfillStatus | None = None
    changed: bool = False
    failed: bool = False
    kinds: tuple[OfKind, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "given": self.given,
            "repository_id": self.repository_id,
            "status": self.status,
            "changed": self.changed,
            "failed": self.failed,
            "result": self.result,
            "kinds": [asdict(each) for each in self.kinds],
        }


def pause(
    db: Database,
    names: Sequence[str],
    *,
    reason: str | None,
    until: datetime | None,
    dry_run: bool = False,
    actor: Actor = ITSELF,
) -> list[Operated]:
    """Pause backfills until a time, or until somebody resumes them; they keep their place."""
    given = reason or BY_HAND
    goes_on = f"with {RESUME}" if until is None else f"at {until:%Y-%m-%d %H:%M} UTC"

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        if state.given_up or state.status not in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED):
            syncs = f"; gh-backfill untrack {state.full_name} ends its syncs"
            done = state.status is BackfillStatus.COMPLETED and not state.given_up
            return False, f"nothing to pause: {_standing(state)}{syncs if done else ''}"
        if write:
            kind, who = state.kind, actor.who
            _sure(recovery.hold(tx, state.repository_id, reason=given, who=who, resume_at=until, kind=kind))
            _record(tx, BackfillEvent.PAUSED, state, f"{given}; goes on {goes_on}", actor)
        return True, f"paused ({given}), goes on {goes_on}{'' if until else f' {state.full_name}'}"

    return _each(db, names, one, dry_run=dry_run)


def cancel(db: Database, names: Sequence[str], *, dry_run: bool = False, actor: Actor = ITSELF) -> list[Operated]:
    """End the goal of backfills: rows stay, and no plan opens them again until somebody resumes them.

    What is complete stays complete: how to keep plans from the rest of its history is said.
    """

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        if state.status is None or state.given_up:
            return False, f"nothing to cancel: {_standing(state)}"
        if state.status is BackfillStatus.COMPLETED:
            return False, f"nothing to cancel: it is complete, {_count(state)}{_leave_it(state)}"
        if write:
            _sure(recovery.give_up(tx, state.repository_id, reason=CANCELLED, who=actor.who, kind=state.kind))
            _record(tx, BackfillEvent.CANCELLED, state, f"was {state.status}", actor)
        kept = f"what is here stays ({counted(state.captured, words_of(state.kind).removesuffix('s'))})"
        return True, f"cancelled, {kept}; {RESUME} {state.full_name} takes it up again"

    return _each(db, names, one, dry_run=dry_run)


def resume(
    db: Database,
    names: Sequence[str],
    *,
    dry_run: bool = False,
    actor: Actor = ITSELF,
    untracked: bool = True,
) -> list[Operated]:
    """Let backfills go on, whatever stopped them: paused, failed, cancelled, or stuck with a worker that is gone.

    What somebody untracked is tracked again by it; without `untracked` it is refused.
    """

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        if not untracked:
            _refuse_untracked(state)
        was = _was(state)
        match state.status:
            case None:
                raise _Refused("it has no backfill: gh-backfill track with --backfill opens one")
            case BackfillStatus.PAUSED | BackfillStatus.FAILED:
                go_on = recovery.resume
                said = f"goes on (was {was})"
            case BackfillStatus.COMPLETED if state.held:
                go_on = recovery.let_go
                said = f"is complete, and plans may open it again (was {was})"
            case BackfillStatus.COMPLETED:
                return False, f"nothing to resume: it is complete, {_count(state)}"
            case _:
                return False, "is active already; the next plan goes on with it"
        if write:
            _sure(go_on(tx, state.repository_id, state.kind))
            _listed_again(tx, state)
            _record(tx, BackfillEvent.RESUMED, state, f"was {was}", actor)
        return True, said

    return [_unstuck(db, each, dry_run=dry_run, actor=actor) for each in _each(db, names, one, dry_run=dry_run)]


def retry(db: Database, names: Sequence[str], *, dry_run: bool = False, actor: Actor = ITSELF) -> list[Operated]:
    """Let failed and cancelled backfills go on from where they are; what is paused stays so, and what is untracked."""

    def one(tx: Transaction, state: State, *, write: bool) -> tuple[bool, str]:
        _refuse_untracked(state)
        was = _was(state)
        if state.status is BackfillStatus.PAUSED and not state.given_up:
            raise _Refused(f"{_standing(state)}: {RESUME} {state.full_name} lets it go on")
        if not state.given_up and state.status is not BackfillStatus.FAILED:
            return False, f"nothing to retry: {_standing(state)}"
        if write:
            of = state.repository_id, state.kind
            _sure(recovery.resume(tx, *of) or recovery.let_go(tx, *of))
            _record(tx, BackfillEvent.RESUMED, state, f"was {was}", actor)
        return True, f"goes on (was {was})"

    return _each(db, names, one, dry_run=dry_run)


def ids_of(db: Database, names: Sequence[str]) -> dict[str, str | None]:
    """Return our id for each name, None for what is not here; raises ConfigurationError if nothing is."""
    with db.reading() as tx:
        known = repositories.find(tx, list(dict.fromkeys(names)))
    if names and not any(known.values()):
        raise ConfigurationError(f"not tracked here: {', '.join(known)}; run gh-backfill track owner/name first")
    return {name: found.id if found else None for name, found in known.items()}


def why_untracked(state: State) -> str | None:
    """Say who untracked a repository, and what tracks it again; None for one that nobody did."""
    if not state.given_up or state.held_reason != UNTRACKED:
        return None
    return f"it is not tracked ({what_stopped(state)}): gh-backfill track {state.full_name} tracks it again"


def raise_failures(operated: Sequence[Operated]) -> None:
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
            if not dry_run:
                kinds.lock(tx, repository_id)
            done = [_of_kind(tx, state, one, write=not dry_run) for state in recovery.states(tx, repository_id)]
            after = {state.kind: state.status for state in recovery.states(tx, repository_id)}
    except NOT_NOW as error:
        return Operated(given=name, repository_id=repository_id, result=why_not_now(error), failed=True)
    done = [replace(each, status=after[each.kind]) for each in done]
    changed = any(each.changed for each in done)
    several = len(done) > 1
    return Operated(
        given=name,
        repository_id=repository_id,
        status=done[0].status,
        result="; ".join(f"{words_of(each.kind)}: {each.result}" if several else each.result for each in done),
        changed=changed,
        failed=not changed and any(each.refused for each in done),
        kinds=tuple(done),
    )


def _of_kind(tx: Transaction, state: State, one: _One, *, write: bool) -> OfKind:
    try:
        changed, result = one(tx, state, write=write)
    except _Refused as refusal:
        return OfKind(kind=state.kind, result=str(refusal), refused=True)
    return OfKind(kind=state.kind, result=result, changed=changed)


def _unstuck(db: Database, done: Operated, *, dry_run: bool, actor: Actor) -> Operated:
    """Also give back the chunks of a repository whose worker is gone, and say so."""
    if done.failed or done.repository_id is None:
        return done
    try:
        return _given_back(db, done, done.repository_id, dry_run=dry_run, actor=actor)
    except NOT_NOW as error:  # what was done before it stays done
        return replace(done, result=f"{done.result}; its stuck chunks were not looked at: {why_not_now(error)}")


def _given_back(db: Database, done: Operated, repository_id: str, *, dry_run: bool, actor: Actor) -> Operated:
    found = recover(db, [repository_id], dry_run=dry_run)
    if not found.returned:
        return done
    goes = "goes" if len(found.returned) == 1 else "go"
    many = f"{counted(len(found.returned), 'stuck chunk')} {goes} back to be claimed"
    if not dry_run:
        with db.transaction() as tx:
            backfill_events.record(tx, BackfillEvent.RECOVERED, {repository_id: many}, actor)
    return replace(done, result=f"{done.result}; {many}", changed=True)


def _record(tx: Transaction, event: BackfillEvent, state: State, detail: str, actor: Actor) -> None:
    backfill_events.record(tx, event, {state.repository_id: detail}, actor, kind=state.kind)


def _was(state: State) -> str:
    stopped = what_stopped(state)
    return str(stopped) if state.held else f"{shown_status(state)}: {stopped}"


def _refuse_untracked(state: State) -> None:
    if text := why_untracked(state):
        raise _Refused(text)


def _listed_again(tx: Transaction, state: State) -> None:
    """Put what was untracked back on the list: else it would be done once, and never looked at again."""
    if state.held and state.held_reason == UNTRACKED:
        untracking.track_again(tx, state.repository_id)


def _sure(changed: bool) -> None:
    if not changed:
        raise _Refused("its state changed at this very moment: try again")


def _standing(state: State) -> str:
    if state.given_up:
        return f"the backfill is {why_it_stands(state)}"
    return f"the backfill is {state.status}" if state.status else "it has no backfill"


def _leave_it(state: State) -> str:
    """Say what keeps plans from the rest of a history whose first goal is reached."""
    more = state.kind == PULL_REQUESTS and state.captured < (state.total or 0)
    return f"; gh-backfill track {state.full_name} --only-newest leaves it at that" if more else ""


def _count(state: State) -> str:
    total = "?" if state.total is None else f"{state.total:,}"
    return f"{state.captured:,} of {total} {words_of(state.kind)} are here"
