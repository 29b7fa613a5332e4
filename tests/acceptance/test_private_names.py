"""The log of a workflow may be public: it names private repositories by their id, whatever happens."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests.acceptance.act import copy_checkout, run_workflow
from tests.embedding_service import serving
from tests.test_cli import ROOT, cli

TOKEN = "ghp_SECRETofGITHUB0123456789abcdefghijklmn"
NAME, RENAMED, OPEN, MISSING = "Octo/Hush-Engine_v2.x", "Octo/Quiet.motor", "Octo/open-door", "Octo/Hidden-nowhere"
# These end a capture at once.  A stalled one costs half a minute of real time, for the words of one that is reset.
ENDING = {"bad_credentials", "rate_limit", "rate_limited", "secondary_a", "secondary_b", "secondary_c"}
PASSING = sorted(set(EFFECTS) - ENDING - {"stall"})
ID = "select id::text as id from repositories where is_private"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A workflow's environment, and everything that came out of it for others to read."""

    environment: dict[str, str]
    folder: Path
    github: Simulator

    def run(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        done = cli(self.environment, *arguments, **changes)
        self.nothing_leaks(done.stdout + done.stderr)
        return done

    def nothing_leaks(self, text: str) -> None:
        for file in ("output", "summary"):
            path = self.folder / file
            text += path.read_text() if path.exists() else ""
        low = text.lower().replace("\\", "").replace("%2f", "/")
        for name in (NAME, RENAMED, MISSING):
            bare = name.partition("/")[2].lower()
            assert bare not in low, [line for line in low.splitlines() if bare in line]
        assert TOKEN not in text
        assert "Traceback" not in text

    @property
    def id(self) -> str:
        with Database(self.environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
            (row,) = tx.rows(ID)
        return str(row["id"])


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    options = Options(identities={TOKEN: "reader"}, private_readers=frozenset({"reader"}), retry_after=1)
    with running(load(recipes=[f"{NAME}:230", f"{OPEN}:110"]), options) as github:
        changes.make_private(github.world, NAME)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "77",
            "GITHUB_REPOSITORY": "octo/operations",
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "DATABASE_URL": database_url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.url,
        }
        yield Stage(environment=environment, folder=tmp_path, github=github)


def test_no_command_names_a_private_repository(stage: Stage) -> None:
    assert stage.run("track", NAME, OPEN, MISSING).returncode == 3
    assert stage.run("track", f"https://{TOKEN}@github.com/{NAME}/pulls").returncode == 0
    assert stage.run("capture", MISSING).returncode == 2
    given = json.dumps([NAME, MISSING])
    planned = stage.run("plan", "--json", "--chunk-size", "20", GH_BACKFILL_REPOSITORY_IDS=given)
    assert [each["full_name"] for each in json.loads(planned.stdout)["chosen"]] == [stage.id]
    for arguments in (
        ("capture", NAME, "--dry-run"),
        ("capture", NAME, "--max-chunks", "2", "--chunk-size", "20"),
        ("pause", NAME, "--reason", f"somebody works on {NAME}"),
        ("profiles", NAME, "--dry-run"),
        ("profiles", NAME, OPEN),
        ("profiles", NAME, OPEN, "--json"),
        ("status",),
        ("plan",),
        ("resume", NAME, MISSING),
        ("recover", "--all"),
        ("recover", NAME, "--dry-run"),
        ("cancel", NAME),
        ("retry", NAME, "--quarantined"),
        ("status", NAME, "--json"),
        ("report", "--json"),
        ("check",),
        ("psql", "--", "--command", "select full_name from repositories"),
    ):
        done = stage.run(*arguments)
        assert (done.stdout + done.stderr).strip(), arguments
    assert OPEN in stage.run("status").stdout


def test_no_embedding_search_or_aggressive_backfill_names_a_private_repository_or_tells_its_texts(stage: Stage) -> None:
    with serving() as service:
        said = ""

        def run(*arguments: str) -> int:
            nonlocal said
            done = stage.run(*arguments, **service.settings())
            said += done.stdout + done.stderr
            return done.returncode

        assert run("aggressive", NAME, "--skip-embeddings", "--wait", "5") == 0
        with Database(stage.environment["DATABASE_URL"]) as db, db.transaction() as tx:
            tx.run("update pull_requests set title = 'Frida buys Acme', body = null where number = 7")
            tx.run("update pull_requests set title = 'We sell ' || number where number <> 7")
            (row,) = tx.rows("select github_id from repositories where is_private")
        service.poison = "Frida"
        assert run("embed", NAME) == 3
        for arguments in (
            ("embed", "--status"),
            ("embed", stage.id, "--status", "--json"),
            ("embed", str(row["github_id"]), "--dry-run"),
            ("embed", "--dry-run", "--json"),
            ("aggressive", stage.id, "--embeddings-only"),
            ("aggressive", NAME, "--dry-run"),
            ("search", "Acme sell"),
            ("search", "sell", "--repository", stage.id, "--json"),
            ("search", "sell", "--repository", NAME),
            ("similar", f"{NAME}#8"),
            ("similar", f"{NAME}#8", "--everywhere", "--json"),
        ):
            run(*arguments)
        service.poison = None
        run("embed", NAME, "--retry")
        run("similar", f"https://github.com/{NAME}/pull/7")
        assert stage.id in said
        assert [word for word in ("Frida", "We sell") if word in said] == []


def test_no_fault_of_github_names_a_private_repository(stage: Stage) -> None:
    stage.run("track", NAME, OPEN)
    for number, name in enumerate(PASSING):
        stage.github.faults.add(Fault(name=name, count=1, skip=2 * number + 1))
    said = stage.run("capture", NAME, "--chunk-size", "5").stderr
    assert set(PASSING) <= set(stage.github.faults.struck())
    for name in sorted(ENDING):
        with Database(stage.environment["DATABASE_URL"]) as db, db.transaction() as tx:
            tx.run("delete from api_budgets")
        stage.github.faults.clear()
        stage.github.faults.add(Fault(name=name, count=1))
        said += stage.run("capture", NAME, "--max-chunks", "1", "--chunk-size", "5").stderr
    stage.run("report")
    assert stage.id in said


def test_a_private_repository_that_is_renamed_or_vanishes_is_not_named(stage: Stage) -> None:
    stage.run("track", NAME)
    stage.run("capture", NAME, "--max-chunks", "1", "--chunk-size", "20")
    changes.rename_repository(stage.github.world, NAME, name=RENAMED.partition("/")[2])
    stage.run("capture", NAME, "--max-chunks", "1", "--chunk-size", "20")
    stage.run("track", NAME)
    changes.delete_repository(stage.github.world, RENAMED)
    stage.run("capture", RENAMED)
    stage.run("plan")
    with Database(stage.environment["DATABASE_URL"]) as db, db.transaction(read_only=True) as tx:
        errors = tx.rows("select error from progressive_capture_jobs where error is not null")
    assert errors
    assert not any(bare in str(errors).lower() for bare in ("hush-engine", "quiet.motor"))


def test_a_public_repository_that_becomes_private_is_not_named_any_more(stage: Stage) -> None:
    stage.run("track", NAME, OPEN)
    changes.make_private(stage.github.world, NAME, private=False)
    assert NAME not in cli(stage.environment, "plan").stdout
    assert NAME in cli(stage.environment, "plan").stdout
    changes.make_private(stage.github.world, NAME)
    for path in ("output", "summary"):
        (stage.folder / path).unlink()
    stage.run("plan")


def test_the_real_workflow_shows_it_nowhere(stage: Stage, tmp_path: Path) -> None:
    stage.run("track", NAME)
    github = {"GITHUB_API_URL": stage.github.url, "GITHUB_GRAPHQL_URL": stage.github.graphql_url}
    run = run_workflow(
        copy_checkout(tmp_path / "checkout"),
        "progressive-backfill.yml",
        env=github,
        secrets={"DATABASE_URL": stage.environment["DATABASE_URL"], "BACKFILL_TOKEN": TOKEN},
    )
    assert run.jobs == {"plan": "success", f"capture {stage.id}": "success", "report": "success"}
    stage.nothing_leaks(run.text)
