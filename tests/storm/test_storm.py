"""A short storm over a thousand made-up pull requests, issues and discussions; `tests.storm.long` is the long one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.storm import weather
from tests.storm.fates import NAMED, Deed, every_fate_once
from tests.storm.storm import Plan, Storm

SEED = 20261124
NAME = "octo/storm"
ONE_IN = 5
COLLIDING = (7, 11)
YEAR = datetime(2020, 1, 1, tzinfo=UTC)
GOALS = (
    Goal(states=(PullRequestState.MERGED,)),
    Goal(until=YEAR),
    Goal(max_items=30),
    Goal(since=YEAR, states=(PullRequestState.MERGED, PullRequestState.CLOSED)),
    Goal(max_items=90),
)


def test_after_kills_cuts_and_faults_the_database_is_what_github_has(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = load(recipes=[f"{NAME}:1000:discussions=60"])
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
    for kind in ("Issue", "Discussion"):
        assert any(operation.startswith(kind) for operation in storm.tally.struck_at), storm.tally.struck_at
    assert found.compared["discussions"] == 60
    assert found.compared["discussion comments"] > 100
    assert abs(storm.tally.share - 1 / ONE_IN) < 0.02
    assert storm.tally.unexpected == []


def test_goals_that_change_while_workers_are_struck_down_lead_to_the_whole_in_the_end(
    database_url: str, tmp_path: Path
) -> None:
    with running(load(recipes=["octo/aimed:250:discussions=25"]), Options(window=8.0, graphql_limit=100_000)) as github:
        plan = Plan(
            names=("octo/aimed",),
            fates=every_fate_once()[::3],
            faults=weather.faults(SEED, rounds=1, one_in=ONE_IN)[::4],
            seed=SEED + 1,
            page=10,
            issues_page=5,
            longest=30.0,  # by then it has had a dozen goals
            goals=GOALS,
        )
        storm = Storm(database_url=database_url, github=github, plan=plan, folder=tmp_path)
        found = storm.run()
    (tmp_path / "lives.txt").write_text("\n".join(storm.tally.lives), encoding="utf-8")
    assert found.wrong == ()
    assert storm.tally.unexpected == []
    with Database(database_url) as db, db.transaction(read_only=True) as tx:
        assert tx.rows("select from backfill_chunks where status = 'skipped'"), "no goal changed while a page was read"
