"""What PostgreSQL refuses is one line of ours, which says who may not do what and how that is mended."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from gh_backfill.errors import RowRefused, RowTooLarge, StoreConflict, StoreDenied, StoreError, StoreUnavailable
from gh_backfill.store import causes
from gh_backfill.store.causes import Session
from gh_backfill.store.db import Database
from tests import servers

needs_15 = pytest.mark.skipif(not servers.DEBIANS_15.is_dir(), reason="PostgreSQL 15 of Debian is not installed")
SESSION = Session(user="worker", database="history")

ROLES = """
create role owner login createdb;
create role visitor login;
create role asleep nologin;
create role crowded login connection limit 0;
create role slow login;
alter role slow set statement_timeout = '20ms';
create role reader login;
alter role reader set default_transaction_read_only = on;
create role careful login password 'right';
create database history owner owner;
create database closed owner owner;
revoke connect on database closed from public
"""


@pytest.fixture(scope="module")
def fifteen() -> Iterator[servers.Postgres]:
    """Run Debian's PostgreSQL with roles that may do little; `careful` needs a password, `stranger` is not let in."""
    with servers.postgres(servers.DEBIANS_15) as server:
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all careful scram-sha-256\nlocal all stranger reject\n{rules.read_text()}")
        connection = psycopg2.connect(server.url)
        connection.autocommit = True
        for statement in ROLES.split(";"):
            connection.cursor().execute(statement)
        connection.cursor().execute("select pg_reload_conf()")
        connection.close()
        yield server


def url_of(server: servers.Postgres, user: str, database: str) -> str:
    parts = urlsplit(server.url)
    return parts._replace(netloc=f"{user}@{parts.netloc.rpartition('@')[2]}", path=f"/{database}").geturl()


def refusal(url: str, *statements: str) -> StoreError:
    """Return the error that a transaction of these statements ends in."""
    with pytest.raises(StoreError) as raised, Database(url) as db, db.transaction() as tx:
        for statement in statements or ("select 1",):
            tx.run(statement)
    assert "\n" not in str(raised.value)
    return raised.value


@needs_15
@pytest.mark.parametrize(
    ("user", "database", "words"),
    [
        ("careful:wrong", "history", ["password of role careful", "alter role careful password"]),
        ("careful", "history", ["password of role careful"]),
        ("absent", "history", ["no role absent", "create role absent login"]),
        ("asleep", "history", ["alter role asleep login"]),
        ("stranger", "history", ["let role stranger into database history", "pg_hba.conf"]),
        ("visitor", "nowhere", ["no database nowhere", "create database nowhere encoding 'UTF8'"]),
        ("visitor", "No-Where", ['create database "No-Where"']),
        ("visitor", "closed", ["grant connect on database closed to visitor"]),
    ],
)
def test_a_connection_that_is_refused_says_what_to_mend_and_is_a_matter_of_settings(
    fifteen: servers.Postgres, user: str, database: str, words: list[str]
) -> None:
    error = refusal(url_of(fifteen, user, database))
    assert isinstance(error, StoreDenied)
    assert error.exit_code == 2
    assert [word for word in words if word not in str(error)] == []
    assert "wrong" not in str(error)


@needs_15
def test_too_many_connections_are_worth_another_try_and_say_how_to_have_more(fifteen: servers.Postgres) -> None:
    error = refusal(url_of(fifteen, "crowded", "history"))
    assert isinstance(error, StoreUnavailable)
    assert error.exit_code == 4
    assert "alter role crowded connection limit" in str(error)


@needs_15
@pytest.mark.parametrize(
    ("user", "statements", "words"),
    [
        (
            "visitor",
            ["create table mine ()"],
            ["role visitor may not", "grant usage, create on schema public to visitor"],
        ),
        ("visitor", ["create schema mine"], ["grant connect, create on database history to visitor"]),
        ("reader", ["create table mine ()"], ["takes no writes", "default_transaction_read_only = off", "standby"]),
        ("slow", ["select pg_sleep(5)"], ["time limit", "alter role slow set statement_timeout"]),
        ("visitor", ["select * from nowhere"], ["lacks", "nowhere", "gh-backfill migrate"]),
        ("visitor", ["select nothing from pg_class"], ["lacks", "nothing", "gh-backfill migrate"]),
        ("visitor", ["select nothing()"], ["lacks", "gh-backfill migrate"]),
    ],
)
def test_a_right_or_a_setting_that_is_missing_is_named_with_the_statement_that_mends_it(
    fifteen: servers.Postgres, user: str, statements: list[str], words: list[str]
) -> None:
    error = refusal(url_of(fifteen, user, "history"), *statements)
    assert isinstance(error, StoreDenied)
    assert error.exit_code == 2
    assert [word for word in words if word not in str(error)] == []


