"""The monitor and the page of a repository in a real browser, beside a real capture."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from gh_backfill.simulator.server import Simulator
from tests.web.test_browser import (  # noqa: F401  (fixtures are found by their names)
    NAMES,
    SCHEMES,
    WIDTHS,
    accessible,
    github,
    looked_at,
    opened,
)


def test_the_monitor_moves_while_a_capture_runs_and_the_repository_tells_its_story(
    browser: Browser,
    database_url: str,
    github: Simulator,  # noqa: F811
    tmp_path: Path,
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/monitor") as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is tracked yet")
        accessible(page)
        page.goto("/add?names=octo/engine")
        page.get_by_label("Newest pull requests").fill("all")
        page.get_by_role("button", name=re.compile("Add 1 repository|Add repositories")).click()
        page.wait_for_url(re.compile("batch="))

        page.goto("/monitor")
        bar = page.get_by_role("progressbar", name="octo/engine captured")
        expect(bar).to_be_visible(timeout=30_000)
        before = bar.get_attribute("value")
        expect(bar).not_to_have_attribute("value", before or "", timeout=60_000)  # without anybody's reload
        expect(page.get_by_role("heading", level=1)).to_have_text("One backfill runs", timeout=30_000)
        accessible(page)

        page.get_by_role("link", name="octo/engine").first.click()
        expect(page.locator("#story")).to_contain_text("chunk 1", timeout=30_000)
        page.get_by_role("button", name="Pause", exact=True).click()
        page.get_by_label("Why").fill("a look at the weather")
        page.get_by_role("button", name="Pause 1 repository").press("Enter")
        page.wait_for_url(re.compile("/octo/engine$"))
        expect(page.locator("#headline")).to_contain_text("a look at the weather")
        expect(page.locator("#headline")).to_contain_text("held")
        expect(page.locator("#story")).to_contain_text("paused")
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.locator("#headline")).not_to_contain_text("a look at the weather", timeout=20_000)
        for path in ("/octo/engine", "/monitor?state=all", "/repositories", "/octo/nowhere"):
            page.goto(path)
            for width in WIDTHS:
                for scheme in SCHEMES:
                    page.set_viewport_size({"width": width, "height": 900})
                    page.emulate_media(color_scheme=scheme)
                    assert page.evaluate("document.documentElement.scrollWidth") <= width
            accessible(page)


def test_all_that_match_are_paused_by_the_keyboard_alone(
    browser: Browser,
    database_url: str,
    github: Simulator,  # noqa: F811
    tmp_path: Path,
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        page.get_by_label("Repositories").fill("\n".join(NAMES[:4]))
        page.get_by_role("button", name="Add without backfill").click()
        page.wait_for_url(re.compile("batch="))
        page.goto("/repositories?q=octo")
        page.get_by_label("all 4 that match").press("Space")
        page.get_by_role("button", name="Cancel").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Cancel 4 repositories?")
        page.get_by_role("link", name="No, go back").press("Enter")
        page.wait_for_url(re.compile(r"/repositories\?q=octo"))
