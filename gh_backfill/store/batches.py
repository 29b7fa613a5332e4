"""Rows in parts that PostgreSQL takes at once: the rows of a statement are one jsonb value, of 256 MB at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gh_backfill.store.parameters import JsonText, encoded
from gh_backfill.store.transaction import Row

# In characters of JSON, which is ASCII: whatever they are, a jsonb of so many is far from its limit.
LARGEST_PART = 16_000_000
# A text of the quarantine is there to be recognised, not to be kept whole.
LONGEST_KEPT = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class RowPart:
    """Rows that go into one statement, and the parameter that they are."""

    rows: Sequence[Row]
    json: JsonText


def parts(rows: Iterable[Row], most: int = LARGEST_PART) -> Iterator[RowPart]:
    """Yield rows in their order, as many at once as have `most` characters of JSON; a larger one comes alone."""
    part: list[Row] = []
    texts: list[str] = []
    size = 0
    for row in rows:
        text = encoded(row)
        if part and size + len(text) > most:
            yield _part(part, texts)
            part, texts, size = [], [], 0
        part.append(row)
        texts.append(text)
        size += len(text)
    if part:
        yield _part(part, texts)


def shortened(value: object) -> object:
    """Return a payload with its longest texts cut, and the cut marked."""
    match value:
        case str() if len(value) > LONGEST_KEPT:
            return f"{value[:LONGEST_KEPT]}… ({len(value)} characters)"
        case dict():
            return {key: shortened(child) for key, child in value.items()}
        case list():
            return [shortened(child) for child in value]
        case _:
            return value


def _part(rows: Sequence[Row], texts: Iterable[str]) -> RowPart:
    return RowPart(rows=rows, json=JsonText(text=f"[{','.join(texts)}]"))
