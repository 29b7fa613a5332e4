"""What a user gets who installs the wheel instead of cloning the repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from gh_backfill.clients.embedders import local
from gh_backfill.tasks.exports import parquet_files

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build the wheel and return the names of its files."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_the_migrations(wheel: set[str]) -> None:
    migrations = {f"gh_backfill/_migrations/{file.name}" for file in (ROOT / "supabase" / "migrations").glob("*.sql")}
    assert migrations
    assert migrations <= wheel


def test_the_wheel_carries_every_file_of_the_package(wheel: set[str]) -> None:
    suffixes = {".py", ".sql", ".graphql", ".html", ".css", ".js", ".svg", ".yml"}
    files = {str(file.relative_to(ROOT)) for file in (ROOT / "gh_backfill").rglob("*") if file.suffix in suffixes}
    assert {Path(file).suffix for file in files} == suffixes
    assert files <= wheel


def test_the_wheel_has_the_command_and_no_tests(wheel: set[str]) -> None:
    assert any(name.endswith("entry_points.txt") for name in wheel)
    assert not any(name.startswith(("tests/", "scripts/")) for name in wheel)


@pytest.mark.parametrize(
    "file", ["requirements.txt", "requirements-dev.txt", "requirements-build.txt", "requirements-models.txt"]
)
def test_every_requirement_is_pinned_with_hashes_and_no_index_is_named(file: str) -> None:
    text = (ROOT / file).read_text()
    pins = [entry for entry in text.replace("\\\n", "").splitlines() if entry and not entry.lstrip().startswith("#")]
    assert pins
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []
    assert "://" not in text


def test_who_lacks_the_packages_of_an_extra_is_told_their_names() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, told in (("export", parquet_files.PACKAGE), ("local", local.PACKAGES)):
        assert f"{sys.executable} -m pip install " in told
        assert all(each.partition(">")[0] in told for each in extras[extra])
