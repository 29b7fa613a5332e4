"""The command that brings what waits, once or for ever: work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands.options import Json, Workers, number
from gh_backfill.commands.work import failure
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted
from gh_backfill.terminal import console

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.store.db import Database
    from gh_backfill.tasks.initial.local import Worked


def work(
    workers: Workers = None,
    forever: Annotated[
        bool, typer.Option("--forever", help="Go on until stopped: histories, syncs, events, figures, proofs, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the newest pull requests of what was added and waits for it, on this machine: small repositories first.

    What is added meanwhile is taken, too; it ends when nothing waits. With --forever it does all that is due, as often
    as the workflows do.
    Example: [bold]gh-backfill work[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.initial import LANES
    from gh_backfill.required import require
    from gh_backfill.tasks import connect
    from gh_backfill.terminal import results

    many = number("--workers", workers, 1, 20) or LANES
    environment = settings.load()
    require(environment, token=True)
    if forever:
        if as_json:
            raise ConfigurationError("--forever tells what it does line by line: leave out --json")
        _go_on(environment, many)
        return
    with connect.database(environment) as db:
        worked = bring(environment, db, None, workers=many)
    if as_json:
        print(json_text(None if worked.report is None else worked.report.as_json()))
    else:
        results.show_worked(worked)
    raise_failed(worked)


def _go_on(environment: settings.Settings, workers: int) -> None:
    """Do what is due until somebody stops it; that is no failure."""
    from gh_backfill.tasks import connect, forever, up_to_date

    with (
        connect.database(environment, migrated=lambda applied: console.say(up_to_date.told(applied))),
        forever.Forever(settings=environment, workers=workers, say=print) as going_on,
    ):
        going_on.run()


def bring(
    environment: settings.Settings, db: Database, only: Sequence[str] | None, *, workers: int | None = None
) -> Worked:
    """Bring what waits, of these repositories or (None) of all, until nothing waits.

    So many at the same time; None: as many as jobs of a workflow.
    """
    from gh_backfill.policy.initial import LANES
    from gh_backfill.tasks.initial import local
    from gh_backfill.terminal import bars

    with bars.scene() as show:
        return local.work(environment, db, workers=workers or LANES, show=show, say=console.warning, only=only)


def raise_failed(worked: Worked | None) -> None:
    """Raise what names the captures that failed; what the others brought stays."""
    if worked is None or worked.report is None or not worked.report.failed:
        return
    failed = worked.report.failed
    part = f"{len(failed)} of {counted(len(worked.report.jobs), 'capture')} failed"
    names = ", ".join(each.name for each in failed)
    raise failure(f"{part}: {names}; log: {worked.log}", {each.error_type for each in failed})
