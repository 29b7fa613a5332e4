"""The whole job on one machine: the demo keeps to itself, and real data never mixes with invented."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.tasks.local import is_demo
from tests import servers

ROOT = Path(__file__).parents[2]


needs_15 = pytest.mark.skipif(not servers.DEBIANS_15.is_dir(), reason="PostgreSQL 15 of Debian is not installed")


def run(home: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gh_backfill", "run", *names],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), **environment},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_it_is_the_demo_only_without_token_names_and_database() -> None:
    assert is_demo(settings.load({}, dotenv=None), [])
    assert not is_demo(settings.load({"GITHUB_TOKEN": "t"}, dotenv=None), [])


@pytest.mark.parametrize(
    ("environment", "names"), [({}, ["octo/engine"]), ({"DATABASE_URL": "postgresql://127.0.0.1/x"}, [])]
)
def test_what_could_be_meant_otherwise_stops_for_want_of_a_token(environment: dict[str, str], names: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="GITHUB_TOKEN is missing"):
        is_demo(settings.load(environment, dotenv=None), names)


def test_the_demo_captures_invented_repositories_into_a_folder_of_its_own(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    assert "1660 pull requests" in first.stdout
    assert "gh_backfill psql --demo" in first.stdout
    assert [path.name for path in (tmp_path / ".local/share/gh_backfill").iterdir()] == ["demo"]
    second = run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert "this run: 0 pull requests, 3 points, 3 requests" in second.stdout


def test_named_repositories_are_captured_several_at_once_and_the_wrong_one_is_named(
    tmp_path: Path, database_url: str
) -> None:
    with running(load(recipes=["octo/engine:60", "octo/motor:40"])) as github:
        done = run(
            tmp_path,
            "octo/engine",
            "octo/motor",
            "octo/nowhere",
            DATABASE_URL=database_url,
            GITHUB_TOKEN="ghp_secret",
            GITHUB_API_URL=github.url,
        )
    assert done.returncode == 3
    assert "octo/nowhere: GitHub has no such repository" in done.stdout
    assert "ghp_secret" not in done.stdout + done.stderr
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        assert tx.row("select count(*) as n from pull_requests") == {"n": 100}


def test_if_no_name_is_right_nothing_is_written_and_the_exit_is_2(tmp_path: Path, database_url: str) -> None:
    with running(load(recipes=["octo/engine:5"])) as github:
        done = run(tmp_path, "octo/nowhere", DATABASE_URL=database_url, GITHUB_TOKEN="t", GITHUB_API_URL=github.url)
    assert done.returncode == 2
    assert "none of the names can be tracked" in done.stderr
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        assert tx.row("select count(*) as n from repositories") == {"n": 0}


def committed(url: str) -> int:
    with Database(url) as db, db.transaction(read_only=True) as tx:
        row = tx.row("select count(*) as n from backfill_chunks where status = 'completed'")
    assert row is not None
    return int(row["n"])


@needs_15
def test_a_database_that_restarts_is_waited_for_by_the_run_as_by_its_captures(tmp_path: Path) -> None:
    with (
        servers.postgres(servers.DEBIANS_15) as server,
        running(load(recipes=["octo/engine:400"])) as github,
        ThreadPoolExecutor(1) as pool,
    ):
        with Database(server.url) as db:
            migrations.apply(db)
        settings_ = {"DATABASE_URL": server.url, "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        done = pool.submit(run, tmp_path, "octo/engine", **settings_)
        while not done.done() and not committed(server.url):
            pass
        server.stop()
        server.start()
        assert done.result().returncode == 0, done.result().stderr
        with Database(server.url) as db, db.transaction(read_only=True) as tx:
            assert tx.row("select count(*) as n from pull_requests") == {"n": 400}
