"""The pages of workspaces and the API of event backfills: their figures, their forms, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import aggregate
from gh_backfill.web.pages.workspace import SIZES, VARIANTS
from gh_backfill.web.templating import Shell, environment
from tests.test_cli import cli, settings_of
from tests.web.house import ADMIN, NOW, TOKEN, House, open_house
from tests.web.workspace_worlds import NAMES, SLUG, fill, work


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    environment = {"GH_BACKFILL_WEB_ADMIN_TOKEN": ADMIN}
    with open_house(database_url, own_pages=True, environment=environment) as made:
        yield made


def rows(url: str, statement: str) -> list[Row]:
    with Database(url) as db, db.transaction(read_only=True) as tx:
        return tx.rows(statement)


def send(house: House, client: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    data = {"csrf": house.csrf(client), **fields}
    return client.post(path, data=data, headers={"Origin": house.url}, follow_redirects=True)


def test_page_json_command_and_sql_say_the_same(house: House, database_url: str, tmp_path: Path) -> None:
    fill(database_url)
    with house.client(token=TOKEN) as client:
        html, twin = client.get(f"/i/{SLUG}").text, client.get(f"/i/{SLUG}.json").json()
    with running(load(recipes=["octo/x:1"])) as github:
        environment = settings_of(database_url, github, tmp_path)
        done = cli(environment, "velocity", "--workspace", SLUG, "--json")
        covered = json.loads(cli(environment, "coverage", "--workspace", SLUG, "--json").stdout)
    told = {each["full_name"]: each for each in json.loads(done.stdout)}
    of_page = {each["full_name"]: each for each in twin["repositories"]}
    assert set(told) == set(of_page) == set(NAMES)
    for name, each in told.items():
        for series in ("stars", "forks"):
            assert of_page[name][series] == each[series], (name, series)
        assert of_page[name]["activity"] == each["activity"]["score"]
    assert {each["full_name"]: each["percent"] for each in covered} == {
        name: each["coverage_percent"] for name, each in of_page.items()
    }
    today = "date_trunc('day', now() at time zone 'UTC') at time zone 'UTC'"
    (counted,) = rows(
        database_url,
        "select count(*) as stars from github_events_cache "  # noqa: S608
        "where event_type = 'WatchEvent' and repository_name = 'whole' "
        f"and created_at >= {today} - interval '30 days' and created_at < {today}",
    )
    assert of_page["octo/whole"]["stars"]["count"] == counted["stars"] == 30 * 5 + 4 * 5
    stars, forks, activity = twin["cards"]
    # Of one repository alone every day of both periods is known.
    assert stars["value"] == of_page["octo/whole"]["stars"]["per_day"]
    assert "of 1 of 4 repositories" in stars["note"]
    for card in (stars, forks):
        assert card["trend"] in html
    assert f"{activity['value']:.1f}" in html
    days = {each["day"]: each["count"] for each in twin["stars"]["days"]}
    (sums,) = rows(
        database_url,
        "select jsonb_object_agg(day, n) as days from (select (created_at at time zone 'UTC')::date as day, "
        "count(*) as n from github_events_cache where event_type = 'WatchEvent' group by 1) d",
    )
    assert {day: count for day, count in days.items() if count} == sums["days"]


def figures_of(html: str) -> dict[str, str]:
    """Return the cards of work that are shown at once, each as its words."""
    (section,) = re.findall(r'<section id="metrics".*?</section>', html, re.DOTALL)
    first = section.partition("<details")[0]
    cards = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", first, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]+>", " ", text).split()) for label, text in cards}


def overview(house: House) -> tuple[str, dict[str, str], Row]:
    """Return the overview, its cards of work, and what its twin says of these."""
    with house.client(token=TOKEN) as client:
        html = client.get(f"/i/{SLUG}").text
        return html, figures_of(html), client.get(f"/i/{SLUG}.json").json()["metrics"]


def test_the_overview_shows_the_figures_of_the_work_and_how_much_of_them_is_captured(
    house: House, database_url: str
) -> None:
    fill(database_url)
    with Database(database_url) as db:
        work(db)
        assert aggregate.run(db, now=NOW).failed == ()
    html, shown, twin = overview(house)
    assert twin["missing"] in html
    assert "every pull request of 1 of 4 repositories and every issue of none of the repositories" in twin["missing"]
    assert [each["period"] for each in twin["periods"]] == ["7d", "30d", "90d", "all"]
    month = twin["periods"][1]
    opened, standing = month["pull_requests_opened"], month["pull_requests_open"]
    assert shown["Pull requests"].startswith(f"≥ {opened} {standing} open now")
    assert shown["Time to merge"].endswith("median; half took no longer")
    assert shown["Issues"].startswith("≥ ")
    assert shown["Discussions"].startswith(
        f"≥ {month['discussions_opened']} {month['discussions_answered']} answered; "
    )
    assert month["discussions_opened"] > 0
    assert "+" not in shown["Merged"]  # a trend needs everything of both periods
    assert html.count("<summary>7 days") == 1


def test_where_everything_is_captured_figures_have_a_trend_and_a_zero_is_one(house: House, database_url: str) -> None:
    fill(database_url)
    with Database(database_url) as db:
        work(db)
        assert aggregate.run(db, now=NOW).failed == ()
        with db.transaction() as tx:
            tx.run("update workspace_metrics set pull_requests_whole = 4, issues_whole = 4")
            tx.run("update workspace_metrics set previous_pull_requests_merged = 2, pull_requests_merged = 3")
            tx.run("update workspace_metrics set issues_opened = 0, previous_issues_opened = 0")
    html, shown, twin = overview(house)
    assert (twin["missing"], "the figures are of what is here" in html) == ("", False)
    assert shown["Merged"].startswith("3 +50 % ")
    assert shown["Issues"].startswith("0 ")


def test_figures_that_nobody_computed_are_not_there_and_the_command_is(house: House, database_url: str) -> None:
    fill(database_url)
    html, shown, twin = overview(house)
    assert (shown, twin) == ({}, {"computed_at": None, "missing": "", "periods": []})
    assert f"gh-backfill aggregate {SLUG}" in html


def test_what_is_not_captured_is_no_zero(house: House, database_url: str) -> None:
    fill(database_url)
    with Database(database_url) as db:
        assert aggregate.run(db, now=NOW).failed == ()
    _, shown, _ = overview(house)
    assert {shown[name] for name in ("Contributors", "Pull requests", "Merged", "Reviews", "Issues")} == {
        "– not captured"
    }
    assert "Discussions" not in shown  # few have them
    assert (shown["Time to merge"], shown["Stars"]) == ("–", "331,445")


def test_every_tab_shows_what_is_there_and_what_is_missing(house: House, database_url: str) -> None:
    fill(database_url)
    with house.client(token=TOKEN) as client:
        tabs = {
            tab: client.get(f"/i/{SLUG}/{tab}".rstrip("/")).text
            for tab in ("", "repositories", "contributors", "settings")
        }
        listed, own = client.get("/workspaces").text, client.get("/octo/partly").text
    assert "Web frameworks" in listed
    for html in tabs.values():
        assert "<h1>Web frameworks</h1>" in html
    assert "Nothing is captured yet" in tabs[""]
    assert "needs backfill" in tabs["repositories"]
    assert "3 of 4 need a backfill of events." in tabs["repositories"]
    settings = tabs["settings"]
    assert "Workspace Event Backfill" in settings
    assert "Backfill ended: 2 of 3 whole, 1 failed." in settings
    assert "GitHub does not show the list, nor its history" in settings
    assert "84,120" in settings
    checked = re.findall(r'name="repository" value="([^"]*)" checked', settings)
    assert len(checked) == 3  # those that need it are chosen already
    assert re.search(r"gap 30 Sep – \d+|gap \d+ \w{3} – \d+ \w{3}", settings)
    assert "Schedule" not in settings  # that is the administrator's
    assert f'href="/i/{SLUG}"' in own
    assert "Backfill events" in own


def test_a_workspace_without_repositories_and_one_that_is_none_say_what_to_do(house: House) -> None:
    with house.client(token=ADMIN) as client:
        assert "gh-backfill workspace create" in client.get("/workspaces").text
        made = send(house, client, "/workspaces/create", slug="web", name="The web")
        assert made.url.path == "/i/web/settings"
        for tab in ("", "/repositories", "/settings"):
            assert "Add repositories to workspace first." in client.get(f"/i/web{tab}").text
        assert client.get("/i/web.json").json()["repositories"] == []
        assert client.get("/i/nothing").status_code == 404
        assert client.get("/i/nothing.json").json() == {"error": "there is no workspace nothing"}
        refused = send(house, client, "/workspaces/create", slug="web")
        assert (refused.status_code, "choose another" in refused.text) == (400, True)


def test_chosen_repositories_are_asked_for_and_cancelled(house: House, database_url: str) -> None:
    ids = fill(database_url)
    with house.client(token=TOKEN) as client:
        chosen = [ids["octo/never"], ids["octo/broken"]]
        done = send(house, client, "/events/backfill", slug=SLUG, tab="settings", repository=chosen, days="30")
        assert (done.url.path, "Backfill started for 2 repositories." in done.text) == (f"/i/{SLUG}/settings", True)
        waiting = rows(database_url, "select time_range_days from progressive_capture_jobs where outcome is null")
        assert [each["time_range_days"] for each in waiting] == [30, 30]
        assert "Backfill started for 2 repositories. 0 of 2 are done." in done.text
        again = send(house, client, "/events/backfill", slug=SLUG, tab="settings", repository=chosen)
        assert len(rows(database_url, "select 1 from progressive_capture_jobs where outcome is null")) == 2
        assert again.status_code == 200
        nothing = send(house, client, "/events/backfill", slug=SLUG, tab="settings")
        assert "Choose at least one repository." in nothing.text
        wrong = send(house, client, "/events/backfill", slug=SLUG, repository=chosen, days="0")
        assert (wrong.status_code, "days must be a whole number from 1 to 3,660" in wrong.text) == (400, True)
        gone = send(house, client, "/events/cancel", slug=SLUG, tab="settings", repository=chosen)
        assert "2 backfills cancelled; what was read stays." in gone.text
        assert rows(database_url, "select 1 from progressive_capture_jobs where outcome is null") == []
        # Where a form leads to is one of our pages, whatever it says.
        away = client.post(
            "/events/backfill",
            data={"csrf": house.csrf(client), "slug": "//evil.example", "name": "x/../..//evil", "repository": chosen},
            headers={"Origin": house.url},
        )
        assert away.headers["location"] == "/workspaces"


def test_schedule_and_members_are_the_administrators(house: House, database_url: str) -> None:
    ids = fill(database_url)
    with house.client(token=TOKEN) as client:
        for path in ("schedule", "members", "create"):
            assert send(house, client, f"/workspaces/{path}", slug=SLUG).status_code == 403
    with house.client(token=ADMIN) as client:
        said = send(house, client, "/workspaces/schedule", slug=SLUG, tab="settings", every="weekly", days="30")
        assert "Events are fetched weekly." in said.text
        assert rows(database_url, "select every, days from workspace_schedules") == [{"every": "weekly", "days": 30}]
        gone = send(
            house, client, "/workspaces/members", slug=SLUG, tab="settings", do="remove", repository=ids["octo/never"]
        )
        assert "1 repository removed." in gone.text
        back = send(house, client, "/workspaces/members", slug=SLUG, tab="settings", names="octo/never, octo/whole")
        assert "1 repository added." in back.text
        wrong = send(house, client, "/workspaces/members", slug=SLUG, names="octo/stranger")
        assert (wrong.status_code, "not here yet: octo/stranger" in wrong.text) == (400, True)


def test_the_api_triggers_tells_and_cancels_as_the_guide_has_it(house: House, database_url: str) -> None:
    ids = fill(database_url)
    with httpx.Client(base_url=house.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        begun = client.post("/api/backfill/trigger", json={"repository": "octo/never", "days": 90})
        assert begun.status_code == 202, begun.text
        told = begun.json()
        assert (told["status"], told["repository"], told["days"]) == ("pending", "octo/never", 90)
        assert told["repository_id"] == ids["octo/never"]
        again = client.post("/api/backfill/trigger", json={"repository": "octo/never"}).json()
        assert again["job_id"] == told["job_id"]
        assert client.get(f"/api/backfill/status/{told['job_id']}").json() == again
        gone = client.post(f"/api/backfill/cancel/{told['job_id']}").json()
        assert gone["status"] == "cancelled"
        assert client.get("/api/backfill/status/nonsense").status_code == 404
        for body, status, words in (
            ({"repository": "never"}, 400, "Repository not found: give owner/name"),
            ({"repository": "octo/stranger"}, 404, "Repository not found: octo/stranger is not here"),
            ({"repository": "octo/never", "days": 0}, 422, "days must be a whole number from 1 to 3,660"),
            ({"repository": "octo/never", "days": "90"}, 422, "days must be a whole number from 1 to 3,660"),
            ({}, 422, "repository is missing"),
        ):
            answer = client.post("/api/backfill/trigger", json=body)
            assert (answer.status_code, words in answer.json()["error"]) == (status, True), answer.text
        paths = client.get("/openapi.json").json()["paths"]
        assert {"/api/backfill/trigger", "/api/backfill/status/{job_id}", "/i/{slug}.json"} <= set(paths)
    with httpx.Client(base_url=house.url) as stranger:
        assert stranger.post("/api/backfill/trigger", json={"repository": "octo/never"}).status_code in (401, 403)


def test_the_workspace_of_an_application_has_its_pages(existing_database_url: str) -> None:
    with open_house(existing_database_url, own_pages=True) as house, house.client(token=TOKEN) as client:
        assert "Contributor tools" in client.get("/workspaces").text
        for tab in ("", "/repositories", "/contributors", "/settings"):
            answer = client.get(f"/i/contributor-tools{tab}")
            assert answer.status_code == 200, tab
        twin = client.get("/i/contributor-tools.json").json()
        assert {each["full_name"] for each in twin["repositories"]} == {
            "bdougie/contributor.info",
            "continuedev/continue",
        }
        (first, *_) = twin["repositories"]
        done = send(house, client, "/events/backfill", slug="contributor-tools", repository=first["id"])
        assert "Backfill started for 1 repository." in done.text
    (job,) = rows(existing_database_url, "select status from progressive_capture_jobs where job_type = 'events'")
    assert job["status"] == "pending"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("label", [True, False])
def test_the_compact_button_comes_in_its_variants_and_sizes(variant: str, size: str, label: bool) -> None:
    shell = Shell(now=NOW, csrf="token")
    macro = environment().get_template("events.html").make_module({"shell": shell}).button  # type: ignore[attr-defined]
    html = macro(["an-id"], "web", "", NOW - timedelta(days=3), variant, size, label, "mine")
    kind = {"default": "primary", "ghost": "plain"}.get(variant, variant)
    assert f'class="{kind} size-{size}"' in html
    assert 'title="Backfill events of 90 days; last backfill 3' in html
    assert 'class="inline backfill mine"' in html
    shown = re.sub(r"<span[^>]*>.*?</span>", "", html)
    assert ("Backfill events</button>" in shown) is (label and size != "icon")
    assert "Backfill events" in html  # who hears the page is told in any case
    nobody = environment().get_template("events.html").make_module({"shell": Shell(now=NOW)}).button  # type: ignore[attr-defined]
    assert "<button" not in nobody(["an-id"], "web")
