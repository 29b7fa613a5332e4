"""Several jobs of one identity live on one budget: none is refused, and what one is told holds for all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill import settings
from gh_backfill.clients import credentials, documents
from gh_backfill.clients.credentials import Credentials
from gh_backfill.clients.gate import Grant
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.gate_ahead import GateAhead
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.errors import RateLimited
from gh_backfill.models.work import Goal
from gh_backfill.policy import governor
from gh_backfill.policy.governor import Cause, Wait
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.simulator.stats import Tally
from gh_backfill.store import budgets
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, connect, track

REPOSITORIES = [f"octo/part{number}" for number in range(5)]
# Every job of a workflow has another token.
TOKENS = [f"ghs_{number}" for number in range(5)]
REPOSITORY = "octo/hello"
IDENTITY = f"repository:{REPOSITORY}@127.0.0.1"
QUERY = documents.aliases(("RepositoryByName",))
VARIABLES = {"owner0": "octo", "name0": "part0"}
RUN = Run(key="run-1", run_id=None, attempt=1, processor="local")


@dataclass(kw_only=True, slots=True)
class Clock:
    """A clock that all jobs and GitHub share; whoever waits moves it."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    passed: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return self.started + timedelta(seconds=self.passed)

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.passed += seconds


@dataclass(kw_only=True, slots=True)
class Office:
    """A simulated GitHub, a database, and jobs that share both."""

    url: str
    github: Simulator
    clock: Clock
    ahead: bool = False

    def credentials(self, *tokens: str) -> Credentials:
        api, repository = self.github.url, REPOSITORY
        return Credentials(
            [credentials.of_token(token, token, api_url=api, workflow_of=repository) for token in tokens]
        )

    @contextmanager
    def job(self, *tokens: str) -> Iterator[GraphQL]:
        """Give a client as a job has it: with a gate and a connection of its own."""
        with Database(self.url) as own:
            clock = self.clock
            shared = SharedGate(own, sleep=clock.sleep, now=clock.now)
            with GateAhead(shared, clock=lambda: clock.passed) if self.ahead else nullcontext(shared) as gate:
                yield GraphQL(
                    self.github.graphql_url, self.credentials(*tokens), gate=gate, sleep=clock.sleep, now=clock.now
                )

    def track(self) -> None:
        with self.job(TOKENS[0]) as graphql, Database(self.url) as db:
            track.track(db, graphql, REPOSITORIES, backfill=Goal())

    def capture(self, name: str, token: str) -> Captured:
        limits = Limits(chunk_size=4, deadline=self.clock.now() + timedelta(minutes=12))
        now, sleep = self.clock.now, self.clock.sleep
        with self.job(token) as graphql, Database(self.url) as db:
            return capture.run(db, graphql, RUN, name, limits, listen=lambda progress: None, now=now, sleep=sleep)

    def tally(self, identity: str = "octo") -> Tally:
        return Tally(**self.github.stats.as_json()["identities"][identity])


@pytest.fixture
def options() -> Options:
    return Options(limits={"octo": 60})


@pytest.fixture
def ahead() -> bool:
    """Say whether jobs reserve before they need to."""
    return False


@pytest.fixture
def office(database_url: str, options: Options, ahead: bool) -> Iterator[Office]:
    clock = Clock()
    identities = {**dict.fromkeys(TOKENS, "octo"), **options.identities}
    told = {**vars(options), "identities": identities, "clock": lambda: clock.now().timestamp()}
    with running(load(recipes=[f"{name}:60" for name in REPOSITORIES]), Options(**told)) as github:
        yield Office(url=database_url, github=github, clock=clock, ahead=ahead)


@pytest.mark.parametrize("ahead", [False, True])
def test_five_captures_at_once_spend_the_budget_down_to_the_reserve_and_pause(office: Office) -> None:
    office.track()
    with ThreadPoolExecutor(5) as pool:
        done = list(pool.map(office.capture, REPOSITORIES, TOKENS))
    tally = office.tally()
    assert [each.outcome for each in done] == [CaptureOutcome.PAUSED] * 5
    assert 60 - 6 - 3 * 5 < tally.points <= 60 - 6
    assert (tally.refused, tally.while_limited) == (0, 0)
    reset = office.github.ledger.standing("octo", "graphql").reset
    assert {each.resume_at for each in done} == {datetime.fromtimestamp(reset, UTC) + governor.MARGIN}
    assert sum(each.spent.points for each in done) + 1 == tally.points
    with Database(office.url) as db:
        (standing,) = budgets.standings(db, now=office.clock.now())
    assert (standing.identity, standing.left) == (IDENTITY, 60 - tally.points)


@pytest.mark.parametrize("ahead", [False, True])
def test_paused_captures_go_on_after_the_reset_and_end_complete(office: Office) -> None:
    office.track()
    done: list[Captured] = []
    for _ in range(10):
        with ThreadPoolExecutor(5) as pool:
            done = list(pool.map(office.capture, REPOSITORIES, TOKENS))
        waits = [each.resume_at for each in done if each.resume_at is not None]
        if not waits:
            break
        office.clock.sleep((max(waits) - office.clock.now()).total_seconds())
    assert {each.outcome for each in done} == {CaptureOutcome.COMPLETED}
    assert (office.tally().refused, office.tally().while_limited) == (0, 0)
    with Database(office.url) as db, db.transaction(read_only=True) as tx:
        assert tx.row("select count(*) as n from pull_requests") == {"n": 300}


