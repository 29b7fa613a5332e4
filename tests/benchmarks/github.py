"""A simulated GitHub in a process of its own: told its world as JSON, it prints its address and serves until killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from gh_backfill.simulator import refusals
from gh_backfill.simulator.effects import EFFECTS, Effect
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.messages import Response
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from tests.benchmarks.worlds import Source

ROOT = Path(__file__).parents[2]
# So many points that no benchmark waits for the next hour.
PLENTY = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class GitHub:
    """A running simulated GitHub."""

    url: str

    @property
    def graphql_url(self) -> str:
        """Return the address of its GraphQL interface."""
        return f"{self.url}/graphql"

    def tally(self) -> Tally:
        """Return what was asked and charged since `forget`."""
        stats = requests.get(f"{self.url}/_stats", timeout=10).json()
        tokens = stats["tokens"].values()
        dry_runs = sum(each["operations"].get("Prices", 0) for each in tokens)
        return Tally(
            points=stats["points"],
            requests=stats["requests"] - dry_runs,
            nodes=sum(each["nodes"] for each in tokens),
            rest=sum(each["rest"] for each in tokens),
            refused=sum(each["refused"] for each in tokens),
        )

    def forget(self) -> None:
        """Begin to count anew."""
        requests.delete(f"{self.url}/_stats", timeout=10)

    def faults(self, faults: Sequence[Mapping[str, object]]) -> None:
        """Switch on these faults and no others."""
        requests.post(f"{self.url}/_faults", json=None, data=b"null", timeout=10).raise_for_status()
        requests.post(f"{self.url}/_faults", json=list(faults), timeout=10).raise_for_status()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a simulated GitHub counted; requests without the dry runs, of which there are a few in a week."""

    points: int
    requests: int
    nodes: int
    rest: int
    refused: int


@contextmanager
def github(source: Source, **options: float) -> Iterator[GitHub]:
    """Serve a world from another process, as long as the block lasts."""
    told = {"folders": [str(each) for each in source.folders], "recipes": source.recipes, "options": options}
    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.github", json.dumps(told)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        if not url:
            raise RuntimeError("the simulated GitHub did not start")
        yield GitHub(url=url)
    finally:
        child.kill()
        child.communicate()


def _time_out_over(fault: Fault, response: Response) -> Response:
    """Give up on an answer with more than `size` pull requests in one list, as GitHub does after ten seconds."""
    many = response.body.count(b'"mergedAt"')
    return refusals.timed_out(time.time()) if many > (fault.size or 0) else response


def _serve(told: Mapping[str, Any]) -> None:
    EFFECTS["time_out_over"] = Effect(text="a time-out of pages over `size`", wire=_time_out_over)
    world = load(map(Path, told["folders"]), told["recipes"])
    with running(world, Options(**{"graphql_limit": PLENTY, "rest_limit": PLENTY, **told["options"]})) as simulator:
        print(simulator.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
