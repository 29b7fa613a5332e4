"""Read GitHub's public history of stars: each page is committed with its days, and their sum held against the count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients import star_history as client
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.clients.series import CountedHome
from gh_backfill.engine.series import OutOfTime
from gh_backfill.models.events import Answering, Covered, Series, Source, SourceAnswer
from gh_backfill.policy.events import star_history as rules
from gh_backfill.policy.events.reading import BEFORE_GITHUB
from gh_backfill.policy.events.sources import WHOLE_AGAIN
from gh_backfill.policy.events.star_history import StarWeek
from gh_backfill.store import events
from gh_backfill.store.db import Database
from gh_backfill.store.events import SourceStanding
from gh_backfill.store.persist import persistently


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRead:
    """What reading a history brought: days that changed, pages, and by how much GitHub counts more than their sum.

    `unexplained` is None where the two agree, as far as that can be told at all.
    """

    changed: int = 0
    pages: int = 0
    unexplained: int | None = None


@dataclass(kw_only=True, slots=True)
class HistoryReading:
    """One reading of the whole history of one repository; clock and sleep are passed in."""

    db: Database
    lists: RestPages
    repository_id: str
    home: CountedHome
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    goes_on: Callable[[], bool] = lambda: True
    _changed: int = 0
    _pages: int = 0

    def run(self, known: SourceStanding | None) -> HistoryRead:
        """Read its newest page, and older ones where they are not here or where the sum does not fit.

        Raises OutOfTime where it is not to go on, and what `RestPages.get` raises; what was read until then is kept.
        """
        sum_of_days: int | None = None
        for page in client.pages(self.lists, self.home.full_name):
            sum_of_days = self._commit(page.weeks, page.server_time, ends=not page.more)
            if sum_of_days is not None and self._enough(known, sum_of_days):
                break
            if page.more and not self.goes_on():
                raise OutOfTime
        unexplained = None if sum_of_days is None else self.home.stars - sum_of_days
        told = unexplained is not None and sum_of_days is not None and not rules.agrees(sum_of_days, self.home.stars)
        return HistoryRead(changed=self._changed, pages=self._pages, unexplained=unexplained if told else None)

    def _enough(self, known: SourceStanding | None, found: int) -> bool:
        """Say whether no older page is wanted, the whole history being here: `found` is its sum."""
        asked_at = None if known is None or known.expected is None else known.asked_at
        return rules.agrees(found, self.home.stars) or (asked_at is not None and self.now() - asked_at < WHOLE_AGAIN)

    def _commit(self, weeks: Sequence[StarWeek], server_time: datetime, *, ends: bool) -> int | None:
        """Store what was read, and return the sum of all days where the whole history is here."""
        days = rules.days(weeks, server_time)
        spans = rules.covered(days, server_time)
        if ends and spans:
            spans[0] = Covered(since=BEFORE_GITHUB, until=spans[0].until)

        def write() -> int | None:
            with self.db.transaction() as tx:
                self._changed += events.write_star_days(tx, self.repository_id, days, server_time)
                events.write_snapshots(tx, [(self.repository_id, self.home.counted, self.home.server_time)])
                answer = SourceAnswer(
                    series=Series.STARS,
                    source=Source.HISTORY,
                    state=Answering.AVAILABLE,
                    asked_at=self.now(),
                    covered=tuple(spans),
                )
                events.write_source(tx, self.repository_id, answer)
                return events.reconcile_history(tx, self.repository_id, self.home.stars, BEFORE_GITHUB, server_time)

        self._pages += 1
        return persistently(write, self.sleep)
