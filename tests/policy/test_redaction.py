"""Nothing that leads to a database, a host or a private repository is readable in what we show."""

from __future__ import annotations

import pytest

from gh_backfill.policy.redaction import redacted


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (
            'connection to server at "db.abcdefgh.supabase.co" (2600:1f18::5), port 5432 failed: FATAL: no',
            ["abcdefgh", "2600", "5432"],
        ),
        ('could not translate host name "db.internal.example" to address: no', ["internal.example"]),
        (
            "see postgresql://postgres.ab:p%40ss@aws-0.pooler.supabase.com:6543/postgres now",
            ["p%40ss", "aws-0", "6543"],
        ),
        ("redis://user:pass@cache:6379/0", ["pass", "cache"]),
        ('password authentication failed for user "postgres.abcdef"', ["abcdef"]),
        ('database "customers" does not exist', ["customers"]),
        ("HTTPConnectionPool(host='ghe.example.com', port=443): refused", ["ghe.example", "443"]),
        ("no route to 10.1.2.3:5432", ["10.1.2.3", "5432"]),
        ("token ghp_0123456789abcdefghij0123456789abcdef is bad", ["ghp_"]),
        ("host=db.example.org user=admin password=hunter2", ["db.example", "admin", "hunter2"]),
        ("server closed: aws-0-eu.pooler.supabase.com:6543", ["pooler"]),
        ("can't be reached at https://ghe.example.com/api/v3: no", ["ghe.example"]),
    ],
)
def test_addresses_and_credentials_are_hidden(text: str, hidden: list[str]) -> None:
    shown = redacted(text)
    assert [part for part in hidden if part in shown] == []


@pytest.mark.parametrize(
    "text",
    [
        "3 of 1000 points left, 100 are kept in reserve",
        "the runner died or was shut down (failure)",
        "PRs missing fullDatabaseId: #12, #13 at 2026-03-01T12:00:00Z",
        "octo/engine is not tracked here",
        "GitHub has trouble (status 502)",
        "chunk 7 was taken over by another worker",
    ],
)
def test_what_helps_stays_readable(text: str) -> None:
    assert redacted(text) == text


def test_a_private_repository_is_its_id_in_any_case_of_its_name() -> None:
    shown = redacted("Could not resolve to a Repository with the name 'Octo/Secret'.", {"octo/secret": "1234"})
    assert shown == "Could not resolve to a Repository with the name '1234'."


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("must be an address such as https://api.github.com: check it", "such as https://api.github.com: check it"),
        ("no way to https://ghe.example.com: check it", "no way to <address>: check it"),
        ("(see https://ghe.example.com:8443), then", "(see <address>), then"),
        ("no answer from postgresql://u:p@db.example/x; wait", "no answer from <address>; wait"),
        ("no answer from postgresql://db.example/x. Wait", "no answer from <database>. Wait"),
        ("host=db.example: no such name", "host=<hidden>: no such name"),
    ],
)
def test_what_closes_a_sentence_around_an_address_stays(text: str, read: str) -> None:
    assert redacted(text).endswith(read)


@pytest.mark.parametrize(
    "text", ["https://github.com.evil.example", "https://api.github.com:8443", "https://github.com:p@h"]
)
def test_only_githubs_own_address_is_no_secret(text: str) -> None:
    assert "github.com" not in redacted(f"no way to {text}: no")
