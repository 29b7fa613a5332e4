"""Text of an item as it is embedded: title, blank line, and the body without what tells nothing of this item.

Left out are quotes of others, comments of templates, unchecked items of checklists, headings with nothing below them or
that come again, images, bare addresses, and all but the first lines of long code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Belongs to the hash of each vector: whoever changes what is prepared counts it up.
VERSION = 1
# Of code that has more lines than the first number, so many of the first ones stay: the message of an error is there.
LONG_CODE, KEPT_CODE = 10, 5
# A body is looked at so far: only its beginning is embedded, and one may have 65,536 characters.
MOST_CHARACTERS = 20_000

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
# One that never ends hides the rest where it begins a line; elsewhere it is shown as it stands, as GitHub does.
_OPEN_COMMENT = re.compile(r"^[ ]{0,3}<!--.*", re.DOTALL | re.MULTILINE)
# Bounded, so that a body of nothing but brackets takes no longer than any other.
_IMAGE = re.compile(r"!\[[^\]\n]{0,300}\](?:\([^)\n]{0,1000}\)|\[[^\]\n]{0,300}\])|<img\b[^>]{0,1000}>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\]\n]{0,300})\]\([^)\n]{0,1000}\)")
_ADDRESS = re.compile(r"<?https?://[^\s<>)\]]+>?")
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>\n]{0,1000})?/?>", re.IGNORECASE)
_FENCE = re.compile(r"^\s{0,3}(`{3,}|~{3,})")
_QUOTE = re.compile(r"^\s{0,3}>")
_UNCHECKED = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\[ \]")
_CHECKED = re.compile(r"^(\s*)(?:[-*+]|\d+[.)])\s+\[[xX]\]\s*")
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+\S")
_ANSWERS_NOTHING = re.compile(r"^\s*(?:_?no response_?|n/?a|none)\s*\.?$", re.IGNORECASE)
_TRAILER = re.compile(r"^(?:signed-off-by|co-authored-by):\s", re.IGNORECASE)


def prepared(title: str, body: str | None) -> str:
    """Return the text that is embedded of an item; empty where nothing is left of it."""
    head = " ".join(title.split())
    text = _body((body or "")[:MOST_CHARACTERS])
    return f"{head}\n\n{text}".strip()


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    is_code: bool = False

    @property
    def heading(self) -> int:
        """Return the level of a heading, 0 for anything else."""
        found = None if self.is_code else _HEADING.match(self.text)
        return len(found[1]) if found else 0


def _body(body: str) -> str:
    text = _without_comments(body.replace("\r\n", "\n").replace("\r", "\n"))
    lines = _without_empty_headings(list(_shortened_code(text.split("\n"))))
    return "\n".join(_without_blank_runs(line.text for line in lines)).strip()


def _without_comments(text: str) -> str:
    """Look for ends of comments only where there are some: looking up to the end from each beginning takes too long."""
    closed, end, rest = text.rpartition("-->")
    return _COMMENT.sub("", closed + end) + _OPEN_COMMENT.sub("", rest)


def _shortened_code(lines: list[str]) -> Iterator[_Line]:
    """Yield the lines that stay, of long code the first; a fence that is not closed reaches to the end."""
    code: list[str] = []
    fence = ""
    for line in lines:
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence):
                yield from _shortened(code)
                code, fence = [], ""
            else:
                code.append(line.rstrip())
        elif found:
            fence = found[1]
        else:
            yield from _prose(line)
    yield from _shortened(code)


def _shortened(code: list[str]) -> list[_Line]:
    written = [_Line(line, is_code=True) for line in code if line.strip()]
    return written[:KEPT_CODE] if len(written) > LONG_CODE else written


def _prose(line: str) -> Iterator[_Line]:
    """Yield a line of prose as it stays, if it does."""
    if _QUOTE.match(line) or _UNCHECKED.match(line) or _ANSWERS_NOTHING.match(line) or _TRAILER.match(line):
        return
    line = _LINK.sub(r"\1", _IMAGE.sub("", _CHECKED.sub(r"\1- ", line)))
    yield _Line(" ".join(_TAG.sub(" ", _ADDRESS.sub("", line)).split()))


def _without_empty_headings(lines: list[_Line]) -> Iterator[_Line]:
    """Yield all but headings that have nothing below them before the next of their level, and those that come again."""
    empty: set[int] = set()
    below, level = False, 0
    for place in reversed(range(len(lines))):
        line = lines[place]
        if not line.heading:
            below = below or bool(line.text)
            continue
        if below or line.heading < level:
            level = line.heading
        else:
            empty.add(place)
        below = False
    seen: set[str] = set()
    for place, line in enumerate(lines):
        if place in empty or (line.heading and line.text.lower() in seen):
            continue
        if line.heading:
            seen.add(line.text.lower())
        yield line


def _without_blank_runs(lines: Iterable[str]) -> Iterator[str]:
    blank = True
    for line in lines:
        if line or not blank:
            yield line
        blank = not line
