"""`python -m gh_backfill` and `gh-backfill`: the door to the command line, quiet when it is closed while it opens."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it; Ctrl-C while it is loaded ends without a word."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    _stand_somewhere()
    if os.environ.get("GITHUB_ACTIONS"):  # a log is no terminal: libraries that draw there would cut names in two
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
        for name in ("FORCE_COLOR", "PY_COLORS", "TTY_COMPATIBLE"):
            os.environ.pop(name, None)
    try:
        from gh_backfill import cli  # noqa: PLC0415  (loading takes a moment)
    except ImportError as error:
        sys.exit(f"error: this installation is not complete, install it again: {error}")
    cli.main()


def _stand_somewhere() -> None:
    """Replace streams that were closed and a working directory that was deleted: libraries fall over both."""
    sys.stdout = sys.stdout or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (it lives as long as we do)
    sys.stderr = sys.stderr or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    try:
        Path.cwd()
    except OSError:
        os.chdir("/")


if __name__ == "__main__":
    main()
