"""Backfills of events that somebody asked for: once each, by whoever can, cancelled, waited for, and told of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from gh_backfill.errors import RateLimited
from gh_backfill.models.asked import AskedEvents, AskedStatus
from gh_backfill.models.work import Goal
from gh_backfill.policy.ledger import JobType
from gh_backfill.store import asked_events, backfill_batches, backfills
from gh_backfill.store.db import Database, Row
from gh_backfill.store.jobs import plan
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.events import asked
from gh_backfill.tasks.events.fetching import Ways
from tests.tasks.conftest import RUN
from tests.tasks.events.test_fetching import NAME, NOW, Sky, sky

DAY = timedelta(days=1)


@contextmanager
def ways_of(world: Sky) -> Iterator[Ways]:
    with world.db.another() as own:
        yield replace(world.ways(), db=own)


def work(world: Sky, **changes: object) -> list[str]:
    """Fetch what waits, and return the lines of those that were fetched."""
    doing = asked.AskedWork(
        run=RUN,
        open_ways=lambda: ways_of(world),
        now=lambda: world.now,
        **changes,  # type: ignore[arg-type]
    )
    return [each.text for each in doing.each()]


def standing(world: Sky) -> AskedEvents:
    own = find(world.db, NAME).id
    return asked.standing(world.db, [own], datetime.now(UTC))[own]


def jobs(db: Database) -> list[Row]:
    with db.reading() as tx:
        return tx.rows("select * from progressive_capture_jobs where job_type = 'events' order by created_at, id")


def ask(world: Sky, days: int | None = None) -> AskedEvents:
    return asked.asked_for(world.db, NAME, days=days, who="somebody", now=datetime.now(UTC))


def test_what_is_asked_for_twice_is_fetched_once_and_its_end_is_told(db: Database) -> None:
    with sky(db, 30, step=DAY) as world:
        assert standing(world).status is AskedStatus.NEVER
        assert not asked.waits(db)
        first, again = ask(world), ask(world, 30)
        assert (first.status, first.job_id, again.days) == (AskedStatus.PENDING, again.job_id, 90)
        assert asked.waits(db)
        (line,) = work(world)
        assert "30 new stars" in line
        assert [each.text for each in asked.ended(db)] == ["1 of 1 repositories, 90 days"]
        assert asked.ended(db) == []  # it is told once
        (job,) = jobs(db)
        assert (job["status"], job["outcome"], job["run_key"]) == ("completed", "completed", RUN.key)
        done = standing(world)
        assert (done.status, done.last_at) == (AskedStatus.COMPLETED, job["completed_at"])
        assert (work(world), len(jobs(db))) == ([], 1)


def test_one_that_is_cancelled_before_or_while_it_runs_ends_and_keeps_what_was_read(db: Database) -> None:
    with sky(db, 250) as world:
        ask(world)
        assert asked.cancel(db, [find(db, NAME).id], who="mona") == 1
        assert (standing(world).status, standing(world).error) == (AskedStatus.CANCELLED, "cancelled by mona")
        assert work(world) == []
        ask(world)
        pages = 0

        def cancels() -> bool:
            nonlocal pages
            pages += 1
            if pages == 3:
                asked.cancel(db, [find(db, NAME).id], who="mona")
            return True

        work(world, goes_on=cancels, parallel=1)
        assert standing(world).status is AskedStatus.CANCELLED
        assert not asked.waits(db)
        read = len(world.stars())
        assert ask(world).status is AskedStatus.PENDING
        work(world)
        assert standing(world).status is AskedStatus.COMPLETED
        assert sum(world.stars().values()) >= read


def test_what_has_no_points_waits_and_goes_on_by_itself(db: Database) -> None:
    with sky(db, 30, step=DAY) as world:
        ask(world)
        later = datetime.now(UTC) + timedelta(hours=1)

        class Spent:
            spent = world.ways().graphql.spent

            def __getattr__(self, name: str) -> object:
                raise RateLimited("no points are left", resume_at=later)

        @contextmanager
        def without() -> Iterator[Ways]:
            with ways_of(world) as own:
                yield replace(own, graphql=Spent())  # type: ignore[arg-type]

        doing = asked.AskedWork(run=RUN, open_ways=without, now=lambda: world.now)
        (done,) = doing.each()
        assert done.resume_at == later
        waiting = standing(world)
        assert (waiting.status, waiting.until) == (AskedStatus.WAITING, later)
        assert not asked.waits(db)
        with db.transaction() as tx:
            tx.run("update progressive_capture_jobs set metadata = metadata - 'not_before' where outcome is null")
        assert "30 new stars" in work(world)[0]
        assert standing(world).status is AskedStatus.COMPLETED


def test_one_whose_worker_fell_silent_is_taken_by_the_next(db: Database) -> None:
    with sky(db, 5, step=DAY) as world:
        ask(world)
        with db.transaction() as tx:
            assert asked_events.claim(tx, RUN, worker="gone") is not None
            assert asked_events.claim(tx, RUN, worker="another") is None
        assert standing(world).status is AskedStatus.PROCESSING
        assert not asked.waits(db)
        grown_old(db)
        silent = standing(world)
        assert (silent.status, silent.error) == (AskedStatus.FAILED, asked_events.SILENT_WORDS)
        assert asked.waits(db)
        work(world)
        assert standing(world).status is AskedStatus.COMPLETED
        assert len(jobs(db)) == 1


def test_one_that_fell_silent_may_be_asked_for_again_and_what_a_run_has_planned_is_not_doubled(db: Database) -> None:
    with sky(db, 5, step=DAY) as world:
        ask(world)
        with db.transaction() as tx:
            asked_events.claim(tx, RUN, worker="gone")
        grown_old(db)
        assert ask(world).status is AskedStatus.PENDING
        assert [job["outcome"] for job in jobs(db)] == ["died", None]
        work(world)
        own = find(db, NAME).id
        with db.transaction() as tx:
            plan(tx, RUN, [(own, "events asked for", None)], job_type=JobType.EVENTS)
            tx.run("update progressive_capture_jobs set created_at = created_at - interval '20 minutes'")
        assert standing(world).status is AskedStatus.PENDING  # it waits for its turn in that run
        assert asked.ask(db, [own], days=None, who="x", now=NOW).new == 0
        assert asked.cancel(db, [own], who="x") == 0
        assert len(jobs(db)) == 3


def grown_old(db: Database) -> None:
    """Let six minutes pass without a word of who fetches."""
    old = "now() - interval '6 minutes'"
    with db.transaction() as tx:
        tx.run(f"update progressive_capture_jobs set started_at = {old}, heartbeat_at = {old} where outcome is null")  # noqa: S608


def test_ids_that_are_none_and_repositories_that_are_not_here_find_nothing(db: Database) -> None:
    assert [asked.is_id(each) for each in ("", "1", str(uuid4()), uuid4().hex)] == [False, False, True, False]
    assert asked.ask(db, [str(uuid4())], days=None, who="x", now=NOW).standing == {}


def test_events_that_are_fetched_keep_no_initial_backfill_waiting(db: Database) -> None:
    with sky(db, 5, step=DAY) as world:
        own = find(db, NAME).id
        graphql = world.ways().graphql
        with db.transaction() as tx:
            backfills.open_backfill(tx, own, total=3, goal=Goal())
            tx.run("update repositories set initial_backfill_status = 'pending' where id = %(id)s", id=own)
        with db.reading() as tx:
            assert [each.id for each in backfill_batches.queue(tx)] == [own]
        ask(world)
        with db.transaction() as tx:
            asked_events.claim(tx, RUN, worker="another")
            assert [each.id for each in backfill_batches.queue(tx)] == [own]
        graphql.close()
