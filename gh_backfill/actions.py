"""What GitHub Actions reads from us: outputs, step summary and annotations.  Elsewhere all three are quiet.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from gh_backfill.policy.markdown import shortened
from gh_backfill.settings import Settings

SUMMARY_BYTES = 1024 * 1024
ANNOTATIONS = 10
LONGEST_MESSAGE = 1000


def is_public(settings: Settings) -> bool | None:
    """Say whether the repository whose workflow runs is public, as GitHub's event tells it; None where it does not."""
    try:
        event = json.loads(settings.event_file.read_text(encoding="utf-8")) if settings.event_file else {}
        private = event["repository"]["private"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return not private if isinstance(private, bool) else None


def write_outputs(settings: Settings, values: Mapping[str, str]) -> None:
    """Set outputs of the step; a value may have any characters and lines."""
    if settings.output_file is None:
        return
    with settings.output_file.open("a", encoding="utf-8") as file:
        for name, value in values.items():
            mark = f"end-{secrets.token_hex(16)}"
            file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def write_error(environment: Mapping[str, str], message: str) -> None:
    """Set the step's output `error` to the one line with which a command ends, for the jobs that come after it.

    Reads the environment itself: the settings may be what is wrong.
    """
    file = environment.get("GITHUB_OUTPUT")
    if environment.get("GITHUB_ACTIONS") == "true" and file:
        with suppress(OSError), Path(file).open("a", encoding="utf-8") as output:
            output.write(f"error={' '.join(message.split())}\n")


def write_summary(settings: Settings, markdown: str) -> None:
    """Append to the step summary; what GitHub would refuse as too long is cut at a line, and says so."""
    if settings.summary_file is None:
        return
    with settings.summary_file.open("a", encoding="utf-8") as file:
        file.write(_within_limit(markdown, SUMMARY_BYTES - _size(settings.summary_file)) + "\n")


def annotate(settings: Settings, level: Literal["notice", "warning", "error"], messages: Sequence[str]) -> None:
    """Show messages on the run's page, at most ten of a kind; the rest is counted.  Elsewhere they go to stderr.

    A message is data: `%` and line ends are escaped, so that none begins a command of its own.
    """
    for message in messages[:ANNOTATIONS] if settings.in_actions else messages:
        if settings.in_actions:
            print(f"::{level}::{_escaped(shortened(message, LONGEST_MESSAGE))}", flush=True)
        else:
            print(f"{level}: {message}", file=sys.stderr)
    if settings.in_actions and len(messages) > ANNOTATIONS:
        print(f"{len(messages) - ANNOTATIONS} more of this kind are in the step summary", flush=True)


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
