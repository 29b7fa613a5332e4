"""The coverage of a repository's pull requests by number: what was read, what is odd, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from gh_backfill.policy.markdown import counted
from gh_backfill.store.pages_repository import CoverageCell

HERE, MISSING, ODD, SHORT = "here", "missing", "odd", "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class CoveragePart:
    """A run of cells that are alike: `kind` is here, missing, odd or unknown, `share` its width in percent."""

    kind: str
    share: float
    first: int
    last: int
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What is here by number, from 1 to the highest that is known; without pull requests there is no part."""

    last: int
    cells: tuple[CoverageCell, ...]
    parts: tuple[CoveragePart, ...]
    text: str


def of_cells(found: Sequence[CoverageCell], captured: int) -> Coverage:
    """Return the coverage of a repository of which so many pull requests are here."""
    cells = tuple(sorted(found, key=lambda cell: cell.n))
    if not cells:
        return Coverage(last=0, cells=(), parts=(), text="Nothing is here yet.")
    # What is odd is told cell by cell; what is alike is one part.
    alike = groupby(cells, key=lambda cell: (_kind(cell), cell.n if _kind(cell) in (ODD, SHORT) else 0))
    parts = tuple(_part(kind, list(group), 100 / len(cells)) for (kind, _), group in alike)
    return Coverage(last=cells[-1].last, cells=cells, parts=parts, text=_text(cells, captured))


def _part(kind: str, cells: Sequence[CoverageCell], width: float) -> CoveragePart:
    first, last = cells[0].first, cells[-1].last
    which = f"{first:,}" if first == last else f"{first:,} to {last:,}"
    words = f"{which}: {_words(kind, cells[0])}"
    return CoveragePart(kind=kind, share=width * len(cells), first=first, last=last, words=words)


def _kind(cell: CoverageCell) -> str:
    if cell.quarantined:
        return ODD
    if cell.short:
        return SHORT
    return HERE if cell.here or cell.walked else MISSING


def _words(kind: str, cell: CoverageCell) -> str:
    match kind:
        case "odd":
            return f"{counted(cell.quarantined, 'item')} in quarantine"
        case "unknown":
            return f"{counted(cell.short, 'pull request')} with less than GitHub counts"
        case "here":
            return "here"
        case _:
            return "not read yet"


def _text(cells: Sequence[CoverageCell], captured: int) -> str:
    quarantined, short = sum(cell.quarantined for cell in cells), sum(cell.short for cell in cells)
    parts = [counted(captured, "pull request")]
    parts += [f"{short:,} with less than GitHub counts"] if short else []
    parts += [f"{counted(quarantined, 'item')} in quarantine (the next catch-up tries again)"] if quarantined else []
    unread = any(_kind(cell) == MISSING for cell in cells)
    others = "Other numbers are issues, or not read yet." if unread else "Numbers between them are issues."
    return f"{', '.join(parts)}. {others}"
