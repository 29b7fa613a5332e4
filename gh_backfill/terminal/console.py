"""The means to show something to a person at a terminal: a line, an error, a hint that can be pasted, a table."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from gh_backfill import output
from gh_backfill.policy.redaction import visible
from gh_backfill.terminal import tables

_HINT = re.compile(r"(?<![\w/.-])gh-backfill (?=[a-z]+\b)")
_errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
_out = Console(highlight=False, soft_wrap=True, emoji=False)


def say(text: str) -> None:
    """Print text that may have rich's markup in it."""
    _out.print(text)


def error(message: str) -> None:
    """Show why a command ends, as one line on stderr."""
    _errors.print(f"[bold red]error:[/bold red] {escape(hinted(' '.join(message.split())))}")


def hinted(text: str) -> str:
    """Return a text whose commands can be pasted as they stand; who reads the log of a workflow is somewhere else."""
    if output.in_actions(os.environ):
        return text
    return _HINT.sub(lambda found: f"{command()} ", text)


def warning(message: str) -> None:
    """Show what somebody should look at, as one line on stderr."""
    _errors.print(f"[bold yellow]warning:[/bold yellow] {escape(' '.join(message.split()))}")


def show_table(columns: Sequence[tables.Column], rows: Sequence[tables.Row], *, below: str = "") -> None:
    """Print a table that fits into the terminal, with a line below it; elsewhere it is as wide as it is."""
    room = width()
    head, *body = tables.lines(columns, rows, width=room)
    _out.print(f"[bold]{escape(head)}[/bold]")
    for text in (*body, *tables.wrapped(below, room)):
        _out.print(escape(visible(text)))


def width() -> int | None:
    """Return how wide the terminal is; None elsewhere."""
    return _out.width if sys.stdout.isatty() else None


def command() -> str:
    """Return how this program is called from here, so that what we print can be pasted as it stands."""
    script = Path(sys.executable).with_name("gh-backfill")
    if shutil.which("gh-backfill"):
        return "gh-backfill"
    if not script.exists():
        return f"{shlex.quote(_from_here(Path(sys.executable)))} -m gh_backfill"
    return shlex.quote(_from_here(script))


def _from_here(path: Path) -> str:
    try:
        here = Path.cwd()
    except OSError:  # it was removed meanwhile
        return str(path)
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def moment(at: datetime) -> str:
    """Return a time for people."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
