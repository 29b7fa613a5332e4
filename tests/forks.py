"""Commands as processes of their own, forked from one that has loaded what they load: a start costs milliseconds.

A process forked here has its own environment, folder, streams, signals and exit code, as one that Python starts; and it
reads `__main__`, the command line and the settings anew.  Only what is really started heeds what
Python itself reads of the environment (its path, the encoding).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
# Loaded before; not what looks at the environment or the streams when it is loaded, as consoles do.
LOADED = ("clients", "engine", "models", "policy", "store", "tasks")
AS_WELL = ("gh_backfill.settings", "gh_backfill.output", "typer.main", "typer._adapters", "rich.markup", "rich.live")
TIMEOUT = 120.0


def run(
    arguments: list[str], *, env: Mapping[str, str], cwd: str | Path = ROOT, text: str = "", timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run `python -m gh_backfill` with `text` as its standard input; raises TimeoutExpired, and ends it then."""
    own = {name for name in env if name.startswith(("PYTHON", "LC_", "LANG"))} - {"PYTHONPATH"}
    if own or env.get("PYTHONPATH", str(ROOT)) != str(ROOT):
        return _started(arguments, env, cwd, text, timeout)
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(text.encode())
        given.seek(0)
        code = _nursery().run(arguments, env, cwd, (given, out, err), timeout)
        return subprocess.CompletedProcess(arguments, code, _text(out), _text(err))


def _started(
    arguments: list[str], env: Mapping[str, str], cwd: str | Path, text: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gh_backfill", *arguments]
    return subprocess.run(
        command, env=dict(env), cwd=cwd, input=text, capture_output=True, text=True, timeout=timeout, check=False
    )


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


class _Nursery:
    """The process that has everything loaded; it does one command after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.forks", str(theirs.fileno())]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        with theirs:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])

    def run(
        self,
        arguments: list[str],
        env: Mapping[str, str],
        cwd: str | Path,
        streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
        timeout: float,
    ) -> int:
        """Run a command and return its exit code, or the signal that ended it as a negative number."""
        told = json.dumps({"arguments": arguments, "env": dict(env), "cwd": str(cwd)}).encode()
        with self._lock:
            socket.send_fds(self._socket, [len(told).to_bytes(8)], [each.fileno() for each in streams])
            self._socket.sendall(told)
            child = int.from_bytes(_exactly(self._socket, 8))
            self._socket.settimeout(timeout)
            try:
                return int.from_bytes(_exactly(self._socket, 8), signed=True)
            except TimeoutError:
                os.kill(child, 9)
                self._socket.settimeout(None)
                _exactly(self._socket, 8)
                raise subprocess.TimeoutExpired(arguments, timeout) from None
            finally:
                self._socket.settimeout(None)


@cache
def _nursery() -> _Nursery:
    return _Nursery()


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise EOFError
        found += part
    return found


def _serve(connection: socket.socket) -> None:
    """Fork a process for each command that is asked for, until whoever asks is gone."""
    for name in AS_WELL:
        importlib.import_module(name)
    for layer in LOADED:
        package = importlib.import_module(f"gh_backfill.{layer}")
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(each.name)
    gc.collect()
    gc.freeze()  # else each command looks at everything that is loaded here, and so copies it, before it ends
    while True:
        size, streams, _, _ = socket.recv_fds(connection, 8, 3)
        if not size:
            return
        asked = json.loads(_exactly(connection, int.from_bytes(size)))
        child = os.fork()
        if child == 0:
            connection.close()
            _become(asked["arguments"], asked["env"], asked["cwd"], streams)
            return
        for stream in streams:
            os.close(stream)
        connection.sendall(child.to_bytes(8))
        _, status = os.waitpid(child, 0)
        connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(8, signed=True))


def _become(arguments: list[str], env: Mapping[str, str], cwd: str, streams: list[int]) -> None:
    """Be what `python -m gh_backfill` would be; this does not return but by an exception or the end of the command."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    sys.argv = ["gh_backfill", *arguments]
    sys.stdin, sys.stdout = os.fdopen(0, encoding="utf-8"), os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    sys.path[0] = cwd
    runpy.run_module("gh_backfill", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
