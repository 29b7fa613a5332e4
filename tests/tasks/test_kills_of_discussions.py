"""A worker that is killed while it writes discussions: the next one does each of them once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.storm.wire import Moment, Wire
from tests.tasks.conftest import House
from tests.tasks.test_discussions import TALK, captured, wrong
from tests.tasks.test_kills import ROOT, ended


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with running(load(recipes=[f"{TALK}:2:discussions=12"])) as github, Database(database_url) as db:
        yield House(db=db, url=database_url, github=github)


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
@pytest.mark.parametrize("statement", ["insert into discussions as", "insert into discussion_comments as"])
def test_a_worker_that_is_killed_between_discussions_and_their_comments_leaves_nothing_half(
    house: House, statement: str, moment: Moment
) -> None:
    house.track(TALK)
    met: list[str] = []
    started: list[subprocess.Popen[str]] = []

    def kill(text: str, when: Moment) -> None:
        """End the worker at its second chunk."""
        if statement in text and when is moment:
            met.append(text)
            if len(met) == 2:
                started[0].kill()
                started[0].wait(30)

    wire = Wire(house.url, kill)
    process = subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "capture", TALK, "--kinds", "discussions", "--chunk-size", "4"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(ROOT),
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": house.github.url,
            "DATABASE_URL": wire.url("worker"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with ended(process):
        started.append(process)
        process.communicate(timeout=60)
    wire.close()
    assert (process.returncode, len(met)) == (-9, 2)
    assert house.count("discussions") in (4, 8)
    assert captured(house).outcome is CaptureOutcome.COMPLETED
    assert wrong(house) == []
    (row,) = house.rows("select captured from backfills where kind = 'discussions'")
    assert row["captured"] == 12