@pytest.mark.parametrize("shape", ["secondary_a", "secondary_b", "secondary_c"])
def test_a_secondary_limit_seen_by_one_job_holds_for_the_others(office: Office, shape: str) -> None:
    office.track()
    office.github.faults.add(Fault(name=shape, count=1, match={"token": TOKENS[0]}))
    with office.job(TOKENS[0]) as one, office.job(TOKENS[1]) as other:
        with pytest.raises(RateLimited) as told:
            one.execute(QUERY, VARIABLES)
        asked = office.tally().requests
        with pytest.raises(RateLimited) as heard:
            other.execute(QUERY, VARIABLES)
        assert (office.tally().requests, heard.value.resume_at) == (asked, told.value.resume_at)
        assert told.value.resume_at - office.clock.now() >= timedelta(seconds=59)
        office.clock.sleep((told.value.resume_at - office.clock.now()).total_seconds())
        other.execute(QUERY, VARIABLES)
        one.execute(QUERY, VARIABLES)
    assert (office.tally().refused, office.tally().while_limited) == (1, 0)


def test_the_headers_of_a_secondary_limit_are_not_taken_for_those_of_the_points(office: Office) -> None:
    office.track()
    office.github.faults.add(Fault(name="secondary_b", count=1))
    with office.job(TOKENS[0]) as graphql, Database(office.url) as db:
        (before,) = budgets.standings(db, now=office.clock.now())
        with pytest.raises(RateLimited):
            graphql.execute(QUERY, VARIABLES)
        (after,) = budgets.standings(db, now=office.clock.now())
    assert (after.limit, after.reset_at) == (before.limit, before.reset_at)


@pytest.mark.parametrize("options", [Options(identities={"ghp_a": "ann", "ghp_b": "ben"}, limits={"ben": 1_000})])
def test_a_token_that_is_told_to_slow_down_leaves_the_work_to_the_other_one(office: Office) -> None:
    office.github.faults.add(Fault(name="secondary_a", count=1, match={"token": "ghp_a", "path": "graphql"}))
    with office.job("ghp_a", "ghp_b") as graphql:
        for _ in range(3):
            graphql.execute(QUERY, VARIABLES)
    assert (office.tally("ann").graphql, office.tally("ben").graphql) == (1, 3)
    assert office.tally("ann").while_limited == 0


def test_a_short_wait_is_slept_through_where_the_request_is_made_and_by_all(office: Office) -> None:
    office.github.faults.add(Fault(name="secondary_a", count=1, size=7))
    with office.job(TOKENS[0]) as one, office.job(TOKENS[1]) as other:
        one.execute(QUERY, VARIABLES)
        assert 7 <= (office.clock.now() - office.clock.started).total_seconds() < 8
        other.execute(QUERY, VARIABLES)
    assert (office.tally().refused, office.tally().while_limited) == (1, 0)


def test_a_job_that_dies_under_way_blocks_its_points_for_90_seconds(office: Office) -> None:
    with office.job(TOKENS[0]) as other:
        other.execute(QUERY, VARIABLES)
    with office.job(TOKENS[1]) as dying:
        dead = dying.gate.reserve(office.credentials(TOKENS[1]), points=50, seconds=0.1)
    assert isinstance(dead, Grant)
    with office.job(TOKENS[2]) as other:
        wait = other.gate.look(office.credentials(TOKENS[2]), 10)
        assert isinstance(wait, Wait)
        assert wait.cause is Cause.POINTS
        office.clock.sleep(90)
        assert other.gate.look(office.credentials(TOKENS[2]), 10) is None


@pytest.mark.parametrize("options", [Options(identities={"ghp_a": "ann", "ghp_b": "ben"}, limits={"ann": 1_000})])
def test_of_several_tokens_the_one_whose_user_has_most_left_is_used(office: Office) -> None:
    with office.job("ghp_a", "ghp_b") as graphql:
        for _ in range(6):
            graphql.execute(QUERY, VARIABLES)
        assert (office.tally("ann").graphql, office.tally("ben").graphql) == (1, 5)
        office.github.ledger.set("ben", "graphql", remaining=600)
        for _ in range(6):
            graphql.execute(QUERY, VARIABLES)
    assert (office.tally("ann").graphql, office.tally("ben").graphql) == (6, 6)


@pytest.mark.parametrize("options", [Options(identities={"ghp_a": "ann", "ghp_b": "ben"})])
def test_a_job_that_starts_knows_which_token_another_one_has_used_up(office: Office) -> None:
    office.github.ledger.set("ann", "graphql", remaining=400)
    with office.job("ghp_a") as first:
        first.execute(QUERY, VARIABLES)
    with office.job("ghp_a", "ghp_b") as second:
        second.execute(QUERY, VARIABLES)
    assert (office.tally("ann").graphql, office.tally("ben").graphql) == (1, 1)


def test_failures_settle_too_and_what_they_may_have_cost_stays_reserved(office: Office) -> None:
    office.github.faults.add(Fault(name="502_html", count=2))
    with office.job(TOKENS[0]) as graphql, Database(office.url) as db:
        graphql.execute(QUERY, VARIABLES)
        (standing,) = budgets.standings(db, now=office.clock.now())
        assert standing.left == 60 - 1 - 2
        office.clock.sleep(90)
        (standing,) = budgets.standings(db, now=office.clock.now())
        assert standing.left == 60 - 1


def test_commands_share_the_budget_only_where_they_write(office: Office) -> None:
    found = settings.load({"GITHUB_API_URL": office.github.url, "GITHUB_TOKEN": "ghp_a"}, dotenv=None)
    graphql = connect.github(found)
    with Database(office.url) as db:
        with connect.sharing(graphql, db, writing=False):
            graphql.execute(QUERY, VARIABLES)
        assert budgets.standings(db) == []
        with connect.sharing(graphql, db):
            graphql.execute(QUERY, VARIABLES)
        graphql.execute(QUERY, VARIABLES)
        (standing,) = budgets.standings(db)
    assert standing.identity.startswith("user:")
    assert standing.left == 4_998
