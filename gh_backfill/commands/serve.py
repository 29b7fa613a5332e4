"""The command that opens the pages: serve."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gh_backfill.commands.options import number


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

    with connect.database_url(environment) as url:
        running.serve(
            environment,
            url,
            host=host,
            port=at,
            look=look,
            ready=ready,
            runner=Runner(environment, url) if environment.has_credential else None,
        )
