"""The command that reads what pull requests change: their files and commits."""

from __future__ import annotations

from typing import Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json, SomeNames
from gh_backfill.errors import ConfigurationError


def diffs(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAMES", help="files, or commits. Default: both.")
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read the files and commits of the pull requests that are here: 149 lists for a point.

    Without a name, of all repositories that have them switched on (track --kinds pull_requests,files,commits). It may
    be stopped at any time and goes on where it was; a list is read again once its pull request has changed.
    Example: [bold]gh-backfill diffs octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.policy.markdown import plain
    from gh_backfill.policy.redaction import redacted
    from gh_backfill.tasks import connect, plan
    from gh_backfill.tasks import diffs as reading
    from gh_backfill.terminal import bars

    names = [*(repositories or []), *plan.parse_ids(repository_ids or "")]
    limits, of = options.limits(None, None, time_limit), _lists(only)
    environment = settings.load()
    default = options.kinds(None, environment)
    if dry_run:
        with connect.database(environment, writing=False) as db:
            done = reading.outlook(db, names, of=of, default_kinds=default)
    else:
        with (
            connect.github(environment) as graphql,
            connect.database(environment) as db,
            connect.sharing(graphql, db),
            bars.capture_progress() as listen,
        ):
            run = connect.this_run(environment)
            done = reading.run(db, graphql, run, names, of=of, default_kinds=default, limits=limits, listen=listen)
        shown = [
            f"- {plain(each.repository.id if each.repository.is_private else each.repository.full_name)}: "
            f"{plain(redacted(each.text))}"
            for each in done
        ]
        actions.write_summary(environment, "\n".join(["## Files and commits", "", *shown, ""]))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    elif not done:
        print("no repository has files or commits switched on: name one, or gh-backfill track it with --kinds")
    else:
        print("\n".join(f"{each.repository.full_name}: {each.text}" for each in done))
    reading.raise_failures(done)


def _lists(only: str | None) -> tuple[str, ...]:
    from gh_backfill.tasks.diffs import BOTH

    words = {word.strip().lower() for word in (only or "").replace(",", " ").split()}
    if unknown := sorted(words.difference(BOTH)):
        raise ConfigurationError(f"--only: {', '.join(unknown)[:80]}: name files, commits, or both")
    return tuple(each for each in BOTH if each in words)
