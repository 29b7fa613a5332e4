"""A short storm over a thousand made-up pull requests; `python -m tests.storm.long` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from tests.storm import weather
from tests.storm.fates import NAMED, Deed, every_fate_once
from tests.storm.storm import Plan, Storm

SEED = 20261124
NAME = "octo/storm"
ONE_IN = 5
COLLIDING = (7, 11)


def test_after_kills_cuts_and_faults_the_database_is_what_github_has(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = load(recipes=[f"{NAME}:1000"])
    for number in COLLIDING:
        changes.collide_comments(world, NAME, number)
    with running(world, Options(window=8.0, graphql_limit=100_000)) as github:
        plan = Plan(
            names=(NAME,),
            fates=every_fate_once(),
            faults=weather.faults(SEED, rounds=1, one_in=ONE_IN),
            seed=SEED,
            page=15,
            issues_page=5,
            longest=420.0,  # a bound for a machine that is very busy; it takes a tenth of that
        )
        storm = Storm(database_url=database_url, github=github, plan=plan, folder=tmp_path)
        found = storm.run()
    with capsys.disabled():
        print(f"\nstorm of seed {SEED}: {storm.tally.kills} kills, {storm.tally.faults}")
    (tmp_path / "lives.txt").write_text("\n".join(storm.tally.lives), encoding="utf-8")
    assert found.wrong == ()
    assert found.at_once > 0, "never did two workers have a kind each"
    assert {point for deed, point in storm.tally.deeds if deed == Deed.KILL} >= set(NAMED)
    assert [name for name, count in storm.tally.struck.items() if not count] == []
    assert any(operation.startswith("Issue") for operation in storm.tally.struck_at), storm.tally.struck_at
    assert abs(storm.tally.share - 1 / ONE_IN) < 0.02
    assert storm.tally.unexpected == []
