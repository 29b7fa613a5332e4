"""The pages in a real browser, beside a real capture: what moves, what is announced, what the keyboard reaches."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running
from tests.web.conftest import CHROMIUM
from tests.web.house import TOKEN
from tests.web.serving import Served, served

LONG = "a-name-of-a-hundred-characters-" + "x" * 69
NAMES = ["octo/engine", "octo/website", "octo/small", f"octo/{LONG}", "octo/broken"]
WIDTHS = (360, 820, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# A machine that is busy with other tests is slow, and what is waited for comes all the same.  In milliseconds.
expect.set_options(timeout=60_000)
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not here")


@pytest.fixture
def github() -> Iterator[Simulator]:
    recipes = ["octo/engine:600", "octo/website:230", "octo/small:12", f"octo/{LONG}:30", "octo/broken:60"]
    with running(load(recipes=recipes), Options(latency=0.1, latency_per_node=0.0005)) as simulator:
        yield simulator


@contextmanager
def opened(database_url: str, github: Simulator, folder: Path, *options: str) -> Iterator[Served]:
    with served(
        folder,
        *options,
        DATABASE_URL=database_url,
        GITHUB_TOKEN="ghp_secret",
        GITHUB_API_URL=github.url,
        GH_BACKFILL_HOME=str(folder / "home"),
        GH_BACKFILL_WEB_TOKEN=TOKEN,
    ) as pages:
        yield pages


@contextmanager
def looked_at(browser: Browser, pages: Served, path: str, **more: object) -> Iterator[Page]:
    """Open a page, signed in, and let no error of the script and nothing from elsewhere pass."""
    context = browser.new_context(base_url=pages.url, **more)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(120_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.extend([asked.url] * (not asked.url.startswith((pages.url, "data:")))))
    page.on("console", lambda said: wrong.extend([said.text] * ("Content Security Policy" in said.text)))
    page.goto(f"/login?ticket={TOKEN}&next={path}")
    yield page
    context.close()
    assert wrong == []


def accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return str(taken.getsockname()[1])


def test_names_are_pasted_checked_added_and_their_bars_move(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        accessible(page)
        page.get_by_label("Repositories").fill("\n".join([*NAMES[:4], "nobody/nothing"]))
        expect(page.get_by_role("button", name="Add 4 repositories")).to_be_visible(timeout=120_000)
        expect(page.locator("#estimate")).to_contain_text("points and")
        expect(page.get_by_role("row", name="nobody/nothing")).to_contain_text("GitHub has no such repository")
        accessible(page)
        page.get_by_role("button", name="Add 4 repositories").click()
        page.wait_for_url(re.compile(r"batch="))
        expect(page.locator("#progress .note")).to_contain_text("4 backfills began.")
        bar = page.get_by_role("progressbar", name="octo/engine")
        expect(bar).not_to_have_attribute("value", "0", timeout=240_000)
        assert bar.get_attribute("max") == "200"
        accessible(page)
        expect(page.locator("#progress .note")).to_contain_text("All 4 are done: 4 completed.", timeout=240_000)
        expect(page.locator("#spoken")).to_have_text("All 4 are done: 4 completed.", timeout=120_000)
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=scheme)
                assert page.evaluate("document.documentElement.scrollWidth") <= width
                accessible(page)


def test_cancel_cancels_and_it_is_taken_up_again(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add?names=octo/engine") as page:
        page.get_by_label("Newest pull requests").fill("all")
        page.get_by_role("button", name=re.compile("Add 1 repository|Add repositories")).click()
        page.wait_for_url(re.compile(r"batch="))
        row = page.get_by_role("row", name="octo/engine")
        expect(row).to_contain_text("running", timeout=240_000)
        bar = page.get_by_role("progressbar", name="octo/engine")
        expect(bar).not_to_have_attribute("value", "0", timeout=240_000)
        row.get_by_role("button", name="Cancel octo/engine").press("Enter")
        expect(row).to_contain_text("cancelled", timeout=120_000)
        captured = int(bar.get_attribute("value") or 0)
        assert 0 < captured < 600
        row.get_by_role("button", name="Retry octo/engine").press("Enter")
        expect(row).to_contain_text("completed", timeout=240_000)


def test_what_failed_says_why_and_is_tried_again(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    github.faults.add(Fault(name="forbidden", match={"operation": "^PullRequestPage"}))
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add?names=octo/broken") as page:
        page.get_by_role("button", name=re.compile("Add 1 repository|Add repositories")).click()
        page.wait_for_url(re.compile(r"batch="))
        row = page.get_by_role("row", name="octo/broken")
        expect(row).to_contain_text("failed", timeout=240_000)
        assert len(row.inner_text().split()) > 8  # and a sentence with it
        accessible(page)
        github.faults.clear()
        row.get_by_role("button", name="Retry octo/broken").click()
        expect(page.get_by_role("row", name="octo/broken")).to_contain_text("completed", timeout=240_000)


def test_a_lost_connection_is_told_and_recovers(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    port = free_port()
    with opened(database_url, github, tmp_path, "--port", port) as pages, looked_at(browser, pages, "/add") as page:
        live = page.locator("#live")
        expect(live).to_contain_text("live", timeout=120_000)
        pages.process.send_signal(signal.SIGTERM)
        pages.process.wait(20)
        expect(live).to_contain_text("connection lost, trying again", timeout=120_000)
        expect(page.locator("#spoken")).to_have_text("connection lost, trying again")
        with opened(database_url, github, tmp_path, "--port", port):
            expect(live).to_contain_text("live", timeout=120_000)
            expect(page.locator("#spoken")).to_have_text("connected again")


def test_live_updates_can_be_switched_off_and_stay_off(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        expect(page.locator("#live")).to_contain_text("live", timeout=120_000)
        page.get_by_role("button", name="pause").click()
        expect(page.locator("#live")).to_contain_text("paused")
        page.reload()
        expect(page.locator("#live")).to_contain_text("paused")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(1500)
        assert asked == []
        page.get_by_role("button", name="go on").click()
        expect(page.locator("#live")).to_contain_text("live,")


def test_the_keyboard_reaches_everything_in_its_order(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        reached = []
        for _ in range(26):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("(e => e.name || e.textContent.trim())(document.activeElement)"))
        first = ["Skip to the content", "gh_backfill", "Monitor", "Repositories", "Add", "Workspaces"]
        assert reached[:6] == first
        wanted = ("names", "file", "backfill", "max_prs", "since", "until", "state", "More choices", "do", "sign out")
        assert [each for each in wanted if each not in reached] == [], reached
        page.goto("/add")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_without_a_script_names_are_checked_and_added_all_the_same(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with (
        opened(database_url, github, tmp_path) as pages,
        looked_at(browser, pages, "/add", java_script_enabled=False) as page,
    ):
        page.get_by_label("Repositories").fill("octo/small nobody/nothing")
        page.get_by_label("or a file").set_input_files(
            {"name": "names.txt", "mimeType": "text/plain", "buffer": b"octo/website\n"}
        )
        page.get_by_role("button", name="Check first").click()
        expect(page.get_by_role("button", name="Add 2 repositories")).to_be_visible(timeout=120_000)
        page.get_by_role("button", name="Add 2 repositories").click()
        page.wait_for_url(re.compile(r"batch="))
        expect(page.get_by_role("row", name="octo/website")).to_be_visible()


def test_signing_in_is_accessible_and_says_what_is_wrong(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        page.get_by_role("button", name="sign out").click()
        accessible(page)
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("That is not the token.")
        accessible(page)
        page.goto("/nothing-here")
        accessible(page)


def test_a_check_that_fails_is_told_and_one_that_works_again_takes_its_place(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        page.route("**/add/check*", lambda route: route.fulfill(status=429, body="slowly"))
        page.get_by_label("Repositories").fill("octo/small")
        expect(page.locator("#proposals")).to_contain_text("could not be checked")
        expect(page.get_by_role("button", name="Add repositories")).to_be_visible()
        page.unroute("**/add/check*")
        page.get_by_label("or a file").set_input_files(
            {"name": "names.txt", "mimeType": "text/plain", "buffer": b"octo/website\n"}
        )
        expect(page.get_by_role("button", name="Add 2 repositories")).to_be_visible(timeout=120_000)
        expect(page.locator("#proposals")).not_to_contain_text("could not be checked")


def test_a_region_that_could_not_be_read_is_read_again_and_a_pause_stays_one(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        live = page.locator("#live")
        expect(live).to_contain_text("live", timeout=120_000)
        page.route("**/add?region=*", lambda route: route.fulfill(status=503, body="busy"))
        with page.expect_request("**/add?region=*"):
            page.evaluate(
                "fetch('/add', {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('[name=csrf]')"
                ".value, names: 'octo/small', backfill: 'yes'})})"
            )
        expect(live).to_contain_text("connection lost")
        with page.expect_request("**/add?region=*"):  # it goes on asking for what it did not get
            pass
        page.unroute("**/add?region=*")
        expect(page.get_by_role("row", name="octo/small")).to_be_visible()
        expect(live).to_contain_text("live")
        page.evaluate(
            "real = fetch; asked = new Promise((done) => { begun = done });"
            " came = new Promise((done) => { over = done });"
            "fetch = (...all) => { begun(); return new Promise((done) => setTimeout(done, 1500))"
            ".then(() => real(...all))"
            ".finally(() => setTimeout(over, 2500)) }; 0"
        )
        page.evaluate(
            "void real('/add', {method: 'POST', body: new URLSearchParams({csrf: document.querySelector('[name=csrf]')"
            ".value, names: 'octo/website', backfill: 'yes'})})"
        )
        page.evaluate("asked")
        page.get_by_role("button", name="pause").click()
        page.evaluate("came")  # what was under way, and it has been shown
        expect(live).to_contain_text("paused")


def test_where_nothing_may_be_remembered_the_page_is_live_all_the_same(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
        )
        page.reload()
        expect(page.locator("#live")).to_contain_text("live,", timeout=120_000)
        page.get_by_role("button", name="pause").click()
        expect(page.locator("#live")).to_contain_text("paused")


def test_ages_count_on_and_what_is_years_ago_stays_as_the_server_wrote_it(
    browser: Browser, database_url: str, github: Simulator, tmp_path: Path
) -> None:
    with opened(database_url, github, tmp_path) as pages, looked_at(browser, pages, "/add") as page:
        for age, words in ((1832 * 86_400, "5 years ago"), (150, "just now")):
            page.evaluate(
                "([age, words]) => { const e = document.createElement('time'); e.className = 'ago';"
                " e.textContent = words; e.dateTime = new Date(Date.now() - age * 1000).toISOString();"
                " document.body.append(e) }",
                [age, words],
            )
        ages = page.locator("body > time.ago")
        expect(ages.nth(1)).to_have_text("3 min ago")  # the script has gone over them
        expect(ages.nth(0)).to_have_text("5 years ago")
