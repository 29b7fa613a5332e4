"""Text for places where others read: Markdown that shows what it is given, and never obeys it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]()#+-.!|~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~])")
_CHAT = str.maketrans({"<": "(", ">": ")", "@": "@\u200b", "`": "'", "*": "x", "|": "/", "_": "_\u200b", "~": "-"})
LONGEST = 500


def counted(number: int, thing: str) -> str:
    """Return so many of a thing in words; its plural ends in s, before a `with` that may follow."""
    if number == 1:
        return f"{number:,} {thing}"
    first, _, rest = thing.partition(" with ")
    plural = f"{first[:-1]}ies" if first.endswith("y") and first[-2:-1] not in "aeiou" else f"{first}s"
    return f"{number:,} {plural} with {rest}" if rest else f"{number:,} {plural}"


def percent(value: float, digits: int = 1) -> str:
    """Write a percentage; what is not yet whole never looks whole, and what has begun never looks like nothing."""
    if 99 < value < 100 or 0 < value < 1:
        return f"{min(max(value, 0.1), 99.9):.1f} %"
    return f"{value:.{0 if value == 100 else digits}f} %"


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is: no markup, no line ends, no mention of anybody."""
    return " ".join(text.split()).translate(_MARKDOWN).replace("@", "@\u200b")


def readable(text: str) -> str:
    """Return Markdown as a person reads it at a terminal: without what `plain` puts before and into signs."""
    return html.unescape(_ESCAPED.sub(r"\1", text)).replace("@\u200b", "@")


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return text of at most so many characters; what is cut off is marked."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def chat(text: str) -> str:
    """Return one line of text for a chat: whatever is markup or calls somebody there is replaced."""
    return " ".join(text.split()).translate(_CHAT)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; its cells are taken as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def details(title: str, body: str) -> str:
    """Return a part that is folded until somebody clicks on it; the title is taken as it is."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
