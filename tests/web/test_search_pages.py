"""The page of a search: what is found, what is similar, what is refused; without script, at each width and theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from gh_backfill.clients.embedders.openai import MODEL
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.store.db import Database
from tests.embedding_service import serving
from tests.search_rows import Item, hashed, store
from tests.web.conftest import CHROMIUM
from tests.web.house import TOKEN, House, open_house
from tests.web.test_browser import SCHEMES, WIDTHS, accessible

LONG = "Login fails after the update because the_session_is_written_before_the_lock_is_there_on_every_try <b>now</b>"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    def item(number: int, title: str, table: str = "issues") -> Item:
        recipe = VectorRecipe(provider="openai", model=MODEL)
        return Item(number=number, title=title, table=table, vector=hashed(title), recipe=recipe)

    with Database(database_url) as db:
        store(db, "octo/one", [item(1, LONG), item(2, "session lock", "pull_requests"), item(3, "unrelated matter")])
        store(db, "octo/two", [item(4, "session lock", "discussions")])
    with (
        serving() as service,
        open_house(database_url, own_pages=True, environment=service.settings()) as made,
    ):
        yield made


def test_the_page_and_its_twin_say_what_is_found_and_a_repository_narrows_it(house: House) -> None:
    with house.client(token=TOKEN) as client:
        html, twin = client.get("/search?q=session+lock").text, client.get("/search.json?q=session+lock").json()
        assert {(each["repository"], each["number"]) for each in twin["items"][:2]} == {
            ("octo/one", 2),
            ("octo/two", 4),
        }
        assert (twin["by_words"], twin["by_vectors"]) == (True, True)
        assert html.index("#2") < html.index("#3")
        assert "&lt;b&gt;now" in html
        assert 'href="/search?like=octo%2Ftwo%234"' in html
        narrow = client.get("/search.json?q=session+lock&repository=octo/two").json()
        assert [each["number"] for each in narrow["items"]] == [4]
        assert (
            'href="/search?q=session%20lock">search everywhere'
            in client.get("/search?q=session+lock&repository=octo/two").text
        )
        typed = client.get("/search.json?q=session&type=issue&state=open").json()
        assert {each["type"] for each in typed["items"]} == {"issue"}


def test_similar_ones_are_shown_without_the_item_itself(house: House) -> None:
    with house.client(token=TOKEN) as client:
        own = client.get("/search.json?like=octo%2Fone%232").json()
        assert [each["number"] for each in own["items"]] == [1, 3] or [each["number"] for each in own["items"]] == [
            3,
            1,
        ]
        every = client.get("/search.json?like=octo%2Fone%232&everywhere=yes").json()
        assert every["items"][0]["repository"] == "octo/two"
        assert "Similar to octo/one#2" in client.get("/search?like=octo%2Fone%232").text


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("q=%26+|+!", "there is no word in that"),
        ("q=lock&repository=octo/none", "not here: octo/none"),
        ("q=lock&type=commit", "a type is one of"),
        ("like=octo/one%2399", "octo/one#99 is not here"),
        ("q=%00%27", "no word"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(house: House, query: str, says: str) -> None:
    with house.client(token=TOKEN) as client:
        page, twin = client.get(f"/search?{query}"), client.get(f"/search.json?{query}")
    assert page.status_code == twin.status_code == 400
    assert says in page.text
    assert says in twin.json()["error"]


def test_no_address_leads_to_another_host_than_github(house: House) -> None:
    with house.client(token=TOKEN) as client:
        for name in ("/elsewhere.test", "//elsewhere.test/x", "https://elsewhere.test/octo/one"):
            page = client.get("/search", params={"q": "lock", "repository": name}).text
            assert 'href="//' not in page
            assert 'href="https://elsewhere' not in page


def test_nothing_asked_is_a_box_which_a_repository_has_for_its_own(house: House) -> None:
    with house.client(token=TOKEN) as client:
        page = client.get("/search")
        assert page.status_code == 200
        assert 'name="q"' in page.text
        assert 'name="repository" value="octo/one"' in client.get("/octo/one").text


@pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")
def test_a_search_by_keyboard_without_script_fits_and_is_accessible(house: House, browser: Browser) -> None:
    context = browser.new_context(base_url=house.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/login?ticket={TOKEN}&next=/octo/one")
    box = page.get_by_role("searchbox")
    box.fill("session lock")
    box.press("Enter")
    expect(page.get_by_role("link", name="session lock")).to_have_attribute(
        "href", "https://github.com/octo/one/pull/2"
    )
    page.get_by_role("link", name="similar to octo/one#2").press("Enter")
    page.get_by_role("link", name="everywhere").press("Enter")
    expect(page.get_by_role("row").nth(1)).to_contain_text("octo/two")
    context.close()
    context = browser.new_context(base_url=house.url)
    page = context.new_page()
    page.goto(f"/login?ticket={TOKEN}&next=/search?q=session+lock")
    for address in ("/search", "/search?q=session+lock", "/search?q=%26", "/search?like=octo%2Fone%232"):
        page.goto(address)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                wide = page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, (address, width)
            accessible(page)
    context.close()
