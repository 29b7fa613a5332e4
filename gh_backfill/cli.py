"""The command line: it runs a command and turns how that ends into one line and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from itertools import chain
from typing import Annotated, NoReturn

import typer

from gh_backfill import __version__, console
from gh_backfill.commands import look, operate, reports, work
from gh_backfill.errors import BackfillError
from gh_backfill.policy.redaction import redacted
from gh_backfill.tasks import interrupts

COMMANDS: tuple[tuple[Callable[..., None], ...], ...] = (
    (work.run, work.track, work.plan, work.capture, reports.report, work.migrate),
    (operate.recover, operate.pause, operate.resume, operate.retry, operate.cancel),
    (look.status, reports.costs, reports.webhooks, look.check, look.psql, look.simulate),
)

app = typer.Typer(
    name="gh-backfill",
    help="Bring the history of GitHub repositories home, into PostgreSQL or Supabase.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


INTERRUPTED = 130
STOPPED = "interrupted; what was committed is kept, and the next run goes on from there"


def main() -> NoReturn:
    """Run the command line; an error of ours is one line on stderr and its exit code."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    interrupts.listen()
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # Typer's way to tell of a KeyboardInterrupt
            console.error(STOPPED)
    except BackfillError as error:
        console.error(shown(str(error)))
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.error(STOPPED)
        code = INTERRUPTED
    except typer.Exit as error:
        code = error.exit_code
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        error.show()
        code = error.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def shown(message: str) -> str:
    """Return a message as the place allows: the log of a workflow may be public, so it names no hosts there."""
    return redacted(message) if os.environ.get("GITHUB_ACTIONS") == "true" else message


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False) -> None:
    """Bring the history of GitHub repositories home, into PostgreSQL or Supabase."""
    if show:
        print(__version__)
        raise typer.Exit


for _command in chain.from_iterable(COMMANDS):
    app.command()(_command)
