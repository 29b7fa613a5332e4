"""Made-up titles, texts, paths and pieces of differences."""

from __future__ import annotations

import random

_VERBS = ("Add", "Fix", "Remove", "Refactor", "Document", "Test", "Speed up", "Rename", "Deprecate", "Simplify")
_THINGS = (
    "the parser",
    "cursor handling",
    "rate limits",
    "the cache",
    "naïve retries",
    "日本語の説明",
    "the CLI",
    "CI",
    "logging",
)
_TEXT = """this change makes the reader wait less often and keeps what was read before it could be lost which we should
test again because 例えば the first page was empty — or not, see above 🚀 thanks for looking into it so quickly"""
_WORDS = _TEXT.split()
_FOLDERS = ("src", "tests", "docs", "tools")


def title(luck: random.Random) -> str:
    """Make a title."""
    return f"{luck.choice(_VERBS)} {luck.choice(_THINGS)}"


def paragraphs(luck: random.Random, most: int) -> str:
    """Make one to `most` paragraphs, with the line ends of GitHub's web form."""
    texts = (" ".join(luck.choices(_WORDS, k=luck.randrange(4, 30))) for _ in range(luck.randrange(1, most + 1)))
    return "\r\n\r\n".join(texts)


def path(luck: random.Random) -> str:
    """Make the path of a file."""
    return f"{luck.choice(_FOLDERS)}/{luck.choice(_WORDS)}_{luck.randrange(100)}.py"


def hunk(luck: random.Random, line: int) -> str:
    """Make a piece of a difference that begins at a line."""
    return f"@@ -{line},3 +{line},4 @@\n {luck.choice(_WORDS)}\n-{luck.choice(_WORDS)}\n+{luck.choice(_WORDS)}"
