"""Rows in parts that PostgreSQL takes at once: the rows of a statement are one jsonb value, of 256 MB at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gh_backfill.store.db import Row

# In characters.  As JSON, one of them takes up to 6 bytes on the wire and 4 in the database.
LARGEST_PART = 16_000_000
# A text of the quarantine is there to be recognised, not to be kept whole.
LONGEST_KEPT = 100_000


def parts(rows: Iterable[Row], most: int = LARGEST_PART) -> Iterator[list[Row]]:
    """Yield rows in their order, as many at once as have `most` characters together; a larger one comes alone."""
    part: list[Row] = []
    size = 0
    for row in rows:
        own = _size(row)
        if part and size + own > most:
            yield part
            part, size = [], 0
        part.append(row)
        size += own
    if part:
        yield part


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


def _size(value: object) -> int:
    match value:
        case str():
            return len(value) + 2
        case dict():
            return sum(len(key) + _size(child) + 4 for key, child in value.items())
        case list() | tuple():
            return sum(map(_size, value)) + 2
        case _:
            return 8
