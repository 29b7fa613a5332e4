"""The command that writes the monitor as files: site."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gh_backfill.commands.options import Demo, DryRun, Json, path, stored
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted
from gh_backfill.terminal import console


def site(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", parser=path, help="A folder: new, empty, or written by this command.")
    ],
    include_private: Annotated[
        bool, typer.Option("--include-private", help="Also private repositories, errors, persons and costs.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Write the monitor as files that any web server can show: no program behind them, and nothing to press.

    Only repositories that are known to be public, without errors, unless told otherwise.
    Example: [bold]gh-backfill site ./site[/bold]
    """
    from gh_backfill.tasks import connect
    from gh_backfill.web import site as sites

    environment = stored(demo=demo)
    with connect.database(environment, writing=False) as db:
        now = datetime.now(UTC)
        done = sites.write(db, out, now, settings=environment, private=include_private, dry_run=dry_run)
    for name in done.left_out:
        console.warning(f"{name} has no page: its name can be no folder, or it went meanwhile")
    if as_json:
        print(json_text(asdict(done)))
        return
    verb = "would write" if dry_run else "wrote"
    removed = (
        f", and {'would remove' if dry_run else 'removed'} {counted(done.removed, 'old file')}" if done.removed else ""
    )
    print(
        f"{verb} {counted(done.repositories, 'repository')} in {counted(done.files, 'file')} to {done.folder}{removed}"
    )
    print(f"{sites.ALL if include_private else sites.PUBLIC}; {Path(done.folder) / 'index.html'} is the monitor")
