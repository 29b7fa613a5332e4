"""One worker process from its start to its end, under a fate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.storm.fates import Course, Deed, Fate, Point
from tests.storm.overseer import Overseer
from tests.storm.wire import Cut, Moment, Wire

ROOT = Path(__file__).parents[2]
_TAKE_OVER = 8.0
_ROWS_ARE_QUICKER = 10.0  # than a query to GitHub
_LINGER = 4.0  # less than the five seconds after which a rival gives up


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """How a life ended: what was done to it, where, its exit code, and what it said last."""

    deed: Deed
    point: Point | None
    exit_code: int
    taken_over: bool = False
    last_words: str = ""


@dataclass(kw_only=True)
class Life:
    """A worker on one repository.  `patience` is how long it may say nothing before it is killed; None: for ever."""

    name: str
    repository: str
    fate: Fate
    database_url: str
    environment: Mapping[str, str]
    overseer: Overseer
    log: Path
    arguments: tuple[str, ...] = ()
    patience: float | None = 8.0
    _met: Deed = Deed.NOTHING
    _point: Point | None = None
    _taken_over: bool = False
    _course: Course = field(default_factory=Course)
    _passed: int = 0
    _heard: float = 0.0
    _used: int = -1
    _process: subprocess.Popen[bytes] = field(init=False)
    _wire: Wire = field(init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def run(self, *, most: float = 600.0) -> End:
        """Start the worker, let its fate come, and wait for its end; what it still holds is then free."""
        wire = self._wire = Wire(self.database_url, self._listen)
        command = [sys.executable, "-m", "gh_backfill", "capture", self.repository, *self.arguments]
        environment = {**self.environment, "DATABASE_URL": wire.url(self.name)}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            try:
                self._watch(time.monotonic(), most)
            finally:
                self._process.kill()
                self._process.wait()
                wire.close()
        self.overseer.expire(self.name)  # it is gone, however it went: five minutes pass
        words = self.log.read_text(encoding="utf-8", errors="replace")
        return End(
            deed=self._met,
            point=self._point,
            exit_code=self._process.returncode,
            taken_over=self._taken_over,
            last_words=words[-4_000:],
        )

    def _watch(self, started: float, most: float) -> None:
        self._heard = started
        while self._process.poll() is None:
            now = time.monotonic()
            if self.fate.point is Point.ANY and self._met is Deed.NOTHING and now - started >= self.fate.delay:
                self._strike(Point.ANY)
            elif self.patience is not None and self._rests(now) > self._patience():
                self._kill(Point.WAITING)
            elif now - started > most:
                raise TimeoutError(f"{self.name} on {self.repository} did not end within {most:.0f} s: {self.log}")
            time.sleep(0.02)

    def _rests(self, now: float) -> float:
        """Return for how many seconds it has neither spoken nor used or wanted the processor, nor been frozen by us."""
        stat = Path(f"/proc/{self._process.pid}/stat")
        if stat.exists():
            state, *figures = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            used = int(figures[10]) + int(figures[11])
            if state in "RDT" or used != self._used:
                self._used, self._heard = used, now
        return now - self._heard

    def _patience(self) -> float:
        """One that says that it waits needs no more than a moment; one that is silent may only be slow."""
        assert self.patience is not None
        waits = b"waits until" in self.log.read_bytes()[-300:]
        return min(1.0, self.patience) if waits else self.patience

    def _listen(self, statement: str, moment: Moment) -> None:
        self._heard = time.monotonic()
        point = self.fate.point
        if point not in self._course.points(statement, moment) or self._met is not Deed.NOTHING:
            return
        self._passed += 1
        if self._passed == self.fate.nth:
            if point in (Point.FETCH, Point.AMID):
                soon = self.fate.delay / _ROWS_ARE_QUICKER if point is Point.AMID else self.fate.delay
                threading.Timer(soon, self._strike, (point,)).start()
            else:
                self._strike(point)
                if self._met in (Deed.KILL, Deed.CUT):
                    raise Cut

    def _strike(self, point: Point) -> None:
        with self._lock:
            if self._met is not Deed.NOTHING or self._process.poll() is not None:
                return
            if point in (Point.FETCH, Point.CLAIMED) and not self.overseer.holds(self.name):
                self._passed = 0  # it has claimed nothing: there is nothing to fetch
                return
            match self.fate.deed:
                case Deed.KILL:
                    self._kill(point)
                case Deed.CUT:
                    self._meet(Deed.CUT, point)
                    self._wire.hang_up()
                case Deed.TERMINATE:
                    self._meet(Deed.TERMINATE, point)
                    self._terminate(point)
                case Deed.FREEZE:
                    self._meet(Deed.FREEZE, point)
                    self._freeze(point)
                case Deed.LINGER if self.overseer.wait_for_a_rival(self.name, _LINGER):
                    self._meet(Deed.LINGER, point)

    def _meet(self, deed: Deed, point: Point) -> None:
        self._met, self._point = deed, point

    def _kill(self, point: Point) -> None:
        self._meet(Deed.KILL, point)
        self._process.kill()

    def _terminate(self, point: Point) -> None:
        """In the middle of COMMIT: at the same time as it is sent; anywhere else: before the statement."""
        if point is Point.COMMIT:
            soon = Random(self.name).uniform(0.0, 0.003)  # noqa: S311  (a dice, no secret)
            threading.Timer(soon, self.overseer.terminate, (self.name,)).start()
        else:
            self.overseer.terminate(self.name)

    def _freeze(self, point: Point) -> None:
        """Stop it past its lease; in a transaction also past the time after which the server ends an idle one."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            if point is not Point.FETCH:
                self.overseer.terminate(self.name)
            held = self.overseer.expire(self.name)
            until = time.monotonic() + _TAKE_OVER
            while held and not self._taken_over and time.monotonic() < until:
                time.sleep(0.05)
                self._taken_over = self.overseer.taken_over(held)
        finally:
            self._heard = time.monotonic()
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGCONT)
