"""The commands that do the work: migrate, track, plan, capture, and all of it at once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from gh_backfill import actions, bars, console, settings
from gh_backfill.commands import options
from gh_backfill.commands.options import ChunkSize, DryRun, Json, MaxChunks, number
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.markdown import plain
from gh_backfill.policy.selection import Thresholds
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect, costs, job, local, operate
from gh_backfill.tasks import plan as planning
from gh_backfill.tasks import track as tracking
from gh_backfill.tasks.capture import Limits, Outcome
from gh_backfill.tasks.estimate import estimates
from gh_backfill.tasks.recover import recover


def migrate(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Bring the database up to date; a second run changes nothing.

    Example: [bold]gh-backfill migrate[/bold]
    """
    with connect.database_url(settings.load()) as url, Database(url) as db:
        if dry_run:
            with db.transaction(read_only=True) as tx:
                found = migrations.pending(tx)
        else:
            found = migrations.apply(db)
    names = [f"{each.version}_{each.name}" for each in found]
    word = "would apply" if dry_run else "applied"
    if as_json:
        print(json.dumps({word: names}))
    else:
        print(f"{word}: {', '.join(names)}" if names else "the database is up to date")


def track(
    names: Annotated[
        list[str], typer.Argument(metavar="REPOSITORY...", help="owner/name, its address, or GitHub's id.")
    ],
    backfill: Annotated[bool, typer.Option(help="Also open the backfill of those that never had one.")] = True,
    max_prs: Annotated[
        str | None,
        typer.Option(
            "--max-prs", metavar="N", help="Only the newest N pull requests; more, or `all`, later. Default: all."
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Register repositories; what is wrong with one of them does not stop the others.

    Example: [bold]gh-backfill track octocat/hello-world --max-prs 200[/bold]
    """
    goal, given = options.goal(max_prs)
    environment = settings.load()
    graphql = connect.github(environment)
    name_of = connect.name_of(environment)
    if dry_run:
        tracked = tracking.ask(graphql, names, name_of=name_of)
    else:
        with connect.database(environment) as db, connect.sharing(graphql, db):
            wanted = goal if backfill else None
            tracked = tracking.track(db, graphql, names, name_of=name_of, backfill=wanted, larger=given)
    if as_json:
        print(json.dumps([console.tracked_row(each) for each in tracked]))
    else:
        for each in tracked:
            print(f"{each.given}: {each.result}")
    failed = [each.given for each in tracked if each.failed]
    if len(failed) == len(names):
        raise ConfigurationError(f"none of the names can be tracked: {', '.join(failed)}")
    if failed:
        raise PartlyFailed(f"{len(failed)} of {len(names)} names can't be tracked: {', '.join(failed)}")


def plan(
    repository_ids: Annotated[
        str | None,
        typer.Option(
            "--repository-ids",
            envvar="GH_BACKFILL_REPOSITORY_IDS",
            metavar="JSON",
            help='Only these, whatever their state: \'["owner/name", 123, "<uuid>"]\'.',
        ),
    ] = None,
    repository_id: Annotated[
        str | None, typer.Option("--repository-id", envvar="GH_BACKFILL_REPOSITORY_ID", help="Only this one.")
    ] = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Decide which repositories the next jobs capture, and open their backfills.

    Example: [bold]gh-backfill plan --repository-ids '["octocat/hello-world"]'[/bold]
    """
    _limits(chunk_size, max_chunks, None)
    environment = settings.load()
    asked = list(dict.fromkeys(planning.parse_ids(repository_ids or "") + planning.parse_ids(repository_id or "")))
    graphql = connect.github(environment)
    writing = not dry_run
    with connect.database(environment, writing=writing) as db, connect.sharing(graphql, db, writing=writing):
        if (reason := costs.waits(db, environment, datetime.now(UTC))) is not None:
            _plan_nothing(environment, reason)
            return
        if writing:
            recover(db, [found for found in operate.ids_of(db, asked).values() if found] or None)
        made = planning.plan(
            db,
            graphql,
            connect.this_run(environment),
            datetime.now(UTC),
            asked=asked,
            thresholds=Thresholds(
                more_than=environment.minimum_pull_requests, below_percent=environment.complete_percent
            ),
            limit=environment.plan_limit,
            per_part=environment.per_part,
            dry_run=dry_run,
        )
        left = estimates(db, [each.repository.id for each in made.verdicts])
    matrix = made.matrix()
    count = 0 if dry_run else len(matrix["include"])
    actions.write_outputs(
        environment, {"matrix": json.dumps({"include": []} if dry_run else matrix), "count": str(count)}
    )
    actions.write_summary(environment, console.plan_markdown(made, left, dry_run=dry_run))
    if as_json:
        print(json.dumps(console.plan_json(made, left)))
    else:
        console.show_plan(made, left, dry_run=dry_run)
    if made.unknown:
        actions.annotate(environment, "warning", [f"{name} is not tracked here" for name in made.unknown])


def _plan_nothing(environment: settings.Settings, reason: str) -> None:
    """Say why nothing is planned; the run is green, for it did what it should."""
    actions.write_outputs(environment, {"matrix": json.dumps({"include": []}), "count": "0"})
    actions.write_summary(environment, f"## Plan\n\nNothing is planned: {plain(reason)}")
    actions.annotate(environment, "warning", [reason])
    print(f"nothing is planned: {reason}")


def capture(
    repository: Annotated[str | None, typer.Argument(help="owner/name, GitHub's id, or our id.")] = None,
    repository_id: Annotated[
        str | None, typer.Option("--repository-id", envvar="GH_BACKFILL_REPOSITORY_ID", help="The same, as an option.")
    ] = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(envvar="GH_BACKFILL_PART", metavar="N", help="Begin with this part of a walk that is split."),
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Capture one repository: pull requests with all reviews and comments, page by page.

    Without limits it runs to the end. It may be stopped at any time and goes on where it was.
    Example: [bold]gh-backfill capture octocat/hello-world --time-limit 12[/bold]
    """
    name = (repository or repository_id or "").strip()
    if not name:
        raise ConfigurationError("which repository? gh-backfill capture owner/name")
    limits = replace(_limits(chunk_size, max_chunks, time_limit), part=number("--part", part, 1))
    environment = settings.load()
    if dry_run:
        with connect.database(environment, writing=False) as db:
            print(job.preview(db, name, limits).text)
        return
    graphql = connect.github(environment)
    with connect.database(environment) as db, connect.sharing(graphql, db), bars.capture_progress() as listen:
        recover(db, [job.find(db, name).id])
        lists = connect.lists(environment, graphql)
        captured = job.run(db, graphql, connect.this_run(environment), name, limits, lists=lists, listen=listen)
    console.show_captured(name, captured)
    if captured.outcome is Outcome.PAUSED:
        actions.annotate(environment, "notice", [f"paused, goes on by itself: {captured.reason}"])
    if captured.outcome is Outcome.FAILED:
        raise PartlyFailed(f"{name}: {captured.reason}")


def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[REPOSITORY...]", help="owner/name; none: what is due.")
    ] = None,
    max_prs: Annotated[
        str | None,
        typer.Option("--max-prs", metavar="N", help="Only the newest N pull requests of each; more, or `all`, later."),
    ] = None,
    workers: Annotated[str, typer.Option(metavar="N", help="Captures at the same time, 1 to 20.")] = str(local.WORKERS),
    dry_run: DryRun = False,
) -> None:
    """Do the whole job on this machine: track, plan, capture several at once, report.

    Without GITHUB_TOKEN and repositories it is a demo on an invented GitHub.
    Example: [bold]GITHUB_TOKEN=… gh-backfill run octocat/hello-world[/bold]
    """
    goal, larger = options.goal(max_prs)
    many = number("--workers", workers, 1, 20) or local.WORKERS
    environment = settings.load()
    given = names or []
    if dry_run:
        _preview_run(environment, given)
        return
    with bars.scene() as show:
        if local.is_demo(environment, given):
            with local.demo(environment) as demo_environment:
                done = local.run(
                    demo_environment,
                    [each.split(":")[0] for each in local.DEMO],
                    goal=goal,
                    larger=larger,
                    workers=many,
                    show=show,
                    say=print,
                )
        else:
            done = local.run(environment, given, goal=goal, larger=larger, workers=many, show=show, say=print)
    console.show_local_run(done, demo=local.is_demo(environment, given))
    if done.report and done.report.failed:
        raise PartlyFailed(f"{len(done.report.failed)} captures failed; logs: {', '.join(map(str, done.failed_logs))}")
    if any(each.failed for each in done.tracked):
        raise PartlyFailed("some repositories can't be captured; the others are done")


def _preview_run(environment: settings.Settings, names: list[str]) -> None:
    """Say what a run would capture, from GitHub's counts and the price list alone."""
    if local.is_demo(environment, names):
        print("would capture invented repositories into the demo's database; nothing was written")
        return
    found = local.preview(environment, names)
    for each in found:
        console.show_preview(each)
    if names and not any(each.repository for each in found):
        raise ConfigurationError("none of these repositories can be captured")


def _limits(chunk_size: str | None, max_chunks: str | None, time_limit: str | None) -> Limits:
    minutes = number("--time-limit", time_limit, 1)
    return Limits(
        chunk_size=number("--chunk-size", chunk_size, 1, 100),
        max_chunks=number("--max-chunks", max_chunks, 1),
        deadline=None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes),
    )
