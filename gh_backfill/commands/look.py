"""The commands that look: status, check, psql, and a simulated GitHub to look at."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gh_backfill import console, settings
from gh_backfill.commands.options import Demo, Json, number, stored
from gh_backfill.errors import ConfigurationError, EmptyDatabase
from gh_backfill.store import psql as terminal
from gh_backfill.store import repositories
from gh_backfill.tasks import check as checking
from gh_backfill.tasks import connect
from gh_backfill.tasks.outlook import Outlook, outlook


def status(
    names: Annotated[list[str] | None, typer.Argument(metavar="[REPOSITORY...]", help="Default: all.")] = None,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Show how far each repository's history has come, what is left in points and time, and what limits the rate.

    Example: [bold]gh-backfill status octocat/hello-world --json[/bold]
    """
    environment = stored(demo=demo)
    try:
        seen = _seen(environment, names or [])
    except EmptyDatabase:
        if names or environment.database_url is not None:
            raise
        seen = Outlook(states=[], left={}, times={})
    if as_json:
        print(json.dumps(seen.as_json(), default=str))
    else:
        console.show_status(seen.states, left=seen.left, limited_by=seen.limited_by)


def _seen(environment: settings.Settings, names: list[str]) -> Outlook:
    with connect.database(environment, writing=False) as db:
        if not names:
            return outlook(db)
        with db.transaction(read_only=True) as tx:
            found = repositories.find(tx, names)
        unknown = [name for name, known in found.items() if known is None]
        if unknown:
            raise ConfigurationError(f"not tracked here: {', '.join(unknown)}")
        return outlook(db, [known.id for known in found.values() if known is not None])


def check(as_json: Json = False) -> None:
    """Check settings, token, budget and database, one line each with what to do; exit code 2 if anything is wrong.

    The rights are proved by writing to every table in a transaction that is rolled back.
    Example: [bold]gh-backfill check[/bold]
    """
    found = checking.check(settings.load(), datetime.now(UTC))
    if as_json:
        print(json.dumps([each.as_json() for each in found]))
    else:
        console.show_findings(found)
    wrong = [each.name for each in found if not each.ok]
    if wrong:
        raise ConfigurationError(f"{len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}")


def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql; put -- before options.")] = None,
    demo: Demo = False,
) -> None:
    """Look into the database with psql, which comes along.

    Example: [bold]gh-backfill psql -- -c 'select count(*) from pull_requests'[/bold]
    """
    with connect.database_url(stored(demo=demo)) as url:
        raise typer.Exit(terminal.run(url, arguments or []))


def simulate(
    data: Annotated[list[Path] | None, typer.Option("--data", metavar="DIR", help="A folder of recorded data.")] = None,
    synthetic: Annotated[
        list[str] | None, typer.Option("--synthetic", metavar="OWNER/NAME:N", help="An invented repository of N.")
    ] = None,
    port: Annotated[str, typer.Option(metavar="N", help="0 takes any free port.")] = "8080",
    charge_counts: Annotated[
        bool, typer.Option("--charge-counts", help="Charge also for connections of which only the count is asked.")
    ] = False,
) -> None:
    """Serve a simulated GitHub on this machine, with its prices, limits and faults.

    Example: [bold]gh-backfill simulate --synthetic octo-demo/engine:1000 --port 8080[/bold]
    """
    from gh_backfill.simulator.options import Options  # noqa: PLC0415  (no other command needs it)
    from gh_backfill.simulator.server import serve  # noqa: PLC0415  (nor this)

    if not data and not synthetic:
        raise ConfigurationError("nothing to serve: give --data DIR or --synthetic OWNER/NAME:N")
    missing = [str(folder) for folder in data or [] if not folder.is_dir()]
    if missing:
        raise ConfigurationError(f"no such folder: {', '.join(missing)}")
    try:
        options = Options(charge_counts=charge_counts)
        serve(data or [], synthetic or [], number("--port", port, 0, 65535) or 0, options)
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"the simulated GitHub does not start: {error}") from None
