"""A table for a terminal of any width: figures are never cut, lesser columns go first, notes stand under their row."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = 2
SHORTEST_NAME = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column; those of a higher `rank` go first where the terminal is narrow, and rank 0 stays always."""

    title: str
    rank: int = 0
    is_figure: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The cells of a row, the name first, and what there is to say of it."""

    cells: Sequence[str]
    notes: Sequence[str] = ()


def lines(columns: Sequence[Column], rows: Sequence[Row], *, width: int | None) -> list[str]:
    """Return the table as lines of at most `width`, or as wide as it is; the first line has the titles.

    The first column gives way to all that stay: a name that does not fit is cut in its middle.
    """
    kept = _fitting(columns, rows, width)
    widths = [_width(columns, rows, index) for index in kept]
    if width is not None:
        widths[0] = min(widths[0], max(SHORTEST_NAME, width - sum(widths[1:]) - GAP * (len(kept) - 1)))
    found = [_line([columns[index].title for index in kept], columns, kept, widths)]
    for row in rows:
        found.append(_line([row.cells[index] for index in kept], columns, kept, widths))
        for note in row.notes:
            found += [f"{' ' * GAP}{part}" for part in wrapped(note, width and width - GAP)]
    return found


def wrapped(text: str, width: int | None) -> list[str]:
    """Return text as lines of at most `width`, where that is known; none for no text."""
    return textwrap.wrap(text, max(width, SHORTEST_NAME)) if width else [text][: len(text)]


def shortened(name: str, width: int) -> str:
    """Return a name of at most so many cells: its beginning and its end tell it from others."""
    if cell_len(name) <= width:
        return name
    end = (width - 1) // 2
    return f"{set_cell_size(name, width - 1 - end)}…{name[-end:]}"


def _fitting(columns: Sequence[Column], rows: Sequence[Row], width: int | None) -> list[int]:
    """Return which columns stay: those with anything in them, as many as fit beside a name of `SHORTEST_NAME`."""
    kept = [index for index in range(len(columns)) if index == 0 or not rows or any(row.cells[index] for row in rows)]
    while width is not None:
        name = min(_width(columns, rows, 0), SHORTEST_NAME)
        needed = name + sum(_width(columns, rows, index) + GAP for index in kept[1:])
        least = max(kept[1:], key=lambda index: columns[index].rank, default=0)
        if needed <= width or columns[least].rank == 0:
            break
        kept.remove(least)
    return kept


def _width(columns: Sequence[Column], rows: Sequence[Row], index: int) -> int:
    return max(cell_len(columns[index].title), *(cell_len(row.cells[index]) for row in rows), 0)


def _line(cells: Sequence[str], columns: Sequence[Column], kept: Sequence[int], widths: Sequence[int]) -> str:
    parts = []
    for cell, index, width in zip(cells, kept, widths, strict=True):
        text = shortened(cell, width) if index == 0 else cell
        room = " " * max(0, width - cell_len(text))
        parts.append(room + text if columns[index].is_figure else text + room)
    return (" " * GAP).join(parts).rstrip()
