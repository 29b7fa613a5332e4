"""The command line: it runs a command and turns how that ends into one line and an exit code."""

from __future__ import annotations

import inspect
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command_name as name_of

from gh_backfill import __version__, actions, logs, output, unexpected
from gh_backfill.commands import (
    add,
    aggressive,
    beside,
    database,
    details,
    dispatch,
    embed,
    export,
    figures,
    fresh,
    happenings,
    history,
    init,
    look,
    machine,
    operate,
    plan,
    prove,
    reports,
    search,
    serve,
    site,
    velocity,
    waiting,
    work,
    workspace,
)
from gh_backfill.engine import interrupts
from gh_backfill.errors import BackfillError
from gh_backfill.terminal import console

COMMANDS: tuple[tuple[Callable[..., None], ...], ...] = (
    (machine.run, add.track, waiting.work, plan.plan, work.capture, reports.report, database.migrate),
    (fresh.sync, prove.verify, dispatch.dispatch, dispatch.schedule, details.details),
    (aggressive.aggressive, embed.embed, beside.profiles, beside.diffs, figures.aggregate),
    (search.search, search.similar),
    (happenings.events, velocity.velocity, velocity.coverage),
    (operate.recover, operate.pause, operate.resume, operate.retry, operate.cancel, history.untrack),
    (look.status, history.why, history.runs, reports.costs, reports.webhooks, look.check, look.psql, look.simulate),
    (init.init, serve.serve, site.site, export.export, database.grant_reader),
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
# These go on from nowhere: they show, serve, or make something anew.
_GO_ON_FROM_NOWHERE = frozenset(
    {"status", "why", "runs", "costs", "check", "psql", "search", "similar", "velocity", "coverage", "workspace"}
    | {"init", "export", "site", "serve", "webhooks", "simulate", "grant-reader"}
)


def main() -> NoReturn:
    """Run the command line; how it ends is one line on stderr and an exit code, never a traceback."""
    output.install(os.environ, sys.argv[1:])
    _leave_out_the_others(sys.argv[1:])
    logs.begin()
    interrupts.listen()
    try:
        code = _code()
    except KeyboardInterrupt:
        code = INTERRUPTED
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))  # all is said and done
    lost = output.finish()
    if lost is not None and not code:
        sys.stderr.write(f"error: standard output can't be written: {lost.strerror or lost}\n")
        output.finish()
        code = 1
    sys.exit(code)


def _leave_out_the_others(arguments: Sequence[str]) -> None:
    """Keep the command that is asked for, for Typer would build all; help, and a wrong name, need the whole list."""
    asked = _asked_for(arguments)
    app.registered_commands = [
        each for each in app.registered_commands if each.callback and name_of(each.callback.__name__) == asked
    ] or app.registered_commands


def _asked_for(arguments: Sequence[str]) -> str:
    return next((each for each in arguments if not each.startswith("-")), "")


def _stopped() -> str:
    return "interrupted" if _asked_for(sys.argv[1:]) in _GO_ON_FROM_NOWHERE else STOPPED


def _code() -> int:
    """Run the command and return its exit code; says why it ended, if not well."""
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # Typer's way to tell of a KeyboardInterrupt
            console.error(_stopped())
        return code if isinstance(code, int) else 0
    except BackfillError as error:
        if unexpected.debugging():
            unexpected.kept(error)
        console.error(str(error))
        actions.write_error(os.environ, str(error))
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        console.error(_stopped())
        return INTERRUPTED
    except typer.Exit as error:
        return error.exit_code
    except Exception as error:  # noqa: BLE001  (whatever it is, it is told in a line, and kept)
        if not hasattr(error, "exit_code") or not hasattr(error, "format_message"):
            message = unexpected.told(error)
            console.error(message)
            actions.write_error(os.environ, message)
            return 1
        _wrong_usage(error)
        return int(error.exit_code)


def _wrong_usage(error: Any) -> None:
    """Say in one line what is wrong with options or arguments; without any at all the help was shown."""
    context = getattr(error, "ctx", None)
    if message := error.format_message().strip():
        where = f"{context.command_path} --help" if context else "--help"
        told = f"{message.rstrip('.')} (see {where})"
        console.error(told)
        actions.write_error(os.environ, told)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help=f"Show the traceback of an error, as {unexpected.DEBUG}=1 does.")
    ] = False,
    tethered: Annotated[bool, typer.Option("--tethered", hidden=True, help="Stop when standard input ends.")] = False,
) -> None:
    """Bring the history of GitHub repositories home, into PostgreSQL or Supabase."""
    if debug:
        os.environ[unexpected.DEBUG] = "1"  # for the processes of captures too
    if tethered:
        interrupts.stop_with(sys.stdin.fileno())
    if show:
        print(__version__)
        raise typer.Exit


def flowing(docstring: str) -> str:
    """Return a docstring for terminals of any width, which break its lines anew; an example keeps its line."""
    return re.sub(r"(?<!\n)\n(?!\n|Example:)", " ", inspect.cleandoc(docstring))


for _command in chain.from_iterable(COMMANDS):
    app.command()(_command)
app.add_typer(workspace.app)
for _registered in (*app.registered_commands, *workspace.app.registered_commands):
    _registered.help = flowing((_registered.callback and _registered.callback.__doc__) or "")
