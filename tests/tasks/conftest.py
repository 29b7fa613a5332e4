"""A small simulated GitHub and a migrated database for every test of a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import Captured, Limits, Progress
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.beside import BesideRun

ENGINE = "octo/engine"
SMALL = "octo/small"
RUN = Run(key="run-1", run_id=None, attempt=1, processor="local")
WORLD = (f"{ENGINE}:180", f"{SMALL}:12")


@dataclass(kw_only=True)
class House:
    """Everything one test works with: the database, the simulated GitHub, and a clock that does not wait."""

    db: Database
    url: str
    github: Simulator
    run: Run = RUN
    slept: list[float] = field(default_factory=list)

    def graphql(self, token: str = "tok") -> GraphQL:
        """Return a client that notes its pauses instead of taking them."""
        return GraphQL(self.github.graphql_url, token, sleep=self.slept.append)

    def track(self, *names: str, goal: Goal | None = None) -> None:
        """Track repositories and open their backfills."""
        track.track(self.db, self.graphql(), names, backfill=goal or Goal())

    def capture(
        self,
        name: str = ENGINE,
        *,
        limits: Limits | None = None,
        listen: Callable[[Progress], None] | None = None,
        token: str = "tok",
    ) -> Captured:
        """Run one capture to its end; its queries come in the same order every time."""
        return capture.run(
            self.db,
            self.graphql(token),
            self.run,
            name,
            limits or Limits(),
            listen=listen or (lambda progress: None),
            now=lambda: datetime.now(UTC),
            sleep=self.wait,
            begin=at_once,
        )

    def beside(self, limits: Limits | None = None) -> BesideRun:
        """Return where profiles, files and commits are read and written."""
        return BesideRun(db=self.db, graphql=self.graphql(), run=self.run, limits=limits or Limits(), sleep=self.wait)

    def wait(self, seconds: float) -> None:
        """Let so much time pass for what waits in the database, without taking it."""
        self.slept.append(seconds)
        with self.db.transaction() as tx:
            tx.run(
                "update backfill_chunks set retry_at = clock_timestamp() "
                "where retry_at <= clock_timestamp() + make_interval(secs => %(seconds)s)",
                seconds=seconds + 1,
            )

    def rows(self, statement: str, /, **params: object) -> list[Row]:
        """Return rows of the database."""
        with self.db.transaction(read_only=True) as tx:
            return tx.rows(statement, **params)

    def only(self, statement: str, /, **params: object) -> Row:
        """Return the one row of a statement."""
        (row,) = self.rows(statement, **params)
        return row

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        return int(self.only(f"select count(*) as n from {table}")["n"])  # noqa: S608  (a name in a test)

    def state(self, name: str = ENGINE) -> Row:
        """Return the backfill of a repository."""
        return self.only(
            "select b.* from progressive_backfill_state b join repositories r on r.id = b.repository_id "
            "where r.full_name = %(name)s",
            name=name,
        )


@pytest.fixture
def options() -> Options:
    """Return how the simulated GitHub behaves; a test may override it by a parameter."""
    return Options()


@pytest.fixture
def house(db: Database, database_url: str, options: Options) -> Iterator[House]:
    """Give a database, and a simulated GitHub with a large and a small repository."""
    with running(load(recipes=WORLD), options) as github:
        yield House(db=db, url=database_url, github=github)
