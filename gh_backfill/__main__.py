"""`python -m gh_backfill` and `gh-backfill`: the door to the command line, quiet when it is closed while it opens."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

# Python looks for garbage after every 700 new values.  What is loaded stays, and nothing of an answer of GitHub is in a
# circle: to look so often is a tenth of a capture's processor time.
_VALUES_BETWEEN_COLLECTIONS = 100_000


def main() -> NoReturn:
    """Load the command line and run it; Ctrl-C while it is loaded ends without a word."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    gc.set_threshold(_VALUES_BETWEEN_COLLECTIONS)
    _stand_somewhere()
    if os.environ.get("GITHUB_ACTIONS"):  # a log is no terminal: libraries that draw there would cut names in two
        os.environ["_TYPER_FORCE_DISABLE_TERMINAL"] = "1"
        for name in ("FORCE_COLOR", "PY_COLORS", "TTY_COMPATIBLE"):
            os.environ.pop(name, None)
    try:
        from gh_backfill import cli  # noqa: PLC0415  (loading takes a moment)
    except ImportError as error:
        sys.exit(f"error: this installation is not complete, install it again: {error}")
    try:
        cli.main()
    finally:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # how it ended is decided
            signal.signal(each, signal.SIG_IGN)
        gc.freeze()  # what is left ends with the process; to look through it for circles takes a tenth of a second


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
