"""Velocity, trend and timeline from plain rows, by hand: no code is shared with the product, which it checks.

Times are seconds since 1970 and days are 86,400 of these, so that no calendar and no zone has any part in it.  By
itself it reads stargazers, one JSON object a line, and prints the figures of the days before a moment:

    zcat stargazers.jsonl.gz | python tests/velocity_by_hand.py 2025-03-26 30
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

DAY = 86_400
# The better source first.
BEST = {
    "stars": ("stargazers", "history", "events", "webhook", "datpipe"),
    "forks": ("forks", "events", "webhook", "datpipe"),
}


@dataclass(frozen=True)
class Told:
    """A row of events: who (or which fork), known by a number or by a name alone, and when."""

    type: str
    name: str | None
    number: int | None
    at: float


@dataclass(frozen=True)
class Span:
    """A source covered all of a series from one moment up to another."""

    series: str
    source: str
    since: float
    until: float


@dataclass
class Plain:
    """What is known of one repository; `history` has, by day, its stars and whether the day was over."""

    told: list[Told] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    history: dict[int, tuple[int, bool]] = field(default_factory=dict)


@dataclass(frozen=True)
class Figures:
    """The figures of a series: day by day, and of the period before today with its trend."""

    days: list[tuple[int, str | None, int | None]]
    covered: int
    total: int | None
    per_day: Decimal | None
    trend: tuple[object, ...]


def figures(plain: Plain, series: str, now: float, period: int) -> Figures:
    today = int(now // DAY)
    first = today - 2 * period
    given = stars(plain.told, first, now) if series == "stars" else forks(plain.told, first, now)
    days: list[tuple[int, str | None, int | None]] = []
    for day in range(first, today):
        source = who_covered(plain, series, day)
        if source is None:
            days.append((day, None, None))
        elif source == "history":
            days.append((day, source, plain.history.get(day, (0, True))[0]))
        else:
            days.append((day, source, given.get(day, 0)))
    current = [count for _, _, count in days[period:] if count is not None]
    return Figures(
        days=days,
        covered=len(current),
        total=sum(current) if current else None,
        per_day=Decimal(sum(current)) / len(current) if current else None,
        trend=trend(days, period),
    )


def who_covered(plain: Plain, series: str, day: int) -> str | None:
    for source in BEST[series]:
        pieces = sorted((s.since, s.until) for s in plain.spans if (s.series, s.source) == (series, source))
        reached: float = day * DAY
        for since, until in pieces:
            if since <= reached:
                reached = max(reached, until)
        if reached >= (day + 1) * DAY and not (source == "history" and not plain.history.get(day, (0, True))[1]):
            return source
    return None


def stars(told: Sequence[Told], first: int, now: float) -> dict[int, int]:
    """Each person's last star, unless they took it back since; of those who are gone each moment is one."""
    seen = [each for each in told if first * DAY <= each.at <= now]
    last: dict[object, float] = {}
    back: dict[object, float] = {}
    numbers = numbers_of(each for each in seen if each.type in {"WatchEvent", "StarRemovedEvent"})
    for each in seen:
        person: object = (
            each.number if each.number is not None else numbers.get(str(each.name).lower(), str(each.name).lower())
        )
        if each.number is None and each.name == "ghost":
            person = ("gone", each.at)
        if each.type == "WatchEvent":
            last[person] = max(last.get(person, each.at), each.at)
        elif each.type == "StarRemovedEvent":
            back[person] = max(back.get(person, each.at), each.at)
    counts: dict[int, int] = {}
    for person, at in last.items():
        if person not in back or back[person] < at:
            counts[int(at // DAY)] = counts.get(int(at // DAY), 0) + 1
    return counts


def forks(told: Sequence[Told], first: int, now: float) -> dict[int, int]:
    """Each fork once, when it was told of first."""
    seen = [each for each in told if each.type == "ForkEvent" and first * DAY <= each.at <= now]
    numbers = numbers_of(seen)
    made: dict[object, float] = {}
    for each in seen:
        fork: object = (
            each.number if each.number is not None else numbers.get(str(each.name).lower(), str(each.name).lower())
        )
        made[fork] = min(made.get(fork, each.at), each.at)
    counts: dict[int, int] = {}
    for at in made.values():
        counts[int(at // DAY)] = counts.get(int(at // DAY), 0) + 1
    return counts


def numbers_of(told: Iterable[Told]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for each in told:
        if each.number is not None and each.name is not None:
            name = each.name.lower()
            found[name] = max(found.get(name, each.number), each.number)
    return found


def trend(days: Sequence[tuple[int, str | None, int | None]], period: int) -> tuple[object, ...]:
    known = [count for _, _, count in days if count is not None]
    if len(known) < 2 * period:
        last_unknown = max(day for day, _, count in days if count is None)
        return ("insufficient_data", len(known), 2 * period, last_unknown + 1 + 2 * period)
    before, now = sum(known[:period]), sum(known[period:])
    if before == 0:
        return ("new",) if now else ("both_zero",)
    if before == now:
        return ("percent", Decimal(0))
    exact = (Decimal(now) - Decimal(before)) / Decimal(before) * 100
    cut = exact.quantize(Decimal("0.1"), rounding=ROUND_DOWN)
    return ("percent", cut or Decimal("0.1").copy_sign(exact))


def main(moment: str, period: str) -> None:
    now = datetime.fromisoformat(f"{moment}T00:00:00+00:00").timestamp()
    plain = Plain(spans=[Span("stars", "stargazers", 0, now)])
    for line in sys.stdin:
        row = json.loads(line)
        at = datetime.fromisoformat(row["starred_at"]).timestamp()
        plain.told.append(Told("WatchEvent", row["user"]["login"] if row["user"] else "ghost", None, at))
    found = figures(plain, "stars", now, int(period))
    print(json.dumps({"per_day": str(found.per_day), "total": found.total, "trend": list(map(str, found.trend))}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
