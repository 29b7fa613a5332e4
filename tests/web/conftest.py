"""GitHub's published examples of webhooks, kept in pytest's cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.published import fetched, run

EXAMPLES = "@octokit/webhooks-examples@7.6.1"


@pytest.fixture(scope="session")
def examples(pytestconfig: pytest.Config) -> dict[str, list[dict[str, Any]]]:
    """Give all examples by the name of their event; a test is skipped where they can't be had."""

    def fetch(folder: Path) -> None:
        run(["npm", "pack", EXAMPLES], folder)

    file = fetched(pytestconfig, "webhooks-examples", fetch) / "package" / "api.github.com" / "index.json"
    return {each["name"]: each["examples"] for each in json.loads(file.read_text(encoding="utf-8"))}
