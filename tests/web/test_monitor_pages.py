"""The monitor, the list and the page of a repository over HTTP: what they show, and what their buttons do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx
import pytest

from gh_backfill import settings
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks.initial.runner import Runner
from gh_backfill.web.pages import operate
from tests.tasks.pages.worlds import Made, insert, make
from tests.web.house import ADMIN, TOKEN, House, open_house

MARKUP = "<script>alert('x')</script>"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_house(database_url, own_pages=True) as made:
        yield made


def fill(url: str, *made: Made) -> None:
    """Put repositories into the database of a house."""
    with Database(url) as db:
        make(db, *made)


def rows(url: str, statement: str) -> list[Row]:
    """Return rows of the database of a house."""
    with Database(url) as db, db.transaction(read_only=True) as tx:
        return tx.rows(statement)


def send(house: House, client: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    """Send a form as one of our pages does."""
    return client.post(path, data={"csrf": house.csrf(client), **fields}, headers={"Origin": house.url})


def a_mixed_world() -> list[Made]:
    """Return one repository of each sort, with text that would be markup."""
    gone = {"last_error": f"GitHub answers 404 {MARKUP}", "last_error_at": datetime.now(UTC)}
    return [
        Made(name="acme/payments", status="failed", captured=40, columns=gone, is_private=True),
        Made(name="acme/website", captured=24, goal=200, total=900),
        Made(name="acme/engine", status="completed", captured=100, fresh_at=datetime.now(UTC) - timedelta(minutes=2)),
    ]


@pytest.mark.parametrize("path", ["/monitor", "/repositories", "/monitor?state=all&sort=-progress&q=x&after=nonsense"])
def test_every_page_shows_something_where_nothing_is(house: House, path: str) -> None:
    with house.client(token=TOKEN) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    assert "/add" in answer.text


def test_the_monitor_says_how_things_are_and_its_twin_has_the_same_figures(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        html, twin = client.get("/monitor").text, client.get("/monitor.json").json()
    assert "<h1>One repository needs you</h1>" in html
    assert twin["title"] == "One repository needs you"
    assert (twin["figures"]["repositories"], twin["figures"]["captured"]) == (3, 164)
    assert [each["full_name"] for each in twin["needs"]] == ["acme/payments"]
    assert "24 of 200 newest" in html


@pytest.mark.parametrize("token", ["", "ghp_secret"])
def test_this_machine_is_a_processor_where_it_has_a_token_to_capture_with(database_url: str, token: str) -> None:
    environment = {"DATABASE_URL": database_url, "GITHUB_TOKEN": token}
    fill(database_url, Made())
    runner = Runner(settings.load({name: value for name, value in environment.items() if value}, dotenv=None), "")
    with (
        open_house(database_url, own_pages=True, runner=runner, environment=environment) as house,
        house.client(token=TOKEN) as client,
    ):
        assert ("This machine" in client.get("/monitor").text) is bool(token)


def test_the_issue_of_an_alert_is_searched_for_where_alerts_open_issues(database_url: str) -> None:
    environment = {"GH_BACKFILL_ALERT_REPOSITORY": "acme/alerts", "GITHUB_SERVER_URL": "https://git.acme.example"}
    with open_house(database_url, own_pages=True, environment=environment) as house:
        fill(database_url, *a_mixed_world())
        with house.client(token=TOKEN) as client:
            found = re.findall(r'<a href="([^"]*)">search for its issue</a>', client.get("/monitor").text)
    assert [each.partition("?")[0] for each in found] == ["https://git.acme.example/acme/alerts/issues"]


def test_text_that_others_wrote_stays_text(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        pages = [client.get(path).text for path in ("/monitor", "/repositories", "/acme/payments")]
    for html in pages:
        assert MARKUP not in html
        assert "&lt;script&gt;" in html


@pytest.mark.parametrize("path", ["/repositories", "/monitor?state=all"])
def test_the_heads_that_sort_are_there_again_where_rows_are_stacked(house: House, database_url: str, path: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:

        def sorts(address: str) -> dict[str, str]:
            (nav,) = re.findall(
                r'<nav class="filters sorts" aria-label="Sort by">(.*?)</nav>', client.get(address).text
            )
            found = re.findall(r'<a href="([^"]*)"( aria-current="true")?>(.*?)</a>', nav)
            chosen = [re.sub("<[^>]*>", "", words) for _, current, words in found if current]
            assert len(chosen) == 1
            return {"chosen": chosen[0], **{re.sub("<.*", "", words).strip(): href for href, _, words in found}}

        first = sorts(path)
        assert first["chosen"] == "Repository ↑ ascending"
        assert [each for each in first if each != "chosen"] == ["Repository", "Captured", "Fresh as of", "Last page"]
        by_progress = unescape(first["Captured"])
        where = path.partition("?")[0]
        assert sorts(f"{where}{by_progress}")["chosen"] == "Captured ↓ descending"


def test_a_region_comes_alone(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        html = client.get("/monitor", params={"region": "needs"}).text
    assert html.startswith('<section id="needs"')
    assert "acme/payments" in html
    assert "acme/website" not in html


def test_a_repository_that_nobody_tracks_is_offered(house: House) -> None:
    with house.client(token=TOKEN) as client:
        answer = client.get("/octo/nowhere")
        impossible = client.get("/-/.../")
    assert answer.status_code == 404
    assert "Track this repository" in answer.text
    assert 'href="/add?names=octo/nowhere"' in answer.text
    assert impossible.status_code == 404
    assert "Track this" not in impossible.text


def test_the_page_of_a_repository_has_its_story_and_its_twin(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with Database(database_url) as db, db.transaction() as tx:
        (row,) = tx.rows("select id from repositories where name = 'engine'")
        insert(tx, "backfill_events", {"repository_id": row["id"], "event": "tracked", "who": "mona"})
    with house.client(token=TOKEN) as client:
        html, twin = client.get("/acme/engine").text, client.get("/ACME/engine.json").json()
    assert "by mona" in html
    assert twin["about"]["full_name"] == "acme/engine"
    assert twin["story"][0]["what"]["who"] == "mona"


def test_one_repository_is_let_go_on_at_once_and_the_record_says_who(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        answer = send(house, client, "/operate/retry", repository="acme/payments", back="/monitor?state=all")
    assert (answer.status_code, answer.headers["location"]) == (303, "/monitor?state=all")
    (state,) = rows(database_url, "select status from backfills b join repositories r on r.id = b.repository_id "
                                  "where r.name = 'payments'")  # fmt: skip
    assert state["status"] == "active"
    (event,) = rows(database_url, "select event, who, detail from backfill_events")
    assert event["event"] == "resumed"
    assert "on the pages" in event["who"]


def test_all_that_match_are_asked_about_with_a_count_and_no_other_is_touched(house: House, database_url: str) -> None:
    fill(database_url, *(Made(name=f"acme/same-{n:03}") for n in range(30)), Made(name="other/thing"))
    asked = {"all": "yes", "state": "active", "q": "acme", "back": "/repositories?q=acme"}
    with house.client(token=TOKEN) as client:
        question = send(house, client, "/operate/pause", **asked)
        assert "Pause 30 repositories?" in question.text
        assert rows(database_url, "select 1 from backfills where held") == []
        done = send(house, client, "/operate/pause", **asked, sure="yes", reason="migration")
    assert "30 of 30 repositories paused" in done.text
    held = rows(database_url, "select r.full_name, held_reason, held_by from backfills b "
                              "join repositories r on r.id = b.repository_id where held")  # fmt: skip
    assert len(held) == 30
    assert {row["held_reason"] for row in held} == {"migration"}
    assert not any(row["full_name"] == "other/thing" for row in held)
    (events,) = rows(database_url, "select count(*) as n, min(event) as event from backfill_events")
    assert (events["n"], events["event"]) == (30, "paused")


def test_more_than_are_done_at_once_are_gone_on_with_where_it_ended(house: House, database_url: str) -> None:
    fill(database_url, *(Made(name=f"acme/same-{n}") for n in range(operate.MOST + 1)))
    fields = {"all": "yes", "state": "all", "q": "acme", "sure": "yes", "reason": "moving"}
    titles = []
    with house.client(token=TOKEN) as client:
        while fields:
            done = send(house, client, "/operate/pause", **fields).text
            if not done:
                break
            titles.append((re.findall(r"<h1>(.*?)</h1>", done)[0], re.findall(r"(\S+) more are to come", done)))
            given = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', done)
            fields = {name: value for name, value in given if name != "csrf"} if "left" in dict(given) else {}
    assert titles == [("500 of 500 repositories paused", ["1"])]  # and the last one leads back to the list
    held = rows(database_url, "select held_reason from backfills where held")
    assert [row["held_reason"] for row in held] == ["moving"] * 501


def test_chosen_ones_have_a_result_each_and_what_does_not_fit_stays_on_the_page(
    house: House, database_url: str
) -> None:
    paused = Made(name="acme/paused", status="paused", columns={"held": True, "held_reason": "x"})
    fill(database_url, *a_mixed_world(), paused)
    chosen = ["acme/payments", "acme/website", "acme/paused", "acme/gone"]
    with house.client(token=TOKEN) as client:
        answer = send(house, client, "/operate/retry", repository=chosen, sure="yes", back="/monitor")
        twin = client.post(
            "/operate/retry",
            data={"csrf": house.csrf(client), "repository": chosen, "sure": "yes"},
            headers={"Origin": house.url, "Accept": "application/json"},
        ).json()
    assert answer.status_code == 409
    assert "1 of 4 repositories let go on" in answer.text
    assert "not tracked here" in answer.text
    assert "gh-backfill resume" in answer.text
    assert {each["repository"]: each["word"] for each in twin["results"]} == {
        "acme/payments": "as it was",  # it goes on since the first time
        "acme/website": "as it was",
        "acme/paused": "not done",
        "acme/gone": "not done",
    }


def test_what_ends_something_is_asked_about_even_for_one(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        for path, words in (("cancel", "Cancel 1 repository?"), ("untrack", "Stop tracking 1 repository?")):
            question = send(house, client, f"/operate/{path}", repository="acme/website", back="/monitor")
            assert words in question.text
        done = send(house, client, "/operate/untrack", repository="acme/website", back="/monitor", sure="yes")
    assert done.status_code == 303
    (kept,) = rows(database_url, "select tracking_enabled from tracked_repositories t join repositories r "
                                 "on r.id = t.repository_id where r.name = 'website'")  # fmt: skip
    assert kept["tracking_enabled"] is False


def test_a_wrong_time_and_an_empty_choice_are_sentences(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        nothing = send(house, client, "/operate/pause", back="//evil.example/x")
        wrong = send(house, client, "/operate/pause", repository="acme/website", sure="yes", until="soon")
        over = send(house, client, "/operate/pause", repository="acme/website", sure="yes", until="2026-01-01T10:00")
    assert nothing.status_code == 400
    assert "Nothing was chosen" in nothing.text
    assert "evil.example" not in nothing.text
    assert wrong.status_code == 409
    assert "that is no time" in wrong.text
    assert over.status_code == 409
    assert "2026-01-01 10:00 UTC is over" in over.text
    assert rows(database_url, "select 1 from backfills where held") == []


def test_a_time_is_taken_with_the_offset_that_it_has_and_without_one_in_utc(house: House, database_url: str) -> None:
    fill(database_url, Made(name="acme/one"), Made(name="acme/two"))
    with house.client(token=TOKEN) as client:
        for name, until in (("acme/one", "2126-11-27T14:30"), ("acme/two", "2126-11-27T14:30+02:00")):
            assert send(house, client, "/operate/pause", repository=name, sure="yes", until=until).status_code == 303
    found = rows(database_url, "select resume_at from backfills b join repositories r on r.id = b.repository_id "
                               "order by r.name")  # fmt: skip
    assert [row["resume_at"] for row in found] == [
        datetime(2126, 11, 27, 14, 30, tzinfo=UTC),
        datetime(2126, 11, 27, 12, 30, tzinfo=UTC),
    ]


def test_no_form_of_others_and_no_reader_changes_anything(house: House, database_url: str) -> None:
    fill(database_url, *a_mixed_world())
    with house.client(token=TOKEN) as client:
        forged = client.post("/operate/retry", data={"repository": "acme/payments"}, headers={"Origin": house.url})
    with house.client() as client:
        stranger = client.post("/operate/retry", data={"repository": "acme/payments"})
    assert forged.status_code == 403
    assert stranger.status_code in (401, 403)
    assert rows(database_url, "select 1 from backfill_events") == []


def test_cancelling_needs_the_administrator_where_there_is_one(database_url: str) -> None:
    with open_house(database_url, own_pages=True, environment={"GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}) as house:
        fill(database_url, *a_mixed_world())
        with house.client(token=TOKEN) as client:
            refused = send(house, client, "/operate/cancel", repository="acme/website", sure="yes")
            assert "/operate/cancel" not in client.get("/monitor").text
        with house.client(token=ADMIN) as client:
            done = send(house, client, "/operate/cancel", repository="acme/website", sure="yes", back="/acme/website")
    assert refused.status_code == 403
    assert (done.status_code, done.headers["location"]) == (303, "/acme/website")
