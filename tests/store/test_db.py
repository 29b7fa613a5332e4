"""What `store/db.py` promises, on a real PostgreSQL."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum

import pytest

from gh_backfill.errors import (
    ConfigurationError,
    RowRefused,
    StoreConflict,
    StoreDenied,
    StoreError,
    StoreLocked,
    StoreUnavailable,
)
from gh_backfill.store import moments
from gh_backfill.store.address import connection_arguments
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.moments import EARLIEST, LATEST
from tests.benchmarks.line import Line


@pytest.fixture
def db(empty_database_url: str) -> Iterator[Database]:
    with Database(empty_database_url) as database:
        with database.transaction() as tx:
            tx.run("create table shelf (id integer primary key, title text)")
        yield database


def titles(db: Database) -> list[str]:
    with db.transaction(read_only=True) as tx:
        return [row["title"] for row in tx.rows("select title from shelf order by id")]


def add(tx: Transaction, number: int, title: str) -> int:
    return tx.run("insert into shelf values (%(id)s, %(title)s)", id=number, title=title)


@contextmanager
def quiet_port() -> Iterator[int]:
    """Give a port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_what_a_transaction_wrote_is_there_after_it(db: Database) -> None:
    with db.transaction() as tx:
        assert add(tx, 1, "Dune") == 1
    assert titles(db) == ["Dune"]


@pytest.mark.parametrize("error", [LookupError("ours"), KeyboardInterrupt()])
def test_an_exception_undoes_the_whole_transaction_and_passes_on(db: Database, error: BaseException) -> None:
    def fail_midway() -> None:
        with db.transaction() as tx:
            add(tx, 1, "Dune")
            raise error

    with pytest.raises(type(error)) as raised:
        fail_midway()
    assert raised.value is error
    assert titles(db) == []


def test_errors_of_statements_pass_as_they_are_and_undo_the_transaction(db: Database) -> None:
    def collide() -> None:
        with db.transaction() as tx:
            add(tx, 1, "Dune")
            add(tx, 1, "Emma")

    with pytest.raises(RowRefused):
        collide()
    assert titles(db) == []


def test_a_swallowed_error_does_not_pass_for_a_commit(db: Database) -> None:
    def swallow() -> None:
        with db.transaction() as tx:
            add(tx, 1, "Dune")
            with suppress(StoreDenied):
                tx.run("delete from nowhere")

    with pytest.raises(StoreError, match="rolled back"):
        swallow()
    assert titles(db) == []


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "WIN1252"])
@pytest.mark.parametrize("where", ["database", "environment"])
def test_a_text_comes_back_as_it_was_whatever_encoding_a_client_is_set_to(
    db: Database, empty_database_url: str, monkeypatch: pytest.MonkeyPatch, encoding: str, where: str
) -> None:
    if where == "environment":
        monkeypatch.setenv("PGCLIENTENCODING", encoding)
    else:
        with db.transaction() as tx:
            (name,) = tx.rows("select current_database() as name")
            tx.run(f"alter database \"{name['name']}\" set client_encoding = '{encoding}'")
    text = "日本語 \U0001f600 é"
    with Database(empty_database_url) as other:
        with other.transaction() as tx:
            add(tx, 1, text)
        assert titles(other) == [text]
    assert titles(db) == [text]


def test_a_read_only_transaction_cannot_write(db: Database) -> None:
    with pytest.raises(StoreDenied, match="takes no writes"), db.transaction(read_only=True) as tx:
        add(tx, 1, "Dune")


def test_what_only_reads_cannot_write_and_leaves_nothing_open(db: Database) -> None:
    with db.reading() as tx:
        with pytest.raises(StoreDenied, match="takes no writes"):
            add(tx, 1, "Dune")
        assert tx.rows("select id from shelf") == []
    assert titles(db) == []


def test_transactions_do_not_nest(db: Database) -> None:
    with pytest.raises(RuntimeError, match="nest"), db.transaction(), db.transaction():
        pass
    assert titles(db) == []


