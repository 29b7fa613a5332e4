"""The files for containers, as far as they can be judged without an engine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from gh_backfill import settings

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def copied() -> list[str]:
    """Return what the first stage takes from the checkout, in the Dockerfile's words."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    return [name for line in lines for name in line.split()]


def test_the_compose_file_is_one() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [str(tool), "--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_and_command_in_it_exists(compose: dict[str, Any]) -> None:
    known = settings.names()
    commands = {"migrate", "work", "serve"}
    found = {
        each["command"][0] for name, each in compose["services"].items() if "command" in each and name != "database"
    }
    assert found == commands
    for name, each in compose["services"].items():
        if name != "database":
            assert set(each["environment"]) <= known, name
    assert set(re.findall(r"GH_BACKFILL_\w+", DOCKERFILE)) <= known


def test_what_the_image_is_built_from_is_let_in_and_nothing_else_is() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines, "what is not named stays out, a .env among it"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == set(copied())
    assert all((ROOT / name).exists() for name in copied())


def test_what_the_image_is_built_from_makes_the_whole_wheel(tmp_path: Path) -> None:
    for name in copied():
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / "source" / name)

    def names(folder: Path, out: Path) -> set[str]:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
        with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
            return set(archive.namelist())

    assert names(tmp_path / "source", tmp_path / "image") == names(ROOT, tmp_path / "checkout")


def test_the_pages_are_published_on_this_machine_alone_and_the_database_nowhere(compose: dict[str, Any]) -> None:
    assert compose["services"]["web"]["ports"] == ["127.0.0.1:8484:8484"]
    assert "listen_addresses=" in compose["services"]["database"]["command"]
    assert [name for name, each in compose["services"].items() if "ports" in each] == ["web"]


def test_the_image_has_a_user_without_rights_and_no_package_registry() -> None:
    assert "\nUSER backfill\n" in DOCKERFILE
    assert "://" not in DOCKERFILE
