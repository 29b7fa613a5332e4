"""Clocks that are off lose no change and hold nobody up: a relay's, GitHub's or our own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import at_once
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.tasks import capture
from tests.forged import Forged, Seen, serving, whole
from tests.tasks.conftest import ENGINE, RUN, House

LEFT_TO_HTTP = {"content-length", "connection", "transfer-encoding", "date"}


def relayed(house: House, ahead: timedelta) -> Iterator[Forged]:
    """Pass everything on, with a `Date` of one's own."""

    def answer(forged: Forged, seen: Seen) -> list[bytes]:
        headers = {name: seen.headers[name] for name in ("authorization", "user-agent")}
        got = requests.request(seen.method, house.github.url + seen.path, data=seen.body, headers=headers, timeout=10)
        kept = {name: value for name, value in got.headers.items() if name.lower() not in LEFT_TO_HTTP}
        date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        return whole(got.content, f"{got.status_code} OK", **kept, Date=date)

    with serving(answer) as forged:
        yield forged


@pytest.fixture
def fast_relay(house: House) -> Iterator[Forged]:
    yield from relayed(house, timedelta(minutes=9))


@pytest.fixture
def slow_relay(house: House) -> Iterator[Forged]:
    yield from relayed(house, -timedelta(minutes=9))


@pytest.mark.parametrize("relay", ["fast_relay", "slow_relay"])
def test_a_relay_whose_clock_is_off_loses_no_change(house: House, relay: str, request: pytest.FixtureRequest) -> None:
    forged = request.getfixturevalue(relay)
    house.track(ENGINE)
    edited: list[int] = []

    def edit_once(progress: Progress) -> None:
        if not edited:
            edited.append(180)
            changes.edit(house.github.world, ENGINE, 180, title="Edited during the walk")

    graphql = GraphQL(f"{forged.url}/graphql", "tok", sleep=house.slept.append)
    captured = capture.run(
        house.db, graphql, RUN, ENGINE, Limits(chunk_size=60), listen=edit_once, sleep=house.wait, begin=at_once
    )
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.only("select number from pull_requests where title = 'Edited during the walk'") == {"number": 180}


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(hours=3)])
def test_a_clock_of_ours_that_is_hours_off_waits_as_long_as_github_says(house: House, ahead: timedelta) -> None:
    house.track(ENGINE)
    passed = [timedelta()]

    def ours() -> datetime:
        return datetime.now(UTC) + ahead + passed[0]

    def sleep(seconds: float) -> None:
        house.slept.append(seconds)
        passed[0] += timedelta(seconds=seconds)

    def of_all() -> datetime:
        return datetime.now(UTC) + passed[0]

    house.github.faults.add(Fault(name="secondary_a", size=70, count=1))
    with house.db.another() as own:
        graphql = GraphQL(
            house.github.graphql_url, "tok", gate=SharedGate(own, sleep=sleep, now=of_all), sleep=sleep, now=ours
        )
        captured: Captured = capture.run(
            house.db, graphql, RUN, ENGINE, Limits(max_chunks=1), listen=lambda progress: None, now=ours, sleep=sleep,
            begin=at_once,
        )  # fmt: skip
    assert captured.chunks == 1
    assert 69 <= sum(house.slept) <= 80