def test_rows_are_dicts_and_row_is_the_only_one_or_none(db: Database) -> None:
    with db.transaction() as tx:
        add(tx, 1, "Dune")
        add(tx, 2, "Emma")
        assert tx.rows("select id from shelf order by id") == [{"id": 1}, {"id": 2}]
        assert tx.row("select title from shelf where id = %(id)s", id=2) == {"title": "Emma"}
        assert tx.row("select title from shelf where id = 3") is None
        with pytest.raises(ValueError, match="2 rows"):
            tx.row("select title from shelf")


def test_run_counts_the_rows_it_touched(db: Database) -> None:
    with db.transaction() as tx:
        add(tx, 1, "Dune")
        add(tx, 2, "Emma")
        assert tx.run("update shelf set title = upper(title)") == 2
        assert tx.run("update shelf set title = lower(title) where id > 9") == 0


def test_a_percent_sign_needs_no_doubling_where_there_are_no_parameters(db: Database) -> None:
    with db.transaction() as tx:
        add(tx, 1, "100 %")
        assert tx.row("select id from shelf where title like '%0 %'") == {"id": 1}


@pytest.mark.parametrize(
    "value",
    [{"a": [1, None, "ü'\\\"\n"]}, [], [{"n": 2**53 - 1}], {"nested": {"empty": {}}}, ["日本", "🙂"]],
)
def test_a_dict_or_a_list_arrives_as_jsonb_and_comes_back_equal(db: Database, value: object) -> None:
    with db.transaction() as tx:
        row = tx.row("select %(v)s as v, pg_typeof(%(v)s)::text as type", v=value)
    assert row == {"v": value, "type": "jsonb"}


def test_times_inside_json_are_read_by_the_database(db: Database) -> None:
    moment = datetime(2026, 2, 28, 23, 59, 59, 250000, tzinfo=UTC)
    with db.transaction() as tx:
        row = tx.row("select at from jsonb_to_recordset(%(rows)s) as r (at timestamptz)", rows=[{"at": moment}])
    assert row == {"at": moment}


def test_what_json_cannot_hold_is_refused(db: Database) -> None:
    with pytest.raises(TypeError, match="bytes"), db.transaction() as tx:
        tx.row("select %(v)s", v=[b"raw"])


def test_a_tuple_arrives_as_an_array_also_an_empty_one(db: Database) -> None:
    with db.transaction() as tx:
        add(tx, 1, "Dune")
        add(tx, 2, "Emma")
        find = "select count(*) as n from shelf where id = any (%(ids)s)"
        assert tx.row(find, ids=(1, 2, 3)) == {"n": 2}
        assert tx.row(find, ids=()) == {"n": 0}


def test_a_string_enum_arrives_as_its_text(db: Database) -> None:
    class Genre(StrEnum):
        NOVEL = "it's a novel"

    with db.transaction() as tx:
        assert tx.row("select %(genre)s as genre", genre=Genre.NOVEL) == {"genre": "it's a novel"}


def test_uuids_are_strings_and_times_are_utc(db: Database) -> None:
    with db.transaction() as tx:
        row = tx.row("""
            select 'a0000000-0000-4000-8000-00000000000A'::uuid as one,
                   array['a0000000-0000-4000-8000-00000000000b'::uuid] as many,
                   '2026-03-29 02:30+02'::timestamptz as at""")
    assert row is not None
    assert row["one"] == "a0000000-0000-4000-8000-00000000000a"
    assert row["many"] == ["a0000000-0000-4000-8000-00000000000b"]
    assert row["at"].isoformat() == "2026-03-29T00:30:00+00:00"


def test_every_transaction_has_its_limits_and_leaves_none_of_them_behind(db: Database) -> None:
    limits = """
        select current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle,
               current_setting('transaction_read_only') as read_only"""
    with db.reading() as tx:
        assert tx.row(limits) == {"lock": "5s", "idle": "1min", "read_only": "on"}
        assert tx.row(limits) == {"lock": "5s", "idle": "1min", "read_only": "on"}
    with db.transaction(read_only=True) as tx:
        assert tx.row(limits) == {"lock": "5s", "idle": "1min", "read_only": "on"}
        tx.run("commit")  # behind a pooler the next client would get the session as it is now
        assert tx.row(limits) == {"lock": "0", "idle": "0", "read_only": "off"}
        tx.run("begin")


