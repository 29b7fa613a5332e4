"""The names of workers, in parts and for people: which process they are, and of which machine."""

from __future__ import annotations

import re

# What engine/processes.py makes: the host, something random, the machine, the process, and when that was started.
NAME = re.compile(r"(?P<host>.+)-[0-9a-f]{8}@(?P<machine>[0-9a-f]{12})\.(?P<pid>\d+)\.(?P<started>\w+)")


def told(worker: str | None, *, machine: str | None = None) -> str:
    """Say for people who a worker is; `machine` is the one that is called this machine."""
    found = NAME.fullmatch(worker or "")
    if found is None:
        return worker or "another worker"
    here = found["machine"] == machine
    return f"process {found['pid']} {'of this machine' if here else 'on ' + found['host']}"
