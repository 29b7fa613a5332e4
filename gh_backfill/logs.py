"""The log: one event a line on standard error, whoever logs it, and a traceback only where `unexpected` keeps it."""

from __future__ import annotations

import logging
import sys

from gh_backfill import unexpected
from gh_backfill.policy.redaction import visible


def begin() -> None:
    """Let everything that is logged in this process, warnings of Python too, come out in one way."""
    handler = _Handler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(capture=True)
    unexpected.watch()


class _Handler(logging.Handler):
    """Write to what standard error is at that moment: while bars are drawn, lines stand above them."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001  (a line that can't be logged must not end the work)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the name is Python's)
        """Say that a line could not be logged; Python would print a traceback with the values in it."""
        sys.stderr.write(f"a line of {record.name} could not be logged\n")


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {' '.join(record.getMessage().splitlines())}"
        error = record.exc_info[1] if record.exc_info else None
        return visible(f"{line}: {unexpected.told(error)}" if error else line)
