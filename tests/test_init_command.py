"""`init`: an installation in somebody's repository, asked for or by options, without a secret in any file."""

from __future__ import annotations

import errno
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest
import yaml

from gh_backfill import database_address, settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.installation import Trigger
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.tasks import installing
from gh_backfill.tasks.installing import FileState, InstalledFile
from tests.test_cli import cli, environment, github, refused

__all__ = ["environment", "github"]

TOOL = ("--tool", "octo-org/gh_backfill")
CTRL_C = "ctrl-c"
WORKFLOW = Path(".github/workflows/gh-backfill.yml")
# A program in the place of GitHub's: it notes how it was called, and what it was given.
GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/gh.called"
cat >> "$HOME/gh.given"
[ -z "$GH_FAILS" ] || { echo "HTTP 403: $GH_FAILS" >&2; exit 1; }
"""


@pytest.fixture
def clone(environment: dict[str, str]) -> Path:
    """Give a clone of octo/history, where commands are called."""
    folder = Path(environment["HOME"])
    for words in (("init", "-q"), ("remote", "add", "origin", "git@github.com:octo/history.git")):
        subprocess.run(["git", "-C", str(folder), *words], check=True, timeout=60)
    return folder


@pytest.fixture
def here(environment: dict[str, str], clone: Path) -> dict[str, str]:
    """Give the environment of somebody whose `gh` is the one above, and who set nothing yet."""
    programs = clone / "programs"
    programs.mkdir()
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    return environment | {"PATH": f"{programs}:{environment['PATH']}", "DATABASE_URL": "", "GITHUB_TOKEN": ""}


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {str(path.relative_to(folder)) for path in found if path.parts[-2] not in {"programs", "logs"}}


def test_options_make_a_whole_installation_without_a_question(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    done = cli(here, "init", *TOOL, "--database", empty_database_url, "--migrate", "--set-secret")
    assert done.returncode == 0, done.stderr
    assert files(clone) >= {str(WORKFLOW), ".env.example"}
    workflow = yaml.safe_load((clone / WORKFLOW).read_text())
    (job,) = workflow["jobs"].values()
    assert job["uses"].startswith("octo-org/gh_backfill/.github/workflows/progressive-backfill.yml@v")
    with Database(empty_database_url) as db, db.reading() as tx:
        assert migrations.pending(tx) == []
    assert (clone / "gh.called").read_text() == "secret set DATABASE_URL --repo octo/history\n"
    assert (clone / "gh.given").read_text() == empty_database_url, "it travels by standard input"
    lines = done.stdout.splitlines()
    assert "the database answers" in lines[0]
    assert any("ok" in line and "rights" in line for line in lines), "it ends with the check"
    assert lines[-1].startswith("commit and push these files, then bring the first repositories: gh workflow run")
    assert "with --everything what changes afterwards" in lines[-2]
    again = cli(here, "init", *TOOL, "--database", empty_database_url, "--no-set-secret")
    assert again.returncode == 0, again.stderr
    assert f"unchanged: {WORKFLOW}" in again.stdout


def test_no_file_and_no_line_has_the_password(here: dict[str, str], clone: Path, empty_database_url: str) -> None:
    url = empty_database_url.replace("postgres@", "postgres:sesame@")
    done = cli(here, "init", *TOOL, "--database", url, "--migrate", "--set-secret")
    assert done.returncode == 0, done.stderr
    assert "sesame" not in done.stdout + done.stderr
    told = {name for name in files(clone) if "sesame" in (clone / name).read_text(errors="replace")}
    assert told == {"gh.given"}


def test_a_dry_run_tries_the_database_and_writes_nothing(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    before = files(clone)
    done = cli(here, "init", *TOOL, "--database", empty_database_url, "--set-secret", "--migrate", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert f"would be written: {WORKFLOW}" in done.stdout
    assert files(clone) == before
    with Database(empty_database_url) as db, db.reading() as tx:
        assert migrations.is_empty(tx)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "nobody can be asked here: say --tool"),
        (TOOL, "nobody can be asked here: say --database"),
        ((*TOOL, "--database", "https://example.org"), "is the address of a web server"),
        ((*TOOL, "--database", "postgresql://u@127.0.0.1:1/x"), "the database does not answer"),
        ((*TOOL, "--trigger", "cron"), "say schedule, pg_cron, inngest"),
        ((*TOOL, "--repository", "history"), "history is no repository: say owner/name"),
        (("--tool", "nobody"), "nobody is no repository: say owner/name"),
        ((*TOOL, "nowhere"), "nowhere is no folder"),
    ],
)
def test_what_is_missing_or_wrong_is_one_line_and_nothing_is_written(
    here: dict[str, str], clone: Path, options: Sequence[str], told: str
) -> None:
    before = files(clone)
    assert told in refused(cli(here, "init", *options), 4 if "does not answer" in told else 2)
    assert files(clone) == before


def test_a_database_that_can_never_do_is_told_before_anything_is_written(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    before = files(clone)
    name, latin = urlsplit(empty_database_url).path.lstrip("/"), f"latin_{uuid4().hex}"
    admin = psycopg2.connect(empty_database_url)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"create database {latin} encoding 'LATIN1' template template0 locale 'C'")
        try:
            url = empty_database_url.replace(name, latin)
            said = refused(cli(here, "init", *TOOL, "--database", url, "--migrate"), 2)
        finally:
            cursor.execute(f"drop database {latin} with (force)")
    admin.close()
    assert f"database {latin} is in LATIN1" in said
    assert files(clone) == before


def test_a_file_that_differs_is_replaced_only_where_that_is_said(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    (clone / WORKFLOW).parent.mkdir(parents=True)
    (clone / WORKFLOW).write_text("mine\n")
    given = (*TOOL, "--database", empty_database_url, "--migrate")
    said = refused(cli(here, "init", *given), 2)
    assert str(WORKFLOW) in said
    assert "--force replaces" in said
    assert not (clone / ".env.example").exists(), "nothing was written"
    assert cli(here, "init", *given, "--force").returncode == 0
    assert (clone / WORKFLOW).read_text() != "mine\n"


def made(folder: Path) -> Sequence[InstalledFile]:
    return installing.files(folder, tool="o/t", version="v1", repository="o/r", trigger=Trigger.PG_CRON, whole=False)


@pytest.mark.parametrize("there", [True, False])
def test_what_a_link_leads_to_is_never_written(tmp_path: Path, there: bool) -> None:
    folder, elsewhere = tmp_path / "clone", tmp_path / "elsewhere.yml"
    (folder / WORKFLOW).parent.mkdir(parents=True)
    (folder / WORKFLOW).symlink_to(elsewhere)
    if there:
        elsewhere.write_text("theirs")
    with pytest.raises(ConfigurationError, match="--force replaces"):
        installing.refuse_others(made(folder), force=False)
    installing.write(folder, made(folder))
    assert elsewhere.exists() == there
    assert not there or elsewhere.read_text() == "theirs"
    assert not (folder / WORKFLOW).is_symlink()
    assert {each.state for each in made(folder)} == {FileState.SAME}


def test_no_file_is_there_in_part_and_none_where_one_of_them_has_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def full(path: Path, text: str, **given: str) -> int:
        if ".env.example" not in path.name:
            return write(path, text, **given)
        write(path, text[:7], **given)
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigurationError, match=r"/\.env\.example can't be written: No space left"):
        installing.write(tmp_path, made(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_secret_that_gh_does_not_set_is_told_and_can_be_tried_again(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    given = ("init", *TOOL, "--database", empty_database_url, "--migrate", "--set-secret")
    said = refused(cli(here, *given, GH_FAILS="Resource not accessible"), 3)
    assert "gh could not set the secret DATABASE_URL: HTTP 403: Resource not accessible" in said
    assert cli(here, *given).returncode == 0


@pytest.mark.parametrize("trigger", ["pg_cron", "inngest"])
def test_each_trigger_has_its_files(here: dict[str, str], clone: Path, empty_database_url: str, trigger: str) -> None:
    done = cli(here, "init", *TOOL, "--database", empty_database_url, "--trigger", trigger, "--migrate")
    assert done.returncode == 0, done.stderr
    assert "schedule" not in yaml.safe_load((clone / WORKFLOW).read_text())[True]
    assert (clone / "gh-backfill-clock.sql").exists() == (trigger == "pg_cron")


def test_on_a_terminal_it_asks_and_lets_somebody_try_again(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    answers = ["octo-org/gh_backfill", "https://wrong.example", empty_database_url, "y", "y"]
    questions = ["that has gh_backfill", "Connection string", "Connection string", "up to date now", "gh secret set"]
    told, code = asked(here, ["init", "--trigger", "schedule"], list(zip(questions, answers, strict=True)))
    assert code == 0, told
    assert "is the address of a web server" in told
    assert empty_database_url not in told, "what is typed is not shown"
    assert (clone / "gh.given").read_text() == empty_database_url
    assert (clone / WORKFLOW).exists()


def test_what_pip_fetched_it_from_is_the_repository_whose_workflows_are_called(
    here: dict[str, str], clone: Path, tmp_path: Path, empty_database_url: str
) -> None:
    installed = tmp_path / "site" / "gh_backfill-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: gh-backfill\nVersion: 0.1.0\n")
    source = {"url": "https://github.com/octo-fork/gh_backfill.git", "vcs_info": {"vcs": "git", "commit_id": "f00"}}
    (installed / "direct_url.json").write_text(json.dumps(source))
    theirs = here | {"PYTHONPATH": f"{installed.parent}:{here['PYTHONPATH']}"}
    command = [sys.executable, "-m", "gh_backfill", "init", "--database", empty_database_url, "--migrate"]
    done = subprocess.run(command, env=theirs, cwd=clone, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "uses: octo-fork/gh_backfill/.github/workflows/progressive-backfill.yml@v" in (clone / WORKFLOW).read_text()


def test_without_gh_the_last_line_leads_to_the_page_that_starts_a_run(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    (clone / "programs" / "gh").unlink()
    done = cli(here, "init", *TOOL, "--database", empty_database_url, "--migrate")
    assert done.returncode == 0, done.stderr
    assert "https://github.com/octo/history/actions/workflows/gh-backfill.yml" in done.stdout.splitlines()[-1]
    assert "gh workflow run" not in done.stdout
    assert done.stdout.splitlines()[-1].startswith("make that secret, commit and push these files"), "nobody keeps it"
    whole = cli(here, "init", *TOOL, "--database", empty_database_url, "--everything")
    assert (clone / ".github" / "workflows" / "dispatch.yml").exists()
    assert "--everything" not in whole.stdout


def test_on_a_terminal_whoever_mistypes_a_name_or_a_word_is_asked_again(
    here: dict[str, str], clone: Path, empty_database_url: str
) -> None:
    subprocess.run(["git", "-C", str(clone), "remote", "remove", "origin"], check=True, timeout=60)
    talk = [
        *(("Actions do the work", "octo history"), ("Actions do the work", "octo/history")),
        *(("What starts it", "schedul"), ("What starts it", "PG-cron")),
        *(("that has gh_backfill", "octo"), ("that has gh_backfill", "octo/gh_backfill")),
        *(("Connection string", empty_database_url), ("gh secret set", "n")),
    ]
    told, code = asked(here, ["init", "--migrate"], talk)
    assert code == 0, told
    assert "octo history is no repository: say owner/name" in told
    assert "schedul starts nothing: say schedule, pg_cron, inngest" in told
    assert (clone / "gh-backfill-clock.sql").exists()


def test_who_stops_at_a_question_is_not_told_of_what_would_go_on(here: dict[str, str], clone: Path) -> None:
    before = files(clone)
    told, code = asked(here, ["init", *TOOL], [("What starts it", "schedule"), ("Connection string", CTRL_C)])
    assert code == 130
    assert told.rstrip().endswith("error: interrupted")
    assert files(clone) == before


@pytest.mark.parametrize(
    ("address", "near"),
    [
        ("postgresql://u@127.0.0.1/d", True),
        ("postgresql:///d?host=/var/run/postgresql", True),
        ("postgresql://u@192.168.1.7:5432/d", True),
        ("postgresql://u@[fd00::7]:5432/d", True),
        ("postgresql://u@aws-0-eu-central-1.pooler.supabase.com:5432/postgres", False),
        ("postgresql://u@8.8.8.8/d", False),
    ],
)
def test_of_a_database_that_github_s_runners_do_not_reach_it_is_told(address: str, near: bool) -> None:
    told = installing.out_of_reach(database_address.understood(address))
    assert (told is not None and "not by GitHub's runners" in told) == near


def asked(here: dict[str, str], words: Sequence[str], talk: list[tuple[str, str]]) -> tuple[str, int]:
    """Run a command on a terminal of its own, and answer each question once it is there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "gh_backfill", *words]
    process = subprocess.Popen(
        command, env=here | {"TERM": "dumb"}, cwd=here["HOME"], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    told, seen = "", 0
    try:
        while True:
            try:
                got = os.read(ours, 4096)
            except OSError:  # Linux says so where the other end is closed
                break
            if not got:
                break
            told += got.decode(errors="replace")
            if talk and talk[0][0] in told[seen:] and told.endswith(": "):
                seen = len(told)
                answer = talk.pop(0)[1]
                if answer == CTRL_C:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, f"{answer}\n".encode())
        return told, process.wait(60)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_every_setting_of_the_example_exists() -> None:
    text = (Path(database_address.__file__).parent / "installation" / "env.example").read_text()
    found = {line.partition("=")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert found
    assert found <= settings.names()
