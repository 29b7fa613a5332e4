"""No chunk takes over five minutes, however slow GitHub is: a claim is renewed, and the customer asks for no more."""

from __future__ import annotations

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.tasks.conftest import House

HEAVY = "octo/heavy"
FIVE_MINUTES = 300.0
# In seconds.  GitHub itself gives up after ten of them; its usual answer takes a fifth of that.
A_QUERY, A_NODE = 2.0, 0.005


def test_the_slowest_chunk_of_a_heavy_repository_takes_less_than_five_minutes(db: Database, database_url: str) -> None:
    slept: list[float] = []
    options = Options(latency=A_QUERY, latency_per_node=A_NODE, timeout=1_000.0, sleep=slept.append)
    took: list[float] = []

    def listen(progress: Progress) -> None:
        took.append(sum(slept) - sum(took))

    with running(load(recipes=[f"{HEAVY}:240"]), options) as github:
        house = House(db=db, url=database_url, github=github)
        house.track(HEAVY)
        slept.clear()
        captured = house.capture(HEAVY, limits=Limits(chunk_size=100), listen=listen)
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert len(took) > 3
    assert max(took) > A_QUERY, "nothing was measured"
    assert max(took) < FIVE_MINUTES, took
