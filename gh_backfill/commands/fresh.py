"""The commands that keep complete repositories fresh."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import ChunkSize, DryRun, Json, Kinds, MaxChunks, SomeNames, number
from gh_backfill.errors import ConfigurationError

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.policy.syncing import SyncReason
    from gh_backfill.tasks.sync_told import SyncWish
    from gh_backfill.tasks.syncs import SyncedOne

Days = Annotated[
    str | None,
    typer.Option(
        "--days",
        envvar="GH_BACKFILL_DAYS",
        metavar="N",
        help="Read what changed in the last N days, 1 to 90. Default: since the last sync; 30 where there was none.",
    ),
]
Reason = Annotated[
    str,
    typer.Option("--reason", envvar="GH_BACKFILL_REASON", help="manual, scheduled, automatic, auto-fix or webhook."),
]


def sync(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    all_due: Annotated[
        bool,
        typer.Option("--all-due", envvar="GH_BACKFILL_ALL_DUE", help="Everything that is due, the longest due first."),
    ] = False,
    planned: Annotated[
        bool,
        typer.Option("--planned", envvar="GH_BACKFILL_PLANNED", help="What `dispatch` handed to this run."),
    ] = False,
    days: Days = None,
    reason: Reason = "",
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    kinds: Kinds = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read what changed since the last time: of every state, for a point or two, whatever the state of the backfill.

    It may be stopped at any time and goes on where it was. What fails for one repository does not stop the others.
    Example: [bold]gh-backfill sync octocat/hello-world --days 7[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.engine import prices, registry
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.policy.syncing import MOST_DAYS
    from gh_backfill.tasks import aggregate, connect, pacing, plan, syncs
    from gh_backfill.tasks.dispatch import here
    from gh_backfill.tasks.dispatch import planned as handed_over
    from gh_backfill.tasks.sync_told import SyncWish
    from gh_backfill.terminal import bars, synced

    names = [*(repositories or []), *plan.parse_ids(repository_ids or "")]
    if [bool(names), all_due, planned].count(True) != 1:
        both = "name repositories, or give --all-due, not both" if names else "which repositories?"
        raise ConfigurationError(f"{both}: gh-backfill sync owner/name, or gh-backfill sync --all-due")
    wish = SyncWish(reason=_reason(reason, all_due=all_due), days=number("--days", days, 1, MOST_DAYS))
    limits = options.limits(chunk_size, max_chunks, time_limit)
    environment = settings.load()
    once, default = registry.chosen(kinds, once=True), options.kinds(None, environment)
    if dry_run:
        _show_outlook(environment, names, wish, all_due=all_due or planned, as_json=as_json)
        return
    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db, ahead=True),
        bars.capture_progress() as listen,
    ):
        run = connect.this_run(environment)
        sync_them = partial(
            syncs.run,
            db,
            graphql,
            run,
            limits=limits,
            kinds=once,
            default_kinds=default,
            listen=listen,
            memory=prices.ask_once_a_week(db, graphql),
            profiles_old=environment.profiles_old,
            pace=(pace := pacing.pace(db, graphql, environment)),
        )
        unchanged = 0

        def one(name: str, its: SyncWish) -> list[SyncedOne]:
            return sync_them([name], its)

        def over() -> bool:
            return _is_over(limits.deadline)

        if planned:
            done = handed_over.run(db, run.key, one, over=over)
        elif all_due:
            found = here.run(db, graphql, run, one, over=over, kinds=default, pace=pace)
            done, unchanged = list(found.done), found.unchanged
        else:
            done = sync_them(names, wish)
        aggregate.settle(db)
    actions.write_summary(environment, synced.markdown_of(done, unchanged=unchanged))
    if as_json:
        print(json_text([synced.row(each) for each in done]))
    else:
        synced.show(done, unchanged=unchanged)
    syncs.raise_failures(done)


def _reason(given: str, *, all_due: bool) -> SyncReason:
    """Read the reason; empty means not given.  Raises ConfigurationError for another word."""
    from gh_backfill.policy.syncing import SyncReason

    word = given.strip().lower()
    if not word:
        return SyncReason.SCHEDULED if all_due else SyncReason.MANUAL
    if word not in list(SyncReason):
        raise ConfigurationError(f"--reason must be of {', '.join(SyncReason)}, not {word[:40]}")
    return SyncReason(word)


def _show_outlook(
    environment: settings.Settings, names: Sequence[str], wish: SyncWish, *, all_due: bool, as_json: bool
) -> None:
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect, syncs
    from gh_backfill.terminal import synced

    with connect.database(environment, writing=False) as db:
        lines = syncs.outlook(db, names, wish, all_due=all_due)
    if as_json:
        print(json_text(lines))
    else:
        synced.show_outlook(lines)


def _is_over(deadline: datetime | None) -> bool:
    return deadline is not None and datetime.now(UTC) >= deadline
