"""Aggressive backfills in the database: asked for, taken by one worker, left for another time, ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from gh_backfill.models.work import Goal
from gh_backfill.policy.aggressive.checklist import CheckLine
from gh_backfill.policy.aggressive.standing import AggressiveBackfill, StepStanding
from gh_backfill.policy.aggressive.steps import AggressiveStatus, AggressiveStep, StepStatus
from gh_backfill.policy.goals import covers
from gh_backfill.resources import sql
from gh_backfill.store import goals
from gh_backfill.store import kinds as kinds_store
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.words import stored

_SQL = sql("aggressive")
# Whoever works on one tells of itself far more often.
SILENT = timedelta(minutes=5)
# One that failed and is asked for again within so long goes on where it was; later it begins anew.
REOPENED = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedKind:
    """How a kind stands: so many rows are here from `since` on, and so many items are known not to be had.

    `aim` is the goal of its walk, which is `over` or not; one that is on its way beyond `since` was read down to it.
    """

    kind: str
    over: bool
    aim: Goal
    since: datetime | None
    rows: int
    known: int


def ask(
    tx: Transaction,
    repository_id: str,
    *,
    steps: Sequence[AggressiveStep],
    kinds: Sequence[str],
    since: datetime | None,
    who: str,
) -> tuple[str, bool]:
    """Ask for a repository: its id, and whether it is new.

    One that is not over goes on: where data is wanted, with the larger of both wishes, and then what was done of less
    is done again.
    """
    tx.run(_SQL["reopen_aggressive"], repository_id=repository_id, rested=REOPENED)
    before = {each.id: each.version for each in standing(tx, [repository_id])}
    row = tx.row(
        _SQL["ask_aggressive"],
        repository_id=repository_id,
        kinds=tuple(kinds),
        since=since,
        who=who,
        reads=AggressiveStep.SYNC in steps,
    )
    assert row is not None, "the statement returns the row that it wrote"
    more = row["version"] != before.get(row["id"], row["version"])
    tx.run(_SQL["ask_steps"], id=row["id"], steps=tuple(map(str, steps)), again=more)
    return row["id"], row["inserted"]


def go_on_now(tx: Transaction, repository_id: str) -> bool:
    """Let the open one of a repository wait no longer; False where none is open."""
    return bool(tx.rows(_SQL["go_on_now"], repository_id=repository_id))


def claim(tx: Transaction, backfill_id: str, *, worker: str, run_key: str) -> bool:
    """Take one to work on it; False where another worker has it, or it is over."""
    return tx.row(_SQL["claim_aggressive"], id=backfill_id, worker=worker, run_key=run_key, old=SILENT) is not None


def take_back(tx: Transaction, backfill_id: str, *, worker: str) -> None:
    """Let another one take it: this worker is known to be gone."""
    tx.run(_SQL["take_back"], id=backfill_id, worker=worker)


def due(tx: Transaction) -> list[str]:
    """Return the ids of those that wait for somebody, the longest waiting first."""
    return [row["id"] for row in tx.rows(_SQL["due_aggressive"], old=SILENT)]


def beat(tx: Transaction, backfill_id: str, *, worker: str) -> bool:
    """Tell that a worker is alive; False where it works on it no more."""
    return tx.row(_SQL["beat_aggressive"], id=backfill_id, worker=worker) is not None


def begin_step(tx: Transaction, backfill_id: str, step: AggressiveStep, *, worker: str) -> bool:
    """Note that a step begins, or goes on; False where the worker has lost it."""
    return bool(tx.rows(_SQL["begin_step"], id=backfill_id, step=step, worker=worker))


def tell_step(tx: Transaction, backfill_id: str, step: AggressiveStep, *, done: int, total: int) -> None:
    """Note how far a step is."""
    tx.run(_SQL["tell_step"], id=backfill_id, step=step, done=done, total=total)


def end_step(
    tx: Transaction,
    backfill: AggressiveBackfill,
    step: AggressiveStep,
    status: StepStatus,
    told: str,
    *,
    worker: str,
) -> bool:
    """Note how a step ended, or that it waits; False where the worker has lost it.

    What is complete of the wish as it was read is to be done again where more was wanted meanwhile.
    """
    return bool(
        tx.rows(
            _SQL["end_step"],
            id=backfill.id,
            step=step,
            status=status,
            told=stored(told),
            worker=worker,
            version=backfill.version,
        )
    )


def leave(
    tx: Transaction, backfill_id: str, *, worker: str, reason: str, not_before: datetime | None, points: int
) -> None:
    """Leave it for another time."""
    tx.run(
        _SQL["leave_aggressive"],
        id=backfill_id,
        worker=worker,
        reason=stored(reason),
        not_before=not_before,
        points=points,
    )


def end(
    tx: Transaction,
    backfill: AggressiveBackfill,
    *,
    worker: str,
    status: AggressiveStatus,
    reason: str,
    checklist: Sequence[CheckLine] | None,
    points: int,
) -> bool:
    """Note its end, and what was checked then (None: a step failed before that).

    False where the worker has lost it, or more was wanted of it meanwhile.
    """
    rows = tx.rows(
        _SQL["end_aggressive"],
        id=backfill.id,
        worker=worker,
        status=status,
        reason=stored(reason),
        checklist=None if checklist is None else [asdict(each) for each in checklist],
        points=points,
        version=backfill.version,
        steps=tuple(map(str, backfill.steps)),
    )
    return bool(rows)


def cancel(tx: Transaction, repository_ids: Sequence[str], *, who: str) -> int:
    """Cancel what is not over of these repositories, and return how many that were."""
    return len(tx.rows(_SQL["cancel_aggressive"], ids=tuple(repository_ids), who=who))


def cancel_run(tx: Transaction, run_key: str) -> None:
    """Cancel what a run works on."""
    tx.run(_SQL["cancel_run"], run_key=run_key)


def standing(tx: Transaction, repository_ids: Sequence[str] | None = None) -> list[AggressiveBackfill]:
    """Return the last one of each of these repositories (None: of all), the newest first."""
    ids = None if repository_ids is None else tuple(repository_ids)
    return [_read(row) for row in tx.rows(_SQL["aggressive_standing"], ids=ids, old=SILENT)]


def repository_of(tx: Transaction, backfill_id: str) -> str | None:
    """Return our id of the repository that an aggressive backfill is of."""
    row = tx.row(_SQL["aggressive_of"], id=backfill_id)
    return None if row is None else row["repository_id"]


def checked_kinds(tx: Transaction, repository_id: str, since: datetime | None = None) -> list[CheckedKind]:
    """Return how each kind of a repository stands that has a backfill; what is whole is counted whole."""
    rows = tx.rows(_SQL["checked_kinds"], repository_id=repository_id)
    aims = [goals.from_row(row) for row in rows]
    beyond = [
        not row["over"] and since is not None and aim != Goal(since=since) and covers(aim, Goal(since=since))
        for row, aim in zip(rows, aims, strict=True)
    ]
    counted_of = [Goal(since=since) if far else aim for aim, far in zip(aims, beyond, strict=True)]
    asked = [(repository_id, row["kind"], None, aim) for row, aim in zip(rows, counted_of, strict=True)]
    counted = kinds_store.stored(tx, asked)
    return [
        CheckedKind(
            kind=row["kind"],
            over=row["over"],
            aim=aim,
            since=of.since,
            rows=found.rows,
            known=row["gaps"] + found.quarantined,
        )
        for row, aim, of, found in zip(rows, aims, counted_of, counted, strict=True)
    ]


def unnamed(tx: Transaction, repository_id: str) -> int:
    """Return how many pull requests and issues of a repository say nobody's name."""
    row = tx.row(_SQL["checked_authors"], repository_id=repository_id)
    assert row is not None
    return int(row["unnamed"])


def checked_errors(
    tx: Transaction, repository_id: str, began: datetime
) -> tuple[tuple[int, str | None], tuple[int, str | None]]:
    """Return the jobs that failed since then, and the last error: those of Inngest, and those the database failed."""
    row = tx.row(_SQL["checked_errors"], repository_id=repository_id, began=began)
    assert row is not None
    return (row["inngest"], row["inngest_error"]), (row["database"], row["database_error"])


def _read(row: Row) -> AggressiveBackfill:
    steps = {
        each["step"]: StepStanding(
            step=AggressiveStep(each["step"]),
            status=StepStatus(each["status"]),
            told=each["told"],
            done=each["done"],
            total=each["total"],
        )
        for each in row["steps"]
    }
    return AggressiveBackfill(
        **{
            **row,
            "status": AggressiveStatus(row["status"]),
            "kinds": tuple(row["kinds"]),
            "checklist": tuple(CheckLine(**each) for each in row["checklist"] or ()),
            "steps": {each: steps[each] for each in AggressiveStep if each in steps},
        }
    )
