"""Whatever ends a worker, and whatever happens to the database meanwhile: exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from gh_backfill.errors import StoreUnavailable
from gh_backfill.models import TrackedRepository
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.capture import Limits, Outcome, Progress
from tests.tasks.conftest import ENGINE, SMALL, House

ROOT = Path(__file__).parents[2]


def worker(house: House, name: str = ENGINE) -> subprocess.Popen[str]:
    row = house.only("select current_database() as name, current_setting('unix_socket_directories') as folder")
    return subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "capture", name, "--chunk-size", "5"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(ROOT),
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": house.github.url,
            "DATABASE_URL": f"postgresql://postgres@/{row['name']}?host={row['folder']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def first_lines(process: subprocess.Popen[str], wanted: str) -> None:
    """Read what the worker says until it says this."""
    assert process.stdout is not None
    for line in process.stdout:
        if wanted in line:
            return
    raise AssertionError(f"the worker ended without saying {wanted!r}")


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.parametrize("word", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_stop_gives_its_chunk_back_and_says_so(house: House, word: signal.Signals) -> None:
    house.track(ENGINE)
    with ended(worker(house)) as process:
        first_lines(process, "2 chunks")
        process.send_signal(word)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what was committed is kept" in out
    assert house.rows("select 1 from backfill_chunks where status = 'processing'") == []
    job = house.only("select status, outcome from progressive_capture_jobs")
    assert job["status"] in {"cancelled", "failed"}
    assert house.capture().outcome is Outcome.COMPLETED
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180


def test_a_worker_killed_at_once_leaves_a_chunk_that_is_taken_over_when_its_lease_is_over(house: House) -> None:
    house.track(ENGINE)
    with ended(worker(house)) as process:
        first_lines(process, "1 chunks")
        process.kill()
        process.wait(30)
    left = house.rows("select attempt from backfill_chunks where status = 'processing'")
    if left:
        assert house.capture().outcome is Outcome.BUSY
        with house.db.transaction() as tx:
            tx.run("update backfill_chunks set lease_until = now() - interval '1 second' where status = 'processing'")
    assert house.capture().outcome is Outcome.COMPLETED
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180
    assert (
        house.rows("select after_cursor from backfill_chunks group by stream_id, after_cursor having count(*) > 1")
        == []
    )


def test_two_workers_on_one_repository_do_every_page_once_between_them(house: House) -> None:
    house.track(ENGINE)
    with ended(worker(house)) as one, ended(worker(house)) as two:
        for process in (one, two):
            process.communicate(timeout=120)
    while house.state()["status"] != "completed":
        assert house.capture().outcome in {Outcome.COMPLETED, Outcome.BUSY}
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180
    assert (
        house.rows("select after_cursor from backfill_chunks group by stream_id, after_cursor having count(*) > 1")
        == []
    )


def cut(house: House) -> None:
    """End the worker's connection from the server's side, as a restart does."""
    with house.db.transaction(read_only=True) as tx:
        (mine,) = tx.rows("select pg_backend_pid() as pid, current_database() as name")
    other = psycopg2.connect(_admin_url(house))
    other.autocommit = True
    other.cursor().execute("select pg_terminate_backend(%s)", (mine["pid"],))
    other.close()


def _admin_url(house: House) -> str:
    row = house.only("select current_setting('unix_socket_directories') as folder")
    return f"postgresql://postgres@/postgres?host={row['folder']}"


def test_a_connection_lost_between_two_chunks_is_opened_again(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture(limits=Limits(chunk_size=40), listen=lambda progress: cut(house))
    assert captured.outcome is Outcome.COMPLETED
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180


def interrupted(monkey: pytest.MonkeyPatch, when: Callable[[str], bool], *, after: bool) -> list[str]:
    """Lose the connection at the first COMMIT for which `when` says so, before or after it took effect."""
    struck: list[str] = []
    commit = Transaction._commit  # noqa: SLF001  (the wire itself is the outermost edge)

    def lost(tx: Transaction) -> None:
        query = tx.last
        if struck or not when(query):
            commit(tx)
            return
        struck.append(query)
        if after:
            commit(tx)
        raise StoreUnavailable("the database does not answer: the connection was lost")

    monkey.setattr(Transaction, "_commit", lost)
    return struck


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("statement", ["insert into backfill_chunks", "update progressive_backfill_state b"])
def test_a_commit_whose_answer_is_lost_is_found_out_and_counted_once(
    house: House, monkeypatch: pytest.MonkeyPatch, after: bool, statement: str
) -> None:
    house.track(ENGINE)
    struck = interrupted(monkeypatch, lambda query: statement in query, after=after)
    captured = house.capture(limits=Limits(chunk_size=40))
    assert struck != []
    assert captured.outcome is Outcome.COMPLETED
    assert (captured.items, house.count("pull_requests"), house.state()["processed_prs"]) == (180, 180, 180)
    assert house.only("select sum(items_done) as n from backfill_streams where stream = 'history'")["n"] == 180


def test_a_worker_that_wakes_up_after_its_chunk_was_taken_over_commits_nothing(house: House, database_url: str) -> None:
    house.track(ENGINE)
    taken: list[int] = []

    def overtake(progress: Progress) -> None:
        """Play the rival: take every chunk over as soon as the other has claimed the next one."""
        taken.append(progress.chunks)

    house.capture(limits=Limits(chunk_size=40, max_chunks=1), listen=overtake)
    with Database(database_url) as rival, rival.transaction() as tx:
        tx.run(
            "create function overtake() returns trigger language plpgsql as $$ begin "
            "new.attempt := new.attempt + 1; return new; end $$"
        )
        tx.run(
            "create trigger overtake after insert on backfill_chunks for each row when (false) execute function overtake()"
        )
        tx.run(
            "create trigger taken_over before update on backfill_chunks for each row "
            "when (new.status = 'completed' and old.attempt = 1) execute function overtake()"
        )
    before = house.count("pull_requests")
    captured = house.capture(limits=Limits(chunk_size=40, max_chunks=1))
    assert taken == [1]
    assert (captured.outcome, house.count("pull_requests")) in {
        (Outcome.STOPPED, before + 40),
        (Outcome.BUSY, before),
    }


def test_shared_people_never_make_five_captures_deadlock(house: House) -> None:
    house.track(ENGINE, SMALL)
    processes = [worker(house, name) for name in (ENGINE, SMALL, ENGINE, SMALL, ENGINE)]
    for process in processes:
        with ended(process):
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0, out
            assert "deadlock" not in out


def repository(house: House) -> TrackedRepository:
    return replace(house_find(house), node_id=None)


def house_find(house: House) -> TrackedRepository:
    from gh_backfill.tasks import job  # noqa: PLC0415

    return job.find(house.db, ENGINE)
