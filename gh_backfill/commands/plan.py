"""The command that plans: which repositories the next jobs capture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions, hidden
from gh_backfill.commands import options
from gh_backfill.commands.options import ChunkSize, DryRun, Json, MaxChunks, NameOption
from gh_backfill.errors import BackfillError, ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import plain
from gh_backfill.policy.redaction import redacted

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.clients.graphql import GraphQL
    from gh_backfill.policy.initial import Wish
    from gh_backfill.store.db import Database
    from gh_backfill.store.migrations import Migration
    from gh_backfill.tasks.initial.named import NamesFound

# https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#job-outputs
DROPPED = (
    "GitHub drops the output matrix, for the value of {settings} stands in it, and no capture starts: give that secret "
    "another value (it is a word that is part of a repository's name or id)"
)


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
    repository_id: NameOption = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    track: Annotated[
        bool, typer.Option("--track", envvar="GH_BACKFILL_TRACK", help="Track named ones that nobody tracks yet.")
    ] = False,
    initial: Annotated[
        bool,
        typer.Option("--initial", envvar="GH_BACKFILL_INITIAL", help="Do that, and begin with their newest."),
    ] = False,
    max_prs: options.MaxPullRequests = None,
    since: options.Since = None,
    until: options.Until = None,
    state: options.State = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Decide which repositories the next jobs capture, and open their backfills.

    With --initial the named ones get their newest 200 pull requests first, or what the options after it say.
    Example: [bold]gh-backfill plan --repository-ids '["octocat/hello-world"]'[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.initial import Wish
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import plan as planning

    options.limits(chunk_size, max_chunks, None)
    wish, given = options.wish(max_prs, since, until, state)
    if not initial and (given or wish != Wish()):
        raise ConfigurationError("--max-prs, --since, --until and --state are about an initial backfill: add --initial")
    environment = settings.load()
    asked = list(dict.fromkeys(planning.parse_ids(repository_ids or "") + planning.parse_ids(repository_id or "")))
    with connect.github(environment) as graphql:
        if not asked and (repository_ids or "").strip():
            _plan_nothing(environment, "the list of repositories that was given is empty", as_json=as_json)
            return
        try:
            _plan(
                environment,
                graphql,
                asked,
                tracks=track or initial,
                wish=wish if initial else None,
                dry_run=dry_run,
                as_json=as_json,
            )
        except BackfillError as error:
            _write_plan(environment, _nothing_planned(str(error)))
            raise


def _plan(
    environment: settings.Settings,
    graphql: GraphQL,
    asked: Sequence[str],
    *,
    tracks: bool,
    wish: Wish | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    from gh_backfill.policy.selection import Thresholds
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import plan as planning
    from gh_backfill.tasks.estimate import estimates
    from gh_backfill.tasks.report import costs
    from gh_backfill.terminal import results

    writing, migrated = not dry_run, partial(_tell_migrated, environment)
    with (
        connect.database(environment, writing=writing, migrated=migrated if writing else None) as db,
        connect.sharing(graphql, db, writing=writing, apart=False),
    ):
        if (reason := costs.waits(db, environment, datetime.now(UTC))) is not None:
            _plan_nothing(environment, reason, as_json=as_json)
            return
        named = _tracked(environment, db, graphql, asked, wish, writing=writing) if asked and tracks else None
        if named is not None and not named.ids:
            made = planning.Plan(verdicts=(), unknown=named.refused, gone=(), first=named.first)
        else:
            made = planning.plan(
                db,
                graphql,
                connect.this_run(environment),
                datetime.now(UTC),
                asked=asked if named is None else named.ids,
                refused={} if named is None else named.refused,
                thresholds=Thresholds(
                    more_than=environment.minimum_pull_requests, below_percent=environment.complete_percent
                ),
                limit=environment.plan_limit,
                per_part=environment.per_part,
                dry_run=dry_run,
                recovering=writing,
                actor=connect.actor(environment),
                kinds=options.kinds(None, environment),
                off_peak=environment.off_peak,
            )
            made = made if named is None else replace(made, first=named.first)
        left = estimates(db, [each.repository.id for each in made.verdicts])
    _write_plan(
        environment,
        results.plan_markdown(made, left, dry_run=dry_run),
        [] if dry_run else made.matrix(environment.runner_labels)["include"],
        idle=made.waits.text if made.waits is not None else "",
    )
    if as_json:
        print(json_text(results.plan_json(made, left)))
    else:
        results.show_plan(made, left, dry_run=dry_run)
    if made.unknown:
        actions.annotate(environment, "warning", list(made.unknown.values()))
    if made.waits is not None:
        actions.annotate(environment, "notice", [made.waits.text])


def _tell_migrated(environment: settings.Settings, applied: Sequence[Migration]) -> None:
    """Say that the database was not of this version, and is now; standard output is the plan's."""
    if applied:
        from gh_backfill.tasks import up_to_date

        actions.annotate(environment, "notice", [up_to_date.told(applied)])


def _tracked(
    environment: settings.Settings,
    db: Database,
    graphql: GraphQL,
    asked: Sequence[str],
    wish: Wish | None,
    *,
    writing: bool,
) -> NamesFound:
    """Track what was asked for and is not here, or say what would be tracked."""
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.initial import named

    name_of, now = connect.name_of(environment), datetime.now(UTC)
    if not writing:
        return named.foresee(db, graphql, asked, wish=wish, name_of=name_of, now=now)
    actor = connect.actor(environment)
    return named.track_first(db, graphql, asked, wish=wish, name_of=name_of, actor=actor, now=now)


def _write_plan(
    environment: settings.Settings, summary: str, entries: Sequence[Mapping[str, str]] = (), *, idle: str = ""
) -> None:
    """Write what the workflow reads of a plan: the matrix, its length, why there is nothing, and the step summary."""
    matrix = json_text({"include": list(entries)})
    actions.write_outputs(environment, {"matrix": matrix, "count": str(len(entries)), "idle": idle})
    if environment.in_actions and (dropped := hidden.settings_within(matrix)):
        actions.annotate(environment, "error", [DROPPED.format(settings=", ".join(dropped))])
    actions.write_summary(environment, summary)


def _nothing_planned(reason: str) -> str:
    return f"## Plan\n\nNothing is planned: {plain(redacted(reason))}"


def _plan_nothing(environment: settings.Settings, reason: str, *, as_json: bool) -> None:
    """Say why nothing is planned; the run is green, for it did what it should."""
    _write_plan(environment, _nothing_planned(reason), idle=reason)
    actions.annotate(environment, "warning", [reason])
    nothing = {"chosen": [], "not_chosen": [], "unknown": [], "gone": [], "reason": reason}
    print(json_text(nothing) if as_json else f"nothing is planned: {reason}")
