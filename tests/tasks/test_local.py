"""The whole job on one machine: the demo keeps to itself, and real data never mixes with invented."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import load as load_settings
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store import migrations
from gh_backfill.store.db import Database, Row
from gh_backfill.store.embedded import embedded
from gh_backfill.tasks import capture, children
from gh_backfill.tasks.demo import is_demo
from tests import forks, servers

ROOT = Path(__file__).parents[2]
NAMES = ("octo/engine", "octo/motor")
LOOKS = 900


needs_15 = pytest.mark.skipif(not servers.DEBIANS_15.is_dir(), reason="PostgreSQL 15 of Debian is not installed")


def run(home: Path, *names: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forks.run(["run", *names], env=given_to(home, environment), cwd=home, timeout=180)


def given_to(home: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of somebody who has set up nothing else."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), **environment}


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
    assert "1,660 pull requests" in first.stdout
    assert first.stdout.startswith("demo: without GITHUB_TOKEN and repositories, invented ones go into a database of")
    assert "gh-backfill psql --demo" in first.stdout
    assert [path.name for path in (tmp_path / ".local/share/gh_backfill").iterdir()] == ["demo"]
    second = run(tmp_path)
    assert second.returncode == 0, second.stderr
    assert "this run: 0 pull requests, 3 points, 3 requests" in second.stdout


def command(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody does who has set nothing up."""
    return forks.run([*arguments], env=given_to(home, environment), cwd=home)


@pytest.mark.parametrize("words", [("migrate", "--dry-run"), ("report",), ("recover",)])
def test_who_only_looks_makes_no_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = command(tmp_path, *words)
    assert done.returncode == (0 if words[0] == "migrate" else 2), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / ".local/share/gh_backfill/postgres").exists()


@pytest.fixture
def demo_home() -> Iterator[Path]:
    """Give a home in which nothing but a small demo was run; not in pytest's folder, which other runs of it close."""
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-home-") as name,
        running(load(recipes=["octo-demo/engine:5"])) as github,
    ):
        settings = {"GITHUB_TOKEN": "demo", "GITHUB_API_URL": github.url}
        demo = str(Path(name) / ".local/share/gh_backfill/demo")
        assert run(Path(name), "octo-demo/engine", GH_BACKFILL_HOME=demo, **settings).returncode == 0
        yield Path(name)


def test_after_the_demo_every_command_means_its_database_until_there_is_another_one(demo_home: Path) -> None:
    seen = command(demo_home, "status")
    assert (seen.returncode, "octo-demo/engine" in seen.stdout) == (0, True)
    assert seen.stderr.splitlines() == [
        "this is the demo's database with its invented data: nothing else was set up yet"
    ]
    assert command(demo_home, "recover", "octo-demo/engine").returncode == 0
    assert command(demo_home, "migrate").returncode == 0  # this makes one of our own
    own = command(demo_home, "status")
    assert (own.returncode, own.stderr) == (0, "")
    assert own.stdout.startswith("empty, no repository is tracked yet: ")
    assert "octo-demo/engine" in command(demo_home, "status", "--demo").stdout


