"""Readings beside the items of repositories, by themselves: one repository after the other, each as a job."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.beside import BesideReading
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.errors import BackfillError, Denied, PartlyFailed, Unreachable
from gh_backfill.models.github import Spent
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.ledger import ErrorType, JobType
from gh_backfill.store import jobs
from gh_backfill.store.db import Database
from gh_backfill.tasks.record import Record

Reading = TypeVar("Reading", bound="BesideReading[Any, Any, Any]")
Found = TypeVar("Found", bound="BesideFound")


class BesideFound(Protocol):
    """What became of one repository; not captured where nothing was asked."""

    @property
    def repository(self) -> TrackedRepository:
        """Return whose it is."""
        ...

    @property
    def captured(self) -> Captured | None:
        """Return how the reading ended."""
        ...

    @property
    def text(self) -> str:
        """Say it in a line."""
        ...

    def as_json(self) -> dict[str, object]:
        """Return it as others read it."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BesideRun:
    """Where a run reads and writes, how far it may go, and who hears of it."""

    db: Database
    graphql: GraphQL
    run: jobs.Run
    limits: Limits = field(default_factory=Limits)
    listen: Callable[[Progress], None] = lambda progress: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def each(
        self,
        repositories: Iterable[TrackedRepository],
        begin: Callable[[Record, TrackedRepository], Reading],
        tell: Callable[[TrackedRepository, Reading, Captured], Found],
    ) -> list[Found]:
        """Read for one repository after the other, until one reading does not come to its end."""
        done = list[Found]()
        for repository in repositories:
            self.graphql.spent = Spent()  # each job of the ledger has what it spent itself
            record = self._record(repository)
            reading = begin(record, repository)
            captured = record.keep(lambda reading=reading: reading)  # type: ignore[misc]
            done.append(tell(repository, reading, captured))
            if captured.outcome is not CaptureOutcome.COMPLETED:
                break
        return done

    def _record(self, repository: TrackedRepository) -> Record:
        return Record(
            db=self.db,
            graphql=self.graphql,
            run=self.run,
            repository_id=repository.id,
            job_type=JobType.SYNC,
            part=None,
            listen=self.listen,
            now=self.now,
            sleep=self.sleep,
        )


def raise_failures(done: Sequence[BesideFound]) -> None:
    """Raise what a reading failed of; the others are stored."""
    for each in done:
        if each.captured is not None and each.captured.outcome is CaptureOutcome.FAILED:
            raise _failure(f"{each.repository.full_name}: {each.captured.reason}", each.captured.error_type)


def _failure(text: str, cause: ErrorType | None) -> BackfillError:
    if cause is ErrorType.DENIED:
        return Denied(text)
    return Unreachable(text) if cause is ErrorType.NETWORK else PartlyFailed(text)
