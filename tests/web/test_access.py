"""Who may do what: tokens, sessions, forms, and the names by which a server is called."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pytest

from gh_backfill import settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.web import access
from gh_backfill.web.access import Role, Viewer, WebAccess
from gh_backfill.web.guesses import FREE, PATIENCE, Guesses

TOKEN = "editor-token-0123456789"
ADMIN = "admin-token-0123456789"


def of(host: str = "127.0.0.1", **given: str) -> WebAccess:
    return access.of(settings.load(given, dotenv=None), host)


def test_on_this_machine_a_token_is_made_and_everybody_may_read() -> None:
    one, other = of(), of()
    assert one.made
    assert one.open_reading
    assert len(one.token or "") >= 32
    assert one.token != other.token
    assert one.viewer(None) == Viewer(role=Role.READER)


EVERYWHERE = "0.0.0.0"  # noqa: S104  (nothing listens here)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.7", "example.org"])
def test_beyond_this_machine_nothing_starts_without_a_token(host: str) -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_WEB_TOKEN"):
        of(host)
    assert not of(host, GH_BACKFILL_WEB_TOKEN=TOKEN).open_reading
    assert not of(host, GH_BACKFILL_WEB_ADMIN_TOKEN=ADMIN).open_reading


def test_who_listens_for_others_is_called_by_the_name_of_the_machine_too() -> None:
    name = socket.gethostname().lower()
    for host in (EVERYWHERE, "::"):
        assert name in of(host, GH_BACKFILL_WEB_TOKEN=TOKEN).hosts
    assert name == "localhost" or name not in of().hosts


def test_a_name_for_others_makes_this_machine_theirs() -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_WEB_HOSTS lets others reach"):
        of(GH_BACKFILL_WEB_HOSTS="backfill.example.org")
    opened = of(GH_BACKFILL_WEB_HOSTS="backfill.example.org, other.example", GH_BACKFILL_WEB_TOKEN=TOKEN)
    assert not opened.open_reading
    assert {"backfill.example.org", "other.example", "localhost", "127.0.0.1"} <= opened.hosts


@pytest.mark.parametrize(
    ("given", "editor", "admin"),
    [
        ({"GH_BACKFILL_WEB_TOKEN": TOKEN}, Role.ADMIN, Role.NOBODY),
        ({"GH_BACKFILL_WEB_TOKEN": TOKEN, "GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}, Role.EDITOR, Role.ADMIN),
        ({"GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}, Role.NOBODY, Role.ADMIN),
    ],
)
def test_with_an_administrators_token_the_other_one_does_less(
    given: Mapping[str, str], editor: Role, admin: Role
) -> None:
    rules = of(**given)
    assert rules.role_of(TOKEN) is editor
    assert rules.role_of(ADMIN) is admin
    assert rules.role_of("") is rules.role_of("None") is rules.role_of("wrong \ud800") is Role.NOBODY


def test_a_session_is_known_again_after_a_restart_and_not_once_the_token_changes() -> None:
    cookie = of(GH_BACKFILL_WEB_TOKEN=TOKEN).session(Role.ADMIN)
    assert of(GH_BACKFILL_WEB_TOKEN=TOKEN).viewer(cookie).role is Role.ADMIN
    assert of(GH_BACKFILL_WEB_TOKEN=TOKEN + "x").viewer(cookie) == Viewer(role=Role.READER)
    added = of(GH_BACKFILL_WEB_TOKEN=TOKEN, GH_BACKFILL_WEB_ADMIN_TOKEN=ADMIN)
    assert added.viewer(cookie) == Viewer(role=Role.READER)


def test_a_cookie_that_was_touched_is_nobodys() -> None:
    rules = of(EVERYWHERE, GH_BACKFILL_WEB_TOKEN=TOKEN)
    cookie = rules.session(Role.EDITOR)
    for wrong in (cookie[:-1], "a" + cookie, cookie.split(".")[0], "", ".", "é", "[2,1]"):
        assert rules.viewer(wrong).role is Role.NOBODY, wrong


def test_a_session_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = of(GH_BACKFILL_WEB_TOKEN=TOKEN)
    cookie = rules.session(Role.EDITOR)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 4_000_000_000)
    assert rules.viewer(cookie) == Viewer(role=Role.READER)


def test_the_token_of_a_form_is_the_sessions_own() -> None:
    rules = of(GH_BACKFILL_WEB_TOKEN=TOKEN)
    one, other = (rules.viewer(rules.session(Role.EDITOR)) for _ in range(2))
    token = rules.csrf(one)
    assert token
    assert rules.is_csrf(one, token)
    assert not rules.is_csrf(other, token)
    assert not rules.is_csrf(one, "")
    assert rules.csrf(Viewer(role=Role.READER)) is None


def test_where_changes_are_turned_off_no_form_is_given() -> None:
    rules = of(GH_BACKFILL_WEB_TOKEN=TOKEN, ENABLE_BACKFILL_UI="false")
    viewer = rules.viewer(rules.session(Role.ADMIN))
    assert rules.csrf(viewer) is None
    assert not rules.is_csrf(viewer, "")


@pytest.mark.parametrize("token", ["short", "with a space in the middle", "sixteen-letterś"])
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError, match="at least 16 characters") as raised:
        of(GH_BACKFILL_WEB_TOKEN=token)
    assert token not in str(raised.value)


def test_names_of_hosts_are_names_and_not_addresses_of_pages() -> None:
    with pytest.raises(ConfigurationError, match="GH_BACKFILL_WEB_HOSTS must be names"):
        of(GH_BACKFILL_WEB_HOSTS="https://backfill.example.org")


def test_who_guesses_has_one_try_a_second_after_a_few() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    assert [guesses.turn("a") for _ in range(FREE)] == [0] * FREE
    assert [guesses.turn("a") for _ in range(12)] == [*range(1, int(PATIENCE) + 1), None, None]
    assert guesses.turn("b") == 0
    now[0] += 1
    assert [guesses.turn("a"), guesses.turn("a")] == [PATIENCE, None]  # one more a second, and no more


def test_the_right_token_costs_no_turn_and_frees_nobody_who_guesses() -> None:
    guesses = Guesses(lambda: 0.0)
    for _ in range(100):
        assert guesses.turn("a") == 0
        guesses.right("a")
    assert [guesses.turn("a") for _ in range(FREE)] == [0] * FREE
    for _ in range(3):
        assert guesses.turn("a") == 1
        guesses.right("a")
    assert guesses.turn("a") == 1
