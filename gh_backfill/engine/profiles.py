"""Profiles of the people of a repository: a hundred for a point, each answer committed before the next is asked for.

They are no items: nobody walks through them, and who occurs in several repositories is asked about once.  What is known
is in the rows of the people themselves, so whoever is killed leaves nothing to pay twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.profiles import ProfileReader, ProfilesAnswer
from gh_backfill.engine import interrupts
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Progress
from gh_backfill.errors import GitHubError, RateLimited, StoreError
from gh_backfill.models.github import Unknown
from gh_backfill.models.profiles import Profile, ProfileWanted
from gh_backfill.models.work import CONTRIBUTORS, RowCounts, TrackedRepository
from gh_backfill.policy import retries
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.policy.retries import PauseReason
from gh_backfill.store import people, profiles
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD, ProfilesDue, ProfileStanding

log = logging.getLogger(__name__)

ITEM = "profile"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfilesRead:
    """What became of those who were asked about: profiles, accounts that GitHub does not show, and what was not told.

    So many `answers` were committed, each by itself, as chunks of items are.
    """

    answers: int = 0
    brought: int = 0
    absent: int = 0
    untold: int = 0
    reason: str = ""

    @property
    def asked(self) -> int:
        """Return how many were asked about."""
        return self.brought + self.absent + self.untold


@dataclass(kw_only=True, slots=True)
class ProfileReading:
    """One reading for one repository; it reads what is older than `older_than`, and stops in time.

    A query that is not full takes people of the repositories `beside` it, which is paid for as well.
    """

    db: Database
    graphql: GraphQL
    repository: TrackedRepository
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    listen: Callable[[Progress], None]
    deadline: datetime | None = None
    older_than: timedelta = OLD
    beside: Sequence[str] = ()
    reader: ProfileReader | None = None
    _read: ProfilesRead = field(default_factory=ProfilesRead)
    _standing: ProfileStanding = field(default_factory=lambda: ProfileStanding(0, 0))

    @property
    def told(self) -> ProfilesRead:
        """Return what became of those who were asked about so far."""
        return self._read

    @property
    def done(self) -> Captured:
        """Return what was done so far: all of it is committed."""
        read = self._read
        return Captured(
            outcome=CaptureOutcome.STOPPED,
            reason="",
            item=ITEM,
            chunks=read.answers,
            items=read.brought,
            counts=RowCounts(updated=read.brought),
            gaps=read.untold,
            spent=self.graphql.spent,
        )

    def run(self) -> Captured:
        """Read until there is nothing to ask, the time is up, or GitHub wants us to wait longer than that.

        An error of GitHub's is how it ends, and not raised; what was read until then is kept.
        """
        own, self._standing = persistently(lambda: self._due([self.repository.id]), self.sleep)
        reader = self.reader or ProfileReader(graphql=self.graphql)
        at = 0
        while at < len(own):
            if self.deadline is not None and self.now() >= self.deadline:
                return self._ended(CaptureOutcome.STOPPED, f"the time limit is reached; {self._words()}")
            batch = own[at : at + MOST_IDS]
            try:
                self._batch(reader, [*batch, *self._neighbours(MOST_IDS - len(batch))])
            except RateLimited as error:
                if not self._waited(error):
                    reason = f"{retries.explained(PauseReason.RATE_LIMIT)}: {error}"
                    paused = self._ended(CaptureOutcome.PAUSED, reason, ErrorType.RATE_LIMIT)
                    return replace(paused, resume_at=error.resume_at)
                continue
            except GitHubError as error:
                return self._ended(CaptureOutcome.FAILED, f"{error}; {self._words()}", error_type(error))
            at += MOST_IDS
        if own:  # others may have asked about some of them meanwhile
            self._standing = persistently(self._stands, self.sleep)
        self._tell(over=True)
        return self._ended(CaptureOutcome.COMPLETED, self._words())

    def _words(self) -> str:
        people_, known = self._standing
        untold = f", of {self._read.untold} GitHub did not say it: {self._read.reason}" if self._read.untold else ""
        return f"of {counted(people_, 'contributor')} {known:,} are known{untold}"

    def _ended(self, outcome: CaptureOutcome, reason: str, kind: ErrorType | None = None) -> Captured:
        return replace(self.done, outcome=outcome, reason=reason, error_type=kind, spent=self.graphql.spent)

    def _due(self, repository_ids: Sequence[str], most: int | None = None) -> ProfilesDue:
        with self.db.reading() as tx:
            return profiles.due(tx, repository_ids, older_than=self.older_than, most=most)

    def _neighbours(self, room: int) -> list[str]:
        """Return people of other repositories who fit into a query beside ours."""
        if not room or not self.beside:
            return []
        return persistently(lambda: self._due(self.beside, most=room), self.sleep).ids

    def _batch(self, reader: ProfileReader, ids: Sequence[str]) -> None:
        """Ask about those whom nobody else asks about, and commit each answer as it comes."""
        taken = persistently(lambda: self._lease(ids), self.sleep)
        waiting = {each.github_id: each for each in taken}
        try:
            for answer in reader.read(taken):
                persistently(lambda answer=answer: self._write(answer), self.sleep)  # type: ignore[misc]
                for wanted, _ in answer.told:
                    waiting.pop(wanted.github_id, None)
                self._count(answer)
                self._tell()
        finally:
            if waiting:
                self._release(list(waiting.values()))

    def _lease(self, ids: Sequence[str]) -> list[ProfileWanted]:
        with self.db.transaction() as tx:
            return profiles.lease(tx, ids, older_than=self.older_than)

    def _write(self, answer: ProfilesAnswer) -> None:
        """Write logins and faces, which lock what others refer to, in a transaction of their own, then the rest."""
        found = [each.person for _, each in answer.told if isinstance(each, Profile)]
        if found:
            with self.db.transaction() as tx:
                people.store_people(tx, people.once_each(found))
        with self.db.transaction() as tx:
            profiles.write(tx, answer.told, answer.at or self.now())

    def _release(self, left: Sequence[ProfileWanted]) -> None:
        """Give back what was not asked; a lease that can't be given back ends by itself."""
        try:
            with interrupts.shielded(), self.db.transaction() as tx:
                profiles.release(tx, left)
        except StoreError as error:
            log.warning("%s: the profiles in hand are free in some minutes: %s", self.repository.full_name, error)

    def _count(self, answer: ProfilesAnswer) -> None:
        untold = [each for _, each in answer.told if isinstance(each, Unknown)]
        brought = sum(isinstance(each, Profile) for _, each in answer.told)
        read = self._read
        self._read = ProfilesRead(
            answers=read.answers + 1,
            brought=read.brought + brought,
            absent=read.absent + len(answer.told) - brought - len(untold),
            untold=read.untold + len(untold),
            reason=untold[-1].reason if untold else read.reason,
        )
        now_known = min(self._standing.people, self._standing.known + len(answer.told) - len(untold))
        self._standing = self._standing._replace(known=now_known)

    def _stands(self) -> ProfileStanding:
        with self.db.reading() as tx:
            return profiles.standing(tx, self.repository.id, older_than=self.older_than)

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
                total=self._standing.people,
                chunks=self._read.answers,
                spent=self.graphql.spent,
                items=self._read.brought,
                kind=CONTRIBUTORS,
                words=CONTRIBUTORS,
                waiting_until=waiting_until,
                over=over,
            )
        )
