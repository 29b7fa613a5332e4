"""The receiver as a process of its own, as it is started by hand."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SECRET = "It's a Secret to Everybody"
# As on most machines: 1,100 connections are more than a process may have open.
AS_USUAL = 'ulimit -n 1024; exec "$0" "$@"'


@dataclass(kw_only=True)
class Running:
    """The command in a process of its own, and what it logged; `awaited` is what `seen` waits for in its log."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    awaited: str = "\0"
    seen: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                self.lines.append(line)
                if " ready at " in line:
                    self.ready.set()
                if self.awaited in line:
                    self.seen.set()
        self.ended.set()

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def url(self) -> str:
        found = re.search(r"ready at (\S+);", self.log)
        assert found is not None, self.log
        return found.group(1)

    @property
    def place(self) -> tuple[str, int]:
        port = re.search(r":(\d+)/", self.url)
        assert port is not None
        return "127.0.0.1", int(port.group(1))

    def megabytes(self) -> float:
        """Return the most memory it ever had; nothing where the system does not tell."""
        file = Path(f"/proc/{self.process.pid}/status")
        if not file.exists():
            return 0.0
        status = file.read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.ended.wait(60)
        return code


@contextmanager
def started(database_url: str, folder: Path, *options: str, awaited: str = "\0", **more: str) -> Iterator[Running]:
    """Run `gh-backfill webhooks` beside the block, with nothing of this machine's settings."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "WEBHOOK_SECRET": SECRET}
    command = ["sh", "-c", AS_USUAL, sys.executable, "-m", "gh_backfill", "webhooks", *options]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "HOME": str(folder), **more},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    running = Running(process=process, awaited=awaited)
    listener = threading.Thread(target=running.listen, daemon=True)
    listener.start()
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        listener.join()
