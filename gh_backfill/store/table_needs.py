"""Rights on one table: the columns that our statements write in it, and what else they do there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """The columns that are written in one table: those that every insert sends, and the others; and what is done there.

    Where nothing is inserted, `always` is None.  What is written `by_trigger` takes a right of ours only to be locked.
    What is `optional` is written only where it is there.
    """

    always: frozenset[str] | None = None
    sometimes: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    updated: bool = True
    deleted: bool = False
    by_trigger: bool = False

    @property
    def columns(self) -> frozenset[str]:
        """Return all columns that are written and must be there."""
        return self.sometimes | (self.always or frozenset())


def names(text: str) -> frozenset[str]:
    """Return the names in a text."""
    return frozenset(text.split())
