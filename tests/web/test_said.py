"""What a button did stands in one line on the page that follows, once, and nobody else can put words there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from gh_backfill.web import said
from tests.tasks.pages.worlds import Made
from tests.web.house import TOKEN, House, open_house
from tests.web.test_monitor_pages import MARKUP, a_mixed_world, fill, send


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_house(database_url, own_pages=True) as made:
        fill(database_url, *a_mixed_world())
        yield made


def line(page: httpx.Response) -> str | None:
    """Return the line of a page; None where it has none."""
    found = re.findall(r'<div class="note said" role="status"[^>]*><p>(.*?)</p></div>', page.text)
    assert len(found) <= 1
    return found[0] if found else None


def test_the_next_page_says_what_was_done_and_the_one_after_it_nothing(house: House) -> None:
    with house.client(token=TOKEN) as client:
        done = send(house, client, "/operate/pause", repository="acme/website", sure="yes", back="/acme/website")
        assert (done.status_code, done.headers["location"]) == (303, "/acme/website")
        client.get(
            "/acme/website", params={"region": "headline"}
        )  # another page of the same browser follows what moves
        client.get("/acme/website.json")
        page = client.get("/acme/website")
        assert line(page) == ("acme/website: paused (no reason given), goes on with gh-backfill resume acme/website")
        assert page.text.index('<main id="main"') < page.text.index('role="status"') < page.text.index("<h1>")
        assert line(client.get("/acme/website")) is None


@pytest.mark.parametrize(
    ("path", "name", "says"),
    [
        ("resume", "acme/website", "acme/website: is active already; the next plan goes on with it"),
        ("retry", "acme/payments", "acme/payments: goes on (was failed: "),
        ("cancel", "acme/website", "acme/website: cancelled, what is here stays (24 pull requests)"),
        ("untrack", "acme/website", "acme/website: untracked; "),
    ],
)
def test_each_button_for_one_repository_has_its_line(house: House, path: str, name: str, says: str) -> None:
    with house.client(token=TOKEN) as client:
        send(house, client, f"/operate/{path}", repository=name, sure="yes", back="/monitor")
        assert (line(client.get("/monitor")) or "").startswith(says)


def test_a_line_is_text_and_not_longer_than_a_cookie(house: House) -> None:
    reason = MARKUP + "\N{CYRILLIC CAPITAL LETTER ZHE}" * 1000
    with house.client(token=TOKEN) as client:
        send(house, client, "/operate/pause", repository="acme/website", sure="yes", reason=reason, back="/monitor")
        assert max(len(each.value or "") for each in client.cookies.jar) < 4000
        page = client.get("/monitor")
    assert MARKUP not in page.text
    assert len(line(page) or "") > said.LONGEST  # as its escapes make it
    assert "&lt;script&gt;" in (line(page) or "")


def test_nobody_puts_words_there(house: House) -> None:
    with house.client(token=TOKEN) as mine, house.client(token=TOKEN) as yours, house.client() as nobody:
        name = f"gh_backfill_{house.port}_said"
        send(house, yours, "/operate/resume", repository="acme/website", back="/monitor")
        of_yours = yours.cookies[name]
        for given in ("Transfer money", of_yours, of_yours[:-2] + "xx", "..", "W10.x.y"):
            mine.cookies.set(name, given, domain="127.0.0.1")
            assert line(mine.get("/monitor")) is None, given
            mine.cookies.delete(name)
        nobody.cookies.set(name, of_yours, domain="127.0.0.1")
        assert line(nobody.get("/monitor")) is None
        assert line(yours.get("/monitor?said=Hello")) == (
            "acme/website: is active already; the next plan goes on with it"
        )


def test_what_could_not_be_done_stays_on_its_page_and_leaves_no_line(house: House, database_url: str) -> None:
    fill(database_url, Made(name="acme/paused", status="paused", columns={"held": True, "held_reason": "x"}))
    with house.client(token=TOKEN) as client:
        assert send(house, client, "/operate/retry", repository="acme/paused", back="/monitor").status_code == 409
        assert line(client.get("/monitor")) is None
