"""The command line with stop-watches: `python -m tests.benchmarks.worker RECORD [--explain] [--still] COMMAND...`.

`--still` stops the clock that times GitHub's answers, so that page sizes do not depend on how busy this machine is.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from gh_backfill import cli
from tests.benchmarks.instruments import recording


def main() -> None:
    """Run a command of the product, and write what it did at its edges into a file, however it ends."""
    target, *arguments = sys.argv[1:]
    flags = {"--explain", "--still"}.intersection(arguments)
    sys.argv = ["gh-backfill", *(each for each in arguments if each not in flags)]
    if "--still" in flags:
        time.monotonic = lambda: 0.0
    started = time.perf_counter()
    with recording(explain="--explain" in flags) as record:
        try:
            cli.main()
        finally:
            told = {
                "seconds": time.perf_counter() - started,
                "request_seconds": record.request_seconds,
                "statements": [asdict(each) for each in record.statements],
            }
            Path(target).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
