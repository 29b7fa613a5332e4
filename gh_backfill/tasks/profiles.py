"""Profiles of the people of repositories, brought by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.profiles import ProfileReader
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.profiles import ProfileReading, ProfilesRead
from gh_backfill.errors import BackfillError, Denied, PartlyFailed, Unreachable
from gh_backfill.models.github import Spent
from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS, TrackedRepository
from gh_backfill.policy import query_prices
from gh_backfill.policy.ledger import ErrorType, JobType
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.store import jobs, profiles, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD, ProfileStanding
from gh_backfill.tasks import after
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfilesFound:
    """What became of the profiles of one repository's people, or, where nothing was asked, what would."""

    repository: TrackedRepository
    standing: ProfileStanding
    points: int = 0
    read: ProfilesRead = field(default_factory=ProfilesRead)
    captured: Captured | None = None

    @property
    def text(self) -> str:
        """Say it in a line."""
        people, known = self.standing
        if self.captured is None:
            left = people - known
            points = -(-left // MOST_IDS) * query_prices.points(0)
            return (
                f"{known:,} of {counted(people, 'contributor')} are known; would ask for {counted(left, 'profile')}, "
                f"about {counted(points, 'point')}; dry run: nothing was written"
            )
        read = self.read
        said = [f"{known:,} of {counted(people, 'contributor')} are known", f"{counted(read.brought, 'profile')} read"]
        said += [f"GitHub shows no account for {read.absent:,}"] if read.absent else []
        said += [f"nothing was said of {read.untold:,} ({read.reason})"] if read.untold else []
        said += [counted(self.points, "point")]
        if self.captured.outcome is not CaptureOutcome.COMPLETED:
            said.append(self.captured.reason)
        return "; ".join(said)

    def as_json(self) -> dict[str, object]:
        """Return it as others read it."""
        return {
            "repository": self.repository.full_name,
            "repository_id": self.repository.id,
            "people": self.standing.people,
            "known": self.standing.known,
            "read": self.read.brought,
            "not_shown": self.read.absent,
            "not_told": self.read.untold,
            "points": self.points,
            "outcome": None if self.captured is None else self.captured.outcome,
            "reason": None if self.captured is None else self.captured.reason,
        }


def outlook(
    db: Database,
    names: Sequence[str],
    *,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    older_than: timedelta = OLD,
) -> list[ProfilesFound]:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    return [
        ProfilesFound(repository=each, standing=_standing(db, each, older_than))
        for each in _named(db, names, default_kinds)
    ]


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    names: Sequence[str],
    *,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    older_than: timedelta = OLD,
    limits: Limits | None = None,
    listen: Callable[[Progress], None] = lambda progress: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> list[ProfilesFound]:
    """Read the profiles of the people of these repositories, or of all that have contributors switched on.

    Each person once, whatever the number of repositories; `default_kinds` are switched on where nothing else was said.
    What fails for one repository is told, and ends the asking.
    """
    found, done = persistently(lambda: _named(db, names, default_kinds), sleep), list[ProfilesFound]()
    reader = ProfileReader(graphql=graphql)
    for at, each in enumerate(found):
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
        reading = after.profiles(record, each, limits or Limits(), older_than, record.tell)
        reading.reader, reading.beside = reader, [other.id for other in found[at + 1 :]]
        captured = record.keep(partial(_itself, reading))
        done.append(
            ProfilesFound(
                repository=each,
                standing=persistently(partial(_standing, db, each, older_than), sleep),
                points=graphql.spent.points,
                read=reading.told,
                captured=captured,
            )
        )
        if captured.outcome is not CaptureOutcome.COMPLETED:
            break
    return done


def raise_failures(done: Sequence[ProfilesFound]) -> None:
    """Raise what a reading failed of; the others are stored."""
    failed = [each for each in done if each.captured is not None and each.captured.outcome is CaptureOutcome.FAILED]
    for each in failed:
        assert each.captured is not None
        raise _failure(f"{each.repository.full_name}: {each.captured.reason}", each.captured.error_type)


def _failure(text: str, cause: ErrorType | None) -> BackfillError:
    if cause is ErrorType.DENIED:
        return Denied(text)
    return Unreachable(text) if cause is ErrorType.NETWORK else PartlyFailed(text)


def _itself(reading: ProfileReading) -> ProfileReading:
    return reading


def _standing(db: Database, repository: TrackedRepository, older_than: timedelta) -> ProfileStanding:
    with db.reading() as tx:
        return profiles.standing(tx, repository.id, older_than=older_than)


def _named(db: Database, names: Sequence[str], kinds: Sequence[str]) -> list[TrackedRepository]:
    if names:
        return list({each.id: each for each in (find(db, name) for name in names)}.values())
    with db.reading() as tx:
        return [
            each
            for each in repositories.candidates(tx, kinds=kinds)
            if CONTRIBUTORS in each.after and each.tracked_at is not None
        ]