def test_what_is_left_for_later_is_done_in_its_order_with_the_next_statement_or_the_commit(db: Database) -> None:
    with db.transaction() as tx:
        tx.later("insert into shelf values (1, %(title)s) -- the first of all", title="Dune; 100 %")
        assert tx.run("update shelf set title = title || '!'") == 1
        tx.later("insert into shelf values (2, 'Emma');")
        tx.later("update shelf set title = upper(title) where id = 2")
    assert titles(db) == ["Dune; 100 %!", "EMMA"]
    with db.transaction() as tx:
        tx.later("delete from shelf")
    assert titles(db) == []


def test_what_was_left_for_later_and_fails_undoes_the_transaction(db: Database) -> None:
    def collide(tx: Transaction) -> None:
        tx.later("insert into shelf values (1, 'Dune')")
        tx.later("insert into shelf values (1, 'Emma')")

    with pytest.raises(RowRefused), db.transaction() as tx:
        collide(tx)
    assert titles(db) == []
    with pytest.raises(RowRefused), db.transaction() as tx:
        collide(tx)
        tx.rows("select * from shelf")
    assert titles(db) == []


def test_several_questions_are_answered_in_one_round_trip_each_by_its_own_rows(db: Database) -> None:
    with db.transaction() as tx:
        add(tx, 1, "Dune")
        add(tx, 2, "100 %")
    with db.reading() as tx:
        titled = "select id from shelf where title = %(title)s order by id -- by title"
        every = "with all_of_it as (select * from shelf where title like '%0 %') select * from all_of_it;"
        none = "select title from shelf where id = any(%(ids)s)"
        found = tx.together((titled, {"title": "Dune"}), (every, {}), (none, {"ids": ()}))
    assert found == [[{"id": 1}], [{"id": 2, "title": "100 %"}], []]


def test_transactions_that_are_sent_at_once_are_kept_up_to_the_first_that_fails(db: Database) -> None:
    insert = "insert into shelf values (%(id)s, %(title)s)"
    one, two = {"id": 1, "title": "Dune"}, {"id": 2, "title": "Emma"}
    with pytest.raises(RowRefused):
        db.transactions([[(insert, one)], [(insert, two), (insert, one)], [(insert, {"id": 3, "title": "Ulysses"})]])
    assert titles(db) == ["Dune"]
    db.transactions([[(insert, two)]])
    db.transactions([])
    assert titles(db) == ["Dune", "Emma"]


def test_an_exception_drops_what_was_left_for_later(db: Database) -> None:
    with suppress(LookupError), db.transaction() as tx:
        tx.later("insert into shelf values (1, 'Dune')")
        raise LookupError
    assert titles(db) == []


def test_a_round_trip_is_spent_on_each_answer_that_is_asked_for_and_on_the_commit(empty_database_url: str) -> None:
    with Line(empty_database_url) as line, Database(line.url) as far:
        with far.transaction() as tx:
            tx.run("create table shelf (id integer primary key, title text)")
            connected = len(line.forget()) - 1
        assert (connected, len(line.forget())) == (2, 1)
        assert titles(far) == []
        assert len(line.forget()) == 2
        with far.reading() as tx:
            assert tx.rows("select id from shelf") == tx.rows("select id from shelf where id > 9")
        assert len(line.forget()) == 2
        with far.transaction() as tx:
            tx.later("insert into shelf values (1, 'Dune')")
            tx.row("select 1 as one")
            tx.later("insert into shelf values (2, 'Emma')")
        assert len(line.forget()) == 2
        with far.transaction():
            pass
        assert len(line.forget()) == 0


def test_a_connection_that_died_while_idle_is_replaced_also_where_everything_was_left_for_later(
    db: Database, empty_database_url: str
) -> None:
    terminate(empty_database_url, pid_of(db))
    with db.transaction() as tx:
        tx.later("insert into shelf values (1, 'Dune')")
    for _ in range(2):
        terminate(empty_database_url, pid_of(db))
        with db.reading() as tx:
            assert tx.rows("select title from shelf") == [{"title": "Dune"}]


