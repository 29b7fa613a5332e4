"""The command line.  Commands read their options, call one task and show what it returned."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gh_backfill import __version__, actions, console, settings
from gh_backfill.errors import BackfillError, ConfigurationError, PartlyFailed
from gh_backfill.models import Goal
from gh_backfill.policy.selection import Thresholds
from gh_backfill.store import migrations, repositories
from gh_backfill.store import psql as terminal
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect, job, local
from gh_backfill.tasks import plan as planning
from gh_backfill.tasks import report as reporting
from gh_backfill.tasks import track as tracking
from gh_backfill.tasks.capture import Limits, Outcome

app = typer.Typer(
    name="gh-backfill",
    help="Bring the history of GitHub repositories home, into PostgreSQL or Supabase.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", envvar="GH_BACKFILL_DRY_RUN", help="Say what would be done; write nothing.")
]
ChunkSize = Annotated[
    str | None,
    typer.Option(
        "--chunk-size",
        envvar="GH_BACKFILL_CHUNK_SIZE",
        metavar="N",
        help="At most so many pull requests in a page, 1 to 100. Default: adapts itself, beginning with 25.",
    ),
]
MaxChunks = Annotated[
    str | None,
    typer.Option("--max-chunks", envvar="GH_BACKFILL_MAX_CHUNKS", metavar="N", help="Stop after so many pages."),
]


def main() -> NoReturn:
    """Run the command line; an error of ours is one line on stderr and its exit code."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
    except BackfillError as error:
        console.error(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.error("interrupted; what was committed is kept, and the next run goes on from there")
        code = 130
    except typer.Exit as error:
        code = error.exit_code
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    """Bring the history of GitHub repositories home, into PostgreSQL or Supabase."""
    if show:
        print(__version__)
        raise typer.Exit


@app.command()
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


@app.command()
def track(
    names: Annotated[
        list[str], typer.Argument(metavar="REPOSITORY...", help="owner/name, its address, or GitHub's id.")
    ],
    backfill: Annotated[bool, typer.Option(help="Also open the backfill of those that never had one.")] = True,
    max_prs: Annotated[
        str | None, typer.Option("--max-prs", metavar="N", help="Only the newest N pull requests. Default: all.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Register repositories; what is wrong with one of them does not stop the others.

    Example: [bold]gh-backfill track octocat/hello-world --max-prs 200[/bold]
    """
    goal = Goal(max_items=number("--max-prs", max_prs, 1)) if backfill else None
    environment = settings.load()
    graphql = connect.github(environment)
    name_of = connect.name_of(environment)
    if dry_run:
        tracked = tracking.ask(graphql, names, name_of=name_of)
    else:
        with connect.database(environment) as db:
            tracked = tracking.track(db, graphql, names, name_of=name_of, backfill=goal)
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


@app.command()
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
    with connect.database(environment, writing=not dry_run) as db:
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
            dry_run=dry_run,
        )
    matrix = made.matrix()
    count = 0 if dry_run else len(matrix["include"])
    actions.write_outputs(
        environment, {"matrix": json.dumps({"include": []} if dry_run else matrix), "count": str(count)}
    )
    actions.write_summary(environment, console.plan_markdown(made, dry_run=dry_run))
    if as_json:
        print(json.dumps(console.plan_json(made)))
    else:
        console.show_plan(made, dry_run=dry_run)
    if made.unknown:
        actions.annotate(environment, "warning", [f"{name} is not tracked here" for name in made.unknown])


@app.command()
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
    dry_run: DryRun = False,
) -> None:
    """Capture one repository: pull requests with all reviews and comments, page by page.

    Without limits it runs to the end. It may be stopped at any time and goes on where it was.
    Example: [bold]gh-backfill capture octocat/hello-world --time-limit 12[/bold]
    """
    name = (repository or repository_id or "").strip()
    if not name:
        raise ConfigurationError("which repository? gh-backfill capture owner/name")
    limits = _limits(chunk_size, max_chunks, time_limit)
    environment = settings.load()
    if dry_run:
        with connect.database(environment, writing=False) as db:
            print(job.preview(db, name, limits).text)
        return
    graphql = connect.github(environment)
    with connect.database(environment) as db, console.capture_progress() as listen:
        captured = job.run(db, graphql, connect.this_run(environment), name, limits, listen=listen)
    console.show_captured(name, captured)
    if captured.outcome is Outcome.PAUSED:
        actions.annotate(environment, "notice", [f"paused, goes on by itself: {captured.reason}"])
    if captured.outcome is Outcome.FAILED:
        raise PartlyFailed(f"{name}: {captured.reason}")


@app.command()
def report(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Close a run: every planned job gets its final status; shows what was captured and what failed.

    A dry run shows where the jobs stand and closes none.

    Example: [bold]gh-backfill report[/bold]
    """
    environment = settings.load()
    key = connect.this_run(environment).key if environment.run_id or environment.run_key else None
    with connect.database(environment, writing=not dry_run) as db:
        made = reporting.report(db, key, dry_run=dry_run)
    reporting.publish(environment, made)
    print(json.dumps(made.as_json(), default=str) if as_json else reporting.markdown(made))
    if made.failed:
        raise PartlyFailed(f"{len(made.failed)} of {len(made.jobs)} jobs failed; the others are done")


@app.command()
def status(
    names: Annotated[list[str] | None, typer.Argument(metavar="[REPOSITORY...]", help="Default: all.")] = None,
    as_json: Json = False,
    demo: Annotated[bool, typer.Option("--demo", help="Of the demo's database.")] = False,
) -> None:
    """Show how far each repository's history has come.

    Example: [bold]gh-backfill status octocat/hello-world --json[/bold]
    """
    environment = _demo_settings() if demo else settings.load()
    with connect.database(environment, writing=False) as db, db.transaction(read_only=True) as tx:
        ids: list[str] | None = None
        if names:
            found = repositories.find(tx, names)
            unknown = [name for name, known in found.items() if known is None]
            if unknown:
                raise ConfigurationError(f"not tracked here: {', '.join(unknown)}")
            ids = [known.id for known in found.values() if known is not None]
        states = repositories.status(tx, ids)
    if as_json:
        print(json.dumps([{**asdict(state), "percent": state.percent} for state in states], default=str))
    else:
        console.show_status(states)


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[REPOSITORY...]", help="owner/name; none: what is due.")
    ] = None,
    max_prs: Annotated[
        str | None, typer.Option("--max-prs", metavar="N", help="Only the newest N pull requests of each.")
    ] = None,
    workers: Annotated[str, typer.Option(metavar="N", help="Captures at the same time, 1 to 20.")] = str(local.WORKERS),
    dry_run: DryRun = False,
) -> None:
    """Do the whole job on this machine: track, plan, capture several at once, report.

    Without GITHUB_TOKEN and repositories it is a demo on an invented GitHub.
    Example: [bold]GITHUB_TOKEN=… gh-backfill run octocat/hello-world[/bold]
    """
    goal = Goal(max_items=number("--max-prs", max_prs, 1))
    many = number("--workers", workers, 1, 20) or local.WORKERS
    environment = settings.load()
    given = names or []
    if dry_run:
        _preview_run(environment, given)
        return
    with console.scene() as show:
        if local.is_demo(environment, given):
            with local.demo(environment) as demo_environment:
                done = local.run(
                    demo_environment,
                    [each.split(":")[0] for each in local.DEMO],
                    goal=goal,
                    workers=many,
                    show=show,
                    say=print,
                )
        else:
            done = local.run(environment, given, goal=goal, workers=many, show=show, say=print)
    console.show_local_run(done, demo=local.is_demo(environment, given))
    if done.report and done.report.failed:
        raise PartlyFailed(f"{len(done.report.failed)} captures failed; logs: {', '.join(map(str, done.failed_logs))}")
    if any(each.failed for each in done.tracked):
        raise PartlyFailed("some repositories can't be captured; the others are done")


@app.command()
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql; put -- before options.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open the demo's database.")] = False,
) -> None:
    """Look into the database with psql, which comes along.

    Example: [bold]gh-backfill psql -- -c 'select count(*) from pull_requests'[/bold]
    """
    environment = _demo_settings() if demo else settings.load()
    with connect.database_url(environment) as url:
        raise typer.Exit(terminal.run(url, arguments or []))


@app.command()
def simulate(
    data: Annotated[list[Path] | None, typer.Option("--data", metavar="DIR", help="A folder of recorded data.")] = None,
    synthetic: Annotated[
        list[str] | None, typer.Option("--synthetic", metavar="OWNER/NAME:N", help="An invented repository of N.")
    ] = None,
    port: Annotated[str, typer.Option(metavar="N", help="0 takes any free port.")] = "8080",
) -> None:
    """Serve a simulated GitHub on this machine, with its prices, limits and faults.

    Example: [bold]gh-backfill simulate --synthetic octo-demo/engine:1000 --port 8080[/bold]
    """
    from gh_backfill.simulator.server import serve  # noqa: PLC0415  (no other command needs it)

    if not data and not synthetic:
        raise ConfigurationError("nothing to serve: give --data DIR or --synthetic OWNER/NAME:N")
    missing = [str(folder) for folder in data or [] if not folder.is_dir()]
    if missing:
        raise ConfigurationError(f"no such folder: {', '.join(missing)}")
    try:
        serve(data or [], synthetic or [], number("--port", port, 0, 65535) or 0)
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"the simulated GitHub does not start: {error}") from None


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


def number(name: str, text: str | None, least: int, most: int | None = None) -> int | None:
    """Read a whole number; empty means not given.  Raises ConfigurationError for anything else."""
    text = (text or "").strip()
    if not text:
        return None
    wanted = f"from {least} to {most}" if most is not None else f"of at least {least}"
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        raise ConfigurationError(f"{name} must be a whole number {wanted}, not {text[:40]}")
    return int(text)


def _limits(chunk_size: str | None, max_chunks: str | None, time_limit: str | None) -> Limits:
    minutes = number("--time-limit", time_limit, 1)
    return Limits(
        chunk_size=number("--chunk-size", chunk_size, 1, 100),
        max_chunks=number("--max-chunks", max_chunks, 1),
        deadline=None if minutes is None else datetime.now(UTC) + timedelta(minutes=minutes),
    )


def _demo_settings() -> settings.Settings:
    environment = settings.load({key: value for key, value in os.environ.items() if "DATABASE" not in key}, dotenv=None)
    return local.demo_settings(environment)
