"""Run one command and print what it took as JSON; a program of its own, for memory wants a small parent.

A child counts its parent's memory as its own peak until it has become another program, so a large parent spoils it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time


def main() -> None:
    """Take a JSON object {command, environment, folder, log, limit} as the only argument."""
    told = json.loads(sys.argv[1])
    started = time.perf_counter()
    with open(told["log"], "w", encoding="utf-8") as log, open(told["output"] or os.devnull, "wb") as output:  # noqa: PTH123 (starts in no time without pathlib)
        child = subprocess.Popen(
            told["command"],
            env=told["environment"],
            cwd=told["folder"],
            stdin=subprocess.DEVNULL,
            stdout=output if told["output"] else log,
            stderr=log,
        )
    status, used = _wait(child, None if told["limit"] is None else started + told["limit"])
    kilobytes = used.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    print(
        json.dumps(
            {
                "code": os.waitstatus_to_exitcode(status),
                "cpu": used.ru_utime + used.ru_stime,
                "wall": time.perf_counter() - started,
                "memory": kilobytes * 1024 / 1e6,
            }
        )
    )


def _wait(child: subprocess.Popen[bytes], deadline: float | None) -> tuple[int, resource.struct_rusage]:
    while True:
        pid, status, used = os.wait4(child.pid, 0 if deadline is None else os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return status, used
        if deadline is not None and time.perf_counter() > deadline:
            child.kill()
            deadline = None
        time.sleep(0.02)


if __name__ == "__main__":
    main()
