"""The command that makes an installation: workflow files for a repository, its secret, a database that is ready."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from gh_backfill import REPOSITORY, __version__
from gh_backfill.commands.options import DryRun, path
from gh_backfill.errors import BackfillError, ConfigurationError
from gh_backfill.policy.markdown import counted
from gh_backfill.terminal import console
from gh_backfill.terminal.console import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gh_backfill import settings
    from gh_backfill.policy.installation import Trigger
    from gh_backfill.tasks.installing import InstalledFile

TRIES = 3
Answer = TypeVar("Answer")
NEXT = "commit and push these files, then bring the first repositories: "
FRESH = "this brings histories and proves them; with --everything what changes afterwards is brought, too"


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", parser=path, help="A clone of the repository whose Actions do the work."),
    ] = Path(),
    database: Annotated[
        str | None,
        typer.Option("--database", metavar="URL", help="Where the rows go. Default: DATABASE_URL, or you are asked."),
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option("--trigger", metavar="WORD", help="What starts it: schedule (default), pg_cron or inngest."),
    ] = None,
    repository: Annotated[
        str | None,
        typer.Option("--repository", metavar="OWNER/NAME", help="Whose Actions do it. Default: where origin leads."),
    ] = None,
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="OWNER/NAME", help="The repository that this tool is published in."),
    ] = None,
    tool_version: Annotated[
        str, typer.Option("--tool-version", metavar="TAG", help="Its version: a tag, or a commit.")
    ] = f"v{__version__}",
    everything: Annotated[
        bool, typer.Option("--everything", help="Also workflows that sync, prove, aggregate, publish, set up.")
    ] = False,
    migrate: Annotated[
        bool | None, typer.Option(help="Bring the database up to date now. Default: you are asked.")
    ] = None,
    set_secret: Annotated[
        bool | None, typer.Option(help="Let gh keep DATABASE_URL as a secret there. Default: you are asked.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that differ.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Make an installation in a repository of yours: try the database, write the workflow, keep the secret, check.

    It asks for what is missing; where nobody can be asked, options say it. No secret is written into a file.
    Example: [bold]gh-backfill init --trigger schedule[/bold]
    """
    from gh_backfill.tasks import installing

    theirs = _repository(repository, folder)
    started = _trigger(trigger)
    wanted = installing.files(
        folder,
        tool=_tool(tool),
        version=tool_version,
        repository=theirs,
        trigger=started,
        whole=everything,
    )
    installing.refuse_others(wanted, force=force)
    found = _database(database)
    if not dry_run:
        installing.write(folder, wanted)
    _show(wanted, dry_run=dry_run)
    if dry_run:
        say("dry run: nothing was written")
        return
    _bring_up_to_date(found, migrate)
    kept = _keep_secret(theirs, found.url, set_secret)
    _check(found.environment)
    if not everything:
        say(FRESH)
    say(escape(("" if kept else "make that secret, ") + NEXT + _start(theirs)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answering:
    """A database that answers: settings with it, its address, and how many migrations it lacks."""

    environment: settings.Settings
    url: str
    lacking: int


def _database(given: str | None) -> _Answering:
    """Find the database and try it; who was asked for its address may try again."""
    from gh_backfill import settings

    known = settings.load().database_url
    url = given or (None if known is None else known.get_secret_value())
    return _tried(url) if url is not None else _answered("--database", _prompted, _tried)


def _prompted() -> str:
    answer: str = typer.prompt(_QUESTION, hide_input=True, err=True)
    return answer


def _tried(url: str) -> _Answering:
    from gh_backfill import settings
    from gh_backfill.tasks import installing

    environment = settings.load({**os.environ, "DATABASE_URL": url})
    lacking, thought = installing.answers(environment)
    say("the database answers")
    if thought is not None:
        console.warning(thought)
    return _Answering(environment=environment, url=url, lacking=lacking)


_QUESTION = "Connection string of PostgreSQL 15 or newer (Supabase: project, Connect, Session pooler; it is not shown)"


def _repository(given: str | None, folder: Path) -> str:
    from gh_backfill.tasks import installing

    if not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder: name a clone of the repository whose Actions do the work")
    name = given or installing.repository_of(folder) or os.environ.get("GITHUB_REPOSITORY")
    return _named(name) if name else _answered("--repository", _asking("Repository whose Actions do the work"), _named)


def _tool(given: str | None) -> str:
    """Return where the tool is published; a copy that nobody published knows only what pip was told."""
    from gh_backfill.tasks import installing

    known = given or (None if REPOSITORY.startswith("OWNER/") else REPOSITORY) or installing.installed_from()
    if known:
        return _named(known)
    return _answered("--tool", _asking(_WHOSE_WORKFLOWS), _named)


_WHOSE_WORKFLOWS = "Repository at GitHub that has gh_backfill, whose workflows yours calls (owner/name)"


def _named(name: str) -> str:
    from gh_backfill.policy import names

    pair = names.parse(name)
    if pair is None:
        raise ConfigurationError(f"{name} is no repository: say owner/name")
    return "/".join(pair)


def _trigger(given: str | None) -> Trigger:
    from gh_backfill.policy.installation import Trigger

    if (given or "").strip():
        return _started_by(given or "")
    if not sys.stdin.isatty():
        return Trigger.SCHEDULE
    return _answered("--trigger", _asking(_WHAT_STARTS_IT, default=Trigger.SCHEDULE.value), _started_by)


_WHAT_STARTS_IT = "What starts it: schedule (GitHub's clock), pg_cron (that of the database) or inngest (its events)"


def _started_by(word: str) -> Trigger:
    from gh_backfill.policy.installation import Trigger

    try:
        return Trigger(word.strip().lower().replace("-", "_"))
    except ValueError:
        raise ConfigurationError(f"{word[:40]} starts nothing: say {', '.join(Trigger)}") from None


def _asking(question: str, default: str | None = None) -> Callable[[], str]:
    return lambda: str(typer.prompt(question, default=default, err=True))


def _answered(option: str, ask: Callable[[], str], understood: Callable[[str], Answer]) -> Answer:
    """Return what somebody answers; who is not understood may try again.

    Raises ConfigurationError where nobody can be asked, and what the last answer is wrong with.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(f"nobody can be asked here: say {option}")
    for _ in range(TRIES - 1):
        try:
            return understood(ask().strip())
        except BackfillError as error:
            console.warning(str(error))
    return understood(ask().strip())


def _agreed(given: bool | None, question: str) -> bool:
    """Return what an option says, or what somebody says; where nobody can be asked, no."""
    if given is not None:
        return given
    return sys.stdin.isatty() and typer.confirm(question, default=True, err=True)


def _show(wanted: Sequence[InstalledFile], *, dry_run: bool) -> None:
    for each in wanted:
        say(f"{'would be ' if dry_run else ''}{each.state.value}: {escape(each.path)}")


def _bring_up_to_date(found: _Answering, migrate: bool | None) -> None:
    if not found.lacking:
        return
    from gh_backfill.tasks import connect, up_to_date

    if _agreed(migrate, f"Bring the database up to date now ({counted(found.lacking, 'migration')})?"):
        with connect.database(found.environment, migrated=lambda applied: say(up_to_date.told(applied))):
            pass
    else:
        say(f"{counted(found.lacking, 'migration')} will be brought by the first plan, or by gh-backfill migrate")


def _keep_secret(repository: str, url: str, wanted: bool | None) -> bool:
    """Keep the database's address as a secret of the repository, or say how to; returns whether it is kept."""
    from gh_backfill.tasks import installing

    where = f"https://github.com/{repository}/settings/secrets/actions"
    able = installing.has_gh()
    if wanted and not able:
        raise ConfigurationError(f"there is no program gh here (https://cli.github.com): set the secret at {where}")
    if able and _agreed(wanted, f"Keep DATABASE_URL as a secret of {repository} (gh secret set)?"):
        installing.set_secret(repository, installing.DATABASE_SECRET, url)
        say(escape(f"DATABASE_URL is a secret of {repository}"))
        return True
    say(escape(f"keep the connection string as a secret named DATABASE_URL: {where}"))
    return False


def _start(repository: str) -> str:
    """Say how a run is started by hand: with GitHub's program where it is here, else on the page."""
    from gh_backfill.tasks import installing

    if installing.has_gh():
        return "gh workflow run gh-backfill.yml -f repository_ids='owner/name other/name'"
    return f"Run workflow at https://github.com/{repository}/actions/workflows/gh-backfill.yml, with their names"


def _check(environment: settings.Settings) -> None:
    """Prove what can be proved from here; raises ConfigurationError where something is wrong."""
    from gh_backfill.tasks import check as checking
    from gh_backfill.terminal import listings

    found = checking.check(environment, datetime.now(UTC), token=False)
    found = [each for each in found if each.ok or each.name != "migrations"]  # that they are pending was said
    listings.show_findings(found)
    if not environment.has_credential:
        say("no token is set here: the workflow has its own, of 1,000 points an hour; BACKFILL_TOKEN has more")
    wrong = [each.name for each in found if not each.ok]
    if wrong:
        raise ConfigurationError(
            f"the files are written, and {len(wrong)} of {len(found)} checks failed: {', '.join(wrong)}"
        )
