"""The commands that fetch and show what happens in repositories over time."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import handed, options
from gh_backfill.commands.options import DryRun, Json, SomeNames, number
from gh_backfill.errors import ConfigurationError

if TYPE_CHECKING:
    from datetime import date

    from gh_backfill.tasks.events.wish import EventsFound

Days = Annotated[
    str | None,
    typer.Option(
        "--days",
        envvar="GH_BACKFILL_DAYS",
        metavar="N",
        help="What happened in the last N days, 1 to 3,660. Default: 90.",
    ),
]
Types = Annotated[
    str | None,
    typer.Option(
        "--types",
        envvar="GH_BACKFILL_EVENT_TYPES",
        metavar="LIST",
        help="Types of events, with commas between them. Default: WatchEvent,ForkEvent.",
    ),
]
Importance = Annotated[
    str | None,
    typer.Option("--importance", metavar="LEVEL", help="All types of at least this importance: high, medium or low."),
]


def events(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    days: Days = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="From this day on (UTC), instead of --days.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Before this day (UTC). Default: until now.")
    ] = None,
    types: Types = None,
    importance: Importance = None,
    workspace: options.Workspace = None,
    due: Annotated[
        bool,
        typer.Option(
            "--due",
            envvar="GH_BACKFILL_ALL_DUE",
            help="Of workspaces whose turn has come; of the others only what is new.",
        ),
    ] = False,
    parallel: Annotated[
        str | None,
        typer.Option("--parallel", envvar="GH_BACKFILL_PARALLEL", metavar="N", help="So many at a time. Default: 4."),
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    via: handed.Via = "",
    status: handed.Status = False,
    cancel: handed.Cancel = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Fetch stars, forks and other events of the last 90 days, each from the best source that answers.

    It may be stopped at any time and goes on where it was; run again, it reads what is new. What fails for one
    repository does not stop the others.
    Example: [bold]gh-backfill events octocat/hello-world --days 90[/bold]
    """
    if handed.wanted(via, status=status, cancel=cancel):
        others: dict[str, str | bool | None] = {
            "--since": since,
            "--until": until,
            "--types": types,
            "--importance": importance,
        }
        handed.hand_over(
            [*(repositories or [])],
            repository_ids,
            days=days,
            others=others | {"--parallel": parallel, "--due": due},
            workspace=workspace,
            time_limit=time_limit,
            status=status,
            cancel=cancel,
            dry_run=dry_run,
            as_json=as_json,
        )
        return
    from gh_backfill import settings
    from gh_backfill.policy.events import types as event_types
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect, plan
    from gh_backfill.tasks.events import many, ways
    from gh_backfill.tasks.events.rounds import EventsWork, rounds
    from gh_backfill.tasks.events.wish import MOST_DAYS, EventsWish
    from gh_backfill.terminal import gathered

    names = [*(repositories or []), *plan.parse_ids(repository_ids or "")]
    slug = (workspace or "").strip() or None
    if not names and not slug and not due:
        raise ConfigurationError("which repositories? gh-backfill events owner/name, or --workspace SLUG")
    wish = EventsWish.of(
        datetime.now(UTC),
        days=number("--days", days, 1, MOST_DAYS),
        since=_midnight(options.day("--since", since)),
        until=_midnight(options.day("--until", until)),
        types=event_types.chosen(types, importance),
    )
    goes_on = options.before(options.limits(None, None, time_limit).deadline)
    at_once = number("--parallel", parallel, 1, many.MOST_PARALLEL) or many.PARALLEL
    environment = settings.load()
    if dry_run:
        with connect.database(environment, writing=False) as db:
            asked = rounds(db, names, wish, workspace=slug, due=due, claims=False)
            outlook = [line for each in asked for line in many.outlook(db, each.names, each.wish)]
        print(json_text([each.as_json() for each in outlook])) if as_json else gathered.show_outlook(outlook)
        return
    with connect.database(environment) as db, ways.opened(environment, db) as own:
        done: list[EventsFound] = []
        doing = EventsWork(settings=environment, db=db, own=own, parallel=at_once, goes_on=goes_on)
        for each in doing.each(rounds(db, names, wish, workspace=slug, due=due), asked_for=due):
            done.append(each)
            if not as_json and each.repository is not None:
                gathered.show_one(each)
    actions.write_summary(environment, gathered.markdown_of(done))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    else:
        gathered.show(done)
    many.raise_failures(done)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, UTC)
