"""Figures of a workspace as its page shows them: a card for each, by period, and how much of the truth they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import trunc

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.store.aggregation import WorkspaceMetrics

PERIODS: Mapping[str, str] = {"7d": "7 days", "30d": "30 days", "90d": "90 days", "all": "Ever"}
FIRST = "30d"
# A workspace whose figures are older than this was left alone by its nightly aggregation.
MOST_HOURS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricCard:
    """A figure in words, how it changed against the period before, and what belongs to it."""

    label: str
    value: str
    trend: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodFigures:
    """The figures of a period, `title` in words."""

    period: str
    title: str
    cards: tuple[MetricCard, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceFigures:
    """All figures of a workspace; without any, nobody computed them yet."""

    stored: tuple[WorkspaceMetrics, ...]

    @property
    def computed_at(self) -> datetime | None:
        """Return as of when they are."""
        return self.stored[0].computed_at if self.stored else None

    @property
    def first(self) -> PeriodFigures | None:
        """Return the period that is shown at once."""
        return next((each for each in self.periods if each.period == FIRST), None)

    @property
    def others(self) -> tuple[PeriodFigures, ...]:
        """Return the periods that are shown when somebody asks."""
        return tuple(each for each in self.periods if each.period != FIRST)

    @property
    def periods(self) -> tuple[PeriodFigures, ...]:
        """Return every period, the shortest first."""
        ever = self.stored[-1:]
        return tuple(
            PeriodFigures(period=each.period, title=PERIODS[each.period], cards=_cards(each, *ever))
            for each in self.stored
        )

    @property
    def missing(self) -> str:
        """Say what is not here, where histories are not whole; empty where all are."""
        if not self.stored:
            return ""
        one = self.stored[0]
        short = [
            f"every {what} of {_of(whole, one.repositories)}"
            for what, whole in (("pull request", one.pull_requests_whole), ("issue", one.issues_whole))
            if whole < one.repositories
        ]
        return f"Captured is {' and '.join(short)}: the figures are of what is here (≥)." if short else ""

    def stale(self, now: datetime) -> bool:
        """Say whether they are older than a night."""
        return self.computed_at is not None and (now - self.computed_at).total_seconds() > MOST_HOURS * 3600

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        hidden = ("workspace_id", "audience", "computed_at")
        return {
            "computed_at": self.computed_at,
            "missing": self.missing,
            "periods": [
                {name: value for name, value in of_fields(each).items() if name not in hidden} for each in self.stored
            ],
        }


def of_metrics(stored: Sequence[WorkspaceMetrics]) -> WorkspaceFigures:
    """Return the figures of a workspace as its page shows them."""
    return WorkspaceFigures(stored=tuple(stored))


def _cards(m: WorkspaceMetrics, ever: WorkspaceMetrics) -> tuple[MetricCard, ...]:
    pulls = _Captured(m.pull_requests_whole, m.repositories, any=bool(ever.contributors or ever.pull_requests_opened))
    issues = _Captured(m.issues_whole, m.repositories, any=bool(ever.issues_opened))
    closed = f"{m.pull_requests_closed:,} closed without a merge"
    return (
        pulls.card("Contributors", m.contributors, m.previous_contributors, _new(m)),
        pulls.card("Pull requests", m.pull_requests_opened, m.previous_pull_requests_opened, _open(m)),
        pulls.card("Merged", m.pull_requests_merged, m.previous_pull_requests_merged, closed),
        pulls.hours("Time to first review", m.median_hours_to_first_review, m.previous_median_hours_to_first_review),
        pulls.hours("Time to merge", m.median_hours_to_merge, m.previous_median_hours_to_merge),
        pulls.card("Reviews", m.reviews, m.previous_reviews, _reviewers(m)),
        issues.card("Issues", m.issues_opened, m.previous_issues_opened, _issues(m)),
        *_discussions(m, ever),
        _counted("Stars", m.stars, m.stars_change, m),
        _counted("Forks", m.forks, m.forks_change, m),
    )


@dataclass(frozen=True, slots=True)
class _Captured:
    """Of how many repositories everything is captured: of the others there may be more; `any`: anything is."""

    whole: int
    of: int
    any: bool

    def card(self, label: str, value: int, before: int | None, note: str) -> MetricCard:
        if not self.whole and self.of and not self.any:
            return MetricCard(label=label, value="–", note="not captured")
        least = "" if self.whole == self.of else "≥ "
        return MetricCard(label=label, value=f"{least}{value:,}", trend=self._trend(value, before), note=note)

    def hours(self, label: str, value: float | None, before: float | None) -> MetricCard:
        shown = "–" if value is None else _duration(value)
        note = "" if value is None else "median; half took no longer"
        return MetricCard(label=label, value=shown, trend=self._trend(value, before), note=note)

    def _trend(self, value: float | None, before: float | None) -> str:
        """Compare with the period before, where everything of both is here."""
        if value is None or not before or self.whole < self.of:
            return ""
        change = trunc(100 * (value - before) / before)
        return f"{change:+,} %" if change else "±0 %"


def _of(whole: int, repositories: int) -> str:
    return f"{whole:,} of {counted(repositories, 'repository')}" if whole else "none of the repositories"


def _new(m: WorkspaceMetrics) -> str:
    return "" if m.since is None else f"{m.new_contributors:,} of them new"


def _open(m: WorkspaceMetrics) -> str:
    return f"{m.pull_requests_open:,} open now, {counted(m.pull_requests_draft, 'draft')}"


def _reviewers(m: WorkspaceMetrics) -> str:
    by = f"by {counted(m.reviewers, 'reviewer')}"
    share = m.busiest_reviewer_share
    return by if share is None else f"{by}; {m.busiest_reviewer} did {100 * share:.0f} %"


def _issues(m: WorkspaceMetrics) -> str:
    return f"{m.issues_closed:,} closed; {m.issues_open:,} open now"


def _discussions(m: WorkspaceMetrics, ever: WorkspaceMetrics) -> tuple[MetricCard, ...]:
    """Return their card, where any repository has them."""
    opened = m.discussions_opened
    if opened is None or not (m.discussions_whole or ever.discussions_opened):
        return ()
    captured = _Captured(m.discussions_whole or 0, m.repositories, any=True)
    note = f"{m.discussions_answered or 0:,} answered; {counted(m.discussion_comments or 0, 'comment')}"
    return (captured.card("Discussions", opened, m.previous_discussions_opened, note),)


def _counted(label: str, now: int | None, change: int | None, m: WorkspaceMetrics) -> MetricCard:
    if now is None:
        return MetricCard(label=label, value="–")
    if change is None:
        return MetricCard(label=label, value=f"{now:,}")
    of = "" if m.changes_known == m.repositories else f", by {m.changes_known:,} of {m.repositories:,} repositories"
    return MetricCard(label=label, value=f"{now:,}", note=f"{change:+,}" + of)


def _duration(hours: float) -> str:
    if hours < 1:
        return f"{max(1, round(60 * hours))} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"
