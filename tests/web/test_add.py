"""Repositories are added in bulk: what GitHub knows of them first, then a batch, its progress, cancel and retry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from gh_backfill.clients import rest
from gh_backfill.errors import Unreachable
from gh_backfill.policy.initial import InitialStatus, Wish
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks.initial import batches
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.initial.members import Member
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.track import Result
from gh_backfill.web.pages.progress import card_of
from tests.web.house import ADMIN, TOKEN, House, open_house

PASTED = """
octo/engine            # the one we need
https://github.com/Octo/Website/pulls
git@github.com:octo/small.git, octo/small
nobody/nothing
octo
"""


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    recipes = ["octo/engine:620", "octo/website:230", "octo/small:12"]
    with running(load(recipes=recipes)) as simulator:
        yield simulator


@dataclass
class Woken:
    """Stands in for the captures of this machine: what is woken is counted."""

    count: int = 0
    stopped: list[bool] = field(default_factory=list)

    def wake(self) -> None:
        self.count += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def house(database_url: str, github: Simulator, woken: Woken) -> Iterator[House]:
    with opened(database_url, github, woken) as house:
        yield house


def opened(database_url: str, github: Simulator, woken: Woken | None = None, **more: str):  # type: ignore[no-untyped-def]
    environment = {"GITHUB_TOKEN": "ghp_secret", "GITHUB_API_URL": github.url, "DATABASE_URL": database_url, **more}
    return open_house(database_url, own_pages=True, runner=woken, environment=environment)  # type: ignore[arg-type]


def sent(house: House, browser: httpx.Client, path: str = "/add", **fields: str) -> httpx.Response:
    return browser.post(path, data={"csrf": house.csrf(browser), **fields})


def begun(house: House, browser: httpx.Client, **fields: str) -> str:
    """Add repositories and return the id of the batch."""
    answer = sent(house, browser, **{"names": PASTED, "backfill": "yes", "max_prs": "200", **fields})
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/add\?batch=([0-9a-f-]{36})#batch", answer.headers["location"])
    assert found is not None
    return found[1]


def test_what_is_pasted_is_looked_up_and_nothing_is_written(house: House, database_url: str) -> None:
    with house.client(token=TOKEN) as browser:
        answer = sent(house, browser, "/add/check?region=proposals&region=estimate", names=PASTED, backfill="yes")
        assert answer.text.startswith('<section id="proposals"')
        rows = re.findall(r'class="name">([^<]+)<.*?class="n">([^<]+)<.*?</svg> ([^<]+)</span>', answer.text, re.DOTALL)
        assert rows == [
            ("octo/engine", "620", "new"),
            ("octo/website", "230", "new"),
            ("octo/small", "12", "new"),
            ("octo/small", "12", "twice in the list"),
            ("nobody/nothing", "–", "GitHub has no such repository, or the token may not see it"),
            ("octo", "–", "not of the form owner/name"),
        ]
        assert "Add 3 repositories" in answer.text
        assert re.search(r"About \d+ points and .+, 3 at a time\. [\d,]+ points are left", answer.text), answer.text
    with Database(database_url) as db:
        assert db.statement("select count(*) as n from tracked_repositories")[0]["n"] == 0


def test_a_check_has_its_twin_in_json(house: House) -> None:
    with house.client(token=TOKEN, Accept="application/json") as browser:
        found = sent(house, browser, "/add/check", names=PASTED, max_prs="100").json()
    assert found["addable"] == 3
    assert [each["wanted"] for each in found["proposals"]] == [100, 100, 12, None, None, None]
    assert found["estimate"]["pull_requests"] == 212


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"max_prs": "many"}, "whole number"),
        ({"max_prs": "0"}, "whole number"),
        ({"since": "yesterday"}, "From is a day such as 2026-01-31"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "nothing lies between them"),
        ({"state": "draft"}, "A state is one of open, closed, merged"),
        ({"names": " ".join(f"octo/r{each}" for each in range(501))}, "501 names are too many"),
        ({"names": "   # nothing"}, "There is no name yet"),
        ({"names": "nobody/nothing"}, "nobody/nothing"),
    ],
)
def test_what_can_not_be_read_stays_on_the_page_with_a_sentence(
    house: House, fields: dict[str, str], says: str
) -> None:
    with house.client(token=TOKEN) as browser:
        answer = sent(house, browser, **{"names": PASTED, "backfill": "yes", **fields})
        assert answer.status_code == 400
        assert says in answer.text
        assert 'role="alert"' in answer.text


def asked_of(github: Simulator) -> int:
    return github.stats.requests


def test_who_changes_one_name_asks_github_about_that_one(house: House, github: Simulator) -> None:
    with house.client(token=TOKEN) as browser:
        sent(house, browser, "/add/check", names="octo/nothing")
        before = asked_of(github)
        first = sent(house, browser, "/add/check", names="octo/engine octo/website").text
        assert asked_of(github) == before + 1
        again = sent(house, browser, "/add/check", names="octo/website OCTO/engine", max_prs="10").text
        assert asked_of(github) == before + 1
        assert "octo/engine" in again
        assert first != again
        sent(house, browser, "/add/check", names="octo/website octo/small nobody/here")
        sent(house, browser, "/add/check", names="octo/website octo/small nobody/here")
        assert asked_of(github) == before + 2


def test_what_github_does_not_say_is_asked_again_by_the_page_itself(house: House, github: Simulator) -> None:
    with house.client(token=TOKEN) as browser:
        github.faults.add(Fault(name="504", match={"operation": "RepositoryByName"}))
        said = sent(house, browser, "/add/check?region=proposals", names="octo/engine").text
        github.faults.clear()
        assert 'data-again="yes"' in said
        told = sent(house, browser, "/add/check?region=proposals", names="octo/engine").text
        assert "data-again" not in told
        assert "620" in told


def test_what_github_refuses_is_not_asked_again_until_somebody_changes_something(
    house: House, github: Simulator
) -> None:
    with house.client(token=TOKEN) as browser:
        github.faults.add(Fault(name="node_forbidden", match={"operation": "RepositoryByName"}))
        said = sent(house, browser, "/add/check?region=proposals", names="octo/engine").text
        before = asked_of(github)
        again = sent(house, browser, "/add/check?region=proposals", names="octo/engine").text
        github.faults.clear()
    assert asked_of(github) == before
    for text in (said, again):
        assert "data-again" not in text
        assert "SAML" in text


def test_a_limit_makes_nothing_forgotten_that_was_told_a_moment_ago(house: House, github: Simulator) -> None:
    with house.client(token=TOKEN) as browser:
        sent(house, browser, "/add/check", names="octo/engine octo/website")
        github.faults.add(Fault(name="rate_limited", match={"operation": "RepositoryByName"}))
        text = sent(house, browser, "/add/check?region=proposals", names="octo/engine octo/website octo/small").text
        github.faults.clear()
    rows = re.findall(r'class="name">([^<]+)<.*?class="n">([^<]+)<', text, re.DOTALL)
    assert rows == [("octo/engine", "620"), ("octo/website", "230"), ("octo/small", "–")]
    assert 'data-again="yes"' in text
    assert "GitHub did not say yet, it is asked again" in text


def test_ids_at_a_github_that_does_not_answer_keep_nobody_waiting(
    house: House, github: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def away(_url: str, _token: str, github_id: int, *, seconds: int) -> str:
        assert seconds <= 5
        asked.append(github_id)
        raise Unreachable("GitHub did not answer")

    monkeypatch.setattr(rest, "full_name", away)
    with house.client(token=TOKEN) as browser:
        text = sent(house, browser, "/add/check?region=proposals", names="11 12 13 octo/engine").text
    assert asked == [11]
    assert text.count("GitHub did not say yet") == 3
    assert "620" in text


def test_what_was_filled_in_is_still_there_after_a_mistake(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        answer = sent(house, browser, names="octo/engine", max_prs="200", since="2026-01-01", until="x", smart="yes")
        text = answer.text
    assert ">octo/engine</textarea>" in text
    assert 'value="2026-01-01"' in text
    assert re.search(r'name="smart" value="yes" checked', text)
    assert not re.search(r'name="backfill" value="yes" checked', text)


def test_a_batch_begins_and_is_watched(house: House, woken: Woken, database_url: str) -> None:
    with house.client(token=TOKEN) as browser:
        batch = begun(house, browser)
        page = browser.get(f"/add?batch={batch}").text
        twin = browser.get(f"/add.json?batch={batch}").json()["batch"]
    assert woken.count == 1
    assert "Backfill Progress" in page
    for row in ("0/200", "0/12"):
        assert row in page
    assert "3 backfills began." in page
    assert (twin["added"], twin["skipped"], twin["failed"], twin["done"]) == (3, 1, 2, 0)
    assert [each["status"] for each in twin["repositories"]] == ["pending"] * 4 + [None] * 2
    with Database(database_url) as db:
        rows = db.statement("select goal_max_items from backfill_streams order by goal_max_items")
        assert [row["goal_max_items"] for row in rows] == [200, None, None]


def test_the_last_batch_is_shown_without_being_asked_for(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        assert browser.get("/add.json").json() == {"batch": None}
        batch = begun(house, browser)
        assert browser.get("/add.json").json()["batch"]["id"] == batch
        page = browser.get("/add").text
    who = re.findall(r'<p class="dim">added by (.*?), <time class="ago" [^>]*>[^<]+</time></p>', page)
    assert who == ["administrator on the pages"]


def test_without_backfill_repositories_are_only_listed(house: House, database_url: str) -> None:
    with house.client(token=TOKEN) as browser:
        assert sent(house, browser, names="octo/engine", backfill="yes", do="add only").status_code == 303
        assert sent(house, browser, names="octo/small", priority="high").status_code == 303
        assert "A priority is one of" in sent(house, browser, names="octo/small", priority="urgent").text
    with Database(database_url) as db:
        listed = db.statement("select priority::text from tracked_repositories order by 1")
        assert [each["priority"] for each in listed] == ["high", "medium"]
        assert db.statement("select count(*) as n from backfill_streams")[0]["n"] == 0


def test_one_is_cancelled_at_once_and_the_rest_after_a_question(house: House, woken: Woken) -> None:
    with house.client(token=TOKEN) as browser:
        batch = begun(house, browser)
        members = browser.get(f"/add.json?batch={batch}").json()["batch"]["repositories"]
        one = members[0]["repository_id"]
        assert sent(house, browser, "/add/cancel", batch=batch, repository=one).status_code == 303
        assert f"<p>{members[0]['full_name']}: cancelled, what is here stays" in browser.get(f"/add?batch={batch}").text
        asked = sent(house, browser, "/add/cancel", batch=batch)
        assert "Cancel 2 backfills?" in asked.text
        assert statuses(browser, batch) == ["cancelled", "pending", "pending"]
        assert sent(house, browser, "/add/cancel", batch=batch, sure="yes").status_code == 303
        assert "<p>2 backfills cancelled</p>" in browser.get(f"/add?batch={batch}").text
        assert statuses(browser, batch) == ["cancelled"] * 3
        again = sent(house, browser, "/add/cancel", batch=batch, repository=one)
        assert again.status_code == 409
        assert 'role="alert"' in again.text
        assert f'data-of="/add?batch={batch}"' in again.text  # where the page goes on being read
        assert sent(house, browser, "/add/retry", batch=batch, repository=one).status_code == 303
        assert statuses(browser, batch) == ["pending", "cancelled", "cancelled"]
        assert woken.count == 2
        assert sent(house, browser, "/add/cancel", batch=batch, repository="of-another").status_code == 400


def test_what_stayed_as_it_was_is_not_counted_as_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with house.client(token=TOKEN) as browser:
        batch = begun(house, browser)
        cancel = batches.cancel

        def meanwhile(*given: Any, **more: Any) -> list[Operated]:
            first, *others = cancel(*given, **more)
            return [replace(first, changed=False, result="nothing to cancel: it is complete"), *others]

        monkeypatch.setattr(batches, "cancel", meanwhile)
        assert sent(house, browser, "/add/cancel", batch=batch, sure="yes").status_code == 303
        assert "<p>2 backfills cancelled, 1 needed nothing</p>" in browser.get(f"/add?batch={batch}").text


def statuses(browser: httpx.Client, batch: str) -> list[str]:
    members = browser.get(f"/add.json?batch={batch}").json()["batch"]["repositories"]
    return [each["status"] for each in members if each["status"] and each["result"] != "named twice"]


def test_names_come_along_in_the_address(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        assert ">octo/engine</textarea>" in browser.get("/add?names=octo/engine").text


def test_one_that_waits_for_points_is_paused_though_no_job_is_at_it(house: House, database_url: str) -> None:
    with house.client(token=TOKEN) as browser:
        batch = begun(house, browser)
        with Database(database_url) as db:
            db.statement("""update backfills set status = 'paused', pause_reason = 'graphql_rate_limit_low',
                            resume_at = now() + interval '1 hour' returning id""")
            db.statement("update repositories set initial_backfill_status = 'processing' returning id")
        page = browser.get(f"/add?batch={batch}").text
        twin = browser.get(f"/add.json?batch={batch}").json()["batch"]["repositories"]
    assert page.count("GraphQL rate limit too low, goes on at") == 3
    assert page.count(" paused</span>") == 3
    assert {(each["status"], each["word"]) for each in twin} == {("pending", "paused"), (None, None)}


def batch_of(*states: InitialStatus) -> Batch:
    member = Member(given="o/r", result=Result.ADDED, text="added", failed=False)
    members = tuple(replace(member, repository_id=str(place), status=each) for place, each in enumerate(states))
    return Batch(id="b", created_at=datetime.now(UTC), created_by=None, backfill=True, wish=Wish(), members=members)


def test_what_is_done_is_told_at_the_start_at_every_third_repository_and_at_the_end() -> None:
    done, left = InitialStatus.COMPLETED, InitialStatus.PENDING
    told = [card_of(batch_of(*[done] * many, *[left] * (7 - many))).notice for many in range(8)]
    assert told == [
        *["7 backfills began."] * 3,
        *["3 of 7 repositories are done."] * 3,
        "6 of 7 repositories are done.",
        "All 7 are done: 7 completed.",
    ]
    failed, cancelled = InitialStatus.FAILED, InitialStatus.CANCELLED
    assert card_of(batch_of(done, failed, cancelled)).notice == "All 3 are done: 1 completed, 1 failed, 1 cancelled."
    assert card_of(batch_of(done)).notice == "Done: completed."


def test_a_batch_that_is_none_is_told(house: House) -> None:
    with house.client(token=TOKEN) as browser:
        answer = browser.get("/add?batch=%3Cb%3E")
        assert answer.status_code == 404
        assert "There is no batch &lt;b&gt;" in answer.text


def test_who_may_not_add_sees_no_form(database_url: str, github: Simulator) -> None:
    with opened(database_url, github, GH_BACKFILL_WEB_ADMIN_TOKEN=ADMIN) as house:
        with house.client() as nobody:
            assert "<textarea" not in nobody.get("/add").text
            assert 'href="/login?next=/add"' in nobody.get("/add").text
        with house.client(token=TOKEN) as editor:
            assert "<textarea" not in editor.get("/add").text
            assert sent(house, editor, names="octo/engine").status_code == 403
        with house.client(token=ADMIN) as admin:
            assert "<textarea" in admin.get("/add").text


def test_an_editor_may_try_again_and_not_cancel_where_there_is_an_administrator(
    database_url: str, github: Simulator
) -> None:
    with opened(database_url, github, GH_BACKFILL_WEB_ADMIN_TOKEN=ADMIN) as house:
        with house.client(token=ADMIN) as admin:
            batch = begun(house, admin)
            one = admin.get(f"/add.json?batch={batch}").json()["batch"]["repositories"][0]["repository_id"]
            assert sent(house, admin, "/add/cancel", batch=batch, repository=one).status_code == 303
            assert 'action="/add/cancel"' in admin.get(f"/add?batch={batch}").text
        with house.client(token=TOKEN) as editor:
            html = editor.get(f"/add?batch={batch}").text
            assert 'action="/add/retry"' in html
            assert 'action="/add/cancel"' not in html
            assert sent(house, editor, "/add/retry", batch=batch, repository=one).status_code == 303


def test_where_changes_are_turned_off_the_page_says_so(database_url: str, github: Simulator) -> None:
    with opened(database_url, github, ENABLE_BACKFILL_UI="false") as house, house.client(token=TOKEN) as browser:
        page = browser.get("/add").text
        assert "<textarea" not in page
        assert "ENABLE_BACKFILL_UI=false" in page


def test_without_a_token_of_github_the_page_says_what_is_missing(database_url: str, github: Simulator) -> None:
    with opened(database_url, github, GITHUB_TOKEN="") as house, house.client(token=TOKEN) as browser:
        answer = sent(house, browser, names="octo/engine", backfill="yes")
        assert answer.status_code == 400
        assert "GITHUB_TOKEN" in answer.text


def test_a_github_that_does_not_answer_is_told_on_the_page(database_url: str, github: Simulator) -> None:
    with (
        opened(
            database_url, github, GITHUB_TOKEN="bad credentials".replace(" ", "-"), GITHUB_API_URL="http://127.0.0.1:9"
        ) as house,
        house.client(token=TOKEN) as browser,
    ):
        answer = sent(house, browser, "/add/check", names="octo/engine", backfill="yes")
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text
        assert 'data-again="yes"' in answer.text


def test_a_token_in_a_pasted_address_goes_nowhere(house: House, database_url: str) -> None:
    with house.client(token=TOKEN) as browser:
        batch = begun(house, browser, names="https://user:hunter2hunter2@github.com/octo/engine")
        assert "hunter2" not in browser.get(f"/add?batch={batch}").text
    with Database(database_url) as db:
        assert "hunter2" not in str(db.statement("select members::text from backfill_batches"))
