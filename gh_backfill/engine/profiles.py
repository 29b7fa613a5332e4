"""Profiles of the people of a repository: a hundred for a point.

They are no items: nobody walks through them, and who occurs in several repositories is asked about once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from gh_backfill.clients.profiles import ProfileReader, ProfilesAnswer
from gh_backfill.engine.beside import BesideReading, Standings
from gh_backfill.models.github import Unknown
from gh_backfill.models.profiles import Profile, ProfileTold, ProfileWanted
from gh_backfill.models.work import CONTRIBUTORS
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.store import people, profiles
from gh_backfill.store.db import Transaction
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD, ProfilesDue


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


@dataclass(kw_only=True)
class ProfileReading(BesideReading[str, ProfileWanted, ProfileTold]):
    """One reading for one repository; it reads what is older than `older_than`, and stops in time.

    A query that is not full takes people of the repositories `beside` it, which is paid for as well.
    """

    item: ClassVar[str] = "profile"

    older_than: timedelta = OLD
    beside: Sequence[str] = ()
    reader: ProfileReader | None = None
    _told: ProfilesRead = field(default_factory=ProfilesRead)

    @property
    def told(self) -> ProfilesRead:
        """Return what became of those who were asked about so far."""
        return self._told

    def _begin(self) -> tuple[Sequence[str], Standings]:
        due = persistently(lambda: self._due([self.repository.id]), self.sleep)
        return due.ids, {CONTRIBUTORS: due.standing}

    def _due(self, repository_ids: Sequence[str], most: int | None = None) -> ProfilesDue:
        with self.db.reading() as tx:
            return profiles.due(tx, repository_ids, older_than=self.older_than, most=most)

    def _size(self) -> int:
        return MOST_IDS

    def _more(self, batch: Sequence[str]) -> Sequence[str]:
        """Add people of other repositories who fit into a query beside ours."""
        room = MOST_IDS - len(batch)
        if not room or not self.beside:
            return batch
        return [*batch, *persistently(lambda: self._due(self.beside, most=room), self.sleep).ids]

    def _standings(self, tx: Transaction) -> Standings:
        return {CONTRIBUTORS: profiles.standing(tx, self.repository.id, older_than=self.older_than)}

    def _lease(self, tx: Transaction, batch: Sequence[str]) -> Sequence[ProfileWanted]:
        return profiles.lease(tx, batch, older_than=self.older_than)

    def _give_back(self, tx: Transaction, left: Sequence[ProfileWanted]) -> None:
        profiles.release(tx, left)

    def _read(self, taken: Sequence[ProfileWanted]) -> Iterator[ProfilesAnswer]:
        if self.reader is None:
            self.reader = ProfileReader(graphql=self.graphql)
        return self.reader.read(taken)

    def _write(self, answer: ProfilesAnswer) -> None:
        """Write logins and faces, which lock what others refer to, in a transaction of their own, then the rest."""
        found = [each.person for _, each in answer.told if isinstance(each, Profile)]
        if found:
            with self.db.transaction() as tx:
                people.store_people(tx, people.once_each(found))
        with self.db.transaction() as tx:
            profiles.write(tx, answer.told, answer.at or self.now())

    def _count(self, answer: ProfilesAnswer) -> None:
        untold = [each for _, each in answer.told if isinstance(each, Unknown)]
        brought = sum(isinstance(each, Profile) for _, each in answer.told)
        told = self._told
        self._told = ProfilesRead(
            answers=self._answers,
            brought=told.brought + brought,
            absent=told.absent + len(answer.told) - brought - len(untold),
            untold=told.untold + len(untold),
            reason=untold[-1].reason if untold else told.reason,
        )
        self._brought, self._gaps = self._told.brought, self._told.untold
        self._known = min(self._total, self._known + len(answer.told) - len(untold))

    def _words(self) -> str:
        untold = f", of {self._told.untold} GitHub did not say it: {self._told.reason}" if self._told.untold else ""
        return f"of {counted(self._total, 'contributor')} {self._known:,} are known{untold}"

    def _kind(self) -> tuple[str, str]:
        return CONTRIBUTORS, CONTRIBUTORS
