"""No command leaves a connection behind, neither to GitHub nor to the database, whether it succeeds or fails."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest
import requests
from psycopg2 import extensions

from gh_backfill import settings
from gh_backfill.cli import app
from gh_backfill.errors import BackfillError
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.server import Simulator
from gh_backfill.tasks.webhooks import stay_fresh
from tests.test_cli import environment, github

__all__ = ["environment", "github"]


@dataclass
class Counted:
    """What was opened, held here so that only its owner closes it; `closed` are the sessions that were."""

    sessions: list[requests.Session] = field(default_factory=list)
    closed: set[int] = field(default_factory=set)
    connections: list[extensions.connection] = field(default_factory=list)

    def open_ones(self) -> list[object]:
        """Return what is still open."""
        sessions = [each for each in self.sessions if id(each) not in self.closed]
        return [*sessions, *(each for each in self.connections if not each.closed)]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count at the edge: the sessions of requests, which PyGithub makes, too, and the connections of psycopg2."""
    counted = Counted()
    begin, close, connect = requests.Session.__init__, requests.Session.close, psycopg2.connect

    def noted(session: requests.Session) -> None:
        begin(session)
        counted.sessions.append(session)

    def closed(session: requests.Session) -> None:
        close(session)
        counted.closed.add(id(session))

    def connected(dsn: str) -> extensions.connection:
        counted.connections.append(connect(dsn))
        return counted.connections[-1]

    monkeypatch.setattr(requests.Session, "__init__", noted)
    monkeypatch.setattr(requests.Session, "close", closed)
    monkeypatch.setattr(psycopg2, "connect", connected)
    return counted


@pytest.fixture
def here(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Run commands in this process, with nothing of this machine's settings."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("GITHUB_", "GH_", "DATABASE", "SUPABASE", "CI")):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


COMMANDS = (
    ("track", "octo/engine", "octo/small", "--backfill"),
    ("track", "octo/*", "--dry-run"),
    ("plan", "--dry-run"),
    ("plan",),
    ("capture", "octo/small"),
    ("capture", "octo/engine", "--max-chunks", "1"),
    ("capture", "octo/engine", "--dry-run"),
    ("retry", "octo/engine", "--quarantined"),
    ("run", "octo/engine", "--dry-run"),
    ("run", "--dry-run"),
    ("check",),
    ("check", "--prices"),
    ("pause", "octo/engine"),
    ("status",),
    ("why", "octo/engine"),
    ("report",),
    ("costs",),
)


def test_no_command_leaves_anything_open(here: dict[str, str], counted: Counted) -> None:
    for command in COMMANDS:
        app(list(command), standalone_mode=False)
        assert counted.open_ones() == [], command
    assert len(counted.sessions) > len(COMMANDS) / 2
    assert len(counted.connections) > len(COMMANDS)


@pytest.mark.parametrize("command", [("plan",), ("capture", "octo/small"), ("track", "octo/small")])
def test_a_command_that_fails_leaves_nothing_open(
    here: dict[str, str], counted: Counted, github: Simulator, command: tuple[str, ...]
) -> None:
    app(["track", "octo/small", "--backfill"], standalone_mode=False)
    github.faults.add(Fault(name="bad_credentials"))
    try:
        with pytest.raises(BackfillError):
            app(list(command), standalone_mode=False)
    finally:
        github.faults.clear()
    assert counted.open_ones() == []


def test_the_worker_of_the_receiver_leaves_nothing_open(
    here: dict[str, str], counted: Counted, github: Simulator
) -> None:
    app(["track", "octo/small"], standalone_mode=False)
    stopping = threading.Event()
    working = threading.Thread(target=stay_fresh.stay_fresh, args=(settings.load(), here["DATABASE_URL"], stopping))
    before = len(counted.connections)
    working.start()
    while len(counted.connections) == before:
        stopping.wait(0.05)
    stopping.set()
    working.join(60)
    assert counted.open_ones() == []
    assert len(counted.sessions) > 0
