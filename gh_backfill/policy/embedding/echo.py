"""Echo of texts: what a service repeats of those that it was sent, in the words of a refusal, is nobody else's to read.

A refusal goes into the log and into the database, and texts of private repositories must not reach a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

HIDDEN = "<text>"
# A line of a text is hidden wherever it stands, if it has so many characters; of any text, so many beside each other.
LINE, STRETCH = 4, 12
_GAP = re.compile(rf"(?:{HIDDEN}\s*){{2,}}")


def without_texts(words: str, texts: Sequence[str]) -> str:
    """Return words without what any of these texts has: its lines, and longer stretches of it."""
    hidden = [False] * len(words)
    for start, end in (*_lines(words, texts), *_stretches(words, "\n".join(texts))):
        hidden[start:end] = [True] * (end - start)
    parts = (
        HIDDEN if is_hidden else "".join(letter for letter, _ in pairs)
        for is_hidden, pairs in groupby(zip(words, hidden, strict=True), key=itemgetter(1))
    )
    return _GAP.sub(HIDDEN, "".join(parts))


def _lines(words: str, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    for line in {each.strip() for text in texts for each in text.splitlines()}:
        if len(line) >= LINE and line in words:
            yield from (found.span() for found in re.finditer(re.escape(line), words))


def _stretches(words: str, text: str) -> Iterator[tuple[int, int]]:
    for start in range(len(words) - STRETCH + 1):
        if words[start : start + STRETCH] in text:
            yield start, start + STRETCH
