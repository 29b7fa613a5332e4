"""The heads of the list of repositories: what it is sorted by, and where each leads."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.tasks.pages.query import PageQuery


@dataclass(frozen=True, kw_only=True, slots=True)
class ListHead:
    """A head: `sorted` is "ascending" or "descending" where the list is sorted by it, else empty."""

    words: str
    address: str
    sorted: str


_SORTS = {"name": "Repository", "progress": "Captured", "fresh": "Fresh as of", "activity": "Last page"}


def columns(asked: PageQuery) -> dict[str, ListHead]:
    """Return the heads by what they sort by."""
    order = "descending" if asked.descending else "ascending"
    return {
        sort: ListHead(words=words, address=asked.sorted_by(sort), sorted=order if sort == asked.sort else "")
        for sort, words in _SORTS.items()
    }
