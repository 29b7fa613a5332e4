"""The command export, as a process: what it says, what it leaves behind, and wrong input."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests.search_rows import Item, store
from tests.test_cli import ROOT, cli, refused
from tests.test_velocity_command import on_a_terminal


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url}


@pytest.fixture(autouse=True)
def filled(db: Database) -> None:
    store(db, "octo/one", [Item(number=1), Item(number=2, table="pull_requests")])
    store(db, "octo/secret", [Item(number=4)], is_private=True)
    with db.transaction() as tx:
        tx.run(
            "insert into tracked_repositories (repository_id, organization_name, repository_name) "
            "select id, owner, name from repositories"
        )


def test_it_says_what_was_written_of_which_moment_and_what_was_left_out(
    environment: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "history.sqlite"
    said = cli(environment, "export", str(out))
    assert said.returncode == 0
    *_, wrote, left_out = said.stdout.splitlines()
    assert re.fullmatch(
        r"wrote 3 rows of 1 repository to \S+history\.sqlite \(sqlite, [\d.]+ KB\), all as of .* UTC", wrote
    )
    assert left_out == "left out: 1 private repository; --private brings them"
    assert re.search(r"^pull_requests +1$", said.stdout, re.MULTILINE)
    with closing(sqlite3.connect(out)) as file:
        assert file.execute("select full_name from repositories").fetchall() == [("octo/one",)]


def test_the_json_has_the_rows_of_each_table(environment: dict[str, str], tmp_path: Path) -> None:
    told = json.loads(cli(environment, "export", str(tmp_path / "all"), "--private", "--json").stdout)
    assert (told["format"], told["repositories"], told["private_left_out"], told["dry_run"]) == ("csv", 2, 0, False)
    assert {each["name"]: each["rows"] for each in told["tables"]}["issues"] == 2
    assert set(told) == {
        "out", "format", "dry_run", "at", "repositories", "private_left_out", "people_left_out", "unknown", "tables",
        "bytes",
    }  # fmt: skip


def test_a_dry_run_says_rows_and_size_and_leaves_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    said = cli(environment, "export", str(tmp_path / "history.parquet"), "--dry-run")
    assert "would write 3 rows of 1 repository" in said.stdout
    assert "(parquet, about " in said.stdout
    assert not (tmp_path / "history.parquet").exists()


def test_what_is_not_here_is_named_and_the_rest_is_written(environment: dict[str, str], tmp_path: Path) -> None:
    names = ["--repository", "https://github.com/octo/one", "--repository", "octo/none"]
    said = cli(environment, "export", str(tmp_path / "out"), *names)
    assert said.returncode == 3
    assert "not here: octo/none: " in said.stderr
    assert (tmp_path / "out" / "pull_requests.csv").exists()


def test_wrong_input_is_one_line_with_exit_code_2(environment: dict[str, str], tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    assert "--format must be" in refused(cli(environment, "export", out, "--format", "xlsx"), 2)
    assert "only private repositories" in refused(cli(environment, "export", out, "--repository", "octo/secret"), 2)
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").touch()
    assert "is there already" in refused(cli(environment, "export", out), 2)
    assert "the name of a file or folder is empty" in refused(cli(environment, "export", ""), 2)


def test_a_log_of_a_workflow_names_no_private_repository(environment: dict[str, str], tmp_path: Path) -> None:
    said = cli(environment | {"GITHUB_ACTIONS": "true"}, "export", str(tmp_path / "out"), "--repository", "octo/secret")
    assert said.returncode == 2
    assert "octo/secret" not in said.stdout + said.stderr


def test_the_table_fits_into_eighty_columns(environment: dict[str, str]) -> None:
    shown = on_a_terminal(80, environment, "export", "history.sqlite", "--dry-run")
    assert any(line.startswith("pull_requests") and line.rstrip().endswith("1") for line in shown.splitlines())
