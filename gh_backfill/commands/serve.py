"""The command that opens the pages: serve."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill.commands.options import number

if TYPE_CHECKING:
    from gh_backfill.settings import Settings


def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[str, typer.Option(metavar="N", help="0 takes any free port.")] = "8484",
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Open the pages: add repositories, watch their history arrive, see what needs you.

    On this machine only, unless told otherwise; the address that it prints lets you in.
    Example: [bold]gh-backfill serve --port 8484[/bold]
    """
    import threading
    import webbrowser

    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.initial.runner import Runner
    from gh_backfill.tasks.pages.look import look
    from gh_backfill.web import access, running

    environment = settings.load()
    at = number("--port", port, 0, 65535) or 0
    opens = open_browser and access.on_loopback(host) and sys.stdout.isatty()

    def ready(address: str) -> None:
        print(f"the pages are at {address}\nCtrl-C ends them", flush=True)
        if opens:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    # A demo forgets what an earlier one captured: first it is known that the pages can be served at all.
    with (
        running.door(environment, host=host, port=at) as door,
        _chosen(environment) as chosen,
        connect.database_url(chosen) as url,
    ):
        running.serve(
            chosen,
            url,
            door=door,
            look=look,
            ready=ready,
            runner=Runner(chosen, url) if chosen.web_changes else None,
        )


def _chosen(environment: Settings) -> AbstractContextManager[Settings]:
    """Yield the settings, or those of a demo with backfills under way where nothing was ever set up."""
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.initial.watched import watched

    configured = environment.has_credential or environment.database_url is not None or environment.in_actions
    if configured or connect.embedded_exists(environment):
        return nullcontext(environment)
    print("demo: nothing is set up yet, so an invented GitHub fills a database of its own, slowly enough to be watched")
    print("what an earlier demo captured is forgotten, and begins again")
    return watched(environment)
