"""The end of an error that nobody expected: one line for the reader, and the traceback where only its owner reads.

An error of a library may quote a row.  So a workflow's log, which may be public, gets the places in the code and the
kinds of the errors, and never their words.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gh_backfill import output
from gh_backfill.folders import data_folder
from gh_backfill.policy.markdown import shortened

LONGEST = 300
MOST_FRAMES = 6
DEBUG = "GH_BACKFILL_DEBUG"


def told(error: BaseException) -> str:
    """Put an unexpected error into one line, and its traceback where the line says."""
    if isinstance(error, ImportError):  # a command loads what it needs when it runs
        return f"this installation is not complete, install it again: {error}"
    if output.in_actions(os.environ):
        return f"unexpected: {'; '.join(places(error))}"
    said = shortened(" ".join(str(error).split()), LONGEST)
    return f"unexpected: {type(error).__name__}: {said}; {kept(error)}"


def kept(error: BaseException) -> str:
    """Keep a traceback, and return where: in a file, with --debug on standard error; in a workflow only its places."""
    if output.in_actions(os.environ):
        return "; ".join(places(error))
    text = "".join(traceback.format_exception(error))
    if debugging():
        sys.stderr.write(text)
        return "the traceback is above"
    path = _written(text)
    where = f"in {path}" if path else "lost, for no file can be written"
    return f"the traceback is {where} (--debug shows it here)"


def debugging() -> bool:
    """Say whether tracebacks are wanted on standard error."""
    return output.yes(os.environ.get(DEBUG, ""))


def places(error: BaseException) -> list[str]:
    """Return the kinds of an error and its causes, each with the places in the code, and nothing of their words."""
    lines = []
    for each in _causes(error):
        frames = [f"{_short(frame.filename)}:{frame.lineno}" for frame in traceback.extract_tb(each.__traceback__)]
        found = [frame for frame in frames if not frame.startswith("typer/")][-MOST_FRAMES:]
        lines.append(f"{type(each).__name__} at {' > '.join(found)}" if found else type(each).__name__)
    return lines


def watch() -> None:
    """Let errors that end a thread, or that Python itself can only report, pass through here too."""
    sys.excepthook = lambda _kind, error, _where: _say(error)
    sys.unraisablehook = lambda what: _say(what.exc_value) if what.exc_value else None
    threading.excepthook = lambda what: _say(what.exc_value) if what.exc_value else None


def _say(error: BaseException, _where: TracebackType | None = None) -> None:
    if not isinstance(error, KeyboardInterrupt | SystemExit | BrokenPipeError):
        sys.stderr.write(f"error: {told(error)}\n")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _short(path: str) -> str:
    for start in ("gh_backfill", "site-packages"):
        _, found, rest = path.rpartition(f"{os.sep}{start}{os.sep}")
        if found:
            return f"{start}/{rest}" if start == "gh_backfill" else rest
    return Path(path).name


def _written(text: str) -> Path | None:
    """Write a traceback into a file of its own that only its owner can read; None where that is not possible."""
    name = f"error-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    for folder in (data_folder(os.environ.get("GH_BACKFILL_HOME")) / "logs", Path(tempfile.gettempdir())):
        try:
            with output.private_file(folder / name) as file:
                file.write(output.cleaned(text, in_actions=False).encode(errors="replace"))
        except OSError:
            continue
        return folder / name
    return None
