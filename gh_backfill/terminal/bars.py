"""Progress while work goes on: bars on a terminal, from time to time a plain line elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from gh_backfill.engine.outcome import Progress as CaptureProgress
from gh_backfill.policy.estimate import duration
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import of_wanted
from gh_backfill.policy.redaction import visible
from gh_backfill.tasks.scene import Lane, Scene

if TYPE_CHECKING:  # only a run of embeddings loads it
    from gh_backfill.tasks.embedding.run import EmbeddingProgress

LINE_EVERY = 10.0
REFRESHES = 4
# What stands beside a name and its bar: how many of how many, points, time left.
FIGURES = 42
LEAST_NAME, LEAST_BAR, LONGEST_BAR = 12, 4, 40
_errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


@contextmanager
def capture_progress() -> Iterator[Callable[[CaptureProgress], None]]:
    """Yield a listener that shows how far one capture is: a bar on a terminal, a line a chunk elsewhere."""
    if not _draws():
        yield lambda progress: print(progress_line(progress), file=sys.stderr, flush=True)
        return
    bars = _Bars(_errors.width)
    with bars.drawn():

        def show(progress: CaptureProgress) -> None:
            name, left = progress.repository.full_name, progress.left
            waits = progress.waiting_until
            note = "waiting" if waits else f"{duration(left.seconds)} left" if left else ""
            wanted = progress.wanted
            done = progress.captured if wanted is None else min(progress.captured, wanted)
            bars.set(name, name, done, wanted, counted(progress.spent.points, "point"), note)
            bars.draw(f"waits until {_time(waits)}" if waits else "")

        yield show


def progress_line(progress: CaptureProgress) -> str:
    """Return how far a capture is, as one line."""
    here = of_wanted(progress.captured, progress.total, progress.goal, open_ended=progress.open_ended)
    line = (
        f"{progress.repository.full_name}: {here} {progress.words}, "
        f"{counted(progress.chunks, 'chunk')}, {counted(progress.spent.points, 'point')}"
    )
    if progress.left:
        line += f"; {progress.left} left"
    return f"{line}; waits until {_time(progress.waiting_until)}" if progress.waiting_until else line


@contextmanager
def embedding_progress() -> Iterator[Callable[[EmbeddingProgress], None]]:
    """Yield a listener that shows how far a run of embeddings is: a bar, or from time to time a line elsewhere."""
    if not _draws():
        yield _LineEmbedding()
        return
    bars = _Bars(_errors.width)
    with bars.drawn():

        def show(progress: EmbeddingProgress) -> None:
            bars.set("embed", "embeddings", progress.done, progress.total, counted(progress.tokens, "token"), "")
            bars.draw("")

        yield show


class _LineEmbedding:
    def __init__(self) -> None:
        self._last = -LINE_EVERY

    def __call__(self, progress: EmbeddingProgress) -> None:
        now = time.monotonic()
        if progress.done < progress.total and now - self._last < LINE_EVERY:
            return
        self._last = now
        line = f"{progress.done:,} of {counted(progress.total, 'item')} embedded, {counted(progress.tokens, 'token')}"
        print(line, file=sys.stderr, flush=True)


@contextmanager
def export_progress() -> Iterator[Callable[[str, int], None]]:
    """Yield a listener that shows how many rows of a table are written: on a terminal, and nothing elsewhere."""
    if not _draws():
        yield lambda table, rows: None
        return
    with _errors.status("reading ...") as status:
        yield lambda table, rows: status.update(f"{table}: {counted(rows, 'row')}")


@contextmanager
def scene() -> Iterator[Callable[[Scene], None]]:
    """Yield a listener that shows a bar for each repository, or from time to time a line elsewhere."""
    if not _draws():
        yield _LineScene()
        return
    bars = _Bars(_errors.width)
    with bars.drawn():

        def show(scene: Scene) -> None:
            for lane in scene.lanes:
                state = lane.state
                points = counted(lane.points, "point")
                wanted = None if state.open_ended else state.wanted or 0
                done = state.captured if wanted is None else min(state.captured, wanted)
                bars.set(state.id, state.full_name, done, wanted, points, _note(lane))
            bars.draw(scene.waits or "")

        yield show


def _note(lane: Lane) -> str:
    """Say in two or three words what a repository is about."""
    if lane.waits is not None:
        return lane.waits
    if lane.running and lane.left is not None:
        return f"{duration(lane.left.seconds)} left"
    return ""


class _LineScene:
    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, scene: Scene) -> None:
        now = time.monotonic()
        if scene.running and now - self._last < LINE_EVERY:
            return
        self._last = now
        done = sum(lane.state.captured for lane in scene.lanes)
        total = sum(lane.state.wanted or 0 for lane in scene.lanes)
        points = sum(lane.points for lane in scene.lanes)
        running = f"{counted(scene.running, 'capture')} running"
        line = f"{done:,} of {total:,} pull requests, {counted(points, 'point')}, {running}"
        print(f"{line}; {scene.waits}" if scene.waits else line, file=sys.stderr, flush=True)


class _Bars:
    """Bars, one for each repository, and below them a line on what all of them wait for."""

    def __init__(self, width: int) -> None:
        self._below = ""
        self._live: Live | None = None
        room = max(LEAST_NAME + LEAST_BAR, width - FIGURES)
        bar = min(LONGEST_BAR, max(LEAST_BAR, room // 3))
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=_column(room - bar)),
            BarColumn(bar_width=bar),
            MofNCompleteColumn(table_column=Column(no_wrap=True, justify="right")),
            TextColumn("{task.fields[points]}", table_column=Column(no_wrap=True, justify="right")),
            TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True)),
        )
        self._tasks: dict[str, TaskID] = {}

    def set(self, key: str, name: str, done: int, total: int | None, points: str, note: str) -> None:
        """Show how far a repository is, without `total` nobody knows of how many; `note` has two or three words."""
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(escape(visible(name)), points="", note="")
        self._progress.update(
            self._tasks[key],
            description=escape(visible(name)),
            completed=done,
            total=None if total is None else max(total, 1),
            points=points,
            note=escape(note),
        )

    def draw(self, below: str) -> None:
        """Draw them as they are now, with a line below."""
        self._below = below
        if self._live is not None:
            self._live.refresh()

    def _render(self) -> RenderableType:
        bars = self._progress.get_renderable()
        return Group(bars, Text(self._below, style="yellow")) if self._below else bars

    @contextmanager
    def drawn(self) -> Iterator[None]:
        """Draw them while the block runs; what is logged or printed meanwhile appears above."""
        live = Live(
            console=_errors,
            get_renderable=self._render,
            refresh_per_second=REFRESHES,
            redirect_stdout=sys.stdout.isatty(),
            vertical_overflow="visible",
        )
        live.start()
        self._live = live
        try:
            yield
        finally:
            with suppress(OSError):  # the terminal may be closed by now
                live.stop()


def _draws() -> bool:
    """Say whether there is a person at a terminal that can draw; a log of CI is none, whatever it says of itself."""
    in_ci = os.environ.get("CI", "").strip().lower() not in {"", "0", "false", "no"}
    return _errors.is_terminal and not _errors.is_dumb_terminal and not in_ci


def _column(width: int) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", max_width=width)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
