"""Capture one repository: claim a chunk, fetch it, commit it, and again, until the goal, a limit or a pause."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import Begin, in_thread
from gh_backfill.engine.claims import Claims
from gh_backfill.engine.commit import Commit, Committed
from gh_backfill.engine.follow_ups import Chunk
from gh_backfill.engine.kind import Kind, RestOfWalk, Supply
from gh_backfill.engine.outcome import Before, Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.pipeline import Pipeline
from gh_backfill.engine.prices import Memory
from gh_backfill.engine.quarantine import retry_within
from gh_backfill.engine.reach import Reach
from gh_backfill.engine.sizing import Sizing
from gh_backfill.errors import GitHubError, NoConnection, RateLimited, StaleClaim
from gh_backfill.models.github import NodeId
from gh_backfill.models.work import Claim, Phase, Stream, TrackedRepository
from gh_backfill.policy import chunking, retries
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import Prices
from gh_backfill.policy.retries import PauseReason
from gh_backfill.store.db import Database

log = logging.getLogger(__name__)

# A page and the follow-ups that usually go with it.
POINTS_OF_A_CHUNK = 3


@dataclass(kw_only=True, slots=True)
class Worker:
    """One process at work on one kind of item of one repository.

    Clock, sleep, the listener and what runs beside are passed in.
    """

    db: Database
    graphql: GraphQL
    kind: Kind
    repository: TrackedRepository
    before: Before
    limits: Limits
    claims: Claims
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    listen: Callable[[Progress], None]
    begin: Begin = in_thread
    lists: RestPages | None = None
    memory: Memory | None = None
    _memory: Memory = field(init=False)
    _reach: Reach = field(init=False)
    _over: bool = False
    _prices: Prices = field(default_factory=Prices)
    _pipeline: Pipeline | None = None
    _done: Captured = field(default_factory=lambda: Captured(outcome=CaptureOutcome.STOPPED, reason=""))
    _seconds: float = 0.0
    _times_cut_off: int = 0

    @property
    def done(self) -> Captured:
        """Return what was done so far: all of it is committed, also where an error ended the work."""
        return self._done

    def run(self) -> Captured:
        """Work until there is a reason to stop; every committed chunk is kept, whatever happens after it."""
        self._done = replace(self._done, item=self.kind.item)
        self._reach = Reach.of(self.before)
        self._memory = self.memory or Memory(self.db, self.graphql)
        self._prices = self._memory.known
        while True:
            ended = self._limit_reached() or self._wait_for_budget() or self._next_chunk()
            if ended is not None:
                if self._pipeline is not None:
                    self._pipeline.drain()
                    self._memory.keep(self._pipeline.sizing.prices, whatever=True)
                return replace(
                    self._done,
                    outcome=ended.outcome,
                    reason=ended.reason,
                    resume_at=ended.resume_at,
                    error_type=ended.error_type,
                    gaps=self._done.gaps + ended.gaps,
                    spent=self.graphql.spent,
                )

    def _limit_reached(self) -> Captured | None:
        most, reason = self.limits.max_chunks, ""
        if self._done.down:
            reason = f"it is read down to {self.limits.down_to:%Y-%m-%d}, as asked"
        elif most is not None and self._done.chunks >= most:
            reason = f"{counted(most, 'chunk')} done, as asked"
        elif self._past_deadline(self.now() + timedelta(seconds=self._seconds)):
            reason = "the time limit is reached"
        done = self.claims.completed() if self._over and reason else None  # complete with the last chunk is complete
        return done or (Captured(outcome=CaptureOutcome.STOPPED, reason=reason) if reason else None)

    def _wait_for_budget(self) -> Captured | None:
        if self._over or (self._pipeline is not None and self._pipeline.under_way):
            return None  # nothing is to be asked any more, or it has its points already
        try:
            wait = self.graphql.attempts.must_wait(POINTS_OF_A_CHUNK)
        except RateLimited as error:  # asked whose budget it is, GitHub told us to wait
            return self._wait_or_pause(error.resume_at, str(error))
        return None if wait is None else self._wait_or_pause(wait.until, wait.reason)

    def _wait_or_pause(self, until: datetime, explained: str) -> Captured | None:
        """Wait where that fits into the time limit; otherwise pause, for the planner to take it up again."""
        explained = f"{retries.explained(PauseReason.RATE_LIMIT)}: {explained}"
        if self.limits.deadline is not None and until >= self.limits.deadline:
            self.claims.pause(PauseReason.RATE_LIMIT, until)
            return Captured(
                outcome=CaptureOutcome.PAUSED, reason=explained, resume_at=until, error_type=ErrorType.RATE_LIMIT
            )
        log.warning("%s waits until %s: %s", self.repository.full_name, until.isoformat(timespec="seconds"), explained)
        self._tell(waiting_until=until)
        self.sleep(max(0.0, (until - self.now()).total_seconds()))
        return None

    def _next_chunk(self) -> Captured | None:
        claim = self._claim_or_end()
        if not isinstance(claim, Claim):
            return claim
        try:
            started, pipeline = self.now(), self._pipeline_for(claim.stream)
            chunk = pipeline.chunk(claim, self.claims.keep_alive(claim), most=self._chunks_left())
            read_list = self._rest_of_walk(claim, chunk)
            if read_list is None:
                self._ask_ahead(claim, chunk)
            committed = self._commit(claim, chunk)
        except StaleClaim as error:
            return None if self.claims.voided(claim) else Captured(outcome=CaptureOutcome.BUSY, reason=str(error))
        except GitHubError as error:
            return self._failed(claim, error)
        except BaseException:
            self.claims.release(claim)
            raise
        self._take(claim.stream, committed, chunk)
        self._memory.keep(pipeline.sizing.prices)
        if read_list is not None:
            pipeline.listed = read_list()
        self._try_quarantined(claim)
        self._seconds = max(self._seconds, (self.now() - started).total_seconds())
        self._tell()
        return None

    def _claim_or_end(self) -> Claim | Captured | None:
        over, self._over = self._over, False
        done = self.claims.completed() if over else None
        return done or self.claims.claim() or self.claims.nothing_to_claim(self.limits.deadline)

    def _pipeline_for(self, stream: Stream) -> Pipeline:
        """Return the one pipeline of this worker; it begins with what is remembered of page sizes."""
        if self._pipeline is None:
            first = self.limits.chunk_size or self._first_page(stream)
            self._pipeline = Pipeline(
                graphql=self.graphql,
                kind=self.kind,
                repository=self.repository.node_id or NodeId(""),
                sizing=Sizing(
                    size=PageSize.remembered(stream, first=first),
                    largest=self.limits.chunk_size,
                    price=self.kind.price,
                    prices=self._prices,
                ),
                begin=self.begin,
                here=self.claims.here,
            )
        return self._pipeline

    def _first_page(self, stream: Stream) -> int:
        """Return how carefully to begin: in a huge repository, with large items, or near the end of the hour."""
        low = (budget := self.graphql.budget) is not None and chunking.is_low(budget)
        total = 0 if stream.part else self._reach.total
        return self.kind.first_page(total, self.before.mean_size, low, self.before.usual_page)

    def _chunks_left(self) -> int | None:
        most = self.limits.max_chunks
        return None if most is None else most - self._done.chunks

    def _ask_ahead(self, claim: Claim, chunk: Chunk) -> None:
        """Let the next query travel while this chunk is committed, unless this is the last one."""
        left = self._chunks_left()
        ends = self._past_deadline(self.now() + timedelta(seconds=self._seconds))
        if not ends and self.lists is None and not self.limits.is_down(claim.stream, chunk.page.slots):
            self._pipeline_for(claim.stream).ask_ahead(claim, chunk, most=None if left is None else left - 1)

    def _rest_of_walk(self, claim: Claim, chunk: Chunk) -> Callable[[], Supply] | None:
        """Return what lets REST serve the rest of a walk where that pays; decided once, with its first chunk."""
        if claim.stream.part or claim.stream.goal.filtered:
            self.lists = None  # the list is the whole repository's, whatever of it is wanted here
        lists, pipeline = self.lists, self._pipeline
        if lists is None or pipeline is None or claim.stream.phase is not Phase.HISTORY or chunk.page.next is None:
            return None
        self.lists = None
        left = self._reach.left(claim.stream, chunk)
        if (chunks := self._chunks_left()) is not None:
            left = min(left, (chunks - 1) * pipeline.sizing.size.size)
        rest = RestOfWalk(
            repository=self.repository,
            captured=self._reach.held_with(chunk),
            left=left,
            point_seconds=chunk.spent.seconds / max(1, chunk.spent.points),
            until=math.inf if (end := self.limits.deadline) is None else (end - self.now()).total_seconds(),
            beat=self._beat,
        )
        return self.kind.supply(self.graphql, lists, chunk.items, rest)

    def _beat(self) -> bool:
        """Tell that we are at work; False where the time is up."""
        self._tell()
        return not self._past_deadline(self.now())

    def _commit(self, claim: Claim, chunk: Chunk) -> Committed:
        return Commit(
            db=self.db,
            kind=self.kind,
            repository=self.repository,
            claim=claim,
            chunk=chunk,
            next_page=self._pipeline_for(claim.stream).sizing.size,
            remaining=self.graphql.budget.remaining if self.graphql.budget else None,
            sleep=self.sleep,
        ).run()

    def _try_quarantined(self, claim: Claim) -> None:
        """Let the first page of a catch-up also try again what the walk had to leave in the quarantine."""
        if claim.stream.phase is not Phase.CATCH_UP or claim.after is not None:
            return
        retry_within(self.db, self.graphql, self.kind, self.repository, self.sleep, self._beat)

    def _past_deadline(self, moment: datetime) -> bool:
        return self.limits.deadline is not None and moment >= self.limits.deadline

    def _take(self, stream: Stream, done: Committed, chunk: Chunk) -> None:
        """Count what was committed, and follow the repository to its new name."""
        self._times_cut_off = 0
        self._over, down = done.over, self._done.down or self.limits.is_down(stream, chunk.page.slots)
        self.repository = done.repository
        self._reach = self._reach.after(stream, chunk, new=done.written.new)
        self._done = replace(
            self._done,
            chunks=self._done.chunks + 1,
            items=self._done.items + len(chunk.items),
            counts=self._done.counts + done.written.counts,
            gaps=self._done.gaps + sum(item.gap is not None for item in chunk.items),
            outside=self._done.outside + chunk.outside,
            down=down,
        )

    def _failed(self, claim: Claim, error: GitHubError) -> Captured | None:
        if isinstance(error, RateLimited):
            self.claims.release(claim)
            return self._wait_or_pause(error.resume_at, str(error))
        self._done = replace(self._done, retries=self._done.retries + 1)
        if isinstance(error, NoConnection):
            return self._cut_off(claim, error)
        ended = self.claims.record_failure(claim, error)
        if ended is None:
            log.warning("%s: %s; trying again", self.repository.full_name, error)
        return ended

    def _cut_off(self, claim: Claim, error: NoConnection) -> Captured | None:
        """Try again a few times without a way to GitHub; then end, and leave the backfill as it is."""
        self.claims.release(claim)
        self._times_cut_off += 1
        pause = retries.before_next_try(self._times_cut_off)
        if self._times_cut_off >= retries.MAX_CONSECUTIVE_ERRORS or self._past_deadline(self.now() + pause):
            return Captured(outcome=CaptureOutcome.FAILED, reason=str(error), error_type=ErrorType.NETWORK)
        log.warning("%s: %s; trying again", self.repository.full_name, error)
        self.sleep(pause.total_seconds())
        return None

    def _tell(self, waiting_until: datetime | None = None) -> None:
        self.listen(
            Progress(
                repository=self.repository,
                captured=self._reach.captured,
                total=self._reach.total,
                goal=self._reach.goal,
                open_ended=self._reach.open_ended,
                chunks=self._done.chunks,
                spent=self.graphql.spent,
                items=self._done.items,
                kind=self.kind.name,
                words=self.kind.words,
                over=self._over,
                waiting_until=waiting_until,
            )
        )
