"""What was measured, as tables: printed, kept as JSON, and put into the documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Drawn

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One section of the results; `missed` names the targets that were not met."""

    section: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {
            "title": self.title,
            "columns": list(self.columns),
            "rows": [list(row) for row in self.rows],
            "notes": list(self.notes),
            "missed": list(self.missed),
            **self.extra,
        }


def show(table: Table, console: Console) -> None:
    """Print a table with its notes."""
    drawn = Drawn(*table.columns, title=f"{table.section}: {table.title}", title_justify="left")
    for column in drawn.columns[1:]:
        column.justify = "right"
    for row in table.rows:
        drawn.add_row(*map(text, row))
    console.print(drawn)
    for note in table.notes:
        console.print(f"  {note}", highlight=False)
    for miss in table.missed:
        console.print(f"  [red]missed:[/red] {miss}", highlight=False)


def keep(path: Path, tables: Iterable[Table], about: Mapping[str, str]) -> None:
    """Write the tables into a JSON file; sections that were not measured this time stay as they were."""
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for table in tables:
        known[table.section] = table.as_json() | {"measured": dict(about)}
    path.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def document(page: str, results: Mapping[str, Any]) -> str:
    """Put the tables of a results file into a page, each between `<!-- begin SECTION -->` and `<!-- end SECTION -->`.

    Raises ValueError for a section that the results do not have.
    """

    def filled(match: re.Match[str]) -> str:
        section = match["section"]
        if section not in results:
            raise ValueError(f"the results have no section {section}: measure it first")
        body = markdown(results[section])
        return f"<!-- begin {section} -->\n{body}\n<!-- end {section} -->"

    pattern = r"<!-- begin (?P<section>\w+) -->.*?<!-- end (?P=section) -->"
    return re.sub(pattern, filled, page, flags=re.DOTALL)


def markdown(section: Mapping[str, Any]) -> str:
    """Write a section of the results as a Markdown table with its notes."""
    head = section["columns"]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    lines += [_line([text(cell) for cell in row]) for row in section["rows"]]
    lines += ["", *(f"- {note}" for note in section["notes"])] if section["notes"] else []
    return "\n".join(lines)


def text(cell: Cell) -> str:
    """Write a cell: large numbers with separators, others with as many digits as they deserve."""
    match cell:
        case None:
            return "-"
        case float() if abs(cell) < 10:
            return f"{cell:.2f}"
        case float():
            return f"{cell:,.1f}" if abs(cell) < 100 else f"{cell:,.0f}"
        case int():
            return f"{cell:,}"
    return cell


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
