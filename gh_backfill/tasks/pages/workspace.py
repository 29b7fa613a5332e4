"""The pages of a workspace: its figures, its days, who works there, and the backfill of its events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gh_backfill.models.asked import AskedEvents, AskedStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.velocity import trend
from gh_backfill.policy.velocity.daily import DAY, DaySpan, periods
from gh_backfill.store import aggregation, asked_events, pages, workspaces
from gh_backfill.store import velocity as store
from gh_backfill.store.db import Database
from gh_backfill.store.velocity import CAPTURED, RepositoryDays
from gh_backfill.store.workspaces import Workspace, WorkspaceMember, WorkspacePerson
from gh_backfill.tasks.pages.heat_map import HeatMap, HeatMapRow, of_coverages
from gh_backfill.tasks.pages.timeline import CHART_DAYS
from gh_backfill.tasks.pages.workspace_days import WorkspaceDays, of_series, sums
from gh_backfill.tasks.pages.workspace_figures import WorkspaceFigures, of_metrics
from gh_backfill.tasks.velocity import covered, figures
from gh_backfill.tasks.velocity.figures import RepositoryVelocity
from gh_backfill.tasks.velocity.together import VelocityTogether, together

# Said of a batch after each third repository, so that a reader is not told of every one.
TOLD_EVERY = 3
# One statement tells of every day of all repositories: of a full workspace with 200,000 events it takes two seconds.
SECONDS = 8
NEVER = datetime.min.replace(tzinfo=UTC)
MOST_PEOPLE = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class VelocityCard:
    """A figure of the whole workspace: how many a day, the trend in words, and of which repositories that is."""

    label: str
    value: float | None
    outcome: str
    trend: str
    tone: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceRow:
    """A repository of the workspace: GitHub's counts, its velocity, its weeks, and how its backfill stands."""

    member: WorkspaceMember
    velocity: RepositoryVelocity
    heat: HeatMapRow
    gap: str
    asked: AskedEvents

    @property
    def sparkline(self) -> list[int | None]:
        """Return the stars of each day of the last period."""
        return list(self.velocity.stars.current.counts)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        own = self.velocity
        return {
            "id": self.member.id,
            "full_name": self.member.full_name,
            "is_private": self.member.is_private,
            "stargazers_count": self.member.stars,
            "forks_count": self.member.forks,
            "stars": own.stars.as_json(own.today),
            "forks": own.forks.as_json(own.today),
            "activity": own.activity.score,
            "coverage_percent": self.heat.percent,
            "needs_backfill": self.heat.needs_backfill,
            "status": self.asked.status,
            "error": self.asked.error,
            "last_backfill_date": self.asked.last_at,
            "job_id": self.asked.job_id,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsProgress:
    """How far the repositories are that were asked for together last."""

    batch: str
    total: int
    over: int
    failed: int
    cancelled: int

    @property
    def percent(self) -> int:
        """Return it in percent, rounded down."""
        return 100 * self.over // self.total

    @property
    def _lost(self) -> tuple[tuple[int, str], ...]:
        return (self.failed, "failed"), (self.cancelled, "cancelled")

    @property
    def told(self) -> str:
        """Say it after each third repository, and at the end."""
        if self.over == self.total:
            lost = "".join(f", {many:,} {word}" for many, word in self._lost if many)
            return f"Backfill ended: {self.total - self.failed - self.cancelled:,} of {self.total:,} whole{lost}."
        done = self.over - self.over % TOLD_EVERY
        return f"Backfill started for {counted(self.total, 'repository')}. {done:,} of {self.total:,} are done."


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspacePage:
    """Everything of a workspace."""

    workspace: Workspace
    at: datetime
    rows: tuple[WorkspaceRow, ...]
    cards: tuple[VelocityCard, ...]
    stars: WorkspaceDays
    forks: WorkspaceDays
    activity: Mapping[str, tuple[int | None, ...]]
    heat: HeatMap
    people: tuple[WorkspacePerson, ...]
    contributors: int
    progress: EventsProgress | None
    figures: WorkspaceFigures

    @property
    def needing(self) -> tuple[WorkspaceRow, ...]:
        """Return the repositories that need a backfill."""
        return tuple(each for each in self.rows if each.heat.needs_backfill)

    @property
    def last_at(self) -> datetime | None:
        """Return when a backfill of any of its repositories was whole the last time."""
        return max((each.asked.last_at for each in self.rows if each.asked.last_at is not None), default=None)

    @property
    def line(self) -> str:
        """Say how large it is."""
        size = counted(len(self.rows), "repository")
        return size if not self.people else f"{size} · {counted(self.contributors, 'contributor')} in {CHART_DAYS} days"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        own = self.workspace
        return {
            "id": own.id,
            "slug": own.slug,
            "name": own.name,
            "schedule": own.every,
            "next_due_at": own.next_due_at,
            "at": self.at,
            "cards": [of_fields(each) for each in self.cards],
            "metrics": self.figures.as_json(),
            "stars": self.stars.as_json(),
            "forks": self.forks.as_json(),
            "activity": {name: list(counts) for name, counts in self.activity.items()},
            "coverage_percent": self.heat.percent,
            "needing_backfill": self.heat.needing,
            "contributors": self.contributors,
            "people": [of_fields(each) for each in self.people],
            "progress": None if self.progress is None else of_fields(self.progress, "percent", "told"),
            "repositories": [each.as_json() for each in self.rows],
        }


def listed(db: Database, *, public_only: bool = False) -> list[Workspace]:
    """Return the workspaces that may be seen."""
    with pages.reading(db) as tx:
        return workspaces.workspaces(tx, public_only=public_only)


def workspace(db: Database, slug: str, now: datetime, *, public_only: bool = False) -> WorkspacePage | None:
    """Return the page of a workspace; None where there is none that may be seen.

    Raises StoreError where a statement takes over `SECONDS`.
    """
    today = now.astimezone(UTC).date()
    span = DaySpan(since=today - CHART_DAYS * DAY, until=today)
    with pages.reading(db, seconds=SECONDS) as tx:
        (*found,) = workspaces.workspaces(tx, slug, public_only=public_only)
        if not found:
            return None
        # An application may admit more than one statement answers for: the first ones by name are shown then.
        members = workspaces.members(tx, found[0].id, public_only=public_only)[: store.MOST_REPOSITORIES]
        ids = [each.id for each in members]
        days = {each.id: each for each in store.days(tx, ids, span, now, public_only=public_only)} if ids else {}
        standing = asked_events.standing(tx, ids, now)
        people, contributors = workspaces.people(tx, ids, span.since, most=MOST_PEOPLE)
        metrics = aggregation.metrics(tx, found[0].id, public_only=public_only)
    rows = [_row(each, days[each.id], span, standing[each.id]) for each in members if each.id in days]
    both = together([each.velocity for each in rows])
    known = list(days.values())
    return WorkspacePage(
        workspace=found[0],
        at=now,
        rows=tuple(rows),
        cards=_cards(both, [each.velocity for each in rows], today),
        stars=of_series("stars", known, span),
        forks=of_series("forks", known, span),
        activity={name: sums([each.counts[name] for each in known], span)[0] for name in CAPTURED},
        heat=of_coverages([covered.of_repository(each, span) for each in known], span, today),
        people=tuple(people),
        contributors=contributors,
        progress=_progress([each.asked for each in rows]),
        figures=of_metrics(metrics),
    )


def _row(member: WorkspaceMember, days: RepositoryDays, span: DaySpan, asked: AskedEvents) -> WorkspaceRow:
    today = span.until
    (heat,) = of_coverages([covered.of_repository(days, span)], span, today).rows
    gaps = [gap for name in covered.ASKED_FOR for gap in days.counts[name].gaps]
    return WorkspaceRow(
        member=member,
        velocity=figures.of_days(days, *periods(today, figures.USUAL_DAYS), today),
        heat=heat,
        gap=_gap(gaps, today),
        asked=asked,
    )


def _gap(gaps: Sequence[DaySpan], today: date) -> str:
    if not gaps:
        return ""
    longest = max(gaps, key=lambda gap: gap.days)
    since, last = trend.day_words(longest.since, today), trend.day_words(longest.last, today)
    return f"gap {since}" if since == last else f"gap {since} – {last}"


def _cards(
    both: tuple[VelocityTogether, VelocityTogether], rows: Sequence[RepositoryVelocity], today: date
) -> tuple[VelocityCard, ...]:
    stars, forks = (_card(label, each, today) for label, each in zip(("Stars a day", "Forks a day"), both, strict=True))
    scores = [each.activity.score for each in rows if each.activity.score is not None]
    partly = sum(bool(each.activity.unknown) for each in rows)
    note = f"of {counted(len(scores), 'repository')}" + (f", {partly:,} without all of its parts" if partly else "")
    activity = VelocityCard(
        label="Activity",
        value=round(sum(scores), 1) if scores else None,
        outcome="score" if scores else "unavailable",
        trend="at least" if partly and scores else "",
        tone="",
        note=note if scores else "nothing is captured yet",
    )
    return stars, forks, activity


def _card(label: str, each: VelocityTogether, today: date) -> VelocityCard:
    days = each.days or figures.USUAL_DAYS
    of = "" if each.counted == each.repositories else f", of {each.counted:,} of {each.repositories:,} repositories"
    percent = trend.percent(each.trend)
    known = percent is not None or each.current is not None
    return VelocityCard(
        label=label,
        value=each.per_day,
        outcome=trend.outcome(each.trend),
        trend=trend.short(each.trend) if known else "",
        tone="" if not percent else "good" if percent > 0 else "bad",
        note=f"last {days} days against the {days} before{of}" if known else trend.words(each.trend, today),
    )


def _progress(asked: Sequence[AskedEvents]) -> EventsProgress | None:
    """Return how far the batch is that was asked for last; None where none was."""
    batches = [each for each in asked if each.batch is not None]
    if not batches:
        return None
    last = max(batches, key=lambda each: each.asked_at or NEVER).batch
    own = [each for each in batches if each.batch == last]
    return EventsProgress(
        batch=last or "",
        total=len(own),
        over=sum(each.status.over for each in own),
        failed=sum(each.status is AskedStatus.FAILED for each in own),
        cancelled=sum(each.status is AskedStatus.CANCELLED for each in own),
    )
