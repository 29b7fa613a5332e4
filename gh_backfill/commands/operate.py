"""The commands of an operator: recover stuck work, and pause, resume, retry or cancel backfills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands.options import Demo, DryRun, Json, Names, OptionalNames, number, stored
from gh_backfill.errors import PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import listings

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.store.backfill_events import Actor
    from gh_backfill.store.db import Database
    from gh_backfill.tasks.operate import Operated

OLDEST = 7 * 24 * 60


def recover(
    names: OptionalNames = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", envvar="GH_BACKFILL_RECOVER_ALL", help="Everything in processing, now, whoever may be at it."
        ),
    ] = False,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            envvar="GH_BACKFILL_OLDER_THAN",
            metavar="MINUTES",
            help="When a chunk without a lease counts as lost. Default: 30.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Return stuck chunks for retry: their worker is gone, its lease is lost, or its run is over (states stay).

    Every capture and every plan begins with this for its own repositories; a workflow does it for all.
    Example: [bold]gh-backfill recover octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill.engine import recover as recovering
    from gh_backfill.tasks import connect, operate

    minutes = number("--older-than", older_than, 0, OLDEST)
    age = recovering.OLDER_THAN if minutes is None else timedelta(minutes=minutes)
    environment = stored(demo=demo)
    connect.refuse_where_nothing_is(environment)
    with connect.database(environment, writing=not dry_run) as db:
        known = operate.ids_of(db, names or [])
        ids = [found for found in known.values() if found] if names else None
        done = recovering.recover(db, ids, everything=everything, older_than=age, dry_run=dry_run)
    counts = done.as_json()
    actions.write_outputs(environment, {name: str(counts[name]) for name in ("returned", "closed", "left")})
    actions.write_summary(environment, listings.recovered_markdown(done, dry_run=dry_run))
    if as_json:
        print(json_text(counts))
    else:
        listings.show_recovered(done, dry_run=dry_run)
    unknown = [name for name, found in known.items() if found is None]
    if unknown:
        raise PartlyFailed(f"not tracked here: {', '.join(unknown)}")


def pause(
    names: Names,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Shown wherever the pause is.")] = None,
    minutes: Annotated[
        str | None,
        typer.Option("--for", metavar="MINUTES", help="Goes on by itself then. Default: only gh-backfill resume does."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Pause backfills; a capture that is running stops after the page in hand.

    Example: [bold]gh-backfill pause octocat/hello-world --for 120 --reason "release day"[/bold]
    """
    from gh_backfill.tasks import operate

    wait = number("--for", minutes, 1)
    until = None if wait is None else datetime.now(UTC) + timedelta(minutes=wait)
    text = (reason or "").strip() or None
    _operate(
        lambda db, actor: operate.pause(db, names, reason=text, until=until, dry_run=dry_run, actor=actor),
        stored(demo=demo),
        dry_run=dry_run,
        as_json=as_json,
    )


def resume(names: Names, dry_run: DryRun = False, as_json: Json = False, demo: Demo = False) -> None:
    """Let backfills go on, whatever stopped them: paused, failed, cancelled, or stuck; the next plan takes them up.

    For scripts there are also `retry` (only what failed or was cancelled) and `recover` (only stuck chunks).
    Example: [bold]gh-backfill resume octocat/hello-world[/bold]
    """
    from gh_backfill.tasks import connect, operate

    environment = stored(demo=demo)

    def go_on(db: Database, actor: Actor) -> Sequence[Operated]:
        done = operate.resume(db, names, dry_run=dry_run, actor=actor)
        if not dry_run:  # what a wrong answer of GitHub's once told must not hold up what was just let go on
            connect.correct_budgets(environment, db)
        return done

    _operate(go_on, environment, dry_run=dry_run, as_json=as_json)


def retry(
    names: Names,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Instead read again, now, what could not be stored or read.")
    ] = False,
    time_limit: Annotated[
        str | None, typer.Option("--time-limit", metavar="MINUTES", help="With --quarantined: stop in time.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Let failed and cancelled backfills go on from where they are; what is paused stays so (`resume` takes up all).

    Example: [bold]gh-backfill retry octocat/hello-world --quarantined[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect, operate

    if not quarantined:
        _operate(
            lambda db, actor: operate.retry(db, names, dry_run=dry_run, actor=actor),
            stored(demo=demo),
            dry_run=dry_run,
            as_json=as_json,
        )
        return
    from gh_backfill.tasks import reread

    minutes = number("--time-limit", time_limit, 1)
    deadline = None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes)
    environment = settings.load()

    def in_time() -> bool:
        return deadline is None or datetime.now(UTC) < deadline

    def read_again(db: Database, _actor: Actor) -> Sequence[Operated]:
        with connect.sharing(graphql, db, writing=not dry_run):
            return reread.retry_quarantined(db, graphql, names, in_time=in_time, dry_run=dry_run)

    with connect.github(environment) as graphql:
        _operate(read_again, environment, dry_run=dry_run, as_json=as_json)


def cancel(names: Names, dry_run: DryRun = False, as_json: Json = False, demo: Demo = False) -> None:
    """End the goal of backfills: what was captured stays, and no plan opens them again until somebody resumes them.

    Example: [bold]gh-backfill cancel octocat/hello-world[/bold]
    """
    from gh_backfill.tasks import operate

    _operate(
        lambda db, actor: operate.cancel(db, names, dry_run=dry_run, actor=actor),
        stored(demo=demo),
        dry_run=dry_run,
        as_json=as_json,
    )


def _operate(
    do: Callable[[Database, Actor], Sequence[Operated]],
    environment: settings.Settings,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from gh_backfill.tasks import connect, operate

    with connect.database(environment, writing=not dry_run) as db:
        done = do(db, connect.actor(environment))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    else:
        listings.show_operated(done, dry_run=dry_run)
    operate.raise_failures(done)
