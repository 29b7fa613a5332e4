"""The monitor in a real browser, while the database changes under it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from tests.web.conftest import CHROMIUM
from tests.web.test_browser import accessible, looked_at, opened

MARKUP = "<img src=x onerror=alert(1)> broke it"
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")


@pytest.fixture
def github(database_url: str) -> Iterator[Simulator]:
    """Give a GitHub with two repositories that are tracked here, and that nobody captures."""
    with running(load(recipes=["octo/engine:90", "octo/small:12"])) as simulator:
        with Database(database_url) as db:
            track.track(db, GraphQL(simulator.graphql_url, "tok"), ["octo/engine", "octo/small"], backfill=Goal())
        yield simulator


def fail(database_url: str, name: str) -> None:
    with Database(database_url) as db, db.transaction() as tx:
        tx.run(
            "update backfills set status = 'failed', last_error = %(error)s, last_error_at = now(), updated_at = now() "
            "where repository_id = (select id from repositories where full_name = %(name)s)",
            name=name,
            error=MARKUP,
        )


def test_what_needs_somebody_appears_while_somebody_looks_and_is_tried_again_from_there(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/monitor") as page:
        expect(page.locator("#backfills tbody tr")).to_have_count(2, timeout=120_000)
        expect(page.locator("#needs")).to_be_hidden()
        accessible(page)
        fail(database_url, "octo/engine")
        expect(page.get_by_role("heading", name="Needs you 1")).to_be_visible(timeout=120_000)
        expect(page.get_by_role("heading", level=1)).to_have_text("One repository needs you")
        # What GitHub says is text, whatever it looks like.
        expect(page.locator("#needs")).to_contain_text(MARKUP)
        expect(page.locator("#backfills tbody tr")).to_have_count(1)
        accessible(page)
        page.get_by_role("button", name="Try again octo/engine").click()
        expect(page.locator("#needs")).to_be_hidden()
        expect(page.locator("#backfills tbody tr")).to_have_count(2)
        page.goto("/octo/engine")
        expect(page.locator("#story")).to_contain_text("resumed")
        accessible(page)
        page.goto("/repositories")
        expect(page.get_by_role("link", name="octo/small")).to_be_visible()
        accessible(page)
