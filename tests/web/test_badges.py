"""Badges: what they say of a repository, that text stays text, and how they come from a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from gh_backfill.store.db import Database
from gh_backfill.web import badges
from tests.tasks.pages.worlds import Made, make
from tests.web.house import TOKEN, House, open_house

NOW = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_house(database_url, own_pages=True) as made:
        yield made


def said(svg: str) -> tuple[str, str]:
    """Return what a badge says, and its colour."""
    (title,) = re.findall(r"<title>(.*?)</title>", svg)
    return title, re.findall(r'fill="(#[0-9a-f]{6})"', svg)[1]


@pytest.mark.parametrize(
    ("percent", "words", "colour"),
    [
        (None, "unknown", badges.PLAIN),
        (0.0, "0 %", badges.POOR),
        (49.9, "49.9 %", badges.POOR),
        (50.0, "50 %", badges.FAIR),
        (98.2, "98.2 %", badges.GOOD),
        (99.9, "99.9 %", badges.GOOD),
        (100.0, "100 %", badges.GOOD),
    ],
)
def test_how_much_of_a_history_is_here_is_a_figure_and_a_colour(percent: float | None, words: str, colour: str) -> None:
    assert said(badges.history(percent)) == (f"history: {words}", colour)


@pytest.mark.parametrize(
    ("age", "words", "colour"),
    [
        (None, "never", badges.PLAIN),
        (timedelta(seconds=-3), "0 s", badges.GOOD),
        (timedelta(minutes=14), "14 min", badges.GOOD),
        (timedelta(days=3), "3 days", badges.FAIR),
        (timedelta(days=20), "20 days", badges.POOR),
    ],
)
def test_how_old_the_last_look_is_is_a_figure_and_a_colour(age: timedelta | None, words: str, colour: str) -> None:
    title, found = said(badges.fresh(None if age is None else NOW - age, NOW))
    assert (title, found) == (f"fresh: {words}", colour)


def test_whatever_is_in_a_badge_is_text() -> None:
    picture = ElementTree.fromstring(badges.badge("<b>", "\"'&", badges.PLAIN))  # noqa: S314  (our own)
    assert picture.attrib["aria-label"] == "<b>: \"'&"
    assert [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")] == ["<b>", "\"'&"]


def test_a_server_has_both_for_everybody_who_may_read(house: House, database_url: str) -> None:
    now = datetime.now(UTC)
    engine = Made(name="acme/engine", status="completed", captured=98, fresh_at=now - timedelta(minutes=14))
    secret = Made(name="acme/secret", captured=5, is_private=True)
    newest = Made(name="acme/newest", status="completed", captured=20, goal=20, total=80)
    with Database(database_url) as db:
        make(db, engine, secret, newest)
    with house.client() as client:
        history, fresh = client.get("/acme/engine/history.svg"), client.get("/ACME/engine/fresh.svg")
        private, unknown = client.get("/acme/secret/history.svg"), client.get("/acme/nowhere/history.svg")
        again = client.get("/acme/engine/history.svg", headers={"If-None-Match": history.headers["etag"]})
        assert said(client.get("/acme/newest/history.svg").text)[0] == "history: 25 %"
        assert client.get("/acme/engine/other.svg").status_code == 404
        page = client.get("/acme/engine").text
    assert (said(history.text)[0], said(fresh.text)[0]) == ("history: 98 %", "fresh: 14 min")
    assert history.headers["content-type"].startswith("image/svg+xml")
    assert history.headers["cache-control"] == "public, max-age=300"
    assert private.headers["cache-control"] == "private, max-age=300"
    assert (again.status_code, again.content) == (304, b"")
    assert (unknown.status_code, said(unknown.text)[0]) == (404, "history: unknown")
    assert "[![history](ADDRESS/acme/engine/history.svg)](ADDRESS/acme/engine)" in page
    assert '<img src="/acme/engine/fresh.svg"' in page


def test_where_reading_needs_the_token_only_badges_of_public_repositories_do_not(database_url: str) -> None:
    with open_house(database_url, own_pages=True, environment={"GH_BACKFILL_WEB_HOSTS": "pages.example"}) as house:
        with Database(database_url) as db:
            make(db, Made(name="acme/engine", captured=98), Made(name="acme/secret", is_private=True))
            make(db, Made(name="acme/unknown"))
            with db.transaction() as tx:
                tx.run("update repositories set is_private = null where name = 'unknown'")
        with house.client() as client:
            answer = client.get("/acme/engine/history.svg")
            hidden = [client.get(f"/acme/{name}/history.svg").status_code for name in ("secret", "unknown", "nowhere")]
            assert client.get("/acme/engine").status_code == 303
        with house.client(token=TOKEN) as client:
            private = client.get("/acme/secret/history.svg")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=300")
    assert hidden == [303] * 3
    assert (private.status_code, private.headers["cache-control"]) == (200, "private, max-age=300")
