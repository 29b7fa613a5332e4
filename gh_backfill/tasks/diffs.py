"""Files and commits of pull requests, brought by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.errors import BackfillError, Denied, PartlyFailed, Unreachable
from gh_backfill.models.github import Spent
from gh_backfill.models.work import COMMITS, FILES, TrackedRepository
from gh_backfill.policy import query_prices
from gh_backfill.policy.ledger import ErrorType, JobType
from gh_backfill.policy.markdown import counted
from gh_backfill.store import diffs, jobs, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.diffs import DiffStanding
from gh_backfill.store.persist import persistently
from gh_backfill.tasks import after
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.record import Record

BOTH = (FILES, COMMITS)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffsFound:
    """What became of the lists of one repository's pull requests, or, where nothing was asked, what would."""

    repository: TrackedRepository
    of: tuple[str, ...]
    standing: DiffStanding
    points: int = 0
    captured: Captured | None = None

    @property
    def text(self) -> str:
        """Say it in a line."""
        lists, known = self.standing
        words = f"{known:,} of {counted(lists, 'list')} of {' and '.join(self.of)} are known"
        if self.captured is None:
            points = query_prices.lists_cost(lists - known, of=len(self.of))
            return f"{words}; would ask for {lists - known:,}, {counted(points, 'point')} or a little more; " + _DRY
        said = [words, f"{self.captured.items:,} read", counted(self.points, "point")]
        if self.captured.outcome is not CaptureOutcome.COMPLETED or self.captured.gaps:
            said.append(self.captured.reason)
        return "; ".join(said)

    def as_json(self) -> dict[str, object]:
        """Return it as others read it."""
        return {
            "repository": self.repository.full_name,
            "repository_id": self.repository.id,
            "lists": list(self.of),
            "total": self.standing.lists,
            "known": self.standing.known,
            "points": self.points,
            "outcome": None if self.captured is None else self.captured.outcome,
            "reason": None if self.captured is None else self.captured.reason,
        }


_DRY = "dry run: nothing was written"


def outlook(
    db: Database, names: Sequence[str], *, of: Sequence[str] = (), default_kinds: Sequence[str]
) -> list[DiffsFound]:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    return [
        DiffsFound(repository=each, of=lists, standing=_standing(db, each, lists))
        for each, lists in _named(db, names, of, default_kinds)
    ]


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    names: Sequence[str],
    *,
    of: Sequence[str] = (),
    default_kinds: Sequence[str],
    limits: Limits | None = None,
    listen: Callable[[Progress], None] = lambda progress: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> list[DiffsFound]:
    """Read the lists of the pull requests of these repositories, or of all that have some switched on.

    What fails for one repository is told, and ends the asking.
    """
    done = list[DiffsFound]()
    for each, lists in persistently(lambda: _named(db, names, of, default_kinds), sleep):
        graphql.spent = Spent()  # each job of the ledger has what it spent itself
        record = Record(
            db=db,
            graphql=graphql,
            run=job_run,
            repository_id=each.id,
            job_type=JobType.SYNC,
            part=None,
            listen=listen,
            now=now,
            sleep=sleep,
        )
        reading = after.diffs(record, each, lists, limits or Limits(), record.tell)
        captured = record.keep(partial(_itself, reading))
        done.append(
            DiffsFound(
                repository=each,
                of=lists,
                standing=persistently(partial(_standing, db, each, lists), sleep),
                points=graphql.spent.points,
                captured=captured,
            )
        )
        if captured.outcome is not CaptureOutcome.COMPLETED:
            break
    return done


def raise_failures(done: Sequence[DiffsFound]) -> None:
    """Raise what a reading failed of; the others are stored."""
    for each in done:
        if each.captured is not None and each.captured.outcome is CaptureOutcome.FAILED:
            raise _failure(f"{each.repository.full_name}: {each.captured.reason}", each.captured.error_type)


def _failure(text: str, cause: ErrorType | None) -> BackfillError:
    if cause is ErrorType.DENIED:
        return Denied(text)
    return Unreachable(text) if cause is ErrorType.NETWORK else PartlyFailed(text)


def _itself(reading: DiffReading) -> DiffReading:
    return reading


def _standing(db: Database, repository: TrackedRepository, of: Sequence[str]) -> DiffStanding:
    with db.reading() as tx:
        return diffs.standing(tx, repository.id, of)


def _named(
    db: Database, names: Sequence[str], of: Sequence[str], kinds: Sequence[str]
) -> list[tuple[TrackedRepository, tuple[str, ...]]]:
    """Return repositories, each with its lists: those that are asked for, else those that it has, else both."""
    if names:
        found = list({each.id: each for each in (find(db, name) for name in names)}.values())
        return [(each, tuple(of) or after.lists_of(each.after) or BOTH) for each in found]
    with db.reading() as tx:
        candidates = repositories.candidates(tx, kinds=kinds)
    return [
        (each, tuple(of) or after.lists_of(each.after))
        for each in candidates
        if after.lists_of(each.after) and each.tracked_at is not None
    ]
