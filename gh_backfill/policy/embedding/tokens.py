"""Tokens of a text for models whose tokenizer is not here: an estimate that errs on the high side.

A word counts one token for each five bytes, so that a letter of a script beyond Latin counts for more; each other
character counts one.  English text has about 1.3 tokens a word with the tokenizers in use, this counts about 1.4.
"""

from __future__ import annotations

import re

_PIECES = re.compile(r"\w+|[^\w\s]")
BYTES = 5


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
            return text[:start].rstrip() or text[: most * BYTES // 4]
    return text


def _of(piece: str) -> int:
    return -(-len(piece.encode(errors="surrogatepass")) // BYTES)
