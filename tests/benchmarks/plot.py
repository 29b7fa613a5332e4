"""A plot as SVG, both axes logarithmic: what grows linearly is a straight line of slope one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 440
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 30, 50
COLOURS = ("#0969da", "#8c959f", "#bf3989", "#1a7f37")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A named line through (x, y) points; all are positive."""

    name: str
    points: tuple[tuple[float, float], ...]


def svg(lines: Sequence[Line], *, x_axis: str = "pull requests in the repository") -> str:
    """Draw the lines, each with its name and its last value at its end."""
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    low_x, high_x = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    low_y, high_y = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    scale = _Scale(low_x=low_x, high_x=max(high_x, low_x + 1), low_y=low_y, high_y=max(high_y, low_y + 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">',
        "<style>text { font-size: 12px }</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_grid(scale),
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_axis)}</text>',
    ]
    for line, colour in zip(lines, COLOURS, strict=False):
        parts += _drawn(line, colour, scale)
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scale:
    low_x: int
    high_x: int
    low_y: int
    high_y: int

    def x(self, value: float) -> float:
        return LEFT + (math.log10(value) - self.low_x) / (self.high_x - self.low_x) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (math.log10(value) - self.low_y) / (self.high_y - self.low_y)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _grid(scale: _Scale) -> Iterator[str]:
    for power in range(scale.low_x, scale.high_x + 1):
        x = scale.x(10**power)
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#d0d7de"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{10**power:,g}</text>'
    for power in range(scale.low_y, scale.high_y + 1):
        y = scale.y(10**power)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#d0d7de"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:,g}</text>'


def _drawn(line: Line, colour: str, scale: _Scale) -> Iterator[str]:
    places = [(scale.x(x), scale.y(y)) for x, y in line.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y in places:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    end_x, end_y = places[-1]
    label = f"{line.name}: {line.points[-1][1]:,.0f}"
    yield f'<text x="{end_x + 8:.1f}" y="{end_y + 4:.1f}" fill="{colour}">{escape(label)}</text>'
