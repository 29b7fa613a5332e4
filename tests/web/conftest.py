"""GitHub's published examples of webhooks, kept in pytest's cache."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = "@octokit/webhooks-examples@7.6.1"


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> dict[str, list[dict[str, Any]]]:
    """Give all examples by the name of their event; a test is skipped where they can't be had."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("webhooks-examples")
    file = folder / "package" / "api.github.com" / "index.json"
    if not file.exists():
        _fetch(folder)
    return {each["name"]: each["examples"] for each in json.loads(file.read_text(encoding="utf-8"))}


def _fetch(folder: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not here to fetch the published examples")
    done = subprocess.run(["npm", "pack", EXAMPLES], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the published examples can't be fetched: {done.stderr[-300:]}")
    (packed,) = folder.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
