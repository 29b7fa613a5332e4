"""Whoever is told to stop gives back first what it holds, however often it is told."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gh_backfill.tasks import children
from gh_backfill.tasks.children import Child

SHIELDED = """
import sys
from gh_backfill.engine import interrupts
interrupts.listen()
try:
    with interrupts.shielded():
        print("giving back", flush=True)
        sys.stdin.readline()
        print("given back", flush=True)
    print("went on", flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""
STOPPING = """
import sys, time
from gh_backfill.engine import interrupts
interrupts.listen()
try:
    print("ready", flush=True)
    sys.stdin.readline()
except KeyboardInterrupt:
    print("stopping", flush=True)
    while not interrupts.hurried():
        time.sleep(0.01)
    print("hurried", flush=True)
"""
STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); input()"


@contextmanager
def script(text: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_does_not_cut_short_what_gives_back_and_counts_at_its_end(word: signal.Signals) -> None:
    with script(SHIELDED) as process:
        assert line(process) == "giving back"
        for each in (word, signal.SIGTERM, word):
            process.send_signal(each)
        assert process.communicate("\n", timeout=60)[0].splitlines() == ["given back", "stopped"]


def test_signals_that_come_together_are_one_stop_and_a_later_ctrl_c_hurries() -> None:
    with script(STOPPING) as process:
        assert line(process) == "ready"
        for each in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
            process.send_signal(each)
        assert line(process) == "stopping"
        for _ in range(100):  # a person who keeps pressing
            process.send_signal(signal.SIGINT)
            try:
                process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        assert line(process) == "hurried"


def test_what_is_ignored_by_whoever_started_us_stays_ignored() -> None:
    text = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + STOPPING
    with script(text) as process:
        assert line(process) == "ready"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert line(process) == "stopping"
        assert process.poll() is None


def test_a_capture_that_does_not_stop_is_waited_for_with_patience_and_then_killed() -> None:
    said: list[str] = []
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        children.stop([Child(repository_id="1", name="octo/engine", process=process)], said.append, patience=0.2)
        assert process.returncode == -signal.SIGKILL
    assert said == ["stopping: the capture gives back its page (Ctrl-C again: at once)"]
