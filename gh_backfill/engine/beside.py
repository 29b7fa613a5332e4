"""Readings of what is no item: known rows, leases of minutes, each answer committed before the next is asked for.

What is known is in the rows themselves, so whoever is killed leaves nothing to pay twice.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.halving import HalvingRound
from gh_backfill.engine import interrupts
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Progress
from gh_backfill.errors import GitHubError, RateLimited, StoreError
from gh_backfill.models.work import RowCounts, TrackedRepository
from gh_backfill.policy import retries
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.retries import PauseReason
from gh_backfill.store import readings
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

Due = TypeVar("Due")
Wanted = TypeVar("Wanted")
Told = TypeVar("Told")
# By name how many there are, and how many of them are known.
Standings = Mapping[str, tuple[int, int]]


@dataclass(kw_only=True)
class BesideReading(ABC, Generic[Due, Wanted, Told]):
    """One reading for one repository: what is due is leased, asked for and written, batch by batch, in time."""

    item: ClassVar[str]

    db: Database
    graphql: GraphQL
    repository: TrackedRepository
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    listen: Callable[[Progress], None]
    deadline: datetime | None = None
    _answers: int = 0
    _brought: int = 0
    _gaps: int = 0
    _total: int = 0
    _known: int = 0

    @abstractmethod
    def _begin(self) -> tuple[Sequence[Due], Standings]:
        """Return what is to be asked for, in its order, and how all stand before."""

    @abstractmethod
    def _size(self) -> int:
        """Return how many are asked for together."""

    @abstractmethod
    def _standings(self, tx: Transaction) -> Standings:
        """Return how many there are of each name that is read, and how many of them are known."""

    @abstractmethod
    def _lease(self, tx: Transaction, batch: Sequence[Due]) -> Sequence[Wanted]:
        """Take of a batch what nobody else asks for."""

    @abstractmethod
    def _give_back(self, tx: Transaction, left: Sequence[Wanted]) -> None:
        """Give back what was taken and not asked for."""

    @abstractmethod
    def _read(self, taken: Sequence[Wanted]) -> Iterator[HalvingRound[Wanted, Told]]:
        """Ask for what was taken."""

    @abstractmethod
    def _write(self, answer: HalvingRound[Wanted, Told]) -> None:
        """Write an answer, in transactions of its own."""

    @abstractmethod
    def _count(self, answer: HalvingRound[Wanted, Told]) -> None:
        """Count what an answer brought."""

    @abstractmethod
    def _words(self) -> str:
        """Say how all stand."""

    @abstractmethod
    def _kind(self) -> tuple[str, str]:
        """Return the name of what is read, and the words of messages for it."""

    def _more(self, batch: Sequence[Due]) -> Sequence[Due]:
        """Return a batch with what else fits into its query."""
        return batch

    @property
    def done(self) -> Captured:
        """Return what was done so far: all of it is committed."""
        return Captured(
            outcome=CaptureOutcome.STOPPED,
            reason="",
            item=self.item,
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
        (own, found), at = self._begin(), 0
        self._keep(lambda tx: found)  # whoever is killed leaves this to be seen
        while at < len(own):
            if self.deadline is not None and self.now() >= self.deadline:
                return self._ended(CaptureOutcome.STOPPED, "the time limit is reached")
            batch = own[at : at + self._size()]
            try:
                self._batch(self._more(batch))
            except RateLimited as error:
                if not self._waited(error):
                    reason = f"{retries.explained(PauseReason.RATE_LIMIT)}: {error}"
                    paused = self._ended(CaptureOutcome.PAUSED, reason, ErrorType.RATE_LIMIT)
                    return replace(paused, resume_at=error.resume_at)
                continue
            except GitHubError as error:
                return self._ended(CaptureOutcome.FAILED, str(error), error_type(error))
            at += len(batch)
        done = self._ended(CaptureOutcome.COMPLETED, asked=bool(own))
        self._tell(over=True)
        return done

    def _keep(self, standings: Callable[[Transaction], Standings]) -> None:
        """Keep how all stand for whoever looks."""
        found = persistently(lambda: self._kept(standings), self.sleep)
        self._total, self._known = (sum(column) for column in zip(*found.values(), strict=True))

    def _kept(self, standings: Callable[[Transaction], Standings]) -> Standings:
        with self.db.transaction() as tx:
            found = standings(tx)
            readings.write(tx, self.repository.id, found)
        return found

    def _ended(
        self, outcome: CaptureOutcome, why: str = "", kind: ErrorType | None = None, *, asked: bool = True
    ) -> Captured:
        if asked:  # others may have asked for some of it, too
            self._keep(self._standings)
        reason = f"{why}; {self._words()}" if why else self._words()
        return replace(self.done, outcome=outcome, reason=reason, error_type=kind, spent=self.graphql.spent)

    def _batch(self, batch: Sequence[Due]) -> None:
        """Ask for what nobody else asks for, and commit each answer as it comes."""
        waiting = dict.fromkeys(persistently(lambda: self._taken(batch), self.sleep))
        try:
            for answer in self._read(list(waiting)):
                persistently(lambda answer=answer: self._write(answer), self.sleep)  # type: ignore[misc]
                for each, _ in answer.told:
                    waiting.pop(each, None)
                self._answers += 1
                self._count(answer)
                self._tell()
        finally:
            if waiting:
                self._release(list(waiting))

    def _taken(self, batch: Sequence[Due]) -> Sequence[Wanted]:
        with self.db.transaction() as tx:
            return self._lease(tx, batch)

    def _release(self, left: Sequence[Wanted]) -> None:
        """Give back what was not asked; a lease that can't be given back ends by itself."""
        try:
            with interrupts.shielded(), self.db.transaction() as tx:
                self._give_back(tx, left)
        except StoreError as error:
            words = self._kind()[1]
            log.warning("%s: the %s in hand are free in some minutes: %s", self.repository.full_name, words, error)

    def _waited(self, error: RateLimited) -> bool:
        """Wait where that fits into the time limit."""
        if self.deadline is not None and error.resume_at >= self.deadline:
            return False
        log.warning("%s waits until %s: %s", self.repository.full_name, f"{error.resume_at:%H:%M:%S} UTC", error)
        self._tell(waiting_until=error.resume_at)
        self.sleep(max(0.0, (error.resume_at - self.now()).total_seconds()))
        return True

    def _tell(self, *, waiting_until: datetime | None = None, over: bool = False) -> None:
        kind, words = self._kind()
        self.listen(
            Progress(
                repository=self.repository,
                captured=self._known,
                total=self._total,
                chunks=self._answers,
                spent=self.graphql.spent,
                items=self._brought,
                kind=kind,
                words=words,
                waiting_until=waiting_until,
                over=over,
            )
        )
