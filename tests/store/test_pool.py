"""The pool: bounded, safe for threads, and nothing broken is lent a second time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gh_backfill.errors import ConfigurationError, StoreDenied, StoreUnavailable
from gh_backfill.store.db import Database
from gh_backfill.store.pool import NoneFree, Pool


@pytest.fixture
def pool(database_url: str) -> Iterator[Pool]:
    pool = Pool(database_url, most=2, seconds=0.1)
    yield pool
    pool.close()


def session(db: Database) -> int:
    """Return the process that PostgreSQL has for a connection."""
    with db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select pg_backend_pid() as id")
    return int(row["id"])


def end(db: Database, process: int) -> None:
    with db.transaction() as tx:
        tx.run("select pg_terminate_backend(%(process)s, 5000)", process=process)


def test_a_connection_is_lent_again_and_a_second_one_only_beside_it(pool: Pool) -> None:
    with pool.connection() as db:
        first = session(db)
    with pool.connection() as db, pool.connection() as other:
        assert session(db) == first
        assert session(other) != first


def test_whoever_would_have_one_more_waits_and_is_told_at_last(pool: Pool) -> None:
    with (
        pool.connection(),
        pool.connection(),
        pytest.raises(NoneFree, match=r"none of 2 connections .* free for 0.1 s"),
        pool.connection(),
    ):
        pass
    with pool.connection() as db:
        assert session(db)


def test_many_threads_share_a_few_connections(database_url: str, db: Database) -> None:
    pool = Pool(database_url, most=3, seconds=30)
    inside: list[int] = []
    most: list[int] = []

    def work(_: int) -> int:
        with pool.connection() as own:
            inside.append(1)
            most.append(len(inside))
            found = session(own)
            inside.pop()
            return found

    with ThreadPoolExecutor(20) as threads:
        sessions = set(threads.map(work, range(100)))
    assert (len(sessions) <= 3, max(most) <= 3) == (True, True)
    pool.close()
    with db.transaction(read_only=True) as tx:
        (left,) = tx.rows("select count(*) as n from pg_stat_activity where pid = any(%(ids)s)", ids=tuple(sessions))
    assert left["n"] == 0


def test_a_connection_that_broke_in_hand_is_replaced_and_not_lent_again(pool: Pool, db: Database) -> None:
    with pytest.raises(StoreUnavailable), pool.connection() as own, own.transaction() as tx:
        (row,) = tx.rows("select pg_backend_pid() as id")
        end(db, row["id"])
        tx.rows("select 1 as one")
    with pool.connection() as own:
        assert session(own) != row["id"]


def test_a_connection_that_died_while_it_was_idle_is_opened_anew(pool: Pool, db: Database) -> None:
    with pool.connection() as own:
        first = session(own)
    end(db, first)
    with pool.connection() as own:
        assert session(own) != first


def test_one_over_which_anything_failed_is_not_lent_again(pool: Pool) -> None:
    with pytest.raises(StoreDenied), pool.connection() as own:
        first = session(own)
        with own.transaction() as tx:
            tx.run("select * from nowhere")
    with pool.connection() as own:
        assert session(own) != first


def test_closing_waits_for_none_and_what_is_lent_is_closed_when_it_comes_back(pool: Pool, db: Database) -> None:
    with pool.connection() as own:
        first = session(own)
        pool.close()
        assert session(own) == first
        with pytest.raises(NoneFree, match="closed"), pool.connection():
            pass
    with db.transaction(read_only=True) as tx:
        assert tx.rows("select 1 from pg_stat_activity where pid = %(id)s", id=first) == []


def test_closing_sends_away_who_waits(database_url: str) -> None:
    pool = Pool(database_url, most=0, seconds=60)
    said: list[str] = []

    def wait() -> None:
        try:
            with pool.connection():
                pass
        except NoneFree as error:
            said.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    pool.close()
    waiting.join(30)
    assert "closed" in said[0]


def test_an_address_that_can_not_be_right_is_refused_before_anything_is_lent() -> None:
    with pytest.raises(ConfigurationError):
        Pool("mysql://somewhere/else", most=1, seconds=1)
