"""What GitHub Actions reads from us: outputs, step summary and annotations.  Elsewhere all three are quiet.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from gh_backfill.settings import Settings

SUMMARY_BYTES = 1024 * 1024
ANNOTATIONS = 10
_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in "\\`*_{}[]()#+-.!|~"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def write_outputs(settings: Settings, values: Mapping[str, str]) -> None:
    """Set outputs of the step; a value may have any characters and lines."""
    if settings.output_file is None:
        return
    with settings.output_file.open("a", encoding="utf-8") as file:
        for name, value in values.items():
            mark = f"end-{secrets.token_hex(16)}"
            file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def write_summary(settings: Settings, markdown: str) -> None:
    """Append to the step summary; what GitHub would refuse as too long is cut at a line, and says so."""
    if settings.summary_file is None:
        return
    with settings.summary_file.open("a", encoding="utf-8") as file:
        file.write(_within_limit(markdown, SUMMARY_BYTES - _size(settings.summary_file)) + "\n")


def annotate(settings: Settings, level: Literal["notice", "warning", "error"], messages: Sequence[str]) -> None:
    """Show messages on the run's page, at most ten of a kind; the rest is counted.  Elsewhere they go to stderr."""
    for message in messages[:ANNOTATIONS] if settings.in_actions else messages:
        if settings.in_actions:
            print(f"::{level}::{_escaped(message)}", flush=True)
        else:
            print(f"{level}: {message}", file=sys.stderr)
    if settings.in_actions and len(messages) > ANNOTATIONS:
        print(f"{len(messages) - ANNOTATIONS} more of this kind are in the step summary", flush=True)


def plain(text: str) -> str:
    """Return text as Markdown that shows it as it is: no markup, no line ends, no mention of anybody."""
    return " ".join(text.split()).translate(_MARKDOWN).replace("@", "@\u200b")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; its cells are taken as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _within_limit(markdown: str, limit: int) -> str:
    data = markdown.encode()
    if len(data) < limit:
        return markdown
    note = "\n\nThe summary was too long and is cut here.\n"
    kept = data[: max(0, limit - len(note) - 1)].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + note
