"""The examples of README, CONTRIBUTING and docs/: fenced blocks, the commands in them, and what these print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?<=\s)#.*$")
_CALL = re.compile(r"^(\$ )?(?:\.venv/bin/)?gh-backfill ")
# What differs from one run to the next, and from one world to another.
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "TIME"),
    (re.compile(r"\d[\d,.]*"), "N"),
    (re.compile(r"\b(point|repositor|profile|item)(s|ies|y)?\b"), r"\1"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: the page it is on, its language, its text."""

    page: Path
    language: str
    text: str

    @property
    def name(self) -> str:
        """Return the page and the first line, by which lists of blocks name it."""
        lines = self.text.splitlines()
        return f"{self.page.relative_to(ROOT)}: {lines[0].strip() if lines else ''}"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A command of an example, the line that it stands in, and the lines that it is shown to print."""

    words: tuple[str, ...]
    line: str
    printed: tuple[str, ...]


def blocks() -> Iterator[Block]:
    """Yield every block of every page, in their order."""
    for page in PAGES:
        for indent, language, text in _FENCE.findall(page.read_text(encoding="utf-8")):
            lines = [line.removeprefix(indent) for line in text.splitlines()]
            yield Block(page=page, language=language, text="\n".join(lines) + "\n")


def calls(block: Block) -> bool:
    """Say whether a block is about commands of ours that are run as they stand."""
    first = block.text.splitlines()[0] if block.text.strip() else ""
    return block.language in {"sh", "bash", ""} and _CALL.match(first) is not None and "[" not in first


def examples(block: Block) -> list[Example]:
    """Return the commands of a block; in one with `$` each other line is what the command before it prints."""
    found: list[Example] = []
    for line in block.text.replace("\\\n", " ").splitlines():
        call = _CALL.match(line)
        if call is not None:
            words = shlex.split(_COMMENT.sub("", line.removeprefix("$ ")))[1:]
            found.append(Example(words=tuple(words), line=line, printed=()))
        elif found and line.strip():
            last = found.pop()
            found.append(Example(words=last.words, line=last.line, printed=(*last.printed, line)))
    return found


def masked(line: str) -> str:
    """Return a line without what differs between runs: figures, times, room."""
    for pattern, word in _MASKS:
        line = pattern.sub(word, line)
    return line.strip()
