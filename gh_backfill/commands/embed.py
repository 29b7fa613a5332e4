"""The command that gives texts their vectors: embed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands import options
from gh_backfill.commands.options import Demo, DryRun, Json, OptionalNames, number, stored
from gh_backfill.errors import BackfillError, ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal.console import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gh_backfill import settings
    from gh_backfill.store.db import Database


def embed(
    names: OptionalNames = None,
    provider: Annotated[
        str | None,
        typer.Option("--provider", metavar="WORD", help="openai, local or hash. Default: by what is set."),
    ] = None,
    max_items: Annotated[str | None, typer.Option("--max-items", metavar="N", help="Stop after so many items.")] = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show how far each type is, and what was set aside.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Also what failed so often that it was set aside.")] = False,
    preflight: Annotated[
        bool, typer.Option("--preflight", help="Only ask the provider for the vector of a word.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Give issues, pull requests and discussions the vectors by which alike ones are found.

    It may be stopped at any time and goes on where it was; nothing is paid for twice.
    Example: [bold]gh-backfill embed octocat/hello-world --dry-run[/bold]
    """
    environment = stored(demo=demo)
    if [status, preflight, dry_run].count(True) > 1 or (retry and (status or preflight)):
        raise ConfigurationError("--status, --preflight, --dry-run and --retry each do another thing: give one of them")
    if preflight:
        _preflight(environment, provider, as_json=as_json)
        return
    from gh_backfill.tasks import connect

    with connect.database(environment, writing=not (status or dry_run)) as db:
        if status:
            _status(environment, db, names or [], provider, as_json=as_json)
        elif dry_run:
            _plan(environment, db, names or [], provider, as_json=as_json)
        else:
            _run(
                environment,
                db,
                names or [],
                provider,
                most=number("--max-items", max_items, 1),
                deadline=options.limits(None, None, time_limit).deadline,
                retry=retry,
                as_json=as_json,
            )


def _run(
    environment: settings.Settings,
    db: Database,
    names: Sequence[str],
    provider: str | None,
    *,
    most: int | None,
    deadline: datetime | None,
    retry: bool,
    as_json: bool,
) -> None:
    from gh_backfill.tasks.embedding import choosing, many
    from gh_backfill.tasks.embedding.run import EmbeddingWish
    from gh_backfill.terminal import bars, vectored

    many.refuse_without_vectors(db)
    embedder = choosing.embedder(environment, provider, sleep=choosing.in_time(deadline))
    if retry:
        many.try_again(db, names)
    wish = EmbeddingWish(max_items=most, deadline=deadline, batch=environment.embedding_batch)
    with bars.embedding_progress() as listen:
        done = many.run_all(
            db,
            embedder,
            names,
            wish,
            price=choosing.price(environment, embedder),
            now=lambda: datetime.now(UTC),
            listen=listen,
        )
    print(json_text([each.as_json() for each in done])) if as_json else vectored.show_embedded(done)
    many.raise_failures(done)


def _plan(
    environment: settings.Settings, db: Database, names: Sequence[str], provider: str | None, *, as_json: bool
) -> None:
    from gh_backfill.tasks.embedding import choosing, many
    from gh_backfill.terminal import vectored

    many.refuse_without_vectors(db)
    embedder = choosing.embedder(environment, provider)
    found = many.plans(db, embedder.recipe, names, choosing.price(environment, embedder))
    print(json_text([each.as_json() for each in found])) if as_json else vectored.show_plans(found, embedder.recipe)


def _status(
    environment: settings.Settings, db: Database, names: Sequence[str], provider: str | None, *, as_json: bool
) -> None:
    from gh_backfill.tasks.embedding import choosing, many
    from gh_backfill.terminal import vectored

    try:
        recipe = choosing.embedder(environment, provider).recipe
    except BackfillError:
        recipe = None  # what there is can be told without whoever makes more
    found = many.statuses(db, recipe, names)
    print(json_text([each.as_json() for each in found])) if as_json else vectored.show_statuses(found)


def _preflight(environment: settings.Settings, provider: str | None, *, as_json: bool) -> None:
    from gh_backfill.tasks.embedding import choosing

    embedder = choosing.embedder(environment, provider)
    embedder.preflight()
    recipe = embedder.recipe
    told = {"provider": recipe.provider, "model": recipe.model, "dimensions": recipe.dimensions}
    if as_json:
        print(json_text(told))
    else:
        say(f"{recipe.provider} answers: model {recipe.model}, {recipe.dimensions} dimensions")
