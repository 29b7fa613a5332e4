"""Names of workers that tell where their process is, so that a dead one of this machine is known to be dead at once.

A name tells the machine, the process and when that was started.  Whether a process of another machine, container or
boot lives can't be known here: that is for its lease to decide.  A machine that was cloned while it ran may take a
worker of its twin for dead; then the fence of the chunk's attempt keeps the rows right, as after any lost lease.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from gh_backfill.policy import workers

_PROC = Path("/proc")
_DEAD_STATES = frozenset("ZXx")  # a process that nobody has buried yet works no more


def worker_name() -> str:
    """Return a name that no other worker has; a chunk's claim shows it."""
    name = f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
    machine, started = _machine(), _started(os.getpid())
    return name if machine is None or not started else f"{name}@{machine}.{os.getpid()}.{started}"


def dead(workers: Iterable[str]) -> list[str]:
    """Return those of these workers whose process was on this machine and is gone; the others may be alive."""
    return [worker for worker in workers if _is_dead(worker)]


def shown(worker: str | None) -> str:
    """Say for people who a worker is."""
    return workers.told(worker, machine=_machine())


def _is_dead(worker: str) -> bool:
    found = workers.NAME.fullmatch(worker)
    if found is None or found["machine"] != _machine():
        return False
    pid = int(found["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # somebody else's: it is there
    started = _started(pid)
    return started is not None and started != found["started"]


@cache
def _machine() -> str | None:
    """Return what no other machine, container or boot has; None where this system does not tell.

    A process id means something in its namespace only, and until the next boot.
    """
    try:
        if sys.platform == "darwin":
            parts = [_said("sysctl", "-n", "kern.bootsessionuuid")]
        elif str((_PROC / "self").readlink()) == str(os.getpid()):  # else /proc tells of another namespace than ours
            boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            parts = [boot, str((_PROC / "self/ns/pid").readlink())]
        else:
            return None
    except (OSError, subprocess.SubprocessError):
        return None
    text = "\n".join([socket.gethostname(), *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:12] if all(parts) else None


def _started(pid: int) -> str | None:
    """Return when a process was started, "" of one that is dead but not buried; None where that can't be seen."""
    try:
        if sys.platform == "darwin":
            state, _, started = _said("ps", "-o", "stat=,lstart=", "-p", str(pid)).partition(" ")
            return "" if state.startswith("Z") else re.sub(r"\W+", "_", started.strip()) or None
        # The name of the program stands in brackets and may hold anything: the fields begin after the last bracket.
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in _DEAD_STATES else fields[19]
    except (OSError, IndexError, subprocess.SubprocessError):
        return None


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603  (constants)
    return done.stdout.strip()
