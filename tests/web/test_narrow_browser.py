"""What a button did, and how rows are sorted, in a real browser without a script: on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import CHROMIUM
from tests.web.house import TOKEN, House, open_house
from tests.web.test_browser import SCHEMES, accessible
from tests.web.test_monitor_pages import a_mixed_world, fill

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    with open_house(database_url, own_pages=True) as made:
        fill(database_url, *a_mixed_world())
        yield made


@contextmanager
def looked_at(browser: Browser, house: House, path: str, *, script: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        base_url=house.url, viewport={"width": 360, "height": 800}, java_script_enabled=script
    )
    page = context.new_page()
    page.goto(f"/login?ticket={TOKEN}&next={path}")
    yield page
    context.close()


def test_a_button_says_what_it_did_without_a_script(browser: Browser, house: House) -> None:
    with looked_at(browser, house, "/acme/website", script=False) as page:
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_role("button", name="Pause 1 repository").click()
        line = page.get_by_role("status").filter(has_text="acme/website")
        expect(line).to_have_text(
            "acme/website: paused (no reason given), goes on with gh-backfill resume acme/website"
        )
        expect(line).to_be_in_viewport()
        page.reload()
        expect(line).to_have_count(0)


def test_rows_are_sorted_by_links_where_they_are_stacked_and_by_their_heads_where_not(
    browser: Browser, house: House
) -> None:
    with looked_at(browser, house, "/repositories", script=False) as page:
        sorts, head = page.get_by_role("navigation", name="Sort by"), page.locator("thead").get_by_role("link")
        expect(head.first).not_to_be_visible()
        sorts.get_by_role("link", name="Captured").click()
        expect(page.locator("tbody th a").first).to_have_text("acme/engine")
        sorts.get_by_role("link", name="Captured").click()
        expect(page.locator("tbody th a").first).to_have_text("acme/website")
        page.set_viewport_size({"width": 1280, "height": 800})
        expect(sorts).not_to_be_visible()
        expect(head.first).to_be_visible()


def test_the_line_and_the_sorting_are_accessible(browser: Browser, house: House) -> None:
    with looked_at(browser, house, "/repositories") as page:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.goto("/repositories?sort=-progress")
            accessible(page)
            page.goto("/acme/payments")
            page.get_by_role("button", name="Try again" if scheme == "light" else "Pause", exact=True).click()
            if scheme == "dark":
                page.get_by_role("button", name="Pause 1 repository").click()
            line = page.get_by_role("status").filter(has_text="acme/payments")
            expect(line).to_be_focused()  # what is focused is read out
            accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