def pid_of(db: Database) -> int:
    return int(db.statement("select pg_backend_pid() as pid")[0]["pid"])


def test_a_commit_that_was_sent_is_never_sent_again(db: Database, empty_database_url: str) -> None:
    def lose_it() -> None:
        with db.transaction() as tx:
            own = tx.row("select pg_backend_pid() as pid")
            assert own is not None
            tx.later("insert into shelf values (1, 'Dune')")
            terminate(empty_database_url, own["pid"])

    with pytest.raises(StoreUnavailable):
        lose_it()
    assert titles(db) == []


def test_a_lock_that_is_not_granted_in_time_is_a_conflict(db: Database, empty_database_url: str) -> None:
    def wait_in_vain() -> None:
        with db.transaction() as tx:
            tx.run("set local lock_timeout = '1ms'")
            tx.run("update shelf set title = 'mine'")

    with db.transaction() as tx:
        add(tx, 1, "Dune")
    with Database(empty_database_url) as rival, rival.transaction() as first:
        first.run("update shelf set title = 'taken'")
        with pytest.raises(StoreConflict):
            wait_in_vain()
    assert titles(db) == ["taken"]


def test_whoever_holds_a_locked_table_is_named_with_the_statement_that_ends_them(
    db: Database, empty_database_url: str
) -> None:
    def wait_in_vain() -> None:
        with db.transaction() as tx:
            tx.run("set local lock_timeout = '1ms'")
            tx.run("alter table shelf add column pages integer")

    with Database(empty_database_url, application_name="nightly report") as rival, rival.transaction() as reader:
        reader.rows("select * from shelf")
        pid = reader.row("select pg_backend_pid() as pid")
        assert pid is not None
        with pytest.raises(StoreLocked) as raised:
            wait_in_vain()
    assert "shelf is used by nightly report (role postgres, process " in str(raised.value)
    assert f"select pg_terminate_backend({pid['pid']})" in str(raised.value)