def test_the_hints_can_be_pasted_as_they_stand(demo_home: Path) -> None:
    home = demo_home / "two words"
    home.mkdir()
    (home / ".local").symlink_to(demo_home / ".local")
    hint = command(home, "status", "octo/nowhere", "--json").stderr
    assert "not tracked here" in hint
    empty = command(home, "status", GH_BACKFILL_HOME=str(home / "new")).stdout
    track = empty.partition(": ")[2].strip()
    pasted = subprocess.run(
        ["/bin/sh", "-c", f"{track.replace(' track owner/name', '')} status --demo"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (pasted.returncode, "octo-demo/engine" in pasted.stdout) == (0, True), pasted.stderr


def test_where_nothing_was_ever_set_up_status_says_so_and_makes_nothing(tmp_path: Path) -> None:
    seen = command(tmp_path, "status")
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "gh-backfill track owner/name" in seen.stdout
    assert command(tmp_path, "status", "--json").stdout == "[]\n"
    assert list(tmp_path.iterdir()) == []


def test_a_configured_database_without_a_table_says_which_two_steps_fill_it(
    tmp_path: Path, empty_database_url: str
) -> None:
    seen = command(tmp_path, "status", DATABASE_URL=empty_database_url)
    assert seen.returncode == 2
    assert "the database is empty: run " in seen.stderr
    assert "gh-backfill migrate, then " in seen.stderr
    assert "gh-backfill track owner/name" in seen.stderr


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
            wait([done], timeout=0.02)  # a loop without a pause would take the time from the run
        server.stop()
        server.start()
        assert done.result().returncode == 0, done.result().stderr
        with Database(server.url) as db, db.transaction(read_only=True) as tx:
            assert tx.row("select count(*) as n from pull_requests") == {"n": 400}


@contextmanager
def started(home: Path, *names: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a group of its own, as a terminal does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "run", *names],
        env=given_to(home, environment),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def rows(url: str, statement: str) -> list[Row]:
    with Database(url) as db, db.transaction(read_only=True) as tx:
        return tx.rows(statement)


def until(process: subprocess.Popen[str], url: str, statement: str, *, ends: bool = False) -> None:
    """Wait until a statement finds something."""
    with Database(url) as db:
        for _ in range(LOOKS):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
                assert ends, f"it ended too early: {process.stdout and process.stdout.read()}"
            with db.transaction(read_only=True) as tx:
                if tx.rows(statement):
                    return
                if ends:
                    tx.rows("select 1 as one from pg_sleep(0.1)")
    raise AssertionError(f"never: {statement}")


AT_WORK = "select 1 as one from backfill_chunks where status = 'processing' having count(*) = 2"
BEGUN = "select 1 as one from backfill_chunks where status = 'completed' limit 1"
ALL_ENDED = "select 1 as one from progressive_capture_jobs having bool_and(outcome is not null)"


@pytest.mark.parametrize("how", ["Ctrl-C", "terminal closed", "terminated", "killed"])
def test_whatever_ends_a_run_its_chunks_are_free_at_once_and_the_next_run_goes_on(
    tmp_path: Path, database_url: str, how: str
) -> None:
    names = (*NAMES, "octo/late") if how == "terminated" else NAMES
    world = load(recipes=[f"{name}:120" for name in names])
    with running(world, Options(latency=0.4)) as slow, running(world) as github:
        settings = {"DATABASE_URL": database_url, "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        given = settings | {"GITHUB_API_URL": slow.url}
        with started(tmp_path, *names, "--workers", "2", **given) as process:
            until(process, database_url, BEGUN)
            until(process, database_url, AT_WORK)
            match how:
                case "Ctrl-C":
                    os.killpg(process.pid, signal.SIGINT)
                case "terminal closed":
                    os.killpg(process.pid, signal.SIGHUP)
                    os.kill(process.pid, signal.SIGHUP)  # once by the system, once by the shell
                case "terminated":
                    process.terminate()
                case "killed":
                    process.kill()
            out = "" if how == "killed" else process.communicate(timeout=120)[0]
            until(process, database_url, ALL_ENDED, ends=True)  # also those that nobody waited for
        assert process.returncode == (-signal.SIGKILL if how == "killed" else 130), out
        assert ("stopping: 2 captures give back what they hold" in out) == (how != "killed")
        assert rows(database_url, "select 1 as one from backfill_chunks where status = 'processing'") == []
        ended = rows(database_url, "select outcome, count(*)::integer as n from progressive_capture_jobs group by 1")
        late = [{"outcome": "never_started", "n": 1}] if how == "terminated" else []
        assert sorted(ended, key=str) == sorted([{"outcome": "cancelled", "n": 2}, *late], key=str)
        again = run(tmp_path, *names, **settings)
    assert again.returncode == 0, again.stderr
    assert rows(database_url, "select count(*) as n from pull_requests") == [{"n": 120 * len(names)}]
    assert len(list((tmp_path / ".local/share/gh_backfill/logs").glob("*.log"))) == 2


def test_a_repository_that_was_named_and_is_held_is_reported_as_held_by_whom_and_until_when(
    tmp_path: Path, database_url: str
) -> None:
    with running(load(recipes=["octo/engine:30"])) as github:
        settings = {"DATABASE_URL": database_url, "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        assert run(tmp_path, "octo/engine", **settings).returncode == 0
        with Database(database_url) as db, db.transaction() as tx:
            tx.run(
                "update backfill_chunks set status = 'processing', claimed_by = 'another-machine', "
                "lease_until = now() + interval '5 minutes' "
                "where chunk_number = (select max(chunk_number) from backfill_chunks)"
            )
            tx.run("update backfill_streams set status = 'active' where stream = 'catch_up'")
            tx.run("update progressive_backfill_state set status = 'active'")
            tx.run("update progressive_capture_jobs set outcome = null, started_at = now() - interval '1 hour'")
        done = run(tmp_path, "octo/engine", **settings)
    assert done.returncode == 3
    assert "octo/engine: held by another-machine until " in done.stderr
    assert "nothing needed" not in done.stdout


def test_captures_of_one_run_share_a_log_that_is_the_users_alone(tmp_path: Path, database_url: str) -> None:
    with running(load(recipes=[f"{name}:10" for name in NAMES])) as github:
        settings = {"DATABASE_URL": database_url, "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        assert run(tmp_path, *NAMES, **settings).returncode == 0
    (log,) = (tmp_path / ".local/share/gh_backfill/logs").iterdir()
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text(encoding="utf-8")
    assert all(f"{name}: completed" in text for name in NAMES)


def test_a_dry_run_counts_what_is_stored_and_writes_nothing(tmp_path: Path, database_url: str) -> None:
    with running(load(recipes=["octo/engine:60", "octo/motor:140"])) as github:
        settings = {"DATABASE_URL": database_url, "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url}
        assert run(tmp_path, "octo/engine", "--max-prs", "20", **settings).returncode == 0
        before = rows(database_url, "select count(*) as n from progressive_capture_jobs")
        dry = run(tmp_path, "octo/engine", "octo/motor", "--dry-run", **settings).stdout.splitlines()
        assert dry[0].startswith("octo/engine: 20 of 60 pull requests are here; would capture 40, about ")
        assert dry[1].startswith("octo/motor: 0 of 140 pull requests are here; would capture 140, about ")
        less = run(tmp_path, "octo/engine", "--max-prs", "20", "--dry-run", **settings).stdout
        assert "20 of 60 pull requests are here; nothing of what was asked for is missing" in less
        due = run(tmp_path, "--dry-run", **settings)
        assert (due.returncode, "dry run: nothing was written" in due.stdout) == (0, True)
        new = run(tmp_path, "octo/motor", "--dry-run", **{**settings, "DATABASE_URL": ""})
        assert "0 of 140 pull requests are here; would capture 140" in new.stdout
    assert rows(database_url, "select count(*) as n from progressive_capture_jobs") == before
    assert rows(database_url, "select count(*) as n from repositories") == [{"n": 1}]


def test_a_capture_holds_the_embedded_database_whoever_else_comes_and_goes() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-home-") as name,
        running(load(recipes=["octo/engine:90"]), Options(latency=0.4)) as github,
    ):
        home = Path(name)
        given = {"GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url, "GH_BACKFILL_HOME": name}
        assert command(home, "track", "octo/engine", **given).returncode == 0
        environment = children.environment_of(load_settings(given, dotenv=None))
        log = children.new_log(home / "logs", "run-1")
        with embedded(home / "simulated") as url, Database(url) as db:
            child = children.start(capture.find(db, "octo/engine"), None, environment, log)
            for _ in range(LOOKS):
                with suppress(subprocess.TimeoutExpired):
                    child.process.wait(0.1)
                if not child.running or rows(url, BEGUN):
                    break
        assert (home / "simulated/data/postmaster.pid").exists()  # we have left, and were not the last
        assert child.process.wait(120) == 0, log.read_text(encoding="utf-8")
        children.stop([child], print)
        assert not (home / "simulated/data/postmaster.pid").exists()
        assert "connection" not in log.read_text(encoding="utf-8")
