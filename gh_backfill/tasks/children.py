"""Captures of a run, each in a process of its own that stops on our word alone, or when we are gone.

Each has a session of its own, so that what a terminal tells its group does not reach it, and a pipe of ours as standard
input: when that ends, however we did, it gives back what it holds and ends as well.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from gh_backfill.engine import interrupts
from gh_backfill.settings import Settings

# In seconds.  A child gives its chunk back in a moment, unless its database is away: then nobody wants to wait longer.
PATIENCE = 30.0
LOOK_EVERY = 0.1
MOST_LOGS = 100


class Startable(Protocol):
    """A repository that a capture can be started of, by our id."""

    @property
    def id(self) -> str: ...  # noqa: D102  (said by the class)
    @property
    def full_name(self) -> str: ...  # noqa: D102


@dataclass(kw_only=True, slots=True)
class Child:
    """One capture in a process of its own."""

    repository_id: str
    name: str
    process: subprocess.Popen[bytes]

    @property
    def running(self) -> bool:
        """Say whether it is still at work."""
        return self.process.poll() is None


def new_log(folder: Path, run_key: str) -> Path:
    """Return the file into which all captures of a run write, the user's alone; the oldest of many are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: 1 - MOST_LOGS]:
        old.unlink(missing_ok=True)
    log = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{run_key.replace('/', '-')}.log"
    os.close(os.open(log, os.O_CREAT | os.O_APPEND, 0o600))
    return log


def tethered(*words: str) -> list[str]:
    """Return the command line of a command of ours that stops when its standard input, a pipe of ours, ends."""
    return [sys.executable, "-m", "gh_backfill", "--tethered", *words]


def start(repository: Startable, part: int | None, environment: Mapping[str, str], log: Path) -> Child:
    """Start the capture of a repository, or of one part of it."""
    number = "" if part is None else str(part)
    name = repository.full_name if part is None else f"{repository.full_name} part {part}"
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  (this very program)
            [sys.executable, "-m", "gh_backfill", "capture", "--child", name],
            env={**environment, "GH_BACKFILL_REPOSITORY_ID": repository.id, "GH_BACKFILL_PART": number},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(repository_id=repository.id, name=name, process=process)


def become(name: str) -> None:
    """Be such a child from now on: stop with who started us, and name each line of the log that all captures share."""

    def named(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if not message.startswith(name):
            record.msg, record.args = f"{name}: {message}", None
        return True

    for handler in logging.getLogger().handlers:
        handler.addFilter(named)
    interrupts.stop_with(sys.stdin.fileno())


def environment_of(settings: Settings) -> dict[str, str]:
    """Return what a capture needs to know; each uses an embedded database by itself, so that none stops it under it."""
    token, database = settings.github_token, settings.database_url
    where = (
        {"GH_BACKFILL_HOME": str(settings.data_folder)}
        if database is None
        else {"DATABASE_URL": database.get_secret_value()}
    )
    return {
        **os.environ,
        **where,
        "GITHUB_TOKEN": token.get_secret_value() if token else "",
        "GH_BACKFILL_GITHUB_API_URL": settings.github_api_url,
        "GH_BACKFILL_GITHUB_GRAPHQL_URL": settings.graphql_url,
        "GH_BACKFILL_RUN_KEY": settings.run_key or "",
        "PYTHONPATH": os.pathsep.join(
            path for path in (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")) if path
        ),
    }


def stop(children: Sequence[Child], say: Callable[[str], None], *, patience: float = PATIENCE) -> None:
    """Let those that still run give back what they hold, and wait for it; a person who asks again does not wait.

    One that is killed holds nothing either: whoever comes next on this machine sees that it is gone.
    """
    running = [child for child in children if child.running]
    if running:
        _stop(running, say, patience)
    for child in children:
        if child.process.stdin is not None:
            child.process.stdin.close()


def _stop(running: Sequence[Child], say: Callable[[str], None], patience: float) -> None:
    for child in running:
        child.process.terminate()
    many = (
        f"{len(running)} captures give back what they hold" if len(running) > 1 else "the capture gives back its page"
    )
    with suppress(OSError):  # the terminal may be closed
        say(f"stopping: {many} (Ctrl-C again: at once)")
    deadline = time.monotonic() + patience
    try:
        while any(child.running for child in running) and time.monotonic() < deadline and not interrupts.hurried():
            time.sleep(LOOK_EVERY)
    finally:
        for child in running:
            if child.running:
                child.process.kill()
            child.process.wait()
