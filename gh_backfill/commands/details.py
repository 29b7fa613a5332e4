"""The command that completes given pull requests."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands.options import DryRun, Json, Name, NameOption
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted, plain
from gh_backfill.policy.redaction import redacted


def details(
    repository: Name = None,
    repository_id: NameOption = None,
    numbers: Annotated[
        str,
        typer.Option("--numbers", envvar="GH_BACKFILL_PR_NUMBERS", metavar="LIST", help="Of pull requests: 1,2,3."),
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Complete given pull requests of a repository: each with all its reviews and comments as they are now.

    A point for 74 of them, and what they need beside that; the backfill and its place stay as they are.
    Example: [bold]gh-backfill details octocat/hello-world --numbers 1,2,3[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import details as detailing
    from gh_backfill.tasks.capture import find

    name = (repository or repository_id or "").strip()
    if not name:
        raise ConfigurationError("which repository? gh-backfill details owner/name --numbers 1,2,3")
    wanted = _numbers(numbers, detailing.MOST_NUMBERS)
    environment = settings.load()
    if dry_run:
        with connect.database(environment, writing=False) as db:
            found = find(db, name)
        print(f"{found.full_name}: would read {counted(len(wanted), 'pull request')}; dry run: nothing was written")
        return
    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db),
    ):
        done = detailing.run(db, graphql, connect.this_run(environment), name, wanted)
    shown = done.repository.id if done.repository.is_private else done.repository.full_name
    actions.write_summary(environment, f"## Details of {plain(shown)}\n\n{plain(redacted(done.text))}")
    if as_json:
        failed = {str(number): reason for number, reason in done.failed}
        print(json_text({"stored": done.stored, "gone": list(done.gone), "failed": failed, "points": done.points}))
    else:
        print(f"{done.repository.full_name}: {done.text}")
    done.raise_failures()


def _numbers(text: str, most: int) -> list[int]:
    """Read numbers with commas or blanks between them, as a list or in brackets.  Raises ConfigurationError."""
    words = re.split(r"[\s,\[\]#]+", text.strip())
    found = [word for word in words if word]
    wrong = [word for word in found if not re.fullmatch("0*[1-9][0-9]{0,8}", word)]
    if wrong or not found:
        given = wrong[0][:40] if wrong else "nothing"
        raise ConfigurationError(f"--numbers must be numbers of pull requests such as 1,2,3, not {given}")
    if len(found) > most:
        raise ConfigurationError(f"--numbers: {len(found):,} are too many at once: give at most {most:,}")
    return [int(word) for word in found]
