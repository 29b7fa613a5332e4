"""Days of several repositories together: sums, and of how many of them each day is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.velocity import trend
from gh_backfill.policy.velocity.daily import DAY, DailyCounts, DaySpan
from gh_backfill.store.velocity import RepositoryDays


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceDays:
    """A series of all repositories together; None where no repository knows the day.

    `known` is how many know it.  `strip` has (kind, share in percent, words) of runs of days: `here` where every
    repository knows them, `partly` where some do, `missing` where none does.
    """

    series: str
    days: tuple[date, ...]
    counts: tuple[int | None, ...]
    known: tuple[int, ...]
    strip: tuple[tuple[str, float, str], ...]
    text: str

    @property
    def labels(self) -> list[str]:
        """Return what stands under the chart."""
        return [trend.day_words(day, self.days[-1]) for day in self.days]

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its days."""
        return {
            "series": self.series,
            "days": [
                {"day": day, "count": count, "repositories_known": known}
                for day, count, known in zip(self.days, self.counts, self.known, strict=True)
            ],
            "text": self.text,
        }


def of_series(series: str, known: Sequence[RepositoryDays], span: DaySpan) -> WorkspaceDays:
    """Return a series of all repositories together, of each day of a span."""
    counts, tellers = sums([each.counts[series] for each in known], span)
    kinds = ["missing" if not told else "here" if told == len(known) else "partly" for told in tellers]
    days = tuple(span.since + place * DAY for place in range(span.days))
    total = sum(count or 0 for count in counts)
    whole = sum(kind == "here" for kind in kinds)
    if not any(tellers):
        text = "No day is known yet."
        strip = _strip(kinds, days, span)
        return WorkspaceDays(series=series, days=days, counts=counts, known=tellers, strip=strip, text=text)
    text = f"{counted(total, series.removesuffix('s'))} in {span.days} days; {_known(whole, span.days)}"
    if series == "stars" and whole == span.days:
        text += " Stars that were taken back since are not counted."
    return WorkspaceDays(
        series=series, days=days, counts=counts, known=tellers, strip=_strip(kinds, days, span), text=text
    )


def _known(whole: int, days: int) -> str:
    if whole == days:
        return "every day is known of every repository."
    return f"{counted(whole, 'day')} known of every repository. Pale: known of some; grey: of none."


def _strip(kinds: Sequence[str], days: Sequence[date], span: DaySpan) -> tuple[tuple[str, float, str], ...]:
    words = {"here": "known of every repository", "partly": "known of some", "missing": "known of none"}
    parts: list[tuple[str, float, str]] = []
    begin = 0
    for place in range(1, len(kinds) + 1):
        if place < len(kinds) and kinds[place] == kinds[begin]:
            continue
        first, last = (trend.day_words(days[each], span.until) for each in (begin, place - 1))
        spelled = first if first == last else f"{first} to {last}"
        parts.append((kinds[begin], 100 * (place - begin) / span.days, f"{spelled}: {words[kinds[begin]]}"))
        begin = place
    return tuple(parts)


def sums(counts: Sequence[DailyCounts], span: DaySpan) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
    """Return the sum of each day, and of how many repositories it is."""
    sums: list[int | None] = []
    tellers: list[int] = []
    for place in range(span.days):
        told = [each.counts[place] for each in counts]
        known = [count for count in told if count is not None]
        sums.append(sum(known) if known else None)
        tellers.append(len(known))
    return tuple(sums), tuple(tellers)
