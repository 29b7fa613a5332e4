"""`work --forever`: a process that does what is due until it is stopped, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from gh_backfill import settings
from gh_backfill.policy import duties
from gh_backfill.policy.duties import Duty, DutyLane
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks import forever
from gh_backfill.tasks.forever import Forever
from tests.test_cli import cli, environment, refused

__all__ = ["environment"]

PATIENCE = 60.0


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=["octo/engine:150", "octo/small:12"])) as simulator:
        yield simulator


def waited_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.2)


def statuses(environment: dict[str, str]) -> dict[str, str]:
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        found = tx.rows(
            "select full_name, status from backfills join repositories on repositories.id = repository_id"
            " where kind = 'pull_requests'"
        )
        return {row["full_name"]: row["status"] for row in found}


def started(environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gh_backfill", "work", "--forever"],
            env=environment,
            cwd=environment["HOME"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def test_it_brings_what_was_added_goes_on_and_ends_well_when_it_is_stopped(
    environment: dict[str, str], tmp_path: Path
) -> None:
    assert cli(environment, "track", "octo/engine", "octo/small").returncode == 0
    log = tmp_path / "log"
    worker = started(environment, log)
    try:
        waited_for(lambda: statuses(environment) == {"octo/engine": "completed", "octo/small": "completed"})
        waited_for(lambda: "verify" in log.read_text())
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
    finally:
        worker.kill()
        worker.wait()
    told = log.read_text()
    assert "Traceback" not in told
    assert told.startswith("working: ")
    assert told.rstrip().endswith("stopped; what was committed is kept")
    for duty in ("work", "run", "sync", "aggressive", "events", "aggregate", "verify"):
        assert f" {duty} " in told, f"{duty} was not done"
    assert " embed " not in told, "nobody is set to make vectors"
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select 1 from backfill_chunks where status = 'processing'") == []
        assert tx.rows("select 1 from progressive_capture_jobs where status = 'processing'") == []


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are found in /proc")
def test_what_it_began_stops_with_it_when_it_is_killed(
    environment: dict[str, str], github: Simulator, tmp_path: Path
) -> None:
    assert cli(environment, "track", "octo/engine", "octo/small").returncode == 0
    github.faults.add(Fault(name="stall"))  # what has begun does not end by itself
    worker = started(environment, tmp_path / "log")
    began: set[int] = set()
    try:
        while len(began) < len(DutyLane):
            waited_for(lambda: bool(set(children_of(worker.pid)) - began))
            began.update(children_of(worker.pid))
        waited_for(lambda: github.faults.struck()["stall"] > 1)
    finally:
        worker.kill()
        worker.wait()
    waited_for(lambda: not any(Path(f"/proc/{each}").exists() for each in began))
    assert "Traceback" not in (tmp_path / "log").read_text()
    with Database(environment["DATABASE_URL"]) as db, db.reading() as tx:
        assert tx.rows("select 1 from backfill_chunks where status = 'processing'") == []


def children_of(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for path in listed for each in path.read_text().split()]


@pytest.fixture
def configured(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "GH_"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def test_a_command_that_fails_is_told_and_begun_again_and_what_is_quiet_stays_quiet(
    configured: settings.Settings,
) -> None:
    often = timedelta(milliseconds=10)
    duties = [
        Duty(words=("capture", "octo/nobody"), every=often, lane=DutyLane.ADDED),
        Duty(words=("status",), every=often, lane=DutyLane.FRESH),
    ]
    lines: list[str] = []
    with Forever(settings=configured, workers=1, say=lines.append, duties=duties):
        waited_for(lambda: sum("ended with exit code 2" in line for line in lines) >= 2)
    assert sum("error: " in line for line in lines) == 1, "the same words are said once"
    assert any("it is begun again at" in line for line in lines)
    assert sum(" status " in line for line in lines) <= 2
    assert lines[-1] == "stopped; what was committed is kept"


def test_what_is_begun_again_tomorrow_says_the_day() -> None:
    now = datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
    for after, told in ((timedelta(hours=1), "at 16:00 UTC"), (timedelta(days=1), "at 04-01 15:00 UTC")):
        assert told in forever.begun_again(now + after, now)
    assert "at 15:00 UTC" in forever.begun_again(now - timedelta(hours=1), now), "it is due already"


def test_what_found_nobody_is_begun_again_soon_whatever_its_time(
    configured: settings.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duties, "AWAY", timedelta(milliseconds=100))
    daily = Duty(words=("status",), every=timedelta(days=1), lane=DutyLane.FRESH)
    away = configured.model_copy(update={"database_url": SecretStr("postgresql://nobody@127.0.0.1:1/nowhere")})
    lines: list[str] = []
    with Forever(settings=away, workers=1, say=lines.append, duties=[daily]):
        waited_for(lambda: sum("ended with exit code 4" in line for line in lines) >= 2)


def test_it_takes_a_token_and_no_json(environment: dict[str, str]) -> None:
    assert "GITHUB_TOKEN" in refused(cli(environment, "work", "--forever", GITHUB_TOKEN=""), 2)
    assert "leave out --json" in refused(cli(environment, "work", "--forever", "--json"), 2)
