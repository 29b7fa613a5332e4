"""The options that several commands share, and how a number is read."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.models import Goal
from gh_backfill.tasks import local

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="GH_BACKFILL_DRY_RUN", help="Say what would be done; write nothing.")
]
ChunkSize = Annotated[
    str | None,
    typer.Option(
        "--chunk-size",
        envvar="GH_BACKFILL_CHUNK_SIZE",
        metavar="N",
        help="At most so many pull requests in a page, 1 to 100. Default: adapts itself, beginning with 25.",
    ),
]
MaxChunks = Annotated[
    str | None,
    typer.Option("--max-chunks", envvar="GH_BACKFILL_MAX_CHUNKS", metavar="N", help="Stop after so many pages."),
]


def number(name: str, text: str | None, least: int, most: int | None = None) -> int | None:
    """Read a whole number; empty means not given.  Raises ConfigurationError for anything else."""
    text = (text or "").strip()
    if not text:
        return None
    wanted = f"from {least} to {most}" if most is not None else f"of at least {least}"
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        raise ConfigurationError(f"{name} must be a whole number {wanted}, not {text[:40]}")
    return int(text)


def goal(max_prs: str | None) -> tuple[Goal, bool]:
    """Read `--max-prs`, a number or `all`: the goal, and whether it was given, for only such a one raises another."""
    text = (max_prs or "").strip()
    whole = text.lower() == "all"
    return Goal(max_items=None if whole else number("--max-prs", text, 1)), bool(text)


def demo_settings() -> settings.Settings:
    """Return settings for the demo's own database, whatever is configured."""
    environment = settings.load({key: value for key, value in os.environ.items() if "DATABASE" not in key}, dotenv=None)
    return local.demo_settings(environment)
