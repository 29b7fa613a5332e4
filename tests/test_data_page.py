"""The examples of docs/data.md run, against a captured repository, and the files answer what the database answers."""

from __future__ import annotations

import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.test_cli import ROOT, cli
from tests.test_questions import QUESTIONS

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
SQL = [block for kind, block in BLOCKS if kind == "sql"]


@pytest.fixture
def here(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Capture a repository, and return the settings of commands."""
    with running(load(recipes=["octocat/hello-world:90"])) as github:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": database_url,
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": github.url,
        }
        for words in (("track", "octocat/hello-world"), ("capture", "octocat/hello-world")):
            done = cli(environment, *words)
            assert done.returncode == 0, done.stderr
        yield environment


def run(environment: dict[str, str], line: str, folder: Path) -> str:
    words = shlex.split(line)
    assert words.pop(0) == "gh-backfill"
    done = subprocess.run(
        [sys.executable, "-m", "gh_backfill", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return str(done.stdout)


def one(containing: str) -> str:
    (found,) = [block for block in SQL if containing in block]
    return str(found)


def test_every_example_of_the_page_runs_and_files_and_database_agree(
    here: dict[str, str], db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    with db.transaction() as tx:
        tx.run(f"drop role if exists charts; {one('create role')}")
    try:
        said = {line: run(here, line, tmp_path) for line in COMMANDS}
    finally:
        with db.transaction() as tx:
            tx.run("drop role charts")
    assert len(said) == 5
    assert "(csv, about" in said["gh-backfill export history.csv --dry-run"]
    (all_questions,) = [told for line, told in said.items() if "questions.sql" in line]
    assert all_questions.count("row") >= len(QUESTIONS)

    with db.reading() as tx:
        by_month = tx.rows(QUESTIONS["time_to_first_review"])
        assert sum(row["pull_requests_opened"] for row in tx.rows(one("begins::timestamp"))) == 90
    wanted = [
        (row["repository"], _month(row["month"]), row["pull_requests"], row["reviewed"], _number(row["median_hours"]))
        for row in by_month
    ]
    with duckdb.connect() as duck:
        found = duck.execute(one("with first as")).fetchall()
    assert [(*row[:4], _number(row[4])) for row in found] == wanted
    assert sum(row[3] for row in wanted) > 10

    with closing(sqlite3.connect("history.sqlite")) as file:
        opened = file.execute(one("substr(p.created_at")).fetchall()
    with db.reading() as tx:
        counted = tx.rows(
            "select to_char(created_at at time zone 'UTC', 'YYYY-MM') as month, count(*) as opened, "
            "count(*) filter (where merged) as merged from pull_requests group by 1 order by 1 desc"
        )
    assert opened == [("octocat/hello-world", row["month"], row["opened"], row["merged"]) for row in counted]

    (notebook,) = [block for kind, block in BLOCKS if kind == "python"]
    printed = subprocess.run([sys.executable, "-c", notebook], capture_output=True, text=True, check=True).stdout
    with db.reading() as tx:
        busiest = tx.rows(
            "select c.username, count(*) as n from reviews v join contributors c on c.id = v.author_id "
            "group by 1 order by 2 desc, 1 limit 5"
        )
    assert printed.strip() == str([(row["username"], row["n"]) for row in busiest])


def test_the_page_lists_every_question_once() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(QUESTIONS)


def _month(day: date) -> str:
    return day.strftime("%Y-%m")


def _number(value: Any) -> Any:
    return None if value is None else pytest.approx(float(value), abs=0.11)
