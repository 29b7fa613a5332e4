"""The options that several commands share, and how a number is read."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.tasks import local

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="GH_BACKFILL_DRY_RUN", help="Say what would be done; write nothing.")
]
Demo = Annotated[bool, typer.Option("--demo", help="Of the demo's database, whatever is configured.")]
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


def stored(*, demo: bool = False) -> settings.Settings:
    """Return the settings of a command that asks the database alone: of the demo's, where nothing else was ever set up.

    With `demo` it is the demo's, whatever is configured.
    """
    if demo:
        return local.demo_settings(settings.load(_without_database()))
    environment = settings.load()
    if not local.has_only_the_demo(environment):
        return environment
    print("this is the demo's database with its invented data: nothing else was set up yet", file=sys.stderr)
    return local.demo_settings(environment)


def _without_database() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if "DATABASE" not in key}
