"""The wheel in an environment of its own: all that a command needs is in it, wherever it is called from."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.test_cli import environment

__all__ = ["environment"]

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(each) for each in command], check=False, cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and of what it needs what is here; returns the folder of programs."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "wheel", cwd=ROOT)
    (wheel,) = (folder / "wheel").glob("*.whl")
    venv.create(folder / "venv")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder / "venv"]
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    needed = folder / "needed"
    needed.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(("gh_backfill", "_gh_backfill", "__editable__")) and each.suffix != ".pth":
            (needed / each.name).symlink_to(each)
    (packages / "needed.pth").write_text(f"{needed}\n")
    return folder / "venv" / "bin"


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/engine:150"])) as simulator:
        yield simulator


def test_track_plan_capture_and_report_work_from_the_wheel_alone(
    programs: Path, environment: dict[str, str], empty_database_url: str, tmp_path: Path
) -> None:
    del environment["PYTHONPATH"]
    here = environment | {"DATABASE_URL": empty_database_url, "GITHUB_OUTPUT": str(tmp_path / "output")}

    def tool(*words: str) -> str:
        return run(programs / "gh-backfill", *words, cwd=tmp_path, env=here).stdout

    where = run(programs / "python", "-c", "import gh_backfill; print(gh_backfill.__file__)", cwd=tmp_path, env=here)
    assert Path(where.stdout.strip()).is_relative_to(programs.parent), "it is the wheel that is tried"
    assert tool("migrate").startswith("applied: ")
    tool("track", "octo/engine")
    tool("plan")
    (matrix,) = (line for line in (tmp_path / "output").read_text().splitlines() if '"include"' in line)
    assert [each["name"] for each in json.loads(matrix[matrix.index("{") :])["include"]] == ["octo/engine"]
    tool("capture", "octo/engine")
    assert "octo/engine" in tool("report")
    with Database(empty_database_url) as db, db.reading() as tx:
        assert tx.row("select count(*) as many from pull_requests") == {"many": 150}


def test_pages_templates_and_the_simulator_are_in_it(
    programs: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    del environment["PYTHONPATH"]
    run(programs / "gh-backfill", "site", tmp_path / "site", "--include-private", cwd=tmp_path, env=environment)
    assert "<html" in (tmp_path / "site" / "index.html").read_text()
