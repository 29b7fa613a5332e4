"""Aggressive backfills whose workers are killed at drawn moments of each step, life after life.

`scripts/bench kills --worlds 5 --each 6 --seed 1`: so many worlds of pull requests, issues and discussions, each
killed at drawn statements of each of the three steps, before they reach the server or once they are answered, and then
left alone.  What is in the database must be what GitHub has, and no text may be paid for twice but for those of the
batch in hand.  Ends with exit code 1 if anything is wrong, after saying what.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import Goal
from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.embedded import embedded
from gh_backfill.tasks import track, workspaces
from tests import discussion_comparison
from tests.comparison import compare, compare_issues
from tests.conftest import Server, hasten
from tests.embedding_service import EmbeddingService, serving
from tests.storm.expected_world import expected_world
from tests.storm.wire import Cut, Moment, Wire

ROOT = Path(__file__).parents[2]
NAME = "octo/engine"
KINDS = "pull_requests,issues,discussions"
BATCH = 10
# How many statements of a step may pass, at most, before the worker is killed: each life gets a little further.
FURTHEST = {AggressiveStep.SYNC: 24, AggressiveStep.EMBEDDINGS: 12, AggressiveStep.WORKSPACE: 5}
_BEGINS = re.compile(r"update aggressive_steps s\s+set status = 'processing'.*?s\.step = '(\w+)'", re.DOTALL)
_TWICE = """
    select stream_id from backfill_chunks where status = 'completed'
    group by stream_id, after_cursor having count(*) > 1
"""
_STANDING = """
    select a.status, (select count(*) from aggressive_backfills) as many,
           (select array_agg(distinct s.status) from aggressive_steps s where s.backfill_id = a.id) as steps,
           (select count(*) from pull_requests p where p.embedding is null and p.gone_at is null)
               + (select count(*) from issues i where i.embedding is null and i.gone_at is null)
               + (select count(*) from discussions d where d.embedding is null and d.gone_at is null) as without,
           (select w.total_pull_requests from workspaces w) as pulls, (select count(*) from pull_requests) as stored
    from aggressive_backfills a
    order by a.created_at
    limit 1
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """A kill at the `nth` statement of a step, before it reaches the server or once it is answered."""

    step: AggressiveStep
    nth: int
    moment: Moment


def blows(seed: int, each: int) -> list[Blow]:
    """Return so many kills for each step, in the order of the steps."""
    luck = random.Random(f"aggressive:{seed}")  # noqa: S311  (a dice, no secret)
    return [
        Blow(step=step, nth=luck.randint(1, FURTHEST[step]), moment=luck.choice(list(Moment)))
        for step in AggressiveStep
        for _ in range(each)
    ]


