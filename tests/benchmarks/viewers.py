"""Many who watch the monitor: what one and what two hundred of them cost the database, and how long a page takes.

Each viewer does what the script of the pages does: it follows the stream of what changed, and fetches what did.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx

from gh_backfill.store.db import Database
from tests.benchmarks.github import github
from tests.benchmarks.pages import fill
from tests.benchmarks.rig import PRODUCT, Rig
from tests.benchmarks.tables import Table
from tests.benchmarks.worlds import Source
from tests.web.house import TOKEN
from tests.web.serving import Served, served

VIEWERS = (1, 200)
SECONDS = 12.0
# What is allowed: transactions with many viewers beside those with one, and the 95th percentile beside captures.
MOST_MORE, MOST_SLOWER = 1.3, 5.0
CAPTURED = tuple(f"bench/captured-{n}:2000" for n in range(5))
_MOVE = """update backfills set captured = captured + 1, updated_at = clock_timestamp()
           where id = (select id from backfills where status = 'active' order by id limit 1)"""
_TRANSACTIONS = """select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()"""


@dataclass(kw_only=True, slots=True)
class Watched:
    """What some viewers did and saw in the same time: answers in seconds, and the transactions of the server."""

    viewers: int
    connected: int = 0
    events: int = 0
    answers: list[float] = field(default_factory=list)
    transactions: int = 0
    cpu: float = 0.0
    own: float = 0.0


def viewers(rig: Rig) -> list[Table]:
    """Measure one and many viewers beside a database that changes every second, and one viewer beside five captures."""
    url = rig.database()
    fill(url, 1_000, 20_000)
    settings = {"DATABASE_URL": url, "GH_BACKFILL_WEB_TOKEN": TOKEN, "GH_BACKFILL_HOME": str(rig.folder / "viewers")}
    with served(rig.folder, "--no-open", **settings) as pages:
        found = [asyncio.run(_watch(pages, url, many)) for many in VIEWERS]
        rest = asyncio.run(_ask(pages))
        with _captures(rig, url):
            beside = asyncio.run(_ask(pages))
    rig.drop(url)
    return [_table(found), _answers(rest, beside)]


async def _watch(pages: Served, url: str, many: int) -> Watched:
    """Let so many viewers follow the monitor for some seconds, while something changes in each."""
    seen = Watched(viewers=many)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=pages.url, timeout=60, limits=limits) as client:
        await client.get("/monitor")
        watching = [asyncio.create_task(_viewer(client, seen)) for _ in range(many)]
        while seen.connected < many:
            await asyncio.sleep(0.5)
        await asyncio.sleep(2)
        before, cpu, own = await asyncio.to_thread(_transactions, url), _cpu(pages), time.process_time()
        seen.events, seen.answers = 0, []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            await asyncio.to_thread(_move, url)
            await asyncio.sleep(1)
        moves = int(SECONDS) + 1
        seen.transactions = await asyncio.to_thread(_transactions, url) - before - 2 * moves
        seen.cpu, seen.own = _cpu(pages) - cpu, time.process_time() - own
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return seen


async def _viewer(client: httpx.AsyncClient, seen: Watched) -> None:
    async with client.stream("GET", "/live", params={"topics": "monitor jobs budgets backfills"}) as stream:
        seen.connected += 1
        async for line in stream.aiter_lines():
            if not line.startswith("data:") or line.strip() == "data: -":
                continue
            seen.events += 1
            began = time.perf_counter()
            answer = await client.get("/monitor", params={"region": "backfills"})
            answer.raise_for_status()
            seen.answers.append(time.perf_counter() - began)


async def _ask(pages: Served, times: int = 60) -> list[float]:
    """Return how long the monitor takes, asked for in another way each time, so that it is made anew."""
    found = []
    async with httpx.AsyncClient(base_url=pages.url, timeout=60) as client:
        for n in range(times):
            began = time.perf_counter()
            answer = await client.get("/repositories", params={"q": f"repository-{n:03}"})
            answer.raise_for_status()
            found.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
    return found


@contextmanager
def _captures(rig: Rig, url: str) -> Iterator[None]:
    """Run five captures into the database beside the block."""
    names = [each.split(":")[0] for each in CAPTURED]
    with github(Source(recipes=CAPTURED), latency=0.25, latency_per_node=0.002) as served_github:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(rig.folder),
            "DATABASE_URL": url,
            "GITHUB_TOKEN": "bench",
            "GITHUB_API_URL": served_github.url,
            "GH_BACKFILL_HOME": str(rig.folder / "captures"),
        }
        command = [sys.executable, *PRODUCT, "track", *names, "--max-prs", "all", "--local"]
        process = subprocess.Popen(
            command, env=environment, cwd=rig.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(6)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _move(url: str) -> None:
    with Database(url) as db, db.transaction() as tx:
        tx.run(_MOVE)


def _transactions(url: str) -> int:
    time.sleep(1.2)  # a server process tells what it did once a second
    with Database(url) as db, db.transaction(read_only=True) as tx:
        row = tx.row(_TRANSACTIONS)
    assert row is not None
    return int(row["n"])


def _cpu(pages: Served) -> float:
    """Return the seconds of CPU that the server has used."""
    fields = Path(f"/proc/{pages.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(found: Sequence[Watched]) -> Table:
    one, many = found
    missed = []
    if many.transactions > MOST_MORE * one.transactions + 5:
        missed.append(f"{many.viewers} viewers cost {many.transactions} transactions, one costs {one.transactions}")
    return Table(
        section="viewers",
        title=f"those who watch the monitor for {SECONDS:.0f} s while something changes every second",
        columns=(
            "viewers",
            "transactions",
            "events",
            "answers",
            "95 % of them within (ms)",
            "CPU of the server (s)",
            "CPU of the viewers (s)",
        ),
        rows=tuple(
            (
                each.viewers,
                each.transactions,
                each.events,
                len(each.answers),
                1000 * _p95(each.answers),
                each.cpu,
                each.own,
            )
            for each in found
        ),
        notes=(
            "the viewers are one process here: where many of them are busy, answers wait for it and not for the server",
        ),
        missed=tuple(missed),
    )


def _answers(rest: Sequence[float], beside: Sequence[float]) -> Table:
    slower = _p95(beside) / _p95(rest)
    missed = () if slower <= MOST_SLOWER else (f"beside captures a page takes {slower:.1f} times as long",)
    return Table(
        section="beside_captures",
        title="the list of repositories, made anew each time: 95 % of the answers within (ms)",
        columns=("", "at rest", "beside five captures", "ratio"),
        rows=(("list", 1000 * _p95(rest), 1000 * _p95(beside), slower),),
        missed=missed,
    )


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1] if len(values) > 1 else sum(values)
