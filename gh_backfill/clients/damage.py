"""Mark what can't be believed in an answer, so that it is asked for again and never stored as if it were true.

The mark sits on the innermost list element around the damage: a comment without its author spoils that comment, not the
pull request it belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

MARK = "__damage__"

Path = Sequence[str | int]
# What PostgreSQL can't store: NUL, and halves of surrogate pairs.  In JSON they can only come as escapes; whole pairs
# are all right, and left out of the second look.
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_PAIR = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"
MENDED = "characters that no database can store were replaced by U+FFFD"


def unstorable(text: str) -> bool:
    """Say whether a text has what no database can store."""
    return _UNSTORABLE.search(text) is not None


def leads_into(data: Any, path: Path | None) -> bool:
    """Say whether an error has a path and the data is there that it speaks of."""
    return bool(path) and isinstance(data, dict) and path is not None and path[0] in data


def mark(data: dict[str, Any], path: Path, reason: str) -> None:
    """Mark the innermost list element on a path, or what the path begins with; a null needs no mark."""
    holder: dict[str, Any] = data
    value: Any = data
    in_list = False
    for depth, key in enumerate(path):
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(value, dict) and (in_list or depth == 0):
            holder = value
        if value is None and in_list:
            return
        in_list = isinstance(value, list)
    if holder is not data:
        holder[MARK] = reason


def mend_texts(data: dict[str, Any], raw: bytes) -> None:
    """Replace what no database can store by U+FFFD and mark what holds it.  `raw` is the answer as it came."""
    if _SUSPICIOUS.search(raw) and _SUSPICIOUS.search(_PAIR.sub(b"", raw)):
        for child in list(data.values()):
            if isinstance(child, dict | list):
                _mend(child, child if isinstance(child, dict) else data)


def _mend(value: Any, holder: dict[str, Any]) -> None:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in list(items):
        if isinstance(child, str):
            if _UNSTORABLE.search(child):
                value[key] = _UNSTORABLE.sub(_REPLACEMENT, child)
                holder.setdefault(MARK, MENDED)
        elif isinstance(child, dict):
            _mend(child, child if isinstance(value, list) else holder)
        elif isinstance(child, list):
            _mend(child, holder)
