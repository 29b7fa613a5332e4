"""Pictures of the pages while the demo moves; with GH_BACKFILL_SCREENSHOTS=1 they become those of the documentation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import CHROMIUM
from tests.web.serving import Served, served

ROOT = Path(__file__).parents[2]
WANTED = os.environ.get("GH_BACKFILL_SCREENSHOTS") == "1"
PASTED = """octo-demo/mobile
https://github.com/octo-demo/handbook
octo-demo/api.git
octo-demo/engine
nobody/nothing
"""
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Served]:
    """Serve what somebody sees who has set up nothing."""
    with served(tmp_path, "--no-open") as pages:
        yield pages


def kept(page: Page, name: str, folder: Path) -> None:
    """Keep a picture of a whole page, and see that nothing of it sticks out."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    path = (ROOT / "docs" if WANTED else folder) / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000


def test_the_demo_moves_and_has_its_picture_taken(browser: Browser, demo: Served, tmp_path: Path) -> None:
    context = browser.new_context(base_url=demo.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(demo.address)
    page.goto("/monitor")
    expect(page.get_by_role("heading", level=1)).to_have_text("Three backfills run", timeout=240_000)
    bar = page.get_by_role("progressbar", name="octo-demo/engine")
    expect(bar).to_have_attribute("value", re.compile("[2-9][0-9]{2}"), timeout=120_000)
    # The first row is done first, and leaves the list while somebody looks; on a slow machine others do, too.
    fewer = re.compile("^(Two backfills run|One backfill runs|All 3 are complete)")
    expect(page.get_by_role("heading", level=1)).to_have_text(fewer, timeout=120_000)
    expect(page.locator("#backfills tbody tr").nth(2)).to_have_count(0)
    kept(page, "monitor", tmp_path)
    page.goto("/octo-demo/engine")
    expect(page.get_by_role("heading", name="Coverage")).to_be_visible()
    kept(page, "repository", tmp_path)
    page.goto("/add")
    page.get_by_label("Repositories").fill(PASTED)
    expect(page.get_by_role("button", name="Add 4 repositories")).to_be_visible(timeout=240_000)
    kept(page, "add", tmp_path)
    page.goto("/i/octo-demo")
    expect(page.locator("#stars")).to_contain_text("every day is known of every repository", timeout=120_000)
    kept(page, "workspace", tmp_path)
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.goto("/monitor")
    kept(page, "monitor-narrow-dark", tmp_path)
    context.close()
