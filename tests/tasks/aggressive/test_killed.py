"""Killed at several moments of each of its steps, an aggressive backfill ends alike, and pays nothing twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.embedding_service import serving
from tests.storm.aggressive import NAME, Killing, blows
from tests.storm.wire import Moment

SEED = 1


def test_what_is_killed_at_any_statement_of_any_step_goes_on_there_and_ends_alike(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = blows(SEED, 3)
    assert {blow.moment for blow in kills} == set(Moment)
    world = load(recipes=[f"{NAME}:60:{SEED}:discussions=12"])
    with running(world) as github, serving() as service:
        killing = Killing(url=database_url, github=github, service=service, home=str(tmp_path))
        wrong = killing.run(kills)
        with capsys.disabled():
            print(f"\nkilled in {dict(killing.met)}, of {dict(killing.statements)} statements")
        assert wrong == []
        assert killing.met == Counter(dict.fromkeys(AggressiveStep, 3)), "a step ended before its kills"
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select count(*) as n from discussions where embedding is not null")
    assert row["n"] == 12
