"""The commands that read what is beside the items: profiles of people, files and commits of pull requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json, SomeNames
from gh_backfill.errors import ConfigurationError

if TYPE_CHECKING:
    from gh_backfill.engine.outcome import Limits
    from gh_backfill.settings import Settings
    from gh_backfill.tasks.beside import BesideFound, BesideRun

TimeLimit = Annotated[
    str | None, typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time.")
]

_REMEDY = "name one, or gh-backfill track it with --kinds"


def profiles(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    time_limit: TimeLimit = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read the profiles of everybody who occurs in repositories: a hundred for a point, each person once.

    Without a name, of all repositories that have contributors switched on. It may be stopped at any time and goes on
    where it was; a profile is read again when it is older than GH_BACKFILL_PROFILE_DAYS, 30 days.
    Example: [bold]gh-backfill profiles octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import profiles as reading

    names, limits = _names(repositories, repository_ids), options.limits(None, None, time_limit)
    environment = settings.load()
    old, default = environment.profiles_old, options.kinds(None, environment)
    done: Sequence[BesideFound]
    if dry_run:
        with connect.database(environment, writing=False) as db:
            done = reading.outlook(db, names, default_kinds=default, older_than=old)
    else:
        with _running(environment, limits) as run:
            done = reading.run(run, names, default_kinds=default, older_than=old)
        _summary(environment, "Profiles of contributors", done)
    _show(done, f"no repository has contributors switched on: {_REMEDY}", as_json)


def diffs(
    repositories: SomeNames = None,
    repository_ids: options.RepositoryIds = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="NAMES", help="files, or commits. Default: both.")
    ] = None,
    time_limit: TimeLimit = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Read the files and commits of the pull requests that are here: 149 lists for a point.

    Without a name, of all repositories that have them switched on (track --kinds pull_requests,files,commits). It may
    be stopped at any time and goes on where it was; a list is read again once its pull request has changed.
    Example: [bold]gh-backfill diffs octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import diffs as reading

    names, limits = _names(repositories, repository_ids), options.limits(None, None, time_limit)
    of, environment = _lists(only), settings.load()
    default = options.kinds(None, environment)
    done: Sequence[BesideFound]
    if dry_run:
        with connect.database(environment, writing=False) as db:
            done = reading.outlook(db, names, of=of, default_kinds=default)
    else:
        with _running(environment, limits) as run:
            done = reading.run(run, names, of=of, default_kinds=default)
        _summary(environment, "Files and commits", done)
    _show(done, f"no repository has files or commits switched on: {_REMEDY}", as_json)


def _names(repositories: Sequence[str] | None, repository_ids: str | None) -> list[str]:
    from gh_backfill.tasks import plan

    return [*(repositories or []), *plan.parse_ids(repository_ids or "")]


@contextmanager
def _running(environment: Settings, limits: Limits) -> Iterator[BesideRun]:
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.beside import BesideRun
    from gh_backfill.terminal import bars

    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db),
        bars.capture_progress() as listen,
    ):
        run = connect.this_run(environment)
        yield BesideRun(db=db, graphql=graphql, run=run, limits=limits, listen=listen)


def _summary(environment: Settings, title: str, done: Sequence[BesideFound]) -> None:
    from gh_backfill.policy.markdown import plain
    from gh_backfill.policy.redaction import redacted

    shown = [
        f"- {plain(each.repository.id if each.repository.is_private else each.repository.full_name)}: "
        f"{plain(redacted(each.text))}"
        for each in done
    ]
    actions.write_summary(environment, "\n".join([f"## {title}", "", *shown, ""]))


def _show(done: Sequence[BesideFound], nothing: str, as_json: bool) -> None:
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks.beside import raise_failures

    if as_json:
        print(json_text([each.as_json() for each in done]))
    elif not done:
        print(nothing)
    else:
        print("\n".join(f"{each.repository.full_name}: {each.text}" for each in done))
    raise_failures(done)


def _lists(only: str | None) -> tuple[str, ...]:
    from gh_backfill.tasks.diffs import BOTH

    words = {word.strip().lower() for word in (only or "").replace(",", " ").split()}
    if unknown := sorted(words.difference(BOTH)):
        raise ConfigurationError(f"--only: {', '.join(unknown)[:80]}: name files, commits, or both")
    return tuple(each for each in BOTH if each in words)