@needs_15
def test_who_owns_nothing_is_told_whose_the_table_is(fifteen: servers.Postgres) -> None:
    owner, visitor = (url_of(fifteen, user, "history") for user in ("owner", "visitor"))
    with Database(owner) as db, db.transaction() as tx:
        tx.run("create table shelf (title text); grant select on shelf to visitor")
        tx.run("alter table shelf enable row level security")
    assert "alter table shelf owner to visitor" in str(refusal(visitor, "alter table shelf add column pages integer"))
    assert "grant select, insert, update on shelf to visitor" in str(refusal(visitor, "delete from shelf"))
    with Database(owner) as db, db.transaction() as tx:
        tx.run("grant insert on shelf to visitor")
    text = str(refusal(visitor, "insert into shelf values ('Emma')"))
    assert "a policy on shelf has to admit visitor" in text


@needs_15
def test_a_disk_that_is_full_is_said_to_be_full(fifteen: servers.Postgres, tmp_path: Path) -> None:
    disk = fifteen.folder / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        (disk / "data").mkdir()
        owner = fifteen.user or ""
        subprocess.run(["chown", owner or "root", disk / "data"], check=True)
        connection = psycopg2.connect(fifteen.url)
        connection.autocommit = True
        connection.cursor().execute(f"create tablespace small location '{disk / 'data'}'")
        connection.cursor().execute("grant create on tablespace small to owner")
        error = refusal(
            url_of(fifteen, "owner", "history"),
            "create table big (text text) tablespace small",
            "insert into big select repeat(md5(n::text), 60) from generate_series(1, 20000) n",
        )
        connection.cursor().execute("drop tablespace small")
        connection.close()
    finally:
        subprocess.run(["umount", disk], check=True)
    assert isinstance(error, StoreUnavailable)
    assert "the disk of database history is full" in str(error)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("select 'x'::integer", RowRefused),
        ("do $$ begin raise exception 'the trigger of a host says no'; end $$", RowRefused),
        ("do $$ begin raise exception using errcode = '54000', message = 'too large'; end $$", RowTooLarge),
        ("do $$ begin raise exception using errcode = '53200', message = 'x'; end $$", RowRefused),
        ("do $$ begin raise exception using errcode = '57014', message = 'by a user'; end $$", StoreConflict),
        ("do $$ begin raise exception using errcode = '08006', message = 'x'; end $$", StoreUnavailable),
    ],
)
def test_other_codes_have_their_kind(empty_database_url: str, statement: str, kind: type[StoreError]) -> None:
    assert type(refusal(empty_database_url, statement)) is kind


def test_a_code_that_nobody_knows_is_one_line_with_the_code_and_alerts(empty_database_url: str) -> None:
    error = refusal(
        empty_database_url,
        "do $$ begin raise exception using errcode = 'ZZ123', message = 'odd', detail = 'row (secret)'; end $$",
    )
    assert (type(error), error.exit_code, error.alerts) == (StoreError, 1, True)
    assert "ZZ123" in str(error)
    assert "secret" not in str(error)


def test_a_killed_server_process_that_gives_no_code_is_a_lost_connection() -> None:
    bare = psycopg2.DatabaseError("error with status PGRES_TUPLES_OK and no message from the libpq")
    assert isinstance(causes.of_statement(bare, SESSION), StoreUnavailable)
    assert isinstance(causes.of_statement(psycopg2.InternalError("lost synchronization"), SESSION), StoreUnavailable)
    wrong = causes.of_statement(psycopg2.ProgrammingError("can't adapt type 'object'"), SESSION)
    assert type(wrong) is StoreError


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("FATAL:  Tenant or user not found", StoreDenied, "postgres.<project>"),
        ("server does not support SSL, but SSL was required", StoreDenied, "GH_BACKFILL_ALLOW_INSECURE"),
        ('root certificate file "/nowhere" does not exist', StoreDenied, "/nowhere"),
        ("SSL error: certificate verify failed", StoreDenied, "does not fit"),
        ('could not translate host name "x" to address: Name or service not known', StoreUnavailable, "not found"),
        ("FATAL:  no more connections allowed (max_client_conn)", StoreUnavailable, "pooler"),
        ("FATAL:  MaxClientsInSessionMode: max clients reached", StoreUnavailable, "pooler"),
        ("FATAL:  the database system is starting up", StoreUnavailable, "does not answer"),
        ("Connection refused", StoreUnavailable, "does not answer"),
    ],
)
def test_what_poolers_and_networks_say_is_understood(said: str, kind: type[StoreError], words: str) -> None:
    error = causes.of_connection(psycopg2.OperationalError(said), SESSION)
    assert type(error) is kind
    assert words in str(error)
