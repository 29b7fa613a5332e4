"""The command that reads the profiles of people."""

from __future__ import annotations

from typing import Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json, SomeNames


def profiles(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read the profiles of everybody who occurs in repositories: a hundred for a point, each person once.

    Without a name, of all repositories that have contributors switched on. It may be stopped at any time and goes on
    where it was; a profile is read again when it is older than GH_BACKFILL_PROFILE_DAYS, 30 days.
    Example: [bold]gh-backfill profiles octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.policy.markdown import plain
    from gh_backfill.policy.redaction import redacted
    from gh_backfill.tasks import connect, plan
    from gh_backfill.tasks import profiles as reading
    from gh_backfill.terminal import bars

    names = [*(repositories or []), *plan.parse_ids(repository_ids or "")]
    limits = options.limits(None, None, time_limit)
    environment = settings.load()
    old, default = environment.profiles_old, options.kinds(None, environment)
    if dry_run:
        with connect.database(environment, writing=False) as db:
            done = reading.outlook(db, names, default_kinds=default, older_than=old)
    else:
        with (
            connect.github(environment) as graphql,
            connect.database(environment) as db,
            connect.sharing(graphql, db),
            bars.capture_progress() as listen,
        ):
            run = connect.this_run(environment)
            done = reading.run(
                db, graphql, run, names, default_kinds=default, older_than=old, limits=limits, listen=listen
            )
        shown = [
            f"- {plain(each.repository.id if each.repository.is_private else each.repository.full_name)}: "
            f"{plain(redacted(each.text))}"
            for each in done
        ]
        actions.write_summary(environment, "\n".join(["## Profiles of contributors", "", *shown, ""]))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    elif not done:
        print("no repository has contributors switched on: name one, or gh-backfill track it with --kinds")
    else:
        print("\n".join(f"{each.repository.full_name}: {each.text}" for each in done))
    reading.raise_failures(done)
