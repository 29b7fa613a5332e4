"""Files and commits of the pull requests of a repository: 149 lists for a point, each answer committed before the next.

They are no items: what changes a pull request is read with it, and says that its lists are to be read again.  What is
known is in the rows of the lists themselves, so whoever is killed leaves nothing to pay twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gh_backfill.clients.diffs import DiffAnswer, DiffReader
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import interrupts
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Progress
from gh_backfill.errors import GitHubError, RateLimited, StoreError
from gh_backfill.models.diffs import DiffList, DiffWanted
from gh_backfill.models.work import RowCounts, TrackedRepository
from gh_backfill.policy import retries
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.retries import PauseReason
from gh_backfill.store import diffs
from gh_backfill.store.db import Database
from gh_backfill.store.diffs import DiffStanding
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

ITEM = "list of changes"


@dataclass(kw_only=True, slots=True)
class DiffReading:
    """One reading of the lists `of` a repository's pull requests; it reads what is not of their last update."""

    db: Database
    graphql: GraphQL
    repository: TrackedRepository
    of: Sequence[str]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    listen: Callable[[Progress], None]
    deadline: datetime | None = None
    _answers: int = 0
    _brought: int = 0
    _gaps: int = 0
    _untold: str = ""
    _standing: DiffStanding = field(default_factory=lambda: DiffStanding(0, 0))

    @property
    def words(self) -> str:
        """Return what is read, in the words of messages."""
        return " and ".join(self.of)

    @property
    def standing(self) -> DiffStanding:
        """Return how complete the lists are, as far as it was seen."""
        return self._standing

    @property
    def done(self) -> Captured:
        """Return what was done so far: all of it is committed."""
        return Captured(
            outcome=CaptureOutcome.STOPPED,
            reason="",
            item=ITEM,
            chunks=self._answers,
            items=self._brought,
            counts=RowCounts(updated=self._brought),
            gaps=self._gaps,
            spent=self.graphql.spent,
        )

    def run(self) -> Captured:
        """Read until there is nothing to ask, the time is up, or GitHub wants us to wait longer than that.

        An error of GitHub's is how it ends, and not raised; what was read until then is kept.
        """
        own, self._standing = persistently(self._due, self.sleep)
        reader = DiffReader(graphql=self.graphql, of=self.of)
        at = 0
        while at < len(own):
            if self.deadline is not None and self.now() >= self.deadline:
                return self._ended(CaptureOutcome.STOPPED, f"the time limit is reached; {self._words()}")
            batch = own[at : at + reader.first.limit]
            try:
                self._batch(reader, batch)
            except RateLimited as error:
                if not self._waited(error):
                    reason = f"{retries.explained(PauseReason.RATE_LIMIT)}: {error}"
                    paused = self._ended(CaptureOutcome.PAUSED, reason, ErrorType.RATE_LIMIT)
                    return replace(paused, resume_at=error.resume_at)
                continue
            except GitHubError as error:
                return self._ended(CaptureOutcome.FAILED, f"{error}; {self._words()}", error_type(error))
            at += len(batch)
        if own:  # others may have asked for some of them meanwhile
            self._standing = persistently(self._stands, self.sleep)
        self._tell(over=True)
        return self._ended(CaptureOutcome.COMPLETED, self._words())

    def _words(self) -> str:
        lists, known = self._standing
        untold = f", GitHub did not say all: {self._untold}" if self._untold else ""
        return f"of {counted(lists, 'list')} {known:,} are known{untold}"

    def _ended(self, outcome: CaptureOutcome, reason: str, kind: ErrorType | None = None) -> Captured:
        return replace(self.done, outcome=outcome, reason=reason, error_type=kind, spent=self.graphql.spent)

    def _due(self) -> diffs.DiffsDue:
        with self.db.reading() as tx:
            return diffs.due(tx, self.repository.id, self.of)

    def _stands(self) -> DiffStanding:
        with self.db.reading() as tx:
            return diffs.standing(tx, self.repository.id, self.of)

    def _batch(self, reader: DiffReader, wanted: Sequence[DiffWanted]) -> None:
        """Ask for the lists that nobody else asks for, and commit each answer as it comes."""
        taken = persistently(lambda: self._lease(wanted), self.sleep)
        waiting = dict.fromkeys(taken)
        try:
            for answer in reader.read(taken):
                persistently(lambda answer=answer: self._write(answer), self.sleep)  # type: ignore[misc]
                for each, _ in answer.told:
                    waiting.pop(each, None)
                self._count(answer)
                self._tell()
        finally:
            if waiting:
                self._release(list(waiting))

    def _lease(self, wanted: Sequence[DiffWanted]) -> list[DiffWanted]:
        with self.db.transaction() as tx:
            return diffs.lease(tx, wanted)

    def _write(self, answer: DiffAnswer) -> None:
        with self.db.transaction() as tx:
            diffs.write(tx, answer.told, answer.at or self.now())

    def _release(self, left: Sequence[DiffWanted]) -> None:
        """Give back what was not asked; a lease that can't be given back ends by itself."""
        try:
            with interrupts.shielded(), self.db.transaction() as tx:
                diffs.release(tx, left)
        except StoreError as error:
            log.warning("%s: the lists in hand are free in some minutes: %s", self.repository.full_name, error)

    def _count(self, answer: DiffAnswer) -> None:
        brought = [told for _, told in answer.told if isinstance(told, DiffList)]
        self._answers += 1
        self._brought += len(brought)
        self._gaps += sum(each.gap is not None for each in brought) + len(answer.told) - len(brought)
        for _, told in answer.told:
            if not isinstance(told, DiffList):
                self._untold = getattr(told, "reason", diffs.NOT_FOUND)
        known = min(self._standing.lists, self._standing.known + len(brought))
        self._standing = self._standing._replace(known=known)

    def _waited(self, error: RateLimited) -> bool:
        """Wait where that fits into the time limit."""
        if self.deadline is not None and error.resume_at >= self.deadline:
            return False
        log.warning("%s waits until %s: %s", self.repository.full_name, f"{error.resume_at:%H:%M:%S} UTC", error)
        self._tell(waiting_until=error.resume_at)
        self.sleep(max(0.0, (error.resume_at - self.now()).total_seconds()))
        return True

    def _tell(self, *, waiting_until: datetime | None = None, over: bool = False) -> None:
        self.listen(
            Progress(
                repository=self.repository,
                captured=self._standing.known,
                total=self._standing.lists,
                chunks=self._answers,
                spent=self.graphql.spent,
                items=self._brought,
                kind=self.of[-1],
                words=f"lists of {self.words}",
                waiting_until=waiting_until,
                over=over,
            )
        )
