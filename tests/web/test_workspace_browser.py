"""A workspace in a real browser: three widths, both themes, by keyboard, and a backfill that is watched to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, expect

from gh_backfill import settings
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.simulator import stars
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks import aggregate, track, workspaces
from gh_backfill.tasks.asked_runner import AskedRunner
from gh_backfill.tasks.events import runner as events_runner
from tests.web.conftest import CHROMIUM
from tests.web.house import TOKEN, open_house
from tests.web.test_browser import SCHEMES, WIDTHS, accessible
from tests.web.workspace_worlds import SLUG, fill, work

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")
NAMES = [f"octo/r{number}" for number in range(4)]


@pytest.fixture
def github() -> Iterator[Simulator]:
    now = datetime.now(UTC)
    with running(load(recipes=[f"{name}:1" for name in NAMES]), Options(may_list_stars=lambda: True)) as simulator:
        for name in NAMES:
            for number in range(10):
                at = now - timedelta(days=number + 1)
                stars.star(simulator.world, name, by=f"fan{number}", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        yield simulator


def test_every_tab_fits_and_is_accessible(browser: Browser, database_url: str) -> None:
    fill(database_url)
    with Database(database_url) as db:
        work(db)
        aggregate.run(db)
    with open_house(database_url, own_pages=True) as house:
        context = browser.new_context(base_url=house.url, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"/login?ticket={TOKEN}&next=/workspaces")
        accessible(page)
        page.get_by_role("link", name="Web frameworks").press("Enter")
        for tab in ("Overview", "Repositories", "Contributors", "Settings"):
            link = page.get_by_role("navigation", name="Web frameworks").get_by_role("link", name=tab)
            link.press("Enter")
            expect(link).to_have_attribute("aria-current", "page")
            if tab == "Overview":
                expect(page.locator("#metrics")).to_contain_text("Time to first review")
                page.locator("#metrics summary").first.press("Enter")
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 900})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (tab, width)
                accessible(page)
        page.goto("/octo/partly")
        accessible(page)
        page.goto(f"/i/{SLUG}/settings")
        button = page.get_by_role("button", name=re.compile("Backfill Selected"))
        counts = "e => getComputedStyle(e, '::after').content"
        assert button.evaluate(counts) == '" (" counter(chosen) ")"'
        page.get_by_label("all repositories").check()
        expect(page.locator("[name=repository]:checked")).to_have_count(4)
        context.close()


def test_what_is_selected_is_fetched_here_and_the_page_tells_its_end(
    browser: Browser, database_url: str, github: Simulator
) -> None:
    with Database(database_url) as db:
        track.track(db, GraphQL(github.graphql_url, "tok"), NAMES, backfill=None)
        workspaces.create(db, "octos", name="Octos", description=None, owner=None, private=False)
        workspaces.add(db, "octos", [each for each in workspaces.known(db, NAMES).values() if each])
    given = {
        "DATABASE_URL": database_url,
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": github.url,
        "GH_BACKFILL_WEB_TOKEN": TOKEN,
    }
    runner = AskedRunner(settings.load(given, dotenv=None), database_url, events_runner.look, name="events", every=1)
    with open_house(database_url, own_pages=True, environment=given, events=runner) as house:
        runner.start()
        context = browser.new_context(base_url=house.url)
        page = context.new_page()
        page.goto(f"/login?ticket={TOKEN}&next=/i/octos/settings")
        expect(page.locator("[name=repository]:checked")).to_have_count(4)
        page.get_by_role("button", name=re.compile("Backfill Selected")).press("Enter")
        expect(page.get_by_role("status").filter(has_text="Backfill started for 4 repositories.")).to_be_visible()
        for _ in range(60):
            page.reload()
            if "Backfill ended: 4 of 4 whole." in page.content():
                break
            page.wait_for_timeout(500)
        expect(page.locator("#backfill")).to_contain_text("Backfill ended: 4 of 4 whole.")
        expect(page.locator("#backfill tbody")).not_to_contain_text("never asked for")
        page.goto("/i/octos")
        expect(page.locator("#stars")).to_contain_text("40 stars in 90 days")
        context.close()
        runner.stop()
