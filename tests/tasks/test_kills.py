"""Whatever ends a worker, and whatever happens to the database meanwhile: exactly once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.simulator.faults import Fault
from gh_backfill.store.db import Database
from tests.storm.wire import Cut, Moment, Wire
from tests.tasks.conftest import ENGINE, SMALL, House

ROOT = Path(__file__).parents[2]


def worker(house: House, name: str = ENGINE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "capture", name, "--chunk-size", "5"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(ROOT),
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": house.github.url,
            "DATABASE_URL": house.url,
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


def wait_until(there: Callable[[], bool], seconds: float = 30.0) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


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
        assert process.stdout is not None
        out = process.stdout.read()
        process.wait(60)
    assert process.returncode == 130
    assert "what was committed is kept" in out
    assert house.rows("select 1 from backfill_chunks where status = 'processing'") == []
    job = house.only("select status, outcome from progressive_capture_jobs")
    assert job["status"] in {"cancelled", "failed"}
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180


def test_a_worker_told_to_stop_while_its_claim_is_answered_gives_the_chunk_back(house: House) -> None:
    house.track(ENGINE)
    claims: list[str] = []
    started: list[subprocess.Popen[str]] = []

    def stop(statement: str, moment: Moment) -> None:
        """Tell the worker to stop when its second claim is made, and before it knows of it."""
        if "insert into backfill_chunks" in statement and moment is Moment.AFTER:
            claims.append(statement)
            if len(claims) == 2:
                started[0].send_signal(signal.SIGTERM)
                time.sleep(0.3)

    wire = Wire(house.url, stop)
    with ended(worker(replace(house, url=wire.url("worker")))) as process:
        started.append(process)
        process.communicate(timeout=60)
    wire.close()
    assert (process.returncode, len(claims)) == (130, 2)
    assert [row["status"] for row in house.rows("select status from backfill_chunks order by chunk_number")] == [
        "completed",
        "pending",
    ]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_killed_worker_is_followed_at_once_on_its_machine_and_after_its_lease_elsewhere(
    house: House, elsewhere: bool
) -> None:
    house.track(ENGINE)
    house.github.faults.add(Fault(name="stall", skip=1, match={"variables": '"after": ?"'}))  # the third page
    with ended(worker(house)) as process:
        first_lines(process, "1 chunk,")
        wait_until(lambda: house.rows("select 1 from backfill_chunks where status = 'processing'") != [])
        process.kill()
        process.wait(30)
    house.github.faults.clear()
    assert len(house.rows("select 1 from backfill_chunks where status = 'processing'")) == 1
    if elsewhere:
        with house.db.transaction() as tx:
            tx.run("update backfill_chunks set claimed_by = replace(claimed_by, '@', '@0') where status = 'processing'")
            tx.run("update progressive_capture_jobs set worker = replace(worker, '@', '@0')")
        assert house.capture().outcome is CaptureOutcome.BUSY
        with house.db.transaction() as tx:
            tx.run("update backfill_chunks set lease_until = now() - interval '1 second' where status = 'processing'")
    assert house.capture().outcome is CaptureOutcome.COMPLETED
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
        assert house.capture().outcome in {CaptureOutcome.COMPLETED, CaptureOutcome.BUSY}
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180
    assert (
        house.rows("select after_cursor from backfill_chunks group by stream_id, after_cursor having count(*) > 1")
        == []
    )


def cut(house: House) -> None:
    """End the worker's connection from the server's side, as a restart does."""
    pid = house.only("select pg_backend_pid() as pid")["pid"]
    with Database(house.url) as other, other.transaction() as tx:
        tx.run("select pg_terminate_backend(%(pid)s)", pid=pid)


def test_a_connection_lost_between_two_chunks_is_opened_again(house: House) -> None:
    house.track(ENGINE)
    captured = house.capture(limits=Limits(chunk_size=40), listen=lambda progress: cut(house))
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == house.state()["processed_prs"] == 180


@dataclass
class Accident:
    """Cuts the wire at what commits a statement with this text: before the server hears of it, or after.

    What stands alone in its message is committed by it.
    """

    text: str
    alone: bool
    moment: Moment
    seen: bool = False
    struck: bool = False

    def __call__(self, statement: str, moment: Moment) -> None:
        self.seen = self.seen or self.text in statement
        commits = statement.endswith("commit") or (self.text in statement and self.alone)
        if self.seen and not self.struck and commits and moment is self.moment:
            self.struck = True
            raise Cut


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize(
    ("text", "alone"), [("insert into backfill_chunks", True), ("insert into pull_requests", False)]
)
def test_a_commit_whose_answer_is_lost_is_found_out_and_counted_once(
    house: House, database_url: str, moment: Moment, text: str, alone: bool
) -> None:
    house.track(ENGINE)
    accident = Accident(text=text, alone=alone, moment=moment)
    wire = Wire(database_url, accident)
    with Database(wire.url("worker")) as db:
        captured = replace(house, db=db).capture(limits=Limits(chunk_size=40))
    wire.close()
    assert accident.struck
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert (house.count("pull_requests"), house.state()["processed_prs"]) == (180, 180)
    assert house.only("select sum(items_done) as n from backfill_streams where stream = 'history'")["n"] == 180


def test_a_worker_that_wakes_up_after_its_chunk_was_taken_over_commits_nothing(house: House, database_url: str) -> None:
    house.track(ENGINE)
    overtaken: list[str] = []

    def overtake(statement: str, moment: Moment) -> None:
        """Play the rival that takes the chunk over while the worker sleeps, right before it commits its rows."""
        if "for no key update of c" in statement and moment is Moment.BEFORE and not overtaken:
            overtaken.append(statement)
            with Database(database_url) as rival, rival.transaction() as tx:
                tx.run("update backfill_chunks set attempt = attempt + 1, claimed_by = 'rival'")

    wire = Wire(database_url, overtake)
    with Database(wire.url("worker")) as db:
        captured = replace(house, db=db).capture()
    wire.close()
    assert overtaken != []
    assert (captured.outcome, captured.items) == (CaptureOutcome.BUSY, 0)
    assert (house.count("pull_requests"), house.state()["processed_prs"]) == (0, 0)


def test_shared_people_never_make_five_captures_deadlock(house: House) -> None:
    house.track(ENGINE, SMALL)
    processes = [worker(house, name) for name in (ENGINE, SMALL, ENGINE, SMALL, ENGINE)]
    for process in processes:
        with ended(process):
            out, _ = process.communicate(timeout=120)
            assert process.returncode == 0, out
            assert "deadlock" not in out
