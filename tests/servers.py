"""PostgreSQL servers of other versions, and PgBouncer in front of one, for as long as a block runs.

All listen on a socket or on loopback only, and are ended by their own process number.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg2

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
DEBIANS_15 = Path("/usr/lib/postgresql/15/bin")
PATIENCE = 30.0


@dataclass(kw_only=True)
class Postgres:
    """A server of its own that a test may stop and start again; it keeps its data."""

    programs: Path
    folder: Path
    user: str | None
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Return its URL as superuser."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [
            *("-k", str(self.folder)),
            *("-c", "listen_addresses="),
            *("-c", "fsync=off"),
            *("-c", "logging_collector=off"),
        ]
        program, log = self.programs / "postgres", self.folder / "log"
        self._running.enter_context(_process(self.user, program, "-D", self.folder / "data", *options, log=log))
        _wait(lambda: _answers(self.url), log)

    def stop(self) -> None:
        """Stop it and wait until it is gone; whoever is connected is cut off."""
        self._running.close()


@contextmanager
def postgres(programs: Path) -> Iterator[Postgres]:
    """Run a new server from a folder of programs."""
    with tempfile.TemporaryDirectory(prefix="gh_backfill-server-") as name:
        folder = Path(name)
        user = "nobody" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(folder, user)
        _run(
            user,
            programs / "initdb",
            "-D",
            folder / "data",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
        )
        server = Postgres(programs=programs, folder=folder, user=user)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def pgbouncer(server_url: str, *, pool_size: int) -> Iterator[str]:
    """Run PgBouncer in transaction mode before a server at a socket, and yield the URL of its `postgres` database."""
    assert PGBOUNCER is not None
    (sockets,) = parse_qs(urlsplit(server_url).query)["host"]
    user = Path(sockets, ".s.PGSQL.5432").owner() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="gh_backfill-bouncer-") as name:
        folder, port = Path(name), _free_port()
        if user is not None:
            shutil.chown(folder, user)
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={sockets} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n"
            f"unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = {pool_size}\n"
        )
        (folder / "pgbouncer.ini").chmod(0o644)
        with _process(user, PGBOUNCER, folder / "pgbouncer.ini", log=folder / "log"):
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            _wait(lambda: _answers(url), folder / "log")
            yield url


@contextmanager
def _process(user: str | None, *command: str | Path, log: Path) -> Iterator[None]:
    """Run a process beside the block and end it after: politely, then not."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd="/", **_as(user))
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(user: str | None, *command: str | Path) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **_as(user))


def _as(user: str | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _wait(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text(errors="replace"))
        time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
