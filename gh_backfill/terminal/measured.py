"""Velocity and coverage as a person sees them in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from gh_backfill.policy.markdown import counted, percent
from gh_backfill.policy.velocity import trend
from gh_backfill.policy.velocity.advice import ask
from gh_backfill.policy.velocity.drawn import LEGEND, days_each, sparkline, strip
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import hinted, show_table, width

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.velocity.covered import CoveredSeries, RepositoryCoverage
    from gh_backfill.tasks.velocity.figures import RepositoryVelocity, Velocity

BARS = 10
# What stands beside the strip: a name of the shortest kind, per cent, and the gaps between.
BESIDE_THE_STRIP = 30
VELOCITY = (
    tables.Column(title="repository"),
    tables.Column(title="stars/d", is_figure=True),
    tables.Column(title="trend", is_figure=True),
    tables.Column(title="forks/d", is_figure=True),
    tables.Column(title="trend", is_figure=True),
    tables.Column(title="activity", is_figure=True),
    tables.Column(title="stars"),
)


def show_velocity(found: Sequence[RepositoryVelocity]) -> None:
    """Print the figures of repositories, and what each lacks under its row."""
    if found:
        show_table(VELOCITY, [_velocity_row(each) for each in found], below=_below(found))


def show_coverage(found: Sequence[RepositoryCoverage]) -> None:
    """Print a strip for each series of each repository, and what to do about days that are unknown."""
    for each in found:
        cells = each.span.days if width() is None else max(10, (width() or 0) - BESIDE_THE_STRIP)
        size = days_each(each.span.days, cells)
        days = (
            f"{trend.day_words(each.span.since, each.span.last)} to {trend.day_words(each.span.last, each.span.last)}"
        )
        columns = (
            tables.Column(title=each.repository.full_name),
            tables.Column(title="known", is_figure=True),
            tables.Column(title=days if size == 1 else f"{days}, {size} days each"),
        )
        *rows, last = [_coverage_row(series, cells) for series in each.series.values()]
        below = LEGEND if each is found[-1] else ""
        show_table(columns, [*rows, replace(last, notes=_advice(each))], below=below)


def _velocity_row(each: RepositoryVelocity) -> tables.Row:
    score = each.activity.score
    least = "≥" if each.activity.unknown else ""
    cells = (
        each.repository.full_name,
        trend.rate_words(each.stars.current.per_day),
        trend.short(each.stars.trend),
        trend.rate_words(each.forks.current.per_day),
        trend.short(each.forks.trend),
        "–" if score is None else f"{least}{score:,.1f}",
        sparkline(each.stars.current, BARS),
    )
    return tables.Row(cells=cells, notes=[hinted(note) for note in _notes(each)])


def _notes(each: RepositoryVelocity) -> list[str]:
    told: dict[str, list[str]] = {}
    for name, series in (("stars", each.stars), ("forks", each.forks)):
        if lacking := _lacking(each, series):
            told.setdefault(lacking, []).append(name)
    notes = [f"{' and '.join(names)}: {text}" for text, names in told.items()]
    for name, series in (("stars", each.stars), ("forks", each.forks)):
        if series.unexplained:
            more = "more" if series.unexplained > 0 else "fewer"
            notes.append(f"GitHub counts {abs(series.unexplained):,} {name} {more} than what was found adds up to")
    return [*notes, *_observed(each)]


def _observed(each: RepositoryVelocity) -> list[str]:
    """Say by how much GitHub's own counts changed, where they did."""
    seen = each.observed
    if seen is None or not (seen.stars or seen.forks or seen.taken_back):
        return []
    since = trend.day_words(seen.since.date(), each.today)
    changes = ((seen.stars, "star"), (seen.forks, "fork"))
    told = ", ".join(f"{'+' if by > 0 else '-'}{counted(abs(by), what)}" for by, what in changes if by)
    back = f"at least {counted(seen.taken_back, 'star')} taken back" if seen.taken_back else ""
    return [f"GitHub's counts since {since}: {'; '.join(part for part in (told, back) if part)}"]


def _lacking(each: RepositoryVelocity, series: Velocity) -> str | None:
    if not isinstance(series.trend, trend.InsufficientData | trend.UnavailableData):
        return None
    since = (*series.previous.gaps, *series.current.gaps)[0].since
    return f"{trend.words(series.trend, each.today)}: {ask(each.repository.full_name, since)}"


def _below(found: Sequence[RepositoryVelocity]) -> str:
    first = found[0]
    since, last = _day(first.current.since, first.today), _day(first.current.last, first.today)
    days = counted(first.current.days, "day")
    told = [f"{since} to {last} (UTC), against the {days} before"]
    if any(each.activity.unknown for each in found):
        told.append("≥: without what is not captured")
    return "; ".join(told)


def _day(day: date, today: date) -> str:
    return trend.day_words(day, today)


def _coverage_row(series: CoveredSeries, cells: int) -> tables.Row:
    name = series.series.replace("_", " ")
    return tables.Row(cells=(name, percent(series.percent), strip(series.counts, cells)))


def _advice(each: RepositoryCoverage) -> list[str]:
    """Say once what several series need."""
    told: dict[str, list[str]] = {}
    for name, series in each.series.items():
        if series.advice:
            told.setdefault(series.advice, []).append(name.replace("_", " "))
    return [hinted(f"{' and '.join(names)}: {text}") for text, names in told.items()]
