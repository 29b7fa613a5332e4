"""A browser for the pages, and GitHub's published examples of webhooks, kept in pytest's cache."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.published import fetched, run

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
EXAMPLES = "@octokit/webhooks-examples@7.6.1"


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> dict[str, list[dict[str, Any]]]:
    """Give all examples by the name of their event; a test is skipped where they can't be had."""

    def fetch(folder: Path) -> None:
        run(["npm", "pack", EXAMPLES], folder)

    file = fetched(pytestconfig, "webhooks-examples", fetch) / "package" / "api.github.com" / "index.json"
    return {each["name"]: each["examples"] for each in json.loads(file.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a browser to the tests of a file; they are skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not here")
    with sync_playwright() as played:
        started = played.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield started
        started.close()
