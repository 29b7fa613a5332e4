"""Tokens and passwords appear nowhere: not in what is printed or logged, not in files, not in the database."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.test_cli import ROOT, cli

TOKEN, PASSWORD = "ghp_SECRETofGITHUB0123456789abcdefghijklmn", "SECRETofPOSTGRES"
ODD_TOKEN = f"{TOKEN} wïth a letter that no header has"
SECRETS = (TOKEN, PASSWORD, "SECRETof")


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    parts = urlsplit(database_url)
    known = Options(identities=dict.fromkeys((TOKEN, ODD_TOKEN), "somebody"))
    with running(load(recipes=["octo/engine:30", "octo/small:3"]), known) as github:
        yield {
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": parts._replace(netloc=f"postgres:{PASSWORD}@").geturl(),
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": github.url,
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GH_BACKFILL_HOME": str(tmp_path / "home"),
            "GH_BACKFILL_RUN_KEY": "run-1",
        }


def said(done: subprocess.CompletedProcess[str]) -> str:
    text = done.stdout + done.stderr
    assert not any(secret in text for secret in SECRETS), text
    return text


def written(folder: Path) -> dict[str, bytes]:
    """Return every file that the commands left behind."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stored(url: str) -> str:
    """Return the whole database as text."""
    with Database(url) as db, db.transaction(read_only=True) as tx:
        names = [
            row["relname"]
            for row in tx.rows(
                "select relname from pg_class "
                "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"
            )
        ]
        assert "backfill_chunks" in names
        return "\n".join(str(tx.rows(f"select t::text as row from {name} t")) for name in names)  # noqa: S608


@pytest.mark.parametrize("in_actions", ["", "true"])
def test_a_full_run_leaves_no_secret_anywhere(
    environment: dict[str, str], database_url: str, tmp_path: Path, in_actions: str
) -> None:
    actions = {"GITHUB_ACTIONS": in_actions, "GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "octo/engine"}
    for arguments in (
        ("check",),
        ("track", "octo/engine", "octo/small", "octo/nowhere"),
        ("plan", "--repository-ids", '["octo/engine", "octo/small"]'),
        ("capture", "octo/engine"),
        ("capture", "octo/small"),
        ("recover", "--all"),
        ("report",),
        ("status", "--json"),
    ):
        text = said(cli(environment, *arguments, **actions))
        assert text
    assert "octo/engine" in stored(database_url)
    assert not any(secret in stored(database_url) for secret in SECRETS)
    files = written(tmp_path)
    assert str(tmp_path / "summary") in files
    assert [name for name, data in files.items() if any(secret.encode() in data for secret in SECRETS)] == []


def test_a_run_on_this_machine_keeps_them_out_of_its_logs(environment: dict[str, str], tmp_path: Path) -> None:
    done = cli(environment, "run", "octo/engine", "octo/small")
    assert done.returncode == 0, said(done)
    said(done)
    files = written(tmp_path)
    logs = [Path(name) for name in files if name.endswith(".log") and "/logs/" in name]
    assert [stat.S_IMODE(log.stat().st_mode) for log in logs] == [0o600]
    assert [name for name, data in files.items() if any(secret.encode() in data for secret in SECRETS)] == []


NOWHERE = f"postgresql://u:{PASSWORD}@127.0.0.1:1/x"


@pytest.mark.parametrize(
    "changes",
    [
        {"DATABASE_URL": NOWHERE},
        {"DATABASE_URL": f"postgresql://u:{PASSWORD}@nowhere.invalid/x", "GH_BACKFILL_ALLOW_SIMULATED": "1"},
        {"DATABASE_URL": f"postgresql://u:{PASSWORD}@@127.0.0.1:1/x"},
        {"DATABASE_URL": f"postgresql://u:{PASSWORD}/x@127.0.0.1:port/y"},
        {"DATABASE_URL": f"mysql://u:{PASSWORD}@127.0.0.1/x"},
        {"DATABASE_URL": f"host=127.0.0.1 password={PASSWORD} port=1"},
        {"GITHUB_API_URL": "http://127.0.0.1:9"},
        {"GITHUB_API_URL": "http://[broken"},
        {"GITHUB_TOKEN": f"{TOKEN}\nwith a line end"},
        {"GITHUB_TOKEN": ODD_TOKEN},
        {"GH_BACKFILL_PLAN_LIMIT": "many"},
        {"GITHUB_TOKENS": f"{TOKEN},{TOKEN}"},
    ],
    ids="-".join,
)
def test_whatever_is_wrong_with_the_settings_is_said_without_them(
    environment: dict[str, str], changes: dict[str, str]
) -> None:
    for arguments in (("check",), ("capture", "octo/small")):
        text = said(cli(environment, *arguments, **changes))
        assert "Traceback" not in text, text


def test_a_refused_token_and_a_broken_github_are_reported_without_it(environment: dict[str, str]) -> None:
    assert cli(environment, "track", "octo/small").returncode == 0
    with running(load(recipes=["octo/small:3"]), Options(only_known_tokens=True, identities={"other": "x"})) as strict:
        for arguments in (("check",), ("track", "octo/small"), ("capture", "octo/small"), ("report",)):
            said(cli(environment, *arguments, GITHUB_API_URL=strict.url))


def test_an_error_that_nobody_expected_shows_none_either(environment: dict[str, str], database_url: str) -> None:
    assert cli(environment, "track", "octo/small").returncode == 0
    with Database(database_url) as db, db.transaction() as tx:
        tx.run(
            "create function broken() returns trigger language plpgsql as "
            "$$ begin raise 'no' using errcode = 'internal_error'; end $$"
        )
        tx.run("create trigger broken before insert on reviews for each row execute function broken()")
    done = cli(environment, "capture", "octo/small")
    assert done.returncode != 0
    said(done)
    assert not any(secret in stored(database_url) for secret in SECRETS)
