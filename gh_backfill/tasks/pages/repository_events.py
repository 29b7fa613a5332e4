"""Stars and forks on the page of a repository: their days, their figures, and how the backfill of its events stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.asked import AskedEvents
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.velocity import trend
from gh_backfill.store import asked_events, pages, workspaces
from gh_backfill.store.db import Database
from gh_backfill.tasks.pages.timeline import SeriesChart, Timeline, timeline

# A chart's own words for who knows a day.
_KINDS = {True: "here", False: "missing"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryEvents:
    """The charts of a repository, the last backfill of its events, and the workspaces that it is in."""

    timeline: Timeline
    asked: AskedEvents
    workspaces: tuple[tuple[str, str], ...]

    @property
    def labels(self) -> list[str]:
        """Return what stands under the charts."""
        return [trend.day_words(each.day, self.timeline.until) for each in self.timeline.stars.bars]

    @property
    def charts(self) -> tuple[SeriesChart, SeriesChart]:
        """Return both series."""
        return self.timeline.stars, self.timeline.forks

    @property
    def known(self) -> bool:
        """Say whether anything is known of any day."""
        return any(each.percent for each in self.charts)

    def strip_of(self, chart: SeriesChart) -> list[tuple[str, float, str]]:
        """Return the runs of days of a chart as (kind, share in percent, words)."""
        return [(_KINDS[each.source is not None], each.share, each.words) for each in chart.strip]

    def words_of(self, chart: SeriesChart) -> str:
        """Say how many a day there are of late, and the trend."""
        own = self.timeline.velocity
        velocity = own.stars if chart.series == "stars" else own.forks
        rate = trend.rate_words(velocity.current.per_day)
        return f"{rate} a day in the last {own.current.days} days, {trend.words(velocity.trend, own.today)}"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


def repository_events(db: Database, repository_id: str, now: datetime) -> RepositoryEvents | None:
    """Return stars and forks of a repository; None where it is not here.

    Raises StoreError where a statement takes over two seconds.
    """
    found = timeline(db, repository_id, now)
    if found is None:
        return None
    with pages.reading(db) as tx:
        standing = asked_events.standing(tx, [repository_id], now)[repository_id]
        belongs = workspaces.workspaces_of(tx, repository_id)
    return RepositoryEvents(timeline=found, asked=standing, workspaces=tuple(belongs))
