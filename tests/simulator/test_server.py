"""The simulator on a port: whole answers, lost ones, and what it tells about its clients."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.simulator.world import World

_HEADERS = {"Authorization": "Bearer t"}
_CHEAP = {"query": "query Mine { viewer { login } }"}


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    with running(world) as found:
        yield found


def test_graphql_and_rest_are_served_over_one_connection(simulator: Simulator) -> None:
    with requests.Session() as session:
        for _ in range(3):
            answer = session.post(simulator.graphql_url, json=_CHEAP, headers=_HEADERS, timeout=5)
            assert answer.json() == {"data": {"viewer": {"login": "t"}}}
            assert session.get(f"{simulator.url}/repos/here/full", headers=_HEADERS, timeout=5).json()["id"] == 77


def test_a_redirect_leads_to_the_renamed_repository(simulator: Simulator) -> None:
    move = {"do": "rename_repository", "repository": "here/full", "name": "fuller"}
    requests.post(f"{simulator.url}/_world", json=move, timeout=5)
    answer = requests.get(f"{simulator.url}/repos/here/full", headers=_HEADERS, timeout=5)
    assert (answer.json()["full_name"], len(answer.history)) == ("here/fuller", 1)


def test_a_cut_connection_is_an_error_at_the_client(simulator: Simulator) -> None:
    simulator.faults.add(Fault(name="reset", count=1))
    with pytest.raises(requests.ConnectionError):
        requests.post(simulator.graphql_url, json=_CHEAP, headers=_HEADERS, timeout=5)
    assert requests.post(simulator.graphql_url, json=_CHEAP, headers=_HEADERS, timeout=5).status_code == 200


def test_a_stalled_answer_ends_when_the_client_loses_patience(simulator: Simulator) -> None:
    simulator.faults.add(Fault(name="stall", count=1))
    with pytest.raises(requests.Timeout):
        requests.post(simulator.graphql_url, json=_CHEAP, headers=_HEADERS, timeout=0.2)


def test_statistics_count_requests_points_and_how_many_at_once(world: World) -> None:
    together = threading.Barrier(4)

    def wait_for_all(_: float) -> None:
        together.wait(10)

    with running(world, Options(latency=1.0, sleep=wait_for_all)) as simulator:

        def ask(number: int) -> int:
            headers = {"Authorization": f"Bearer token{number % 2}"}
            return requests.post(simulator.graphql_url, json=_CHEAP, headers=headers, timeout=10).status_code

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(4))) == [200] * 4
        stats = requests.get(f"{simulator.url}/_stats", timeout=5).json()
    assert (stats["requests"], stats["points"]) == (4, 4)
    tally = stats["tokens"]["token0"]
    assert (tally["requests"], tally["points"], tally["peak_concurrency"], tally["operations"]) == (
        2,
        2,
        2,
        {"Mine": 2},
    )


def test_statistics_can_be_started_afresh(simulator: Simulator) -> None:
    requests.post(simulator.graphql_url, json=_CHEAP, headers=_HEADERS, timeout=5)
    assert simulator.stats.points == 1
    requests.delete(f"{simulator.url}/_stats", timeout=5)
    assert simulator.stats.points == 0


def test_serving_says_where_and_ends_when_interrupted(tmp_path: Path) -> None:
    code = "from gh_backfill.simulator.server import serve; serve([], ['made/up:20'])"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http"))
        assert "20 pull requests" in line
        found = requests.get(f"{address}/repos/made/up", headers=_HEADERS, timeout=5)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert json.loads(found.text)["full_name"] == "made/up"
