"""The smoke test against the simulator: all of it holds there, and what does not hold is told by its line alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.pricing import Charges
from gh_backfill.simulator.server import Simulator, running
from scripts import smoke_github
from scripts.smoke_checks import CHECKS
from scripts.smoke_reasons import REASONS
from tests.test_assumptions import LINES

ROOT = Path(__file__).parents[1]
WORLD = ["octo/engine:150", "octo/small:12"]


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=WORLD)) as simulator:
        yield simulator


def smoke(url: str, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "GITHUB_API_URL": url}
    given = ("--repository", "octo/engine", "--renamed", "octo/before", "--discussions", "octo/engine")
    return subprocess.run(
        [str(ROOT / "scripts" / "smoke"), *given, *words],
        env=environment | {"GITHUB_TOKEN": "ghp_secret"} | changes,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )


def verdicts(told: dict[str, Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in told["seen"]:
        for id_ in each["ids"]:
            found.setdefault(id_, set()).add(each["verdict"])
    return found


def test_every_assumption_is_tried_or_has_its_reason_and_no_other_is() -> None:
    ids = [line[0] for line in LINES]
    tried = [id_ for ids in CHECKS for id_ in ids]
    assert len(set(ids)) == len(ids)
    assert sorted([*tried, *REASONS]) == sorted(ids)


def test_all_that_can_be_tried_holds_and_nothing_is_left_behind(github: Simulator) -> None:
    # A folder of its own: another test may run these checks at the same time. A short one: a socket lies in it.
    with tempfile.TemporaryDirectory() as folder:
        done = smoke(github.url, TMPDIR=folder)
        left = list(Path(folder).iterdir())
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows[0] == "| id | what was tried | expected | seen | verdict |"
    assert "does not hold" not in done.stdout
    assert re.search(r"^\d+ tried, 0 do not hold; \d+ can't be tried by reading:$", done.stdout, re.MULTILINE)
    assert any(row.startswith("| capture |") and "30 pull requests" in row for row in rows)
    assert "ghp_secret" not in done.stdout + done.stderr
    assert left == []


def test_a_price_that_is_another_one_is_told_by_its_line_alone() -> None:
    with running(load(recipes=WORLD), Options(charges=Charges(aliases=True))) as simulator:
        done = smoke(simulator.url, "--json")
    assert done.returncode == 3
    found = verdicts(json.loads(done.stdout))
    # Two roots take two aliases; those of P9 are not at the root, which this GitHub charges.
    assert {id_ for id_, each in found.items() if "does not hold" in each} == {"P3", "P4", "P14"}


def test_a_small_budget_ends_the_checks_and_not_with_a_failure(github: Simulator) -> None:
    done = smoke(github.url, "--budget", "5", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["points"] <= 7
    assert "not tried" in verdicts(told)["O2"]


def test_without_a_token_or_github_it_is_one_line() -> None:
    none = smoke("http://127.0.0.1:1", GITHUB_TOKEN="")
    assert (none.returncode, none.stderr.splitlines()[-1][:26]) == (2, "error: GITHUB_TOKEN is not")
    away = smoke("http://127.0.0.1:1")
    assert away.returncode == 4
    assert "is not reached" in away.stderr


def test_it_can_only_read() -> None:
    github = smoke_github.Github(api_url="http://127.0.0.1:1", graphql_url="http://127.0.0.1:1", token="", budget=1)
    with pytest.raises(ValueError, match="reads only"):
        github.graphql("mutation { addStar(input: {starrableId: 1}) { clientMutationId } }")
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "scripts").glob("smoke*.py"))
    assert set(re.findall(r'_sent\("(\w+)"', text)) == {"GET", "POST"}
    assert text.count('"POST"') == 1, "queries alone are sent so"
