"""The command that computes figures of workspaces."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions, output
from gh_backfill.commands.options import DryRun, Json, stored
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import grouped

if TYPE_CHECKING:
    from gh_backfill.store.db import Database

Slugs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[WORKSPACE...]", envvar="GH_BACKFILL_WORKSPACE", help="Their short names. Default: all workspaces."
    ),
]


def aggregate(
    workspaces: Slugs = None,
    repository: Annotated[
        str | None,
        typer.Option(
            "--repository",
            envvar="GH_BACKFILL_REPOSITORY_ID",
            metavar="REPOSITORY",
            help="Those that have this repository.",
        ),
    ] = None,
    due: Annotated[
        bool,
        typer.Option(
            "--due",
            envvar="GH_BACKFILL_ALL_DUE",
            help="Only those of which something is new, or whose figures are of yesterday.",
        ),
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Compute the figures of workspaces: contributors, merge times, time to first review, review load, and others.

    Nothing is asked of GitHub. A sync, a capture and a backfill of events do the same at their end, for the workspaces
    of their repository; docs/metrics.md says what each figure means.
    Example: [bold]gh-backfill aggregate web-frameworks[/bold]
    """
    from gh_backfill.tasks import aggregate as aggregation
    from gh_backfill.tasks import connect

    environment = stored()
    with connect.database(environment, writing=not dry_run) as db:
        repository_id = _known(db, repository)
        found = aggregation.run(db, slugs=workspaces or (), repository_id=repository_id, only_due=due, dry_run=dry_run)
    in_public = output.in_actions(os.environ)
    if as_json:
        print(json_text([each.as_json(in_public=in_public) for each in found.workspaces]))
    else:
        grouped.show_aggregated(found, in_public=in_public)
    if found.workspaces and not dry_run:
        actions.write_summary(environment, grouped.aggregated_markdown(found))
    if found.failed:
        names = ", ".join(each.named(in_public=in_public) for each in found.failed)
        raise PartlyFailed(f"{len(found.failed)} of {len(found.workspaces)} could not be aggregated: {names}")


def _known(db: Database, name: str | None) -> str | None:
    from gh_backfill.store import repositories

    name = (name or "").strip()
    if not name:
        return None
    with db.reading() as tx:
        known = repositories.find(tx, [name])[name]
    if known is None:
        raise ConfigurationError(f"not here: {name}: gh-backfill track brings it")
    return known.id
