"""How far work has come, while it goes on: bars on a terminal, from time to time a plain line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from gh_backfill.policy.progress import of_wanted
from gh_backfill.tasks.capture import Progress as CaptureProgress
from gh_backfill.tasks.local import Scene

LINE_EVERY = 10.0
_errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def capture_progress() -> Iterator[Callable[[CaptureProgress], None]]:
    """Yield a listener that shows how far one capture is: a bar on a terminal, a line a chunk elsewhere."""
    if not _errors.is_terminal:
        yield lambda progress: print(progress_line(progress), file=sys.stderr, flush=True)
        return
    with _bars() as bars:
        task = bars.add_task("", total=None)

        def show(progress: CaptureProgress) -> None:
            text = progress.repository.full_name
            if progress.left:
                text += f": {progress.left} left"
            if progress.waiting_until:
                text += f" (waits until {_time(progress.waiting_until)})"
            done = min(progress.captured, progress.wanted)
            bars.update(task, description=escape(text), completed=done, total=progress.wanted)

        yield show


def progress_line(progress: CaptureProgress) -> str:
    """Return how far a capture is, as one line."""
    here = of_wanted(progress.captured, progress.total, progress.goal)
    line = (
        f"{progress.repository.full_name}: {here} pull requests, "
        f"{progress.chunks} chunks, {progress.spent.points} points"
    )
    if progress.left:
        line += f"; {progress.left} left"
    return f"{line}; waits until {_time(progress.waiting_until)}" if progress.waiting_until else line


@contextmanager
def scene() -> Iterator[Callable[[Scene], None]]:
    """Yield a listener that shows a bar for each repository, or from time to time a line elsewhere."""
    if _errors.is_terminal:
        with _bars() as bars:
            yield _BarScene(bars)
    else:
        yield _LineScene()


class _BarScene:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, scene: Scene) -> None:
        for state in scene.states:
            if state.id not in self._tasks:
                self._tasks[state.id] = self._bars.add_task(escape(state.full_name), total=state.wanted)
            wanted = max(state.wanted or 0, 1)
            self._bars.update(self._tasks[state.id], completed=min(state.captured, wanted), total=wanted)


class _LineScene:
    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, scene: Scene) -> None:
        now = time.monotonic()
        if scene.running and now - self._last < LINE_EVERY:
            return
        self._last = now
        done = sum(state.captured for state in scene.states)
        total = sum(state.wanted or 0 for state in scene.states)
        print(f"{done} of {total} pull requests, {len(scene.running)} captures running", file=sys.stderr, flush=True)


def _bars() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=_errors,
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
