"""The rig: databases on a server of the benchmark's own, and workers, each a process measured from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gh_backfill.store.db import Database
from gh_backfill.store.embedded import embedded
from tests.benchmarks.github import ROOT, GitHub
from tests.conftest import Server

PRODUCT = ("-m", "gh_backfill")


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a process took, by the operating system's account; memory in MB (10^6 bytes)."""

    cpu: float
    wall: float
    memory: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What an instrumented process did: seconds since its start of work, its requests and its statements."""

    usage: Usage
    seconds: float
    request_seconds: list[float]
    statements: list[dict[str, Any]]


@dataclass(kw_only=True)
class Rig:
    """Everything that benchmarks share: where databases are made, and a folder for what workers write."""

    server: Server
    folder: Path
    _templates: dict[Path, str] = field(default_factory=dict)

    def database(self, template: str | None = None) -> str:
        """Return the URL of a fresh database with our tables, or with those of a template, empty."""
        return self.server.url_of(self.server.make(template or self.server.migrated()))

    def template(self, checkout: Path) -> str:
        """Return the name of an empty database as the migrations of a checkout make it."""
        if checkout not in self._templates:
            name = self._templates[checkout] = self.server.make()
            self.run(["migrate"], self.server.url_of(name), GitHub(url="http://127.0.0.1:9"), checkout=checkout)
        return self._templates[checkout]

    def drop(self, database: str) -> None:
        """Drop a database again."""
        self.server.drop(database.rpartition("/")[2].partition("?")[0])

    def run(
        self,
        arguments: Sequence[str],
        database: str,
        github: GitHub,
        python: Sequence[str] = PRODUCT,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        checkout: Path = ROOT,
    ) -> Usage:
        """Run a command of the product in a process of its own; RuntimeError with its last words where it fails."""
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
            "PYTHONPATH": str(checkout),
            "DATABASE_URL": database,
            "GITHUB_TOKEN": "bench",
            "GH_BACKFILL_GITHUB_API_URL": github.url,
            "GH_BACKFILL_GITHUB_GRAPHQL_URL": github.graphql_url,
            **settings,
        }
        command = [sys.executable, "-W", "ignore", *python, *arguments]
        log = self.folder / "worker.log"
        code, usage = measured(command, environment=environment, folder=self.folder, log=log)
        if code:
            raise RuntimeError(f"{' '.join(arguments)} ended with {code}: {log.read_text()[-2000:]}")
        return usage

    def record(self, arguments: Sequence[str], database: str, github: GitHub, *flags: str) -> Recorded:
        """Run a command with stop-watches; the flags are those of `tests.benchmarks.worker`."""
        target = self.folder / "record.json"
        python = ["-m", "tests.benchmarks.worker", str(target), *flags]
        usage = self.run(arguments, database, github, python)
        told = json.loads(target.read_text(encoding="utf-8"))
        return Recorded(usage=usage, **told)

    def track(self, names: Sequence[str], database: str, github: GitHub, *goal: str) -> None:
        """Track repositories and open their backfills, to the whole history if no goal is named; forgets the cost."""
        self.run(["track", *names, *(goal or ("--max-prs", "all"))], database, github)
        github.forget()


@contextmanager
def rig() -> Iterator[Rig]:
    """Start a database server, durable as in life, and stop it when the block ends."""
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-bench-") as folder,
        embedded(Path(folder) / "postgres") as url,
    ):
        yield Rig(server=Server(url=url), folder=Path(folder))


def measured(
    command: Sequence[str],
    *,
    environment: dict[str, str],
    folder: Path,
    log: Path,
    output: Path | None = None,
    limit: float | None = None,
) -> tuple[int, Usage]:
    """Run a command to its end and return its exit code and what it took, children it waited for included.

    What it says goes into `log`, its standard output into `output` where that is given; after `limit` seconds it is
    killed.
    """
    told = {
        "command": list(command),
        "environment": environment,
        "folder": str(folder),
        "log": str(log),
        "output": None if output is None else str(output),
        "limit": limit,
    }
    launch = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py")), json.dumps(told)]
    answer = json.loads(subprocess.run(launch, stdout=subprocess.PIPE, check=True).stdout)
    return answer["code"], Usage(cpu=answer["cpu"], wall=answer["wall"], memory=answer["memory"])


def stored_issues(database: str) -> int:
    """Return how many issues and comments on issues a database holds."""
    statement = """
        select (select count(*) from issues) + (select count(*) from comments where issue_id is not null) as many"""
    with Database(database) as db, db.transaction(read_only=True) as tx:
        (row,) = tx.rows(statement)
    return int(row["many"])


def stored(database: str) -> dict[str, int]:
    """Return how many rows of pull requests and of what belongs to them a database holds, of each kind."""
    statement = """
        select (select count(*) from pull_requests) as pull_requests, (select count(*) from reviews) as reviews,
               (select count(*) from comments where comment_type = 'review_comment') as review_comments,
               (select count(*) from comments where comment_type = 'issue_comment' and issue_id is null) as comments"""
    with Database(database) as db, db.transaction(read_only=True) as tx:
        (row,) = tx.rows(statement)
    return {name: int(count) for name, count in row.items()}
