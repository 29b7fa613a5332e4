"""Echo of texts: what a service repeats of those that it was sent, in the words of a refusal, is nobody else's to read.

A refusal goes into the log and into the database, and texts of private repositories must not reach a log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

HIDDEN = "<text>"
# A line of a text is hidden wherever it stands, if it has so many characters; of any text, so many beside each other.
LINE, STRETCH = 4, 12
_GAP = re.compile(rf"(?:{HIDDEN}\s*){{2,}}")


def without_texts(words: str, texts: Sequence[str]) -> str:
    """Return words without what any of these texts has: its lines, and longer stretches of it."""
    for line in sorted({each.strip() for text in texts for each in text.splitlines()}, key=len, reverse=True):
        if len(line) >= LINE and line in words:
            words = words.replace(line, HIDDEN)
    return _GAP.sub(HIDDEN, _without_stretches(words, "\n".join(texts)))


def _without_stretches(words: str, text: str) -> str:
    kept: list[str] = []
    place = 0
    while place < len(words):
        end = place + STRETCH
        if end > len(words) or words[place:end] not in text:
            kept.append(words[place])
            place += 1
            continue
        while end < len(words) and words[place : end + 1] in text:
            end += 1
        kept.append(HIDDEN)
        place = end
    return "".join(kept)