@dataclass(kw_only=True)
class Killing:
    """An aggressive backfill of a world in a database, with a service of embeddings of its own."""

    url: str
    github: Simulator
    service: EmbeddingService
    home: str
    met: Counter[AggressiveStep] = field(default_factory=Counter)
    statements: Counter[AggressiveStep] = field(default_factory=Counter)
    last_words: str = ""

    def run(self, kills: Sequence[Blow]) -> list[str]:
        """Strike one worker after the other, let the last one finish, and return what is wrong."""
        with Database(self.url) as db:
            track.track(db, GraphQL(self.github.graphql_url, "tracker"), (NAME,), backfill=Goal())
            workspaces.create(db, "octos", name=None, description=None, owner=None, private=False)
            workspaces.add(db, "octos", [each for each in workspaces.known(db, [NAME]).values() if each])
        wrong = []
        for number, blow in enumerate(kills):
            ended = self.live(f"aggressive-{number}", blow)
            if ended not in (0, -9):
                wrong.append(f"{blow}: exit {ended}: {self.last_words[-2_000:]}")
        if self.live("aggressive-last", None) != 0 or f"{NAME}: complete" not in self.last_words:
            wrong.append(f"the last one did not complete it: {self.last_words[-2_000:]}")
        with Database(self.url) as db, db.transaction(read_only=True) as tx:
            return [*wrong, *self._judged(tx)]

    def live(self, name: str, blow: Blow | None) -> int:
        """Let one worker live until its end, whoever brings it; returns its exit code."""
        strike = _Strike(self, blow)
        wire = Wire(self.url, strike.listen)
        process = subprocess.Popen(
            [sys.executable, "-m", "gh_backfill", "aggressive", NAME, "--kinds", KINDS, "--chunk-size", "5"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "HOME": self.home,
                "GITHUB_TOKEN": "tok",
                "GITHUB_API_URL": self.github.url,
                "DATABASE_URL": wire.url(name),
                "GH_BACKFILL_EMBEDDING_BATCH": str(BATCH),
                **self.service.settings(),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        strike.process.append(process)
        try:
            self.last_words, _ = process.communicate(timeout=120)
        finally:
            process.kill()
            process.wait()
            wire.close()
        return process.returncode

    def _judged(self, tx: Transaction) -> Iterator[str]:
        world = expected_world(self.github.world, NAME)
        yield from (str(each) for each in compare(tx, world, stood_still=False).found)
        yield from (str(each) for each in compare_issues(tx, world).found)
        yield from discussion_comparison.differences(tx, self.github.world, NAME)
        again = sum(many - 1 for many in Counter(self.service.embedded).values())
        if again > BATCH * self.met[AggressiveStep.EMBEDDINGS]:
            yield f"{again} texts were paid for again"
        yield from (f"a page of {row['stream_id']} was read twice" for row in tx.rows(_TWICE))
        (standing,) = tx.rows(_STANDING)
        if standing["status"] != "completed" or standing["steps"] != ["completed"]:
            yield f"it is {standing['status']}, its steps are {standing['steps']}"
        if standing["many"] != 1 or standing["without"] or standing["pulls"] != standing["stored"]:
            yield f"backfills, items without a vector, pull requests of the workspace: {dict(standing)}"


class _Strike:
    """Watches what a worker says to the database, and kills it where its blow is."""

    def __init__(self, killing: Killing, blow: Blow | None) -> None:
        self.process: list[subprocess.Popen[str]] = []
        self._killing, self._blow = killing, blow
        self._step: AggressiveStep | None = None
        self._passed = 0
        self._lock = threading.Lock()

    def listen(self, statement: str, moment: Moment) -> None:
        with self._lock:
            begins = _BEGINS.search(statement)
            if begins and moment is Moment.AFTER:
                self._step, self._passed = AggressiveStep(begins[1]), 0
            elif self._step is not None:
                self._statement(self._step, moment)

    def _statement(self, step: AggressiveStep, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self._killing.statements[step] += 1
        if self._blow is None or self._blow.step is not step or self._blow.moment is not moment:
            return
        self._passed += 1
        if self._passed == self._blow.nth:
            self._killing.met[step] += 1
            self.process[0].kill()
            raise Cut


def main(arguments: Sequence[str] | None = None) -> int:
    """Kill through several worlds, and print what came of it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/bench kills", description=__doc__)
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--each", type=int, default=6, help="kills in each step of a world")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-aggressive-") as folder,
        embedded(Path(folder) / "data") as url,
    ):
        hasten(url)
        server = Server(url=url)
        for seed in range(asked.seed, asked.seed + asked.worlds):
            world = load(recipes=[f"{NAME}:60:{seed}:discussions=12"])
            with running(world, Options(window=8.0, graphql_limit=1_000_000)) as github, serving() as service:
                killing = Killing(
                    url=server.url_of(server.make(server.migrated())), github=github, service=service, home=folder
                )
                wrong = killing.run(blows(seed, asked.each))
            failed += bool(wrong)
            print(
                f"seed {seed}: killed {dict(killing.met)} of {dict(killing.statements)} statements, {len(wrong)} wrong"
            )
            for line in wrong[:20]:
                print(f"WRONG {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
