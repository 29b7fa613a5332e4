"""Outputs, step summary and annotations, which GitHub Actions reads from us.  Elsewhere all three are quiet.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import json
import logging
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

from gh_backfill import hidden, output
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.markdown import plain, shortened
from gh_backfill.policy.redaction import without_secrets

if TYPE_CHECKING:  # the command line starts without what reads settings
    from gh_backfill.settings import Settings

log = logging.getLogger(__name__)

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
    with _appending(settings.output_file, "GITHUB_OUTPUT") as file:
        for name, value in values.items():
            mark = f"end-{secrets.token_hex(16)}"
            file.write(f"{name}<<{mark}\n{output.told(value, in_actions=settings.in_actions)}\n{mark}\n")


def write_error(environment: Mapping[str, str], message: str) -> None:
    """Set the step's output `error` to the one line with which a command ends, for the jobs that come after it.

    Reads the environment itself: the settings may be what is wrong.
    """
    file = environment.get("GITHUB_OUTPUT")
    if output.in_actions(environment) and file:
        line = " ".join(output.cleaned(message, in_actions=True).split())
        with suppress(OSError), Path(file).open("a", encoding="utf-8") as outputs:
            outputs.write(f"error={line}\n")


def write_summary(settings: Settings, markdown: str) -> None:
    """Append to the step summary; what GitHub would refuse as too long is cut at a line, and says so."""
    if settings.summary_file is None:
        return
    # Whoever put text into Markdown may have escaped a secret in it.
    values = [shown for secret in hidden.secrets() for shown in (secret, plain(secret))]
    text = without_secrets(output.told(markdown, in_actions=settings.in_actions), values)
    try:
        with _appending(settings.summary_file, "GITHUB_STEP_SUMMARY") as file:
            file.write(_within_limit(text, SUMMARY_BYTES - _size(settings.summary_file)) + "\n")
    except ConfigurationError as error:
        log.warning("there is no step summary: %s", error)


def annotate(settings: Settings, level: Literal["notice", "warning", "error"], messages: Sequence[str]) -> None:
    """Show messages on the run's page, at most ten of a kind; the rest is counted.  All of it goes to stderr.

    A message is data: `%` and line ends are escaped, so that none begins a command of its own.
    """
    for message in messages[:ANNOTATIONS] if settings.in_actions else messages:
        if settings.in_actions:
            output.command(f"::{level}::{_escaped(shortened(message, LONGEST_MESSAGE))}")
        else:
            print(f"{level}: {message}", file=sys.stderr)
    if settings.in_actions and len(messages) > ANNOTATIONS:
        print(f"{len(messages) - ANNOTATIONS} more of this kind are in the step summary", file=sys.stderr, flush=True)


def _escaped(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


@contextmanager
def _appending(path: Path, setting: str) -> Iterator[TextIO]:
    """Open a file that Actions reads, in its folder, which is made where somebody named another one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            yield file
    except OSError as error:
        raise ConfigurationError(f"{setting} names {path}, which can't be written: {error.strerror}") from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _within_limit(markdown: str, limit: int) -> str:
    data = markdown.encode()
    if len(data) < limit:
        return markdown
    note = "\n\nThe summary was too long and is cut here.\n"
    kept = data[: max(0, limit - len(note) - 1)].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + note
