"""The words of an error as they are stored."""

from __future__ import annotations

from typing import overload

from gh_backfill import hidden
from gh_backfill.policy.redaction import without_names


@overload
def stored(text: str) -> str: ...
@overload
def stored(text: None) -> None: ...
def stored(text: str | None) -> str | None:
    """Return an error with ids in the place of private names.

    A report shows it later to everybody, and once the repository is renamed nothing would tell it that this was a name.
    """
    return None if text is None else without_names(text, hidden.private_names())
