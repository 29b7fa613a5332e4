"""The smoke test against the simulator: all of it holds there, and what does not hold is told by its line alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
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


@pytest.mark.parametrize("many", [1, 14])
def test_what_the_budget_does_not_reach_is_not_spent_and_told_as_not_tried(github: Simulator, many: int) -> None:
    done = smoke(github.url, "--budget", str(many), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["points"] <= many + 1
    assert github.stats.as_json()["points"] <= many + 1
    assert verdicts(told)["capture"] == {"not tried"}
    assert "sync" not in verdicts(told)


@pytest.mark.parametrize("words", [("--budget", "0"), ("--budget", "-5"), ("--budget", "many")])
def test_a_budget_that_is_none_is_refused(words: tuple[str, ...]) -> None:
    done = smoke("http://127.0.0.1:1", *words)
    assert done.returncode == 2
    assert "say how many points, 1 to 5000" in done.stderr


@pytest.mark.parametrize("option", ["--repository", "--large"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("octo/nowhere", "octo/nowhere is not there"),
        ("octo small", "octo small is no repository"),
        ("https://github.com/octo/engine", "is no repository"),
        ("octo/small", "octo/small is not there"),
    ],
)
def test_a_repository_that_cannot_be_shown_is_one_line_and_no_assumption(
    github: Simulator, option: str, name: str, told: str
) -> None:
    changes.make_private(github.world, "octo/small")
    done = smoke(github.url, option, name)
    assert done.returncode == 2
    assert done.stdout == ""
    assert told in done.stderr.splitlines()[-1]


def test_a_private_repository_which_the_token_may_read_gets_no_table() -> None:
    with running(load(recipes=WORLD), Options(private_readers=frozenset({"ghp_secret"}))) as simulator:
        changes.make_private(simulator.world, "octo/small")
        done = smoke(simulator.url, "--repository", "octo/small")
    assert (done.returncode, done.stdout) == (2, "")
    assert "octo/small is private, and the table is made to be shown" in done.stderr


@pytest.mark.parametrize(
    ("fault", "told", "code"),
    [
        ("bad_credentials", "GitHub refuses the token", 4),
        ("secondary_a", "GitHub asks to slow down", 0),
        ("secondary_c", "GitHub asks to slow down", 0),
        ("rate_limited", "the points of this hour are used up", 0),
        ("502_json", "no answer (status 502)", 0),
        ("200_timeout", "no answer (something went wrong there)", 0),
        ("truncated", "status 200 without JSON", 4),
        ("reset", "ConnectionError", 4),
    ],
)
def test_what_says_nothing_of_an_assumption_is_not_tried_and_all_of_it_is_told(
    github: Simulator, fault: str, told: str, code: int
) -> None:
    github.faults.add(Fault(name=fault, skip=12, match={"path": "/graphql"} if fault == "200_timeout" else {}))
    done = smoke(github.url, "--json", "--budget", "40")  # no capture: it has tests of its own
    assert done.returncode == code, done.stderr
    found = json.loads(done.stdout)
    assert "does not hold" not in done.stdout
    assert set(verdicts(found)) >= {id_ for ids in CHECKS for id_ in ids}, "each is told"
    assert any(told in each["seen"] for each in found["seen"])
    first = smoke(github.url)
    assert (first.returncode, first.stdout) == (2 if fault == "bad_credentials" else 4, "")
    assert told in first.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_stops_it_gets_the_table_until_then_and_nothing_is_left(github: Simulator, number: signal.Signals) -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "HOME": folder, "TMPDIR": folder, "GITHUB_API_URL": github.url}
        with subprocess.Popen(
            [str(ROOT / "scripts" / "smoke"), "--repository", "octo/engine"],
            env=environment | {"GITHUB_TOKEN": "ghp_secret"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if " S1 " in line:  # the capture comes next
                    break
            github.faults.add(Fault(name="stall"))
            while not github.faults.struck()["stall"]:
                assert process.poll() is None
            process.send_signal(number)
            shown, said = process.communicate(timeout=100)
        left = [path for path in Path(folder).iterdir() if path.name.startswith("gh-backfill-smoke")]
    assert process.returncode == 130
    assert "error: interrupted" in said
    assert "Traceback" not in said
    assert "| S1 |" in shown
    assert left == []


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
