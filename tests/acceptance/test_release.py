"""A release: its version is written everywhere, and the unchanged workflow builds, tries and publishes a tag."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gh_backfill import __version__
from tests.acceptance.act import PROGRAMS, commit, copy_checkout, run_workflow

GH = '#!/bin/sh\nprintf "%s\\n" "$*" > "$HOME/gh.called"\ncp notes.md "$HOME/gh.notes"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Give a copy of this checkout whose changelog has something to release."""
    copied = copy_checkout(tmp_path / "checkout")
    news_came(copied)
    return copied


def news_came(checkout: Path) -> None:
    changelog = checkout / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace("## Unreleased\n", "## Unreleased\n\n- A line of the test.\n", 1)
    )


def release(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/release.py", *words]
    return subprocess.run(command, cwd=checkout, check=False, capture_output=True, text=True, timeout=120)


def tagged(checkout: Path, version: str) -> None:
    assert release(checkout, version).returncode == 0
    commit(checkout)
    subprocess.run(["git", "tag", f"v{version}"], cwd=checkout, check=True, timeout=60)


def test_a_version_is_written_wherever_one_stands(checkout: Path) -> None:
    done = release(checkout, "9.8.7")
    assert done.returncode == 0, done.stderr
    assert "git tag v9.8.7" in done.stdout
    assert release(checkout, "--check", "v9.8.7").stdout == "this is 9.8.7\n"
    assert release(checkout, "--notes", "v9.8.7").stdout.startswith("- A line of the test.")
    texts = [path for path in checkout.rglob("*") if path.suffix in {".md", ".yml"} and ".git" not in path.parts]
    named = {found for path in texts for found in re.findall(r"/gh_backfill/\.github\S+@v(\S+)", path.read_text())}
    assert named == {"9.8.7"}
    assert release(checkout, "9.8.8").returncode == 2, "nothing came since"
    news_came(checkout)
    assert "CHANGELOG.md has 9.8.7 already" in release(checkout, "9.8.7").stderr
    readme = checkout / "README.md"
    readme.write_text(readme.read_text().replace("@v9.8.7", "@v9.8.6"))
    assert "another version is named in README.md" in release(checkout, "--check", "v9.8.7").stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("next",), "next is no version"),
        (("9.08.7",), "9.08.7 is no version"),
        (("\u0969.8.7",), "\u0969.8.7 is no version"),
        (("0.0.9",), f"0.0.9 comes before {__version__}"),
        ((f"{__version__}rc1",), f"{__version__}rc1 comes before {__version__}"),
        (("--check", "v9.8.7"), f"the tag says 9.8.7 and the package {__version__}"),
        (("--notes", "v9.8.7"), "CHANGELOG.md says nothing of 9.8.7"),
    ],
)
def test_what_is_no_release_is_told_in_one_line(checkout: Path, words: tuple[str, ...], told: str) -> None:
    done = release(checkout, *words)
    assert done.returncode == 2
    assert "error: " in done.stderr.splitlines()[-1]
    assert told in done.stderr


def test_what_is_not_committed_goes_into_no_release(checkout: Path) -> None:
    readme = checkout / "README.md"
    readme.write_text(f"{readme.read_text()}\nA thought.\n")
    done = release(checkout, "9.8.7")
    assert (done.returncode, done.stdout) == (2, "")
    assert "not committed: README.md" in done.stderr
    assert f'"{__version__}"' in (checkout / "gh_backfill" / "__init__.py").read_text()


def test_a_file_that_lacks_is_told_before_anything_is_written(checkout: Path) -> None:
    shutil.rmtree(checkout / ".git")
    (checkout / "README.md").unlink()
    before = (checkout / "CHANGELOG.md").read_text()
    done = release(checkout, "9.8.7")
    assert done.returncode == 2
    assert "README.md" in done.stderr
    assert (checkout / "CHANGELOG.md").read_text() == before


def test_a_tag_is_built_tried_attested_and_published(checkout: Path, tmp_path: Path) -> None:
    tagged(checkout, "9.8.7")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    path = f"{programs}:{PROGRAMS}:/usr/local/bin:/usr/bin:/bin"
    done = run_workflow(
        checkout, "release.yml", event="push", env={"PATH": path}, variables={"GH_BACKFILL_PYPI": "true"}
    )
    assert done.exit_code == 0, done.text
    assert done.jobs == {"build": "success", "publish": "success", "pypi": "success"}
    home = checkout.with_name("checkout-act")
    files = {"gh_backfill-9.8.7-py3-none-any.whl", "gh_backfill-9.8.7.tar.gz"}
    assert {Path(line).name for line in (home / "attested").read_text().split()} == files
    assert set((home / "published-on-pypi").read_text().split()) == files
    assert (home / "gh.called").read_text().startswith("release create v9.8.7 ")
    assert (home / "gh.notes").read_text().startswith("- A line of the test.")
    assert "\n9.8.7\n" in done.logs["build"], "the wheel was tried"


def test_a_tag_that_the_package_does_not_know_of_publishes_nothing(checkout: Path) -> None:
    subprocess.run(["git", "tag", "v9.8.7"], cwd=checkout, check=True, timeout=60)
    done = run_workflow(checkout, "release.yml", event="push")
    assert done.jobs == {"build": "failure"}, done.text
    assert f"the tag says 9.8.7 and the package {__version__}" in done.log


def test_by_hand_it_builds_and_publishes_nothing(checkout: Path) -> None:
    done = run_workflow(checkout, "release.yml")
    assert (done.exit_code, done.jobs) == (0, {"build": "success"}), done.text
