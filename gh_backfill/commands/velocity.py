"""The commands that tell of days: velocity, and coverage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands.options import Demo, Json, SomeNames, Workspace, number, stored
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.json_text import json_text

if TYPE_CHECKING:
    from gh_backfill.store.db import Database

Period = Annotated[
    str | None,
    typer.Option("--days", metavar="N", help="Days of each of the two periods, 1 to 183. Default: 30."),
]
CoveredDays = Annotated[
    str | None, typer.Option("--days", metavar="N", help="So many days before today, 1 to 366. Default: 90.")
]


def velocity(
    names: SomeNames = None, workspace: Workspace = None, days: Period = None, as_json: Json = False, demo: Demo = False
) -> None:
    """Show how many stars and forks a day repositories get, and the trend against the days before.

    A trend needs every day of both periods: where some are unknown, it says how many, and what brings them.
    Example: [bold]gh-backfill velocity octocat/hello-world --days 30[/bold]
    """
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.velocity import figures
    from gh_backfill.terminal import measured

    wanted = number("--days", days, 1, figures.MOST_DAYS) or figures.USUAL_DAYS
    with connect.database(stored(demo=demo), writing=False) as db:
        ids, unknown = _known(db, names or [], workspace)
        with db.reading() as tx:
            found = figures.velocities(tx, ids, wanted, datetime.now(UTC))
    if as_json:
        print(json_text([each.as_json() for each in found]))
    else:
        measured.show_velocity(found)
    _raise_unknown(unknown)


def coverage(
    names: SomeNames = None,
    workspace: Workspace = None,
    days: CoveredDays = None,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Show which days of a repository's stars, forks and work are known, by which source, and what to do about gaps.

    Example: [bold]gh-backfill coverage octocat/hello-world --days 90[/bold]
    """
    from gh_backfill.store.velocity import MOST_DAYS
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.velocity import covered
    from gh_backfill.terminal import measured

    wanted = number("--days", days, 1, MOST_DAYS) or covered.USUAL_DAYS
    with connect.database(stored(demo=demo), writing=False) as db:
        ids, unknown = _known(db, names or [], workspace)
        with db.reading() as tx:
            found = covered.coverages(tx, ids, wanted, datetime.now(UTC))
    if as_json:
        print(json_text([each.as_json() for each in found]))
    else:
        measured.show_coverage(found)
    _raise_unknown(unknown)


def _known(db: Database, names: list[str], workspace: str | None) -> tuple[list[str], list[str]]:
    """Return our ids of what is here by these names, and the other names; raises where nothing is, or too much."""
    from gh_backfill.store import repositories
    from gh_backfill.store.velocity import MOST_REPOSITORIES
    from gh_backfill.tasks import workspaces

    slug = (workspace or "").strip()
    if not names and not slug:
        raise ConfigurationError("which repositories? Name them, owner/name, or a workspace: --workspace SLUG")
    names = [*names, *(workspaces.members(db, slug) if slug else [])]
    with db.reading() as tx:
        found = repositories.find(tx, names)
    ids = list(dict.fromkeys(known.id for known in found.values() if known is not None))
    unknown = [name for name, known in found.items() if known is None]
    if not ids:
        raise ConfigurationError(f"not here: {', '.join(unknown)}: gh-backfill track brings them")
    if len(ids) > MOST_REPOSITORIES:
        raise ConfigurationError(f"{len(ids):,} repositories are too many at once: name at most {MOST_REPOSITORIES:,}")
    return ids, unknown


def _raise_unknown(unknown: list[str]) -> None:
    if unknown:
        raise PartlyFailed(f"not here: {', '.join(unknown)}: gh-backfill track brings them")
