"""The commands for whoever owns the database: migrate, and grant-reader."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands.options import DryRun, Json
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import plain


def migrate(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Bring the database up to date; a second run changes nothing.

    Where anything is in the way (tables of somebody else under our names, another encoding), nothing is written.
    Example: [bold]gh-backfill migrate[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.store import migrations
    from gh_backfill.store.db import Database
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import migrate as migrating

    environment = settings.load()
    if dry_run and environment.database_url is None and not connect.embedded_exists(environment):
        found = migrations.known()
    else:
        with connect.database_url(environment) as url, Database(url) as db:
            found = migrations.ready(db) if dry_run else migrating.migrate(db, time.sleep)
    names = [f"{each.version}_{each.name}" for each in found]
    word = "would apply" if dry_run else "applied"
    said = f"{word}: {', '.join(names)}" if names else "the database is up to date"
    actions.write_summary(environment, f"## Database\n\n{plain(said)}")
    print(json_text({word: names}) if as_json else said)


def grant_reader(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="An existing role of PostgreSQL.")],
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Let a role read every row of everything we store; row level security would show it empty tables otherwise.

    Rows of private repositories are among them.  Repeat it after a migrate that brought new tables.
    Example: [bold]gh-backfill grant-reader reporting[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.store import readers
    from gh_backfill.tasks import connect

    with connect.database(settings.load(), writing=False) as db, db.transaction(read_only=dry_run) as tx:
        names = readers.readable(tx, role) if dry_run else readers.grant(tx, role)
    if as_json:
        print(json_text({"role": role, "would read" if dry_run else "reads": names}))
    else:
        print(f"{role} {'would read' if dry_run else 'reads'} all rows of: {', '.join(names)}")
