"""The life of the embedded server: several users, killed ones, crashes, and folders of all kinds."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import pytest

from gh_backfill.errors import ConfigurationError, StoreUnavailable
from gh_backfill.store.db import Database
from gh_backfill.store.embedded import embedded

# Opens the server of a folder, tells when it was started, and stays until its input ends.
USER = """
import sys
from pathlib import Path
from gh_backfill.store.db import Database
from gh_backfill.store.embedded import embedded
with embedded(Path(sys.argv[1])) as url:
    with Database(url) as db, db.transaction() as tx:
        print(tx.row("select pg_postmaster_start_time()::text as at")["at"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give an empty folder outside pytest's own, which other test runs close to the service user."""
    with tempfile.TemporaryDirectory(prefix="gh_backfill-embedded-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """Give a folder with a database in it, for the tests that leave it whole."""
    with tempfile.TemporaryDirectory(prefix="gh_backfill-embedded-") as name:
        with embedded(Path(name)):
            pass
        yield Path(name)


@contextmanager
def other_process(folder: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a user of the folder's server in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    with process:
        yield process


def started_at(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(url: str, statement: str) -> object:
    with Database(url) as db, db.transaction() as tx:
        row = tx.row(statement)
    assert row is not None
    return next(iter(row.values()))


def is_running(folder: Path) -> bool:
    return (folder / "data" / "postmaster.pid").exists()


def kill_server(folder: Path, url: str) -> None:
    """Kill the server on the spot, so that it leaves all its notes behind, and see its end."""
    witness = psycopg2.connect(url)
    os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    assert select.select([witness], [], [], 60)[0] == [witness]
    witness.close()


def test_what_was_written_is_there_at_the_next_start(folder: Path) -> None:
    with embedded(folder) as url, Database(url) as db, db.transaction() as tx:
        tx.run("create table shelf as select 'Dune' as title")
    assert not is_running(folder)
    with embedded(folder) as url:
        assert ask(url, "select title from shelf") == "Dune"


def test_the_folder_and_those_above_it_are_made(folder: Path) -> None:
    with embedded(folder / "not" / "yet" / "there") as url:
        assert ask(url, "select 1 as one") == 1


def test_it_listens_to_its_owner_only(made: Path) -> None:
    with embedded(made) as url:
        assert ask(url, "select current_setting('listen_addresses') as addresses") == ""
        assert (made / "data").stat().st_mode & 0o077 == 0


def test_text_is_utf_8_and_sorts_alike_on_every_machine(made: Path) -> None:
    with embedded(made) as url:
        assert ask(url, "select current_setting('server_encoding') as encoding") == "UTF8"
        assert (
            ask(url, "select lower('ÄÖ') || string_agg(x, '' order by x) as x from unnest(array['b', 'B', 'a']) x")
            == "äöBab"
        )


def test_an_inner_use_does_not_stop_the_server_of_the_outer_one(made: Path) -> None:
    with embedded(made) as url:
        with embedded(made) as inner:
            assert inner == url
        assert ask(url, "select 1 as one") == 1
    assert not is_running(made)


def test_the_server_stops_with_the_last_of_several_processes(made: Path) -> None:
    with other_process(made) as other:
        with embedded(made) as url:
            assert started_at(other) == ask(url, "select pg_postmaster_start_time()::text as at")
        assert is_running(made)
    assert not is_running(made)


def test_processes_that_start_at_once_in_a_new_folder_share_one_server(folder: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(other_process(folder)) for _ in range(3)]
        starts = {started_at(process) for process in processes}
    assert len(starts) == 1
    assert starts != {""}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert not is_running(folder)


def test_a_killed_user_does_not_keep_the_server_for_ever(made: Path) -> None:
    with other_process(made) as other:
        started_at(other)
        other.kill()
        other.wait()
        assert is_running(made)
        with embedded(made):
            pass
    assert not is_running(made)


def test_an_exception_stops_the_server_and_passes_on(made: Path) -> None:
    with pytest.raises(LookupError), embedded(made):
        raise LookupError
    assert not is_running(made)


def test_a_killed_server_is_started_again_and_keeps_what_was_committed(folder: Path) -> None:
    with embedded(folder) as url:
        with Database(url) as db, db.transaction() as tx:
            tx.run("create table shelf as select 'Dune' as title")
        kill_server(folder, url)
        with embedded(folder) as again:
            assert ask(again, "select title from shelf") == "Dune"


def test_a_number_left_by_a_killed_server_may_be_that_of_another_process(folder: Path) -> None:
    with embedded(folder) as url:
        notes = (folder / "data" / "postmaster.pid").read_text().splitlines()
        kill_server(folder, url)
    owner = (folder / "data").owner()
    with subprocess.Popen(["sleep", "60"], user=owner if os.geteuid() == 0 else None) as other:
        (folder / "data" / "postmaster.pid").write_text("\n".join([str(other.pid), *notes[1:], ""]))
        try:
            with embedded(folder) as url:
                assert ask(url, "select 1 as one") == 1
        finally:
            other.kill()


def test_a_first_start_that_was_cut_off_is_made_good(folder: Path) -> None:
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / "PG_VERSION").write_text("18\n")
    with embedded(folder) as url:
        assert ask(url, "select 1 as one") == 1


NAMES = ["two words", 'it\'s 100% "ours" & $HOME?', "ünï-日本", "one, two", "deep/" + "x" * 120]


@pytest.mark.parametrize("name", NAMES)
def test_any_path_will_do(folder: Path, name: str) -> None:
    with embedded(folder / name) as url:
        assert ask(url, "select 1 as one") == 1


def test_a_folder_keeps_the_version_it_was_made_with(folder: Path) -> None:
    with other_process(folder, PGSERVER_POSTGRES_VERSION="16") as older:
        started_at(older)
    with embedded(folder) as url:
        assert ask(url, "select current_setting('server_version_num')::integer / 10000 as major") == 16


def test_a_version_that_is_not_at_hand_is_named(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 9\.6.*another folder"), embedded(folder):
        pass


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(folder: Path) -> None:
    (folder / "file").touch()
    with (
        pytest.raises(ConfigurationError, match=r"file.below: Not a directory; .*DATABASE_URL"),
        embedded(folder / "file" / "below"),
    ):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_a_matter_of_configuration(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"Permission denied; .*DATABASE_URL"), embedded(folder):
        pass


def test_a_server_that_never_gets_ready_is_stopped_again(folder: Path) -> None:
    with embedded(folder):
        pass
    (folder / "data" / "recovery.signal").touch(mode=0o600)
    shutil.chown(folder / "data" / "recovery.signal", (folder / "data").owner())
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("restore_command = 'sleep 600; false'\n")
    with pytest.raises(StoreUnavailable, match="pg_ctl failed"), embedded(folder, patience=2):
        pass
    assert not is_running(folder)


def test_a_server_that_does_not_start_says_why(folder: Path) -> None:
    with embedded(folder):
        pass
    with (folder / "data" / "postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")
    with pytest.raises(StoreUnavailable, match='unrecognized configuration parameter "nonsense"'), embedded(folder):
        pass
