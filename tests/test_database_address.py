"""The address of a database: what is understood, and what each mistake is called."""

from __future__ import annotations

import pytest

from gh_backfill.database_address import understood


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("db", "no connection string"),
        ('"postgresql://u:geheim@localhost/x"', "quotation marks"),
        ("https://xyz.supabase.co", "web server"),
        ("host=localhost dbname=x password=geheim", "name=value"),
        ("DATABASE_URL=postgresql://u:geheim@localhost/x", "name=value"),
        ("postgresql+psycopg2://u:geheim@localhost/x", "driver"),
        ("jdbc:postgresql://localhost/x?password=geheim", "driver"),
        ("postgresql://u:geheim@local\nhost/x", "line break"),
        ("postgresql://u:gehe im@localhost/x", "space"),
        ("postgresql://postgres:[YOUR-PASSWORD]@db.example.com/x", "placeholder"),
        ("postgresql://u:geheim%zz@localhost/x", "% that begins no code"),
        ("postgresql://u:gehe@im@localhost/x", "percent-encoded"),
        ("postgresql://u:gehe/im@localhost/x", "percent-encoded"),
        ("postgresql://u:geheim@localhost:port/x", "port"),
        ("postgresql://u:geheim@localhost:99999/x", "port"),
        ("postgresql://u:geheim@localhost/x?sslmode", "without a value"),
        ("postgresql://u:geheim@localhost/x?nosuch=1", "leave nosuch out"),
    ],
)
def test_each_mistake_has_its_own_words_and_nothing_of_the_address_is_repeated(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        understood(text)
    said = str(raised.value)
    assert "gehe" not in said
    assert "heim" not in said
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize(
    ("parameters", "dropped", "left"),
    [
        ("pgbouncer=true", ("pgbouncer",), ""),
        ("pgbouncer=true&connection_limit=1&pool_timeout=20", ("pgbouncer", "connection_limit", "pool_timeout"), ""),
        ("sslmode=require&supa=base-pooler.x", ("supa",), "?sslmode=require"),
        ("sslaccept=strict&sslmode=verify-full", ("sslaccept",), "?sslmode=verify-full"),
        ("application_name=x&", (), "?application_name=x"),
    ],
)
def test_parameters_of_other_programs_are_dropped_by_name(parameters: str, dropped: tuple[str, ...], left: str) -> None:
    address = understood(f" postgresql://u:p%40ss@db.example.com:6543/x?{parameters}\r\n")
    assert address.dropped == dropped
    assert address.url == f"postgresql://u:p%40ss@db.example.com:6543/x{left}"
    assert address.given["password"] == "p@ss"


def test_a_question_mark_in_the_password_begins_no_parameters() -> None:
    address = understood("postgresql://u:what?now=1#@localhost/x?pgbouncer=true")
    assert (address.given["password"], address.dropped) == ("what?now=1#", ("pgbouncer",))


def test_the_schema_travels_with_the_address_and_is_not_told_to_the_server() -> None:
    address = understood("postgresql://u@localhost/x?schema=app&sslmode=disable")
    assert (address.schema, "schema" in address.arguments) == ("app", False)
    assert understood(address.within("history").url).schema == "history"
    assert understood(address.within(None).url).schema is None


@pytest.mark.parametrize(
    ("url", "variable", "clear"),
    [
        ("postgresql://u@db.example.com/x", None, False),
        ("postgresql://u@db.example.com/x?sslmode=disable", None, True),
        ("postgresql://u@db.example.com/x?sslmode=prefer", None, True),
        ("postgresql://u@db.example.com/x?sslmode=verify-full", "disable", False),
        ("postgresql://u@db.example.com/x", "disable", True),
        ("postgresql://u@localhost/x?sslmode=disable", None, False),
        ("postgresql:///x?host=/run/postgresql", "disable", False),
    ],
)
def test_what_would_travel_unencrypted_beyond_this_machine_is_told(
    url: str, variable: str | None, clear: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PGHOST", raising=False)
    monkeypatch.delenv("PGSSLMODE", raising=False)
    if variable is not None:
        monkeypatch.setenv("PGSSLMODE", variable)
    assert understood(url).in_clear_text is clear
