"""The worker that goes on until it is stopped: each duty is a command in a process of its own, lane beside lane.

A process of its own, so that what goes wrong in one, or is killed, ends that one; the next is begun in its time.  Each
stops when the worker is gone, however that ended.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from gh_backfill.engine import interrupts
from gh_backfill.policy.duties import DUTIES, Duty, DutyLane, again, soonest
from gh_backfill.settings import Settings
from gh_backfill.settings.embedding import EmbeddingProvider
from gh_backfill.tasks import children

# In seconds: so often it is looked whether a person asked a second time to stop.
LOOK_EVERY = 0.1
# Commands that capture several repositories at the same time.
WIDE = ("work", "run")


@dataclass(kw_only=True)
class Forever:
    """A worker that does what is due, each lane by a thread; `say` gets a line at a time, from any of them.

    A line that a command printed the last time as well is not said again: what is quiet stays quiet.
    """

    settings: Settings
    workers: int
    say: Callable[[str], None]
    duties: Sequence[Duty] = DUTIES
    _stopped: threading.Event = field(default_factory=threading.Event)
    _running: dict[DutyLane, subprocess.Popen[str]] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        """Begin every lane."""
        wanted = [duty for duty in self.duties if duty.name != "embed" or self._embeds()]
        for lane in DutyLane:
            own = [duty for duty in wanted if duty.lane is lane]
            if own:
                self._threads.append(threading.Thread(target=self._work, args=(own,), name=f"lane {lane}"))
        for each in self._threads:
            each.start()
        return self

    def run(self) -> None:
        """Go on until a signal to stop; returns then."""
        self.say("working: what is due is brought, as often as the workflows do; Ctrl-C stops it")
        with suppress(KeyboardInterrupt):
            self._stopped.wait()

    def __exit__(self, *_: object) -> None:
        """Let each command give back what it holds, and wait for all of them; who asks again does not wait."""
        with interrupts.shielded():
            self._stopped.set()
            with self._turn:
                running = list(self._running.values())
            for process in running:
                process.terminate()
            self._wait(running)
            for each in self._threads:
                each.join()
        self.say("stopped; what was committed is kept")

    def _wait(self, running: Sequence[subprocess.Popen[str]]) -> None:
        patience = children.PATIENCE
        while patience > 0 and not interrupts.hurried() and any(each.poll() is None for each in running):
            threading.Event().wait(LOOK_EVERY)
            patience -= LOOK_EVERY
        for process in running:
            if process.poll() is None:
                process.kill()

    def _embeds(self) -> bool:
        return self.settings.embedding_choice is not EmbeddingProvider.OFF

    def _work(self, duties: Sequence[Duty]) -> None:
        due: dict[Duty, datetime] = {}
        told: dict[Duty, set[str]] = {}
        while not self._stopped.is_set():
            duty, at = soonest(duties, due, datetime.now(UTC))
            if self._stopped.wait((at - datetime.now(UTC)).total_seconds()):
                return
            began = datetime.now(UTC)
            told[duty], code = self._done(duty, told.get(duty, set()))
            ended = datetime.now(UTC)
            due[duty] = again(duty, code, began=began, ended=ended)
            if code and not self._stopped.is_set():
                self._tell(duty, f"ended with exit code {code}; {begun_again(due[duty], ended)}")

    def _done(self, duty: Duty, before: set[str]) -> tuple[set[str], int]:
        """Run a command to its end; returns the lines it printed, and its exit code."""
        process = self._started(duty)
        if process is None or process.stdout is None:
            return before, 0
        lines = set()
        for line in map(str.rstrip, process.stdout):
            lines.add(line)
            if line and line not in before and not self._stopped.is_set():
                self._tell(duty, line)
        process.stdout.close()
        code = process.wait()
        if process.stdin is not None:
            process.stdin.close()
        with self._turn:
            self._running.pop(duty.lane, None)
        return lines, code

    def _started(self, duty: Duty) -> subprocess.Popen[str] | None:
        """Start a command, unless the worker was stopped meanwhile."""
        words = [*duty.words, *(("--workers", str(self.workers)) if duty.name in WIDE else ())]
        with self._turn:
            if self._stopped.is_set():
                return None
            process = subprocess.Popen(  # noqa: S603  (this very program)
                children.tethered(*words),
                env=children.environment_of(self.settings) | {"GH_BACKFILL_RUN_KEY": "", "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running[duty.lane] = process
        return process

    def _tell(self, duty: Duty, line: str) -> None:
        with self._turn:
            self.say(f"{datetime.now(UTC):%H:%M} {duty.name:<10} {line}")


def begun_again(due: datetime, now: datetime) -> str:
    """Say when a command that failed is begun again, with the day where that is another one."""
    at = max(due, now)
    return f"it is begun again at {at:{'%H:%M' if at.date() == now.date() else '%m-%d %H:%M'}} UTC or later"
