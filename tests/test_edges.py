"""The edges of the command line: errors nobody expected, closed streams, odd terminals, addresses as people paste."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests.test_cli import ROOT, cli, environment, github, refused

__all__ = ["environment", "github"]

# A command of the test's own: what nobody expects can't be brought about from outside.
BOOM = """
import logging, sys, threading, warnings
from gh_backfill import cli, hidden

class Leaves:
    def __del__(self):
        raise RuntimeError("ghp_0123456789abcdef0123 in a row")

def fails():
    raise ValueError("ghp_0123456789abcdef0123 in a row")

@cli.app.command()
def boom():
    fails()

@cli.app.command()
def noise():
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    leaves = Leaves()
    del leaves
    warnings.warn("old ghp_0123456789abcdef0123")
    try:
        fails()
    except ValueError:
        logging.getLogger("somebody").exception("two\\nlines")
    logging.getLogger("somebody").warning("%d", "no number, ghp_0123456789abcdef0123")

cli.main()
"""
TOKEN = "ghp_0123456789abcdef0123"


def own(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "GH_BACKFILL_HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", BOOM, *arguments],
        env=given | changes,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_an_unexpected_error_is_one_line_that_names_the_file_with_its_traceback(tmp_path: Path) -> None:
    done = own(tmp_path, "boom")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: unexpected: ValueError: <credential> in a row; the traceback is in ")
    (file,) = (tmp_path / "logs").iterdir()
    assert str(file) in line
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "Traceback" in text
    assert "in fails" in text
    assert TOKEN not in text


@pytest.mark.parametrize("how", [("--debug",), ()], ids=["by option", "by setting"])
def test_debug_shows_the_traceback(tmp_path: Path, how: tuple[str, ...]) -> None:
    done = own(tmp_path, *how, "boom", **({} if how else {"GH_BACKFILL_DEBUG": "1"}))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert TOKEN not in done.stderr
    assert not (tmp_path / "logs").exists()


def test_in_a_workflow_an_unexpected_error_tells_places_and_no_words(tmp_path: Path) -> None:
    for debug in ("", "1"):
        done = own(tmp_path, "boom", GITHUB_ACTIONS="true", GH_BACKFILL_DEBUG=debug)
        assert done.returncode == 1
        assert done.stderr.startswith("error: unexpected: ValueError at gh_backfill/cli.py:")
        assert done.stderr.endswith(" > <string>:14 > <string>:10\n")
        assert "in a row" not in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "logs").exists()


def test_whatever_else_python_prints_of_errors_goes_the_same_way(tmp_path: Path) -> None:
    done = own(tmp_path, "noise")
    assert done.returncode == 0
    assert TOKEN not in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("unexpected: ") == 3
    assert "two lines: unexpected: ValueError" in done.stderr
    assert "UserWarning: old <credential>" in done.stderr
    assert "a line of somebody could not be logged" in done.stderr


def piped(environment: dict[str, str], line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `$it` is this program."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env=environment | {"it": f"{sys.executable} -m gh_backfill"},
        cwd=environment["HOME"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("$it --help | true", 0, ""),
        ("$it --version >&-", 0, ""),
        ("$it --version 2>&- >/dev/null", 0, ""),
        ("$it --version > /dev/full", 1, "error: standard output can't be written: No space left on device\n"),
        ("mkdir gone; cd gone; rmdir ../gone; $it --version >/dev/null", 0, ""),
    ],
)
def test_streams_and_folders_that_are_gone_are_no_traceback(
    environment: dict[str, str], line: str, code: int, said: str
) -> None:
    done = piped(environment, line)
    assert (done.returncode, done.stderr) == (code, said)


def test_ctrl_c_while_the_program_is_loaded_is_quiet(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = cli(environment, "status", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_utf_8_is_served(environment: dict[str, str], encoding: str) -> None:
    for arguments in (("run", "--help"), ("report",)):
        done = cli(environment, *arguments, PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("track", "octo/small", "--max-prs", "9" * 30), "--max-prs must be a whole number"),
        (("track", "octo/small", "--max-prs", "9" * 5_000), "--max-prs must be a whole number"),
        (("pause", "octo/small", "--for", "9" * 12), "--for must be a whole number"),
        (("plan", "--repository-ids", "[" * 100_000), "JSON array"),
        (("plan", "--repository-ids", f"[{'9' * 5_000}]"), "JSON array"),
        (("pause",), "Missing argument"),
        (("nothing",), "No such command"),
    ],
    ids=["much", "very much", "long", "deep", "long number", "nothing", "unknown"],
)
def test_input_without_bounds_is_one_clear_line(
    environment: dict[str, str], arguments: tuple[str, ...], word: str
) -> None:
    line = refused(cli(environment, *arguments), 2)
    assert word in line
    assert len(line) < 400


def test_a_repository_is_named_by_its_address_everywhere_and_a_token_in_it_is_not_echoed(
    environment: dict[str, str],
) -> None:
    secret = "sEcret-t0ken"
    tracked = cli(environment, "track", f"https://me:{secret}@github.com/octo/small/pulls?q=1")
    assert tracked.returncode == 0, tracked.stderr
    assert "revoke it" in tracked.stderr
    for arguments in (
        ("status", "github.com/octo/small", "--json"),
        ("capture", "git@github.com:octo/small.git", "--dry-run"),
        ("pause", f"https://{secret}@github.com/octo/small"),
    ):
        done = cli(environment, *arguments)
        assert done.returncode == 0, done.stderr
        assert secret not in done.stdout + done.stderr
    assert secret not in tracked.stdout + tracked.stderr
    assert "octo/small" in tracked.stdout


def test_the_log_of_a_workflow_gets_no_colours_though_they_are_forced(environment: dict[str, str]) -> None:
    done = cli(environment, "status", "--help", GITHUB_ACTIONS="true", FORCE_COLOR="1")
    assert done.returncode == 0
    assert "x1b" not in done.stdout
    assert "\x1b" not in done.stdout


def test_plan_says_which_secret_makes_github_drop_the_matrix(environment: dict[str, str], tmp_path: Path) -> None:
    cli(environment, "track", "octo/engine")
    summary = tmp_path / "summary"
    given = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "WEBHOOK_SECRET": "engine"}
    done = cli(environment, "plan", "--json", GITHUB_OUTPUT=str(tmp_path / "not/there/yet"), **given)
    assert done.returncode == 0, done.stderr
    assert "::error::GitHub drops the output matrix, for the value of WEBHOOK_SECRET stands in it" in done.stderr
    assert [each["full_name"] for each in json.loads(done.stdout)["chosen"]] == ["octo/engine"]
    assert "may contain secret" in summary.read_text()
    assert "matrix<<" in (tmp_path / "not/there/yet").read_text()


def test_ctrl_c_is_psqls_own_and_ends_a_query_and_not_what_started_it(database_url: str) -> None:
    program = (
        "import sys; from gh_backfill.store import psql; print('code', psql.run(sys.argv[1], ['-c', sys.argv[2]]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, database_url, "select 'begun'; select pg_sleep(60)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with Database(database_url) as db:
        asleep = "select 1 from pg_stat_activity where query like '%%pg_sleep(60)' and pid <> pg_backend_pid()"
        deadline = time.monotonic() + 60
        found = False
        while not found and time.monotonic() < deadline:
            with db.transaction(read_only=True) as tx:
                found = bool(tx.rows(asleep))
            time.sleep(0.05)
    assert found
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert "Cancel request sent" in said
    assert "code 1" in said
    assert process.returncode == 0
