"""The places of a chart's marks: numbers in, positions out; the macros of charts.html write them as SVG.

Across, positions are percentages, so that a chart becomes narrower without its text; downwards they are pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

TOP = 14.0
HEIGHT = 118.0
FLOOR = TOP + HEIGHT
LEVELS = 4
# So many labels of a time of day fit below a chart, and so many where it is 330 pixels wide.
WIDE_TICKS = 8
NARROW_TICKS = 4

Value = float | int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A label below; a `minor` one is left out where the page is narrow."""

    x: float
    text: str
    anchor: str
    minor: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A line across, and the value that it stands for."""

    y: float
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar, and what it says when it is pointed at."""

    x: float
    width: float
    y: float
    height: float
    label: str
    value: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What all charts over time have: grid and labels, up to `most`."""

    most: float
    grid: tuple[Grid, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """Bars side by side."""

    frame: Frame
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The line or the area of one series, as `points` of a box of 100 by 100; a line with gaps has several parts."""

    name: str
    number: int
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shapes:
    """Lines or areas over the same labels."""

    frame: Frame
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of a heat map; `level` from 0 (nothing) to 4 (the most), None where nothing is known."""

    x: float
    width: float
    label: str
    value: Value
    level: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatRow:
    """One row of a heat map, `y` pixels down."""

    label: str
    y: float
    cells: tuple[Cell, ...]


def bars(points: Sequence[tuple[str, Value]]) -> Bars:
    """Place one bar for each label and value; one that is not zero is always seen."""
    frame = _frame([label for label, _ in points], [value or 0 for _, value in points], middle=True)
    step = 100 / max(1, len(points))
    placed = []
    for number, (label, value) in enumerate(points):
        height = max(2.0, HEIGHT * value / frame.most) if value else 0.0
        placed.append(
            Bar(
                x=_round(step * (number + 0.13)),
                width=_round(step * 0.74),
                y=_round(FLOOR - height),
                height=_round(height),
                label=label,
                value=value,
            )
        )
    return Bars(frame=frame, bars=tuple(placed))


def lines(labels: Sequence[str], series: Mapping[str, Sequence[Value]]) -> Shapes:
    """Place one line for each series; where a value is not known the line has a gap."""
    values = [value or 0 for each in series.values() for value in each]
    frame = _frame(labels, values, middle=False)
    shapes = (
        Shape(name=name, number=number, parts=_parts(each, frame.most))
        for number, (name, each) in enumerate(series.items(), 1)
    )
    return Shapes(frame=frame, shapes=tuple(shapes))


def stacked(labels: Sequence[str], series: Mapping[str, Sequence[Value]]) -> Shapes:
    """Place one area for each series on top of the ones before it."""
    sums = [0.0] * len(labels)
    edges = [list(sums)]
    for each in series.values():
        sums = [sofar + (value or 0) for sofar, value in zip(sums, each, strict=True)]
        edges.append(list(sums))
    frame = _frame(labels, sums, middle=False)
    shapes = []
    for number, (name, low, high) in enumerate(zip(series, edges, edges[1:], strict=False), 1):
        outline = [*_places(high, frame.most), *reversed(_places(low, frame.most))]
        shapes.append(Shape(name=name, number=number, parts=(" ".join(outline),)))
    return Shapes(frame=frame, shapes=tuple(shapes))


def heat_map(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Value]]], *, gutter: float) -> list[HeatRow]:
    """Place the cells of a table of values, right of a gutter of so many per cent for the names of the rows."""
    most = max((value or 0 for _, values in rows for value in values), default=0)
    step = (100 - gutter) / max(1, len(columns))
    return [
        HeatRow(
            label=label,
            y=TOP + 22 * number,
            cells=tuple(
                Cell(
                    x=_round(gutter + step * place),
                    width=_round(step * 0.92),
                    label=column,
                    value=value,
                    level=None if value is None else ceil(LEVELS * value / most) if most else 0,
                )
                for place, (column, value) in enumerate(zip(columns, values, strict=True))
            ),
        )
        for number, (label, values) in enumerate(rows)
    ]


def sparkline(values: Sequence[Value]) -> tuple[str, ...]:
    """Return the points of a small line in a box of 100 by 100."""
    return _parts(values, max((value or 0 for value in values), default=0) or 1)


def ticks(labels: Sequence[str], *, middle: bool = False) -> tuple[Tick, ...]:
    """Choose the labels that are written: a few of them, evenly, and about every second where it is narrow."""
    every = max(1, ceil(len(labels) / WIDE_TICKS))
    written = list(range(0, len(labels), every))
    apart = max(1, ceil(len(written) / NARROW_TICKS))
    whole = len(labels) if middle else max(1, len(labels) - 1)
    chosen = []
    for place, number in enumerate(written):
        x = 100 * (number + (0.5 if middle else 0)) / whole
        anchor = "start" if x < 4 else "end" if x > 96 else "middle"
        at = 0.0 if anchor == "start" else 100.0 if anchor == "end" else x
        chosen.append(Tick(x=_round(at), text=labels[number], anchor=anchor, minor=place % apart != 0))
    return tuple(chosen)


def nice(most: float) -> float:
    """Return the next number of 1, 2 or 5 and zeros that is not below."""
    if most <= 1:
        return 1.0
    power = 10.0 ** floor(log10(most))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= most)


def nice_count(most: int) -> int:
    """Return the next number that is not below and has a whole half; of a single thing there is no half."""
    return 1 if most <= 1 else next((few for few in (2, 4, 6) if few >= most), int(nice(most)))


def _frame(labels: Sequence[str], values: Sequence[float], *, middle: bool) -> Frame:
    highest = max(values, default=0)
    counts = all(float(each).is_integer() for each in values)
    most = nice_count(int(highest)) if counts else nice(highest)
    parts = (1.0,) if counts and most == 1 else (0.5, 1.0)
    grid = tuple(Grid(y=FLOOR - HEIGHT * part, value=most * part) for part in parts)
    return Frame(most=most, grid=grid, ticks=ticks(labels, middle=middle))


def _parts(values: Sequence[Value], most: float) -> tuple[str, ...]:
    """Return the pieces of a line between its gaps; a single value is a short dash."""
    pieces: list[list[str]] = [[]]
    for place, value in zip(_places(values, most), values, strict=True):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(place)
    return tuple(" ".join(each if len(each) > 1 else each * 2) for each in pieces if each)


def _places(values: Sequence[Value], most: float) -> list[str]:
    step = 100 / max(1, len(values) - 1)
    return [f"{_round(step * place)},{_round(100 - 100 * (value or 0) / most)}" for place, value in enumerate(values)]


def _round(number: float) -> float:
    return round(number, 2)
