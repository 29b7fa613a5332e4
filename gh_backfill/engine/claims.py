"""A worker's chunks in the database: claim, keep alive, give back, record a failure, pause."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from gh_backfill.engine import interrupts, processes
from gh_backfill.engine.outcome import Captured, CaptureOutcome
from gh_backfill.engine.recover import recover
from gh_backfill.errors import BackfillError, GitHubError, Gone
from gh_backfill.models.work import Claim, Stream
from gh_backfill.policy import retries
from gh_backfill.policy.ledger import error_type
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.parts import MOST_PARTS
from gh_backfill.policy.progress import complete_words
from gh_backfill.policy.standing import found_paused
from gh_backfill.store import backfills, chunks, kinds, privacy, syncs
from gh_backfill.store.chunks import NoClaim
from gh_backfill.store.db import Database, Statement, Transaction
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

RENEW_EVERY = timedelta(minutes=1)
LONGEST_RETRY_WAIT = timedelta(seconds=90)
Done = TypeVar("Done")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """The claims of one worker on one kind of item of a repository.

    Everything is tried again where the database collided or was away.  `part` is the one it prefers of a walk that
    is split.  Those of a `sync` are of what changed since the last one, whatever the state of the backfill, which they
    neither pause nor fail.
    """

    db: Database
    repository_id: str
    kind: str
    worker: str
    processor: str
    part: int | None
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    sync: bool = False

    def claim(self) -> Claim | None:
        """Claim the next chunk, in one round trip; None if there is none for us now.

        Where a rival was quicker and the walk is split, one of another part.
        """
        interrupts.heed()
        statements = self._claiming()
        for _ in range(MOST_PARTS):
            match persistently(lambda: self._claimed(statements), self.sleep):
                case Claim() as claim:
                    return claim
                case Stream(part=0) | None:
                    return None
        return None

    def why_no_claim(self) -> NoClaim:
        """Return why there was nothing to claim."""

        def ask() -> NoClaim:
            with self.db.reading() as tx:
                if self.sync:
                    return syncs.why_no_claim(tx, self.repository_id, self.kind)
                return chunks.why_no_claim(tx, self.repository_id, self.kind, worker=self.worker)

        return persistently(ask, self.sleep)

    def nothing_to_claim(self, deadline: datetime | None) -> Captured | None:
        """Return how a capture ends that finds nothing to claim; None where the open chunk is soon claimed again."""
        still = self.why_no_claim()
        if still.held or still.status is BackfillStatus.PAUSED:  # held counts, whatever the status says
            return Captured(outcome=CaptureOutcome.PAUSED, reason=found_paused(still) or "", resume_at=still.resume_at)
        if still.status is BackfillStatus.COMPLETED:
            return self._complete(still)
        if still.status is not BackfillStatus.ACTIVE:
            return Captured(outcome=CaptureOutcome.FAILED, reason="the backfill is closed: a person must look")
        return self._held_up(still, deadline)

    def completed(self) -> Captured | None:
        """Return how a capture ends whose backfill is complete; None where somebody has opened it again."""
        still = self.why_no_claim()
        return self._complete(still) if still.status is BackfillStatus.COMPLETED and not still.held else None

    def free_the_dead(self) -> bool:
        """Take what dead workers of this machine hold; True if there may be something to claim now."""
        return bool(persistently(lambda: recover(self.db, [self.repository_id]), self.sleep))

    def keep_alive(self, claim: Claim) -> Callable[[], None]:
        """Return what keeps the claim alive between two queries; it raises StaleClaim once the claim is lost."""
        renewed = self.now()

        def alive() -> None:
            nonlocal renewed
            if self.now() - renewed < RENEW_EVERY:
                return
            self._write(lambda tx: chunks.renew(tx, claim))
            renewed = self.now()

        return alive

    def voided(self, claim: Claim) -> bool:
        """Say whether a chunk that was lost is nobody's, so that the next one may be claimed."""

        def ask() -> bool:
            with self.db.reading() as tx:
                return chunks.voided(tx, claim)

        return persistently(ask, self.sleep)

    def here(self, numbers: Sequence[int]) -> frozenset[int]:
        """Return which items of these numbers are stored."""

        def ask() -> frozenset[int]:
            with self.db.reading() as tx:
                return kinds.here(tx, self.repository_id, self.kind, numbers)

        return persistently(ask, self.sleep)

    def release(self, claim: Claim) -> None:
        """Give a chunk back unharmed, whoever presses to stop; without the database it is left to its lease."""
        try:
            with interrupts.shielded(), self.db.transaction() as tx:
                chunks.release(tx, claim)
        except BackfillError as error:
            log.warning("chunk %s is left to its lease: %s", claim.chunk_number, error)

    def pause(self, reason: str, until: datetime) -> None:
        """Pause the backfill until then; a sync just ends, and is due again."""
        if self.sync:
            return
        self._write(lambda tx: backfills.pause(tx, self.repository_id, reason=reason, resume_at=until, kind=self.kind))

    def record_failure(self, claim: Claim, error: GitHubError) -> Captured | None:
        """Charge an error to this repository; None if the chunk may be claimed again, else how the capture ends."""
        return self._write(lambda tx: self._charge(tx, claim, error))

    def _complete(self, still: NoClaim) -> Captured:
        words = complete_words(still.gaps, still.short, still.quarantined, kind=self.kind)
        reason = "everything that changed is here" if self.sync else words
        return Captured(outcome=CaptureOutcome.COMPLETED, reason=reason, gaps=still.gaps)

    def _held_up(self, still: NoClaim, deadline: datetime | None) -> Captured | None:
        """Say until when the open chunk waits, or who holds it; None where it is soon to be claimed again."""
        if still.chunk_status == "pending" and still.retry_at is not None:
            wait = still.retry_at - self.now()
            if wait <= LONGEST_RETRY_WAIT and (deadline is None or still.retry_at < deadline):
                self.sleep(max(0.0, wait.total_seconds()))
                return None
            return Captured(
                outcome=CaptureOutcome.STOPPED, reason="the next try is due later", resume_at=still.retry_at
            )
        if self.free_the_dead():
            return None
        reason = f"another worker holds the open chunk ({processes.shown(still.claimed_by)})"
        return Captured(outcome=CaptureOutcome.BUSY, reason=reason, resume_at=still.lease_until)

    def _claimed(self, statements: Sequence[Statement]) -> Claim | Stream | None:
        """Claim once; whoever presses to stop meanwhile leaves no claim behind."""
        found: Claim | Stream | None = None
        try:
            with interrupts.shielded():
                found = chunks.claimed(self.db.statements(*statements))
        except KeyboardInterrupt:
            if isinstance(found, Claim):
                self.release(found)
            raise
        return found

    def _charge(self, tx: Transaction, claim: Claim, error: GitHubError) -> Captured | None:
        """Do it in one transaction with what becomes of the chunk."""
        in_a_row = self._count_error(tx, claim, error) if retries.blames_repository(error) else 0
        match retries.after_failure(claim.failures + 1, in_a_row, error, self.now()):
            case retries.Retry(at=at):
                self._return(tx, claim, error, at)
                return None
            case retries.Pause(until=until, reason=reason):
                # The pause alone says until when: whoever ends it, by whatever statement, lets the chunk go on with it.
                self._return(tx, claim, error, self.now())
                if not self.sync:
                    backfills.pause(tx, self.repository_id, reason=reason, resume_at=until, kind=claim.stream.kind)
                text = retries.told(reason, error)
                return Captured(
                    outcome=CaptureOutcome.FAILED, reason=text, resume_at=until, error_type=error_type(error)
                )
            case retries.GiveUp(reason=reason):
                self._give_up(tx, claim, reason, gone=isinstance(error, Gone))
                return Captured(outcome=CaptureOutcome.FAILED, reason=reason, error_type=error_type(error))

    def _count_error(self, tx: Transaction, claim: Claim, error: GitHubError) -> int:
        """Return how many errors of this repository there were in a row, with this one; a sync knows its chunk's."""
        return claim.failures + 1 if self.sync else chunks.count_error(tx, claim, error=str(error))

    def _give_up(self, tx: Transaction, claim: Claim, reason: str, *, gone: bool) -> None:
        if self.sync:
            syncs.give_up(tx, claim)
        chunks.fail_chunk(tx, claim, error=reason)
        if gone or not self.sync:
            kind = None if gone else claim.stream.kind
            backfills.fail(tx, self.repository_id, error=reason, gone=gone, kind=kind)
        if gone:
            privacy.hide(tx, self.repository_id)

    def _claiming(self) -> tuple[Statement, Statement]:
        worker, processor = self.worker, self.processor
        if self.sync:
            return syncs.claiming(self.repository_id, self.kind, worker=worker, processor=processor)
        return chunks.claiming(self.repository_id, self.kind, worker=worker, processor=processor, part=self.part)

    def _return(self, tx: Transaction, claim: Claim, error: GitHubError, retry_at: datetime) -> None:
        """Give a chunk back; unharmed, and free at once, where its repository is not to blame."""
        if retries.blames_repository(error):
            chunks.give_back(tx, claim, error=str(error), retry_at=retry_at)
        else:
            chunks.release(tx, claim)

    def _write(self, action: Callable[[Transaction], Done]) -> Done:
        """Do something in a transaction of its own, again and again if need be."""

        def once() -> Done:
            with self.db.transaction() as tx:
                return action(tx)

        return persistently(once, self.sleep)
