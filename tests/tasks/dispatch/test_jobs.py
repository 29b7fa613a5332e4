"""Jobs that wait are routed: each is handed over once, whatever is down, and each ends once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gh_backfill.errors import Denied, Unreachable
from gh_backfill.models.github import Spent
from gh_backfill.policy.ledger import JobOutcome, Processor
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.store import jobs as ledger
from gh_backfill.store import routing
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.routing import WaitingJob
from gh_backfill.tasks.dispatch import starting
from gh_backfill.tasks.dispatch.jobs import (
    MOST_BACKFILLS,
    MOST_STARTS,
    NO_REPOSITORY,
    TWICE,
    UNHEARD,
    Processors,
    RoutedJobs,
    route,
)
from gh_backfill.tasks.dispatch.starting import WorkflowSender
from gh_backfill.tasks.report.closing import close_run

ACTIONS, INNGEST = Processor.GITHUB_ACTIONS, Processor.INNGEST


@dataclass(kw_only=True)
class Worker:
    """A processor that takes jobs from the ledger by the key that it is told, or is down."""

    db: Database
    processor: Processor
    down: bool = False
    told: list[tuple[str, list[WaitingJob]]] = field(default_factory=list)

    def send(self, jobs: Sequence[WaitingJob], run_key: str) -> None:
        if self.down:
            raise Unreachable(f"{self.processor} is away")
        self.told.append((run_key, list(jobs)))

    def work(self) -> None:
        """Begin and end everything that was told."""
        for run_key, jobs in self.told:
            run = Run(key=run_key, run_id=None, attempt=1, processor=self.processor)
            for job in jobs:
                assert job.repository_id is not None
                with self.db.transaction() as tx:
                    id_ = ledger.start(tx, run, job.repository_id, worker="w", job_type=job.job_type)
                    assert id_ == job.id, "it is the job that was planned"
                    done = ledger.finishing(
                        id_, status=JobStatus.COMPLETED, outcome=JobOutcome.COMPLETED, error=None, spent=Spent(),
                        chunks=1, items=1, warnings=0,
                    )  # fmt: skip
                    assert ledger.finish(tx, done)
        self.told.clear()


@dataclass(kw_only=True)
class Ledger:
    """A database with jobs that a host application wrote, and two processors."""

    db: Database
    actions: Worker
    inngest: Worker

    def route(self, **given: Any) -> RoutedJobs:
        processors = Processors(senders={ACTIONS: self.actions, INNGEST: self.inngest})
        return route(self.db, processors, sleep=lambda seconds: None, **given)

    def write(
        self, many: int, *, job_type: str = "sync", days: int | None = 30, total: int = 50, first: int = 1
    ) -> None:
        """Write pending jobs as a host application does, each of a repository of its own."""
        with self.db.transaction() as tx:
            tx.run(
                """
                with made as (
                    insert into repositories (github_id, full_name, owner, name, is_private, github_pull_requests)
                    select n, 'octo/r' || n, 'octo', 'r' || n, n %% 2 = 0, %(total)s
                    from generate_series(%(first)s, %(first)s + %(many)s - 1) n
                    returning id
                )
                insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days,
                                                      metadata)
                select %(job_type)s, id, 'inngest', 'pending', %(days)s, '{"trigger_reason": "manual"}' from made
                """,
                many=many, first=first, job_type=job_type, days=days, total=total,
            )  # fmt: skip

    def rows(self, what: str = "*") -> list[dict[str, Any]]:
        with self.db.reading() as tx:
            return tx.rows(f"select {what} from progressive_capture_jobs order by created_at, id")  # noqa: S608


@pytest.fixture
def house(db: Database) -> Ledger:
    return Ledger(db=db, actions=Worker(db=db, processor=ACTIONS), inngest=Worker(db=db, processor=INNGEST))


def test_a_hundred_jobs_are_routed_while_processors_come_and_go_and_each_ends_once(house: Ledger) -> None:
    house.write(60)
    house.write(20, job_type="progressive_backfill", first=61)
    house.write(20, total=2_000, first=81)
    house.actions.down = house.inngest.down = True
    none = house.route(most=40)
    assert (none.waiting, none.routes, len(none.down)) == (40, (), 2)
    assert {row["run_key"] for row in house.rows()} == {None}
    house.inngest.down = False
    first = house.route(most=40)
    assert {its.processor for _, its in first.routes} == {INNGEST}
    assert any(its.fallback for _, its in first.routes)
    house.inngest.work()
    house.actions.down, house.inngest.down = False, True
    second = house.route(most=40)
    assert {its.processor for _, its in second.routes} == {ACTIONS}
    house.actions.work()
    house.inngest.down = False
    house.route()
    house.actions.work()
    house.inngest.work()
    assert house.route() == RoutedJobs()
    rows = house.rows()
    assert len(rows) == 100
    assert Counter(row["status"] for row in rows) == {"completed": 100}
    assert all(row["metadata"]["routing"]["decision"] == row["processor_type"] for row in rows)
    assert all(row["metadata"]["routing"]["reason"] and row["metadata"]["trigger_reason"] == "manual" for row in rows)


def test_the_share_is_told_of_what_the_hash_decided_alone(house: Ledger) -> None:
    house.write(300)
    house.write(30, job_type="progressive_backfill", first=301)
    done = house.route()
    share = done.shares.actions_percent
    assert done.shares.decided == 300
    assert share is not None
    assert 15 <= share <= 35
    assert "30 to github_actions (progressive backfill)" in done.shares.text


def test_a_repository_that_is_being_backfilled_gets_a_day_at_most(house: Ledger) -> None:
    house.write(1, days=1)
    house.write(1, days=7, first=2)
    house.write(1, days=None, first=3)
    with house.db.transaction() as tx:
        tx.run(
            "insert into progressive_backfill_state (repository_id, total_prs, status) "
            "select id, 50, 'active' from repositories"
        )
    done = house.route()
    assert [(job.days, its.processor) for job, its in done.routes] == [(1, INNGEST), (1, INNGEST)]
    (skipped,) = [row for row in house.rows() if row["status"] == "skipped"]
    assert (skipped["outcome"], skipped["metadata"]["routing"]["decision"]) == ("busy", "skip")
    assert "being backfilled, which brings all of the 7 days" in skipped["error"]


def test_a_second_job_of_a_repository_and_one_without_a_repository_end_at_once(house: Ledger) -> None:
    house.write(1)
    with house.db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs (job_type, repository_id, status) "
            "select 'sync', id, 'pending' from repositories union all select 'sync', null, 'pending'"
        )
        tx.run("update progressive_capture_jobs set metadata = '{\"due_since\": null}' where repository_id is not null")
    done = house.route()
    assert len(done.routes) == 1
    assert {each.reason for each in done.closed} == {TWICE, NO_REPOSITORY}
    assert Counter(row["status"] for row in house.rows()) == {"pending": 1, "skipped": 1, "failed": 1}


def test_a_second_wish_of_another_application_waits_for_a_later_tick(house: Ledger) -> None:
    house.write(1)
    with house.db.transaction() as tx:
        tx.run("insert into progressive_capture_jobs (job_type, repository_id, status, metadata) "
               "select 'sync', id, 'pending', '{\"reason\": \"manual\"}' from repositories")  # fmt: skip
    done = house.route()
    assert (len(done.routes), done.closed, done.waiting) == (1, (), 1)
    assert len(house.route().routes) == 1


def test_a_job_that_every_processor_refuses_waits_and_no_start_is_counted(house: Ledger) -> None:
    house.write(1)

    house.actions.down = house.inngest.down = True
    for _ in range(MOST_STARTS + 1):
        done = house.route()
        assert (done.routes, done.closed, done.waiting) == ((), (), 1)
    (row,) = house.rows()
    assert (row["status"], row["metadata"]["routing"]["starts"]) == ("pending", 0)


def test_a_tick_hands_over_no_more_backfills_than_begin_in_time(house: Ledger) -> None:
    house.write(MOST_BACKFILLS + 5, job_type="progressive_backfill")
    done = house.route()
    assert (len(done.routes), done.waiting, done.closed) == (MOST_BACKFILLS, 5, ())


def test_what_a_run_that_is_over_never_began_is_for_the_next_tick(house: Ledger) -> None:
    house.write(2)
    house.route()
    for key in {row["run_key"] for row in house.rows()}:  # each processor has its own
        close_run(house.db, key, None, run=None, labels=())
    assert {(row["status"], row["run_key"]) for row in house.rows()} == {("pending", None)}
    assert len(house.route().routes) == 2


def test_a_job_that_no_processor_begins_is_handed_over_again_and_given_up_in_the_end(house: Ledger) -> None:
    house.write(1)
    for starts in range(1, MOST_STARTS + 1):
        assert len(house.route().routes) == 1
        assert house.route().routes == (), "nobody takes it again for hours"
        (row,) = house.rows()
        assert row["metadata"]["routing"]["starts"] == starts
        with house.db.transaction() as tx:
            tx.run(
                "update progressive_capture_jobs set metadata = jsonb_set(metadata, '{routing,at}', "
                "to_jsonb(clock_timestamp() - interval '361 minutes'))"
            )
    (given_up,) = house.route().closed
    assert given_up.reason == UNHEARD
    (row,) = house.rows()
    assert (row["status"], row["outcome"]) == ("failed", "never_started")


def test_what_a_plan_wrote_is_not_routed(house: Ledger) -> None:
    house.write(1)
    with house.db.transaction() as tx:
        tx.run("update progressive_capture_jobs set run_key = '4711'")
    assert house.route() == RoutedJobs()


def test_two_ticks_never_take_the_same_job(house: Ledger) -> None:
    house.write(10)
    with house.db.another() as second, second.transaction() as other:
        with house.db.transaction() as tx:
            first = routing.take(tx, "one")
            assert routing.take(other, "two") == []
        assert routing.take(other, "two") == []
    assert len(first) == 10


def test_the_workflow_is_started_once_with_ids_that_tell_no_private_name(house: Ledger) -> None:
    house.write(3)
    house.write(2, job_type="progressive_backfill", first=4)
    started: list[dict[str, str]] = []
    sender = WorkflowSender(start=lambda inputs: started.append(dict(inputs)))
    done = route(house.db, Processors(senders={ACTIONS: sender}, missing={INNGEST: "there are no Inngest keys"}))
    assert len(done.routes) == 5
    (inputs,) = started
    ids = {row["id"]: row["repository_id"] for row in house.rows()}
    assert set(inputs["repositories"].split()) < set(ids.values())
    names = {each["name"] for each in json.loads(inputs["backfills"])["include"]}
    assert "octo/r5" in names
    assert "octo/r4" not in names, "it is private"
    assert inputs["run_key"] == {row["run_key"] for row in house.rows()}.pop()
    fallen = [its for _, its in done.routes if its.fallback]
    assert fallen
    assert all(its.reason.endswith("but there are no Inngest keys") for its in fallen)


def test_a_workflow_that_github_does_not_start_leaves_the_jobs_for_the_next_tick(house: Ledger) -> None:
    def refuse(inputs: object) -> None:
        raise Denied(f"the workflow {starting.WORKER} is disabled_inactivity")

    house.write(2)
    done = route(house.db, Processors(senders={ACTIONS: WorkflowSender(start=refuse)}), sleep=lambda seconds: None)
    assert (done.waiting, list(done.down)) == (2, [ACTIONS])
    assert {(row["status"], row["run_key"]) for row in house.rows()} == {("pending", None)}
    assert "disabled_inactivity" in house.rows()[0]["metadata"]["routing"]["waits"]


ODD_JOBS = {
    "metadata is a text": "metadata = '\"odd\"'",
    "metadata is a list": "metadata = '[1, 2]'",
    "metadata is a number": "metadata = '7'",
    "metadata is null in JSON": "metadata = 'null'",
    "metadata is missing": "metadata = null",
    "metadata is large": "metadata = jsonb_build_object('x', repeat('x', 1000000))",
    "routing is a text": 'metadata = \'{"routing": "odd"}\'',
    "routing is a list": "metadata = '{\"routing\": [1]}'",
    "starts is no number": 'metadata = \'{"routing": {"starts": "many"}}\'',
    "days are negative": "time_range_days = -5",
    "days are beyond reason": "time_range_days = 2147483647",
    "it is of the future": "created_at = now() + interval '1 year'",
    "its processor is unknown": "processor_type = 'abacus'",
    "its run has no name": "run_key = ''",
}


@pytest.mark.parametrize("odd", ODD_JOBS)
@pytest.mark.parametrize("job_type", ["sync", "progressive_backfill"])
def test_an_odd_job_of_another_application_is_routed_or_left_alone_and_keeps_no_other_from_its_turn(
    house: Ledger, odd: str, job_type: str
) -> None:
    house.write(3, job_type=job_type)
    with house.db.transaction() as tx:
        tx.run(
            f"update progressive_capture_jobs set {ODD_JOBS[odd]} "  # noqa: S608
            "where repository_id = (select id from repositories where github_id = 2)"
        )
    for _ in range(2):
        house.route()
        house.actions.work()
        house.inngest.work()
    with house.db.reading() as tx:
        ended = {
            row["github_id"]: row["outcome"]
            for row in tx.rows(
                "select r.github_id, j.outcome from progressive_capture_jobs j "
                "join repositories r on r.id = j.repository_id"
            )
        }
    assert {ended[1], ended[3]} == {"completed"}
    assert ended[2] in ("completed", None)


def test_a_job_of_a_type_that_nobody_knows_is_left_to_whoever_wrote_it(house: Ledger) -> None:
    house.write(2, job_type="recent_prs")
    house.write(1, first=9)
    house.route()
    house.actions.work()
    house.inngest.work()
    assert sorted((row["job_type"], row["status"]) for row in house.rows()) == [
        ("recent_prs", "pending"),
        ("recent_prs", "pending"),
        ("sync", "completed"),
    ]
