"""`python -m gh_backfill` and `gh-backfill`: the door to the command line, quiet when it is closed while it opens."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Load the command line and run it; Ctrl-C while it is loaded ends without a word."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from gh_backfill import cli  # noqa: PLC0415  (loading takes most of a second)

    cli.main()


if __name__ == "__main__":
    main()
