"""Estimates are held against what then happens, and shown where people look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from gh_backfill.clients import credentials
from gh_backfill.clients.credentials import Credentials
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import at_once
from gh_backfill.engine.gate import SharedGate
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.models.work import Goal
from gh_backfill.policy.bottleneck import Limit, limit
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.selection import Thresholds
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.simulator.world import World
from gh_backfill.store import bottlenecks
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.estimate import estimates
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.publish import markdown
from gh_backfill.tasks.report.report import report
from gh_backfill.terminal import bars, results
from tests.corpus import smaller
from tests.tasks.conftest import ENGINE, RUN, SMALL, House
from tests.tasks.test_shared_budget import Clock

LATENCY = 0.8
ALLOWED = 0.25
# A few points, of about a second each, are too few for a share of them to say much; and the pages that are on their way
# at the moment of the estimate, three at most, are paid for already.
FEW = 3
SECOND = 1.0
# What nobody could foresee.  The older half of the first is of the years before GitHub had reviews, and costs a third
# less.  The others began to label their pull requests half-way: 26 of the older 203 have labels, 187 of the newer 204,
# 10 of the older 655 and 385 of the newer.
ANOTHER_AGE = {"tlswg/tls13-spec", "cfrg/draft-irtf-cfrg-vdaf", "bitcoin-core/secp256k1"}


@dataclass(kw_only=True, slots=True)
class Office:
    """A simulated GitHub and a database; their clock and ours move only when somebody waits."""

    db: Database
    gate: SharedGate
    github: Simulator
    clock: Clock

    def graphql(self) -> GraphQL:
        clock, url = self.clock, self.github.graphql_url
        wallet = Credentials([credentials.of_token("tok", "tok", api_url=self.github.url, workflow_of="octo/hello")])
        now, seconds = clock.now, lambda: clock.passed
        return GraphQL(url, wallet, gate=self.gate, sleep=clock.sleep, now=now, clock=seconds)

    def track(self, name: str) -> None:
        track.track(self.db, self.graphql(), [name], backfill=Goal())

    def capture(
        self, name: str, limits: Limits, *, listen: Callable[[Progress], None] = lambda progress: None
    ) -> Captured:
        now, sleep = self.clock.now, self.clock.sleep
        return capture.run(
            self.db, self.graphql(), RUN, name, limits, listen=listen, now=now, sleep=sleep, begin=at_once
        )

    def left(self, name: str) -> Estimate:
        with self.db.transaction(read_only=True) as tx:
            (row,) = tx.rows("select id from repositories where full_name = %(name)s", name=name)
        return estimates(self.db, [row["id"]], now=self.clock.now())[row["id"]]


@contextmanager
def working(world: World, url: str, *, points: int) -> Iterator[Office]:
    clock = Clock()
    told = Options(
        identities={"tok": "octo"},
        limits={"octo": points},
        latency=LATENCY,
        sleep=clock.sleep,
        clock=lambda: clock.now().timestamp(),
    )
    with running(world, told) as github, Database(url) as db, Database(url) as own:
        gate = SharedGate(own, sleep=clock.sleep, now=clock.now)
        yield Office(db=db, gate=gate, github=github, clock=clock)


def test_half_of_each_history_foretells_the_points_and_the_time_of_the_other_half(database_url: str) -> None:
    missed: dict[str, str] = {}
    foretold = spent = 0
    with working(load(smaller()), database_url, points=5_000) as office:
        for name in [each.full_name for each in office.github.world.repositories.values()]:
            office.track(name)
            total = office.left(name).pull_requests
            if total == 0:
                continue
            halfway: list[tuple[Estimate, int, float]] = []

            def listen(progress: Progress, total: int = total, seen: list[Any] = halfway) -> None:
                if not seen and progress.left is not None and progress.left.pull_requests <= total / 2:
                    seen.append((progress.left, progress.spent.points, office.clock.passed))

            captured = office.capture(name, Limits(), listen=listen)
            assert captured.outcome is CaptureOutcome.COMPLETED
            ((found, points_before, clock_before),) = halfway
            points, took = captured.spent.points - points_before, office.clock.passed - clock_before
            if name not in ANOTHER_AGE:
                foretold, spent = foretold + found.points, spent + points
            wrong = abs(found.points - points) > max(FEW, ALLOWED * points)
            late = abs(found.seconds - took) > max(FEW * SECOND, ALLOWED * took)
            if wrong or late:
                missed[name] = f"{found} foretold, {points} points and {took:.1f} s came"
    assert missed.keys() <= ANOTHER_AGE, missed
    assert abs(foretold - spent) <= FEW + ALLOWED * spent


def test_the_hours_of_waiting_for_points_are_foretold(database_url: str) -> None:
    # So many that the last points are not spent near the end of an hour, where one point more is an hour more.
    with working(load(recipes=["octo/engine:380"]), database_url, points=20) as office:
        office.track(ENGINE)
        office.capture(ENGINE, Limits(chunk_size=10, max_chunks=6))
        found, before = office.left(ENGINE), office.clock.passed
        captured = office.capture(ENGINE, Limits(chunk_size=10))
        took = office.clock.passed - before
        with office.db.transaction(read_only=True) as tx:
            (times,) = bottlenecks.times(*tx.together(bottlenecks.question())).values()
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert took > 2 * 3600
    assert abs(found.seconds - took) <= ALLOWED * took
    assert abs(found.waiting - times.points) <= ALLOWED * took
    assert abs(times.total - times.points - times.requests) < 60
    assert limit(times) is Limit.POINTS


def test_nothing_measured_is_estimated_from_the_price_list_and_the_measured_from_itself(house: House) -> None:
    house.track(ENGINE)
    (before,) = outlook(house.db).left.values()
    house.capture(limits=Limits(max_chunks=2))
    (after,) = outlook(house.db).left.values()
    assert (before.pull_requests, before.measured, after.measured) == (180, False, True)
    assert 0 < after.points < before.points + FEW
    assert after.pull_requests == 180 - house.count("pull_requests")
    house.capture()
    assert outlook(house.db).left == {}


def after_some_work(house: House) -> None:
    """Let the job have taken a minute."""
    with house.db.transaction() as tx:
        tx.run("update progressive_capture_jobs set times = jsonb_build_object('total', 60, 'requests', 40)")


def test_status_plan_report_and_preview_tell_the_same_estimate(house: House) -> None:
    house.track(ENGINE, SMALL)
    planned = plan(house.db, house.graphql(), RUN, datetime.now(UTC), asked=[ENGINE], thresholds=Thresholds(), limit=9)
    house.capture(limits=Limits(max_chunks=1))
    after_some_work(house)
    seen = outlook(house.db)
    found = seen.left[planned.chosen[0].id]
    made = report(house.db, RUN.key)
    assert capture.preview(house.db, ENGINE, Limits()).left == found
    assert made.jobs[0].left == found
    assert str(found) in markdown(made)
    assert str(found) in results.plan_markdown(planned, seen.left, dry_run=False)
    assert results.plan_json(planned, seen.left)["chosen"] != results.plan_json(planned, {})["chosen"]
    rows = {row["full_name"]: row for row in seen.as_json()}
    assert rows[ENGINE]["left"] == asdict(found)
    assert rows[ENGINE]["limited_by"] is not None
    assert rows[SMALL]["limited_by"] is None


def test_a_status_shows_what_is_left_and_in_one_line_what_limits_the_rate(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(max_chunks=1))
    assert outlook(house.db).limited_by is None
    after_some_work(house)
    seen = outlook(house.db)
    results.show_status(seen.states, left=seen.left, limited_by=seen.limited_by)
    lines = capsys.readouterr().out.splitlines()
    assert str(next(iter(seen.left.values()))) in lines[1]
    assert (len(lines), lines[2]) == (3, seen.limited_by)


def test_a_preview_is_of_what_its_limits_allow(house: House) -> None:
    house.track(ENGINE)
    whole = capture.preview(house.db, ENGINE, Limits()).left
    some = capture.preview(house.db, ENGINE, Limits(max_chunks=2, chunk_size=10))
    assert whole is not None
    assert some.left is not None
    assert (whole.pull_requests, some.left.pull_requests) == (180, 20)
    assert f"{some.left} to go" in some.text


def test_a_running_capture_tells_what_is_left_after_each_chunk(house: House) -> None:
    house.track(ENGINE)
    heard: list[Progress] = []
    house.capture(listen=heard.append)
    left = [each.left.pull_requests for each in heard if each.left is not None]
    assert left == sorted(left, reverse=True)
    assert left[0] == 180 - heard[0].captured
    assert bars.progress_line(heard[0]).endswith(f"points; {heard[0].left} left")
    assert heard[-1].left is None
