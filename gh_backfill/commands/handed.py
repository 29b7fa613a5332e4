"""The part of `events` that lets gh-datpipe do the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.errors import ConfigurationError

DATPIPE = "datpipe"
Via = Annotated[
    str, typer.Option("--via", metavar=DATPIPE, help="Let the service gh-datpipe do that, one after the other.")
]
Status = Annotated[bool, typer.Option("--status", help="With --via datpipe: how the last job of each stands.")]
Cancel = Annotated[bool, typer.Option("--cancel", help="With --via datpipe: end the last job of each.")]


def wanted(via: str, *, status: bool, cancel: bool) -> bool:
    """Say whether another one is to do the work; raises ConfigurationError for a wish that is none."""
    if via not in ("", DATPIPE):
        raise ConfigurationError(f"--via takes {DATPIPE} alone; without it the events are fetched here")
    if status and cancel:
        raise ConfigurationError("--status and --cancel: give one of them")
    if (status or cancel) and not via:
        raise ConfigurationError(f"--status and --cancel are about jobs of a service: add --via {DATPIPE}")
    return bool(via)


def hand_over(
    given: Sequence[str],
    repository_ids: str | None,
    *,
    days: str | None,
    others: Mapping[str, str | bool | None],
    workspace: str | None,
    time_limit: str | None,
    status: bool,
    cancel: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Hand repositories over, or ask about their jobs, or end these; `others` are options that the service has not."""
    from gh_backfill import settings
    from gh_backfill.policy.events.handed import MOST_DAYS
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect, plan, workspaces
    from gh_backfill.tasks.events import handed, told
    from gh_backfill.terminal import gathered

    strange = [name for name, value in others.items() if str(value or "").strip()]
    if strange:
        raise ConfigurationError(f"gh-datpipe takes --days alone: leave out {', '.join(strange)}, or --via {DATPIPE}")
    names = [*given, *plan.parse_ids(repository_ids or "")]
    slug = (workspace or "").strip()
    if not names and not slug:
        raise ConfigurationError(f"which repositories? gh-backfill events owner/name --via {DATPIPE}")
    goes_on = options.before(options.limits(None, None, time_limit).deadline)
    wished = options.number("--days", days, 1, MOST_DAYS) or MOST_DAYS
    environment = settings.load()
    way = handed.datpipe(environment)
    if dry_run:
        with connect.database(environment, writing=False) as db:
            outlook = handed.outlook(db, [*names, *(workspaces.members(db, slug) if slug else [])], wished)
        print(json_text([each.as_json() for each in outlook])) if as_json else gathered.show_handing(outlook)
        return
    done = []
    with connect.database(environment) as db:
        names += workspaces.members(db, slug) if slug else []
        service = handed.Service(
            db=db,
            datpipe=way,
            run=connect.this_run(environment),
            goes_on=goes_on,
        )
        each_one = (
            service.ask(names) if status else service.cancel(names) if cancel else service.hand_over(names, wished)
        )
        for each in each_one:
            done.append(each)
            if not as_json:
                gathered.show_handed(each)
    actions.write_summary(environment, gathered.handed_markdown(done))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    told.raise_failures(done)
