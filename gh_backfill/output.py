"""The one way out: whatever this process writes for somebody to read goes through here.

Secrets are hidden everywhere.  In a workflow, whose log may be public, so are servers and the names of private
repositories, and no text of others can begin a command there.  Characters that move a cursor or turn the direction of
text are written out.  Characters that a terminal can't show are replaced, and a reader that goes away is no error.
"""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from gh_backfill import hidden
from gh_backfill.policy.names import parse
from gh_backfill.policy.redaction import harmless, visible, without_hosts, without_names, without_secrets

# Settings that name repositories.
NAMES = ("GH_BACKFILL_REPOSITORY_ID", "GH_BACKFILL_REPOSITORY_IDS", "GH_BACKFILL_REPOSITORIES")
_YES = frozenset({"1", "true", "t", "yes", "y", "on"})
_NAME = re.compile(r"(?<![\w.-])(?=([A-Za-z0-9][\w-]*/[\w.-]+))")
_USER = re.compile(r"://([^\s/@]+)@")
_PLAIN = str.maketrans(
    {"\u2026": "...", "\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
)
_KEY_BEGINS, _KEY_ENDS = re.compile("-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"), "PRIVATE KEY-----"


class Writer(io.TextIOBase):
    """Standard output or standard error, cleaned line by line.

    Where nobody waits for half a line, whole lines are looked at: a name may come in several pieces.
    """

    def __init__(self, stream: TextIO | None, *, in_actions: bool, styled: bool = False) -> None:
        self._stream = stream
        self._styled = styled
        self._in_actions = in_actions
        self._held = ""
        self._in_key = False
        self._lock = threading.RLock()
        self.failure: OSError | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what is behind: what draws chooses its characters by it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """How characters are treated that the encoding has not: they are replaced."""
        return "replace"

    def writable(self) -> bool:
        """Say that it can be written to, also when nobody listens any more."""
        return True

    def isatty(self) -> bool:
        """Say whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the file descriptor behind; OSError where there is none."""
        if self._stream is None:
            raise OSError("there is no such stream")
        return self._stream.fileno()

    def write(self, text: str, /) -> int:
        """Take text; it appears cleaned, as soon as its line is complete, on a terminal at once."""
        if not isinstance(text, str):
            raise TypeError("only text can be written here")
        with self._lock:
            self._held += text
            if self.isatty():
                self._emit_held()
            elif "\n" in text:
                lines, _, self._held = self._held.rpartition("\n")
                self._emit(self._cleaned(lines) + "\n")
        return len(text)

    def flush(self) -> None:
        """Pass on what is complete."""
        with self._lock:
            self._attempt("")

    def command(self, line: str) -> None:
        """Write a line that is a command to GitHub Actions; everything but that holds for it too."""
        with self._lock:
            self._emit_held()
            self._emit(cleaned(line, in_actions=self._in_actions, commands=True) + "\n")

    def finish(self) -> None:
        """Write what is left of a line, and let go of a reader that is gone."""
        with self._lock:
            self._emit_held()
            self._attempt("")
            if self.failure is not None and self._stream is not None:
                _detach(self._stream)

    def _emit_held(self) -> None:
        held, self._held = self._held, ""
        if held:
            self._emit(self._cleaned(held))

    def _emit(self, text: str) -> None:
        self._attempt(_fitting(text, self.encoding))

    def _cleaned(self, text: str) -> str:
        text = self._without_key_lines(text)
        return cleaned(text, in_actions=self._in_actions, styled=self._styled or self.isatty())

    def _without_key_lines(self, text: str) -> str:
        """Drop the lines of a private key, of which each line alone looks harmless."""
        if not self._in_key and not _KEY_BEGINS.search(text):
            return text
        kept = []
        for line in text.split("\n"):
            begins = _KEY_BEGINS.search(line)
            if begins and _KEY_ENDS not in line[begins.end() :]:
                self._in_key = True
                kept.append(f"{line[: begins.start()]}<private key>")
            elif self._in_key and _KEY_ENDS in line:
                self._in_key = False
            elif not self._in_key or " " in line.strip():
                self._in_key = False
                kept.append(line)
        return "\n".join(kept)

    def _attempt(self, text: str) -> None:
        """Write and flush; once that fails everything is dropped, for the work goes on without a reader."""
        if self.failure is not None or self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:
            self.failure = error if isinstance(error, OSError) else OSError(str(error))


def install(environment: Mapping[str, str], arguments: list[str]) -> None:
    """Put both streams of this process behind a `Writer`, and note the names that were given to it."""
    public = in_actions(environment)
    styled = bool(environment.get("FORCE_COLOR")) and not public
    sys.stdout = Writer(sys.stdout, in_actions=public, styled=styled)
    sys.stderr = Writer(sys.stderr, in_actions=public, styled=styled)
    for given in (*arguments, *(environment.get(name, "") for name in NAMES)):
        note_given(given)


def note_given(text: str) -> None:
    """Note the names, and the secrets of addresses, in what was given to this process."""
    for user in _USER.findall(text):
        for part in user.split(":"):
            hidden.secret(part)
    for each in re.split(r"[\s,\"\[\]]+", text):
        if pair := parse(each):
            hidden.unknown("/".join(pair))
    for match in _NAME.finditer(text):  # whatever else may be one
        hidden.unknown(match[1].removesuffix(".git"), "<given name>")


def finish() -> OSError | None:
    """Write what is left; returns why standard output could not be written, if its reader did not just go away."""
    failures: list[OSError | None] = []
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Writer):
            stream.finish()
            failures.append(stream.failure)
    return None if not failures or isinstance(failures[0], BrokenPipeError) else failures[0]


def in_actions(environment: Mapping[str, str]) -> bool:
    """Say whether this process runs in a workflow."""
    return yes(environment.get("GITHUB_ACTIONS", ""))


def yes(value: str) -> bool:
    """Say whether the value of a variable means yes, as settings read it."""
    return value.strip().lower() in _YES


def cleaned(text: str, *, in_actions: bool, styled: bool = False, commands: bool = False) -> str:
    """Return text as it may be read: in a workflow by everybody, elsewhere by who started this process.

    `styled` keeps what a terminal needs for bars and colours, `commands` a command to GitHub Actions at the start.
    """
    text = without_secrets(told(text, in_actions=in_actions), hidden.secrets())
    if in_actions:
        text = without_hosts(text)
        text = harmless(text).replace("\\::", "::", 1) if commands else harmless(text)
    return "\n".join(visible(line, styled=styled) for line in text.split("\n"))


def told(text: str, *, in_actions: bool) -> str:
    """Return text with the names of private repositories replaced, in a workflow."""
    return without_names(text, hidden.names()) if in_actions else text


def command(line: str) -> None:
    """Write a command to GitHub Actions on standard error: the runner reads both, and the other one may be JSON."""
    if isinstance(sys.stderr, Writer):
        sys.stderr.command(line)
    else:
        sys.stderr.write(line + "\n")


def private_file(path: Path) -> io.BufferedWriter:
    """Open a file for writing that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path.open("wb")


def _fitting(text: str, encoding: str) -> str:
    """Return text that the encoding has; where it lacks a character the nearest plain one stands, else a `?`."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _detach(stream: TextIO) -> None:
    """Lead a stream nowhere, so that Python's last flush of it finds no closed pipe."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
