"""The steps of an aggressive backfill on the page of a repository, in a browser: begun there, done here, and told."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from gh_backfill import settings
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from gh_backfill.tasks.aggressive import runner as aggressive_runner
from gh_backfill.tasks.asked_runner import AskedRunner
from tests.web.conftest import CHROMIUM
from tests.web.house import TOKEN, open_house
from tests.web.test_browser import accessible

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")
NAME = "octo/engine"


@pytest.fixture
def github() -> Iterator[Simulator]:
    with running(load(recipes=[f"{NAME}:24"])) as simulator:
        yield simulator


def given(database_url: str, github: Simulator, **more: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": github.url,
        "GH_BACKFILL_WEB_TOKEN": TOKEN,
        "GH_BACKFILL_EMBEDDING_PROVIDER": "hash",
        **more,
    }


def tracked(database_url: str, github: Simulator) -> None:
    with Database(database_url) as db:
        track.track(db, GraphQL(github.graphql_url, "tok"), [NAME], backfill=None)


def test_everything_is_begun_on_the_page_done_here_and_told(
    browser: Browser, database_url: str, github: Simulator
) -> None:
    tracked(database_url, github)
    environment = given(database_url, github)
    runner = AskedRunner(
        settings.load(environment, dotenv=None), database_url, aggressive_runner.look, name="aggressive", every=1
    )
    with open_house(database_url, own_pages=True, environment=environment, aggressive=runner) as house:
        runner.start()
        context = browser.new_context(base_url=house.url, viewport={"width": 360, "height": 740})
        page = context.new_page()
        page.goto(f"/login?ticket={TOKEN}&next=/{NAME}")
        section = page.locator("#aggressive")
        expect(section).to_contain_text("Brings all its data, then embeddings, then the figures of its workspaces.")
        accessible(page)
        page.get_by_role("button", name="Backfill everything").press("Enter")
        expect(page.get_by_role("status").filter(has_text=f"All of {NAME} is asked for.")).to_be_visible()
        for _ in range(60):
            page.reload()
            if "its checklist holds" in section.inner_text():
                break
            page.wait_for_timeout(500)
        expect(section).to_contain_text("It is complete, and its checklist holds.")
        expect(section.get_by_role("row").filter(has_text="Embeddings generation")).to_contain_text("completed")
        expect(section).to_contain_text("24 of 24")
        section.get_by_text("Checklist of the last one").click()
        expect(section.locator("li").filter(has_text="PR count matches GitHub")).to_contain_text("24 of 24")
        accessible(page)
        told = httpx.get(f"{house.url}/{NAME}.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()
        assert told["aggressive"]["last"]["status"] == "completed"
        assert told["aggressive"]["embeddings"]["pull requests"] == {"with_embedding": 24, "total": 24}
        context.close()
        runner.stop()


def test_who_may_not_administer_sees_the_steps_and_no_button(
    browser: Browser, database_url: str, github: Simulator
) -> None:
    tracked(database_url, github)
    environment = given(database_url, github, GH_BACKFILL_WEB_ADMIN_TOKEN="an-admin-0123456789abcdef")
    with open_house(database_url, own_pages=True, environment=environment) as house:
        context = browser.new_context(base_url=house.url)
        page = context.new_page()
        page.goto(f"/login?ticket={TOKEN}&next=/{NAME}")
        expect(page.locator("#aggressive")).to_contain_text("gh-backfill aggressive octo/engine")
        expect(page.get_by_role("button", name="Backfill everything")).to_have_count(0)
        sent = httpx.post(
            f"{house.url}/aggressive/start", data={"repository": NAME}, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        assert sent.status_code == 403
        context.close()
