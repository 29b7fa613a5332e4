"""`gh-backfill serve` as a process of its own, as it is started by hand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(kw_only=True)
class Served:
    """The process, and what it printed and logged."""

    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    ready: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Return the address that it printed."""
        found = re.search(r"http://\S+", "".join(self.printed))
        assert found is not None, self.log
        return found[0]

    @property
    def url(self) -> str:
        return self.address.split("/login")[0].removesuffix("/monitor")

    @property
    def log(self) -> str:
        return "".join(self.logged)

    def read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as printed:
            for line in printed:
                self.printed.append(line)
                if "http://" in line:
                    self.ready.set()
        self.ready.set()

    def listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            self.logged.extend(log)


@contextmanager
def served(folder: Path, *options: str, **environment: str) -> Iterator[Served]:
    """Run `gh-backfill serve` beside the block, with nothing of this machine's settings."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "serve", "--port", "0", *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = Served(process=process)
    readers = [threading.Thread(target=each, daemon=True) for each in (running.read, running.listen)]
    for each in readers:
        each.start()
    try:
        assert running.ready.wait(60)
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        for each in readers:
            each.join()