def test_a_value_that_python_cannot_read_is_an_error_of_ours(db: Database) -> None:
    with pytest.raises(StoreError, match="cannot be read"), db.transaction() as tx:
        tx.rows("select '20000-01-01'::timestamp as at")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-03-01 12:00:00.5+01", "2026-03-01T11:00:00.500000+00:00"),
        ("0001-01-01 00:00+00", "0002-01-01T00:00:00+00:00"),
        ("0044-03-15 BC", "0002-01-01T00:00:00+00:00"),
        ("-infinity", "0002-01-01T00:00:00+00:00"),
        ("infinity", "9990-01-01T00:00:00+00:00"),
        ("9999-12-31 23:59+00", "9990-01-01T00:00:00+00:00"),
        ("20000-01-01", "9990-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_that_python_has_no_value_for_is_the_earliest_or_the_latest(db: Database, text: str, read: str) -> None:
    with db.transaction() as tx:
        row = tx.row(
            "select %(text)s::timestamptz as at, %(text)s::date as day, null::timestamptz as nothing, "
            "to_jsonb(%(text)s::timestamptz) as told",
            text=text,
        )
    assert row is not None
    assert (row["at"].astimezone(UTC).isoformat(), row["nothing"]) == (read, None)
    assert moments.moment(row["told"]) == row["at"]
    assert EARLIEST.date() <= row["day"] <= LATEST.date()


def test_a_url_that_names_a_schema_keeps_every_transaction_in_it(db: Database, empty_database_url: str) -> None:
    with db.transaction() as tx:
        tx.run("create schema history")
    within = f"{empty_database_url}&schema=history"
    with Database(within) as other, other.another() as third:
        with other.transaction() as tx:
            tx.run("create table shelf (id integer primary key, title text)")
            tx.run("insert into shelf values (1, 'Emma')")
            tx.run("commit")
            assert "history" not in str(tx.row("show search_path"))  # behind a pooler the session is the next client's
            tx.run("begin")
        assert titles(third) == ["Emma"]
        assert third.statement("select current_schema() as name") == [{"name": "history"}]
    assert titles(db) == []


def test_a_serialization_failure_is_a_conflict(db: Database, empty_database_url: str) -> None:
    def overtaken() -> None:
        with Database(empty_database_url) as rival, db.transaction() as tx:
            tx.run("set transaction isolation level repeatable read")
            tx.rows("select * from shelf")
            with rival.transaction() as other:
                other.run("update shelf set title = 'taken'")
            tx.run("update shelf set title = 'mine'")

    with db.transaction() as tx:
        add(tx, 1, "Dune")
    with pytest.raises(StoreConflict):
        overtaken()
    assert titles(db) == ["taken"]


def test_a_connection_that_died_while_idle_is_replaced_unnoticed(db: Database, empty_database_url: str) -> None:
    with db.transaction() as tx:
        first = tx.row("select pg_backend_pid() as pid")
    assert first is not None
    terminate(empty_database_url, first["pid"])
    with db.transaction() as tx:
        assert tx.row("select pg_backend_pid() as pid") != first


def test_a_connection_lost_inside_a_transaction_is_unavailable_and_the_next_one_works(
    db: Database, empty_database_url: str
) -> None:
    def lose_it() -> None:
        with db.transaction() as tx:
            add(tx, 1, "Dune")
            own = tx.row("select pg_backend_pid() as pid")
            assert own is not None
            terminate(empty_database_url, own["pid"])
            add(tx, 2, "Emma")

    with pytest.raises(StoreUnavailable):
        lose_it()
    assert titles(db) == []


def terminate(url: str, pid: int) -> None:
    with Database(url) as killer, killer.transaction() as tx:
        assert tx.row("select pg_terminate_backend(%(pid)s, 5000) as done", pid=pid) == {"done": True}


def test_a_closed_database_opens_again(db: Database) -> None:
    db.close()
    db.close()
    assert titles(db) == []


def test_nothing_is_connected_before_the_first_transaction() -> None:
    with quiet_port() as port, Database(f"postgresql://u:geheim@127.0.0.1:{port}/x"):
        pass


def test_an_unreachable_server_is_unavailable_and_the_message_holds_no_password() -> None:
    with quiet_port() as port, Database(f"postgresql://u:geheim@127.0.0.1:{port}/x") as db:
        with pytest.raises(StoreUnavailable) as raised, db.transaction():
            pass
        assert str(port) in str(raised.value)
        assert "geheim" not in str(raised.value)


def test_a_malformed_url_is_refused_at_once_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="percent-encoded") as raised:
        Database("postgresql://u:gehe@im@localhost/x")
    assert "gehe" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u@db.example.com/x", "require"),
        ("postgres://u@10.0.0.7:6543/x", "require"),
        ("postgresql://u@localhost,db.example.com/x", "require"),
        ("postgresql://u@localhost.example.com/x", "require"),
        ("postgresql://u@db.example.com/x?sslmode=verify-full", "verify-full"),
        ("postgresql://u@db.example.com/x?sslmode=disable", "disable"),
        ("postgresql://u@localhost/x", None),
        ("postgresql://u@127.0.0.1:5433/x", None),
        ("postgresql://u@[::1]/x", None),
        ("postgresql:///x?host=/run/postgresql", None),
        ("postgresql:///x", None),
    ],
)
def test_tls_is_required_beyond_this_machine_unless_the_url_says_more(
    url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.delenv("PGHOST", raising=False)
    assert connection_arguments(url).get("sslmode") == expected


def test_no_start_up_options_are_sent_because_poolers_refuse_them() -> None:
    assert "options" not in connection_arguments("postgresql://u@db.example.com/x")


def test_the_application_name_is_shown_to_the_server(empty_database_url: str) -> None:
    with Database(empty_database_url, application_name="gh_backfill test") as db, db.transaction() as tx:
        assert tx.row("select current_setting('application_name') as name") == {"name": "gh_backfill test"}
