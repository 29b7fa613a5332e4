"""Bars as a terminal gets them: what is waited for can be read at 80 columns, and no log line lands inside a bar."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import logging
from dataclasses import fields
from datetime import UTC, datetime
from gh_backfill import logs
from gh_backfill.terminal import bars
from gh_backfill.policy.estimate import Estimate
from gh_backfill.store.repositories import Status
from gh_backfill.tasks.scene import Lane, Scene

def lane(name, waits, left, captured):
    nothing = dict.fromkeys(field.name for field in fields(Status))
    known = {"id": name, "full_name": name, "total": 12000, "captured": captured, "status": "active"}
    state = Status(**nothing | known)
    estimate = Estimate(pull_requests=5, points=7, seconds=left, waiting=0, measured=True) if left else None
    return Lane(state=state, running=True, points=123, left=estimate, waits=waits)

logs.begin()
with bars.scene() as show:
    lanes = [lane("a-very-long-owner-name/and-a-very-long-name-of-a-repository", None, 180, 11000),
             lane("octo/motor", "tries again 12:05:10 UTC", 0, 20)]
    show(Scene(lanes=lanes, running=2, waits="waiting until 12:30:00 UTC: 100 of 1000 points left"))
    for number in range(3):
        logging.warning("a warning %s", number)
        print("a line of print")
        show(Scene(lanes=lanes, running=2, waits="waiting until 12:30:00 UTC: 100 of 1000 points left"))
"""
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(columns: int, **environment: str) -> str:
    """Run the script on a terminal of so many columns, and return all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    command = [sys.executable, "-c", SCRIPT]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=base | environment)
    os.close(theirs)
    out = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # the terminal is closed when the last who had it has ended
            break
        if not some:
            break
        out += some
    os.close(ours)
    assert process.wait(60) == 0, out.decode()
    return out.decode()


@pytest.mark.parametrize("columns", [80, 120])
def test_a_bar_shows_points_time_left_and_what_is_waited_for_within_the_width(columns: int) -> None:
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", CONTROLS.sub("", on_a_terminal(columns)))]
    assert max(map(len, lines)) <= columns
    firsts = [line for line in lines if "11000/12000" in line]
    assert firsts
    assert all("123 points 3 min left" in line for line in firsts)
    assert any("octo/motor" in line and "20/12000" in line and "tries again 12:05:10 UTC" in line for line in lines)
    assert "waiting until 12:30:00 UTC: 100 of 1000 points left" in lines


def test_no_log_line_lands_inside_a_bar() -> None:
    out = on_a_terminal(80)
    for number in range(3):
        before, _, _ = out.partition(f"a warning {number}")
        assert "11000/12000" in CONTROLS.sub("", before)
        assert re.search(r"(\n|\r|\x1b\[2K)[\d ,:-]+ WARNING $", before), before[-80:]


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}])
def test_nothing_is_drawn_for_ci_or_a_terminal_that_can_not_draw(environment: dict[str, str]) -> None:
    out = on_a_terminal(80, **environment)
    assert "\x1b" not in out
    assert "11,020 of 24,000 pull requests, 246 points, 2 captures running; waiting until 12:30:00 UTC" in out
