"""The monitor as files: nothing private in any of them, every link leads somewhere, no file of others is touched."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from gh_backfill import resources, settings
from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.web import site, site_folder
from tests.tasks.pages.worlds import Made, insert, make
from tests.test_cli import ROOT, cli, refused

NOW = datetime.now(UTC).replace(microsecond=0)
EARLIER = NOW - timedelta(minutes=22)
# What only whoever may see everything may see: each of these stands somewhere in the whole site.
NAMES = ("hush/payments", "hush/unknown", "hush/asked-for", "hush/operations")
TEXTS = tuple(
    f"secret-{each}" for each in ("error", "chunk", "job", "event", "quarantine", "held", "headline", "plan", "issues")
)
PERSONS = ("mona-who-held", "mona-who-tracked", "mona-whose-budget", "mona-whose-worker")
FIGURES = ("77,001", "88,002", "6,603", "5,504", "77001", "88002", "6603", "5504", "990001")
PRIVATE = (*NAMES, *TEXTS, *PERSONS, *FIGURES)


def job(**columns: Any) -> dict[str, Any]:
    """Return a job of run 48 that ended well."""
    return {
        "status": "completed",
        "outcome": "completed",
        "created_at": EARLIER,
        "started_at": EARLIER,
        "completed_at": EARLIER + timedelta(minutes=2),
        "items": 10,
        "points": 3,
        "processor_type": "github_actions",
        "run_key": "48",
        "workflow_run_id": 48,
        **columns,
    }


def failed_job(**columns: Any) -> dict[str, Any]:
    return job(status="failed", outcome="failed", error="secret-job 404", error_type="gone", **columns)


def fill(db: Database) -> None:
    """Put public and private repositories side by side, in every state that has something to tell."""
    bad: dict[str, object] = {"last_error": "secret-error 404", "last_error_at": EARLIER}
    held: dict[str, object] = {"held": True, "held_reason": "secret-held", "held_by": "mona-who-held"}
    chunk: dict[str, object] = {
        "status": "pending",
        "retry_count": 2,
        "error": "secret-chunk 502",
        "claimed_by": "mona-whose-worker",
    }
    plan = job(status="pending", outcome=None, metadata={"reason": "secret-plan"})
    claimed: dict[str, object] = {
        "status": "processing",
        "lease_until": NOW + timedelta(hours=1),
        "claimed_by": "mona-whose-worker",
    }
    shown = [
        Made(name="acme/engine", status="completed", captured=100, fresh_at=NOW - timedelta(minutes=14), job=job()),
        Made(name="acme/broken", status="failed", captured=40, columns=bad, job=failed_job()),
        Made(name="acme/held", status="paused", captured=3, columns=held),
        Made(name="acme/retrying", captured=7, chunk=chunk),
        Made(name="acme/.github", captured=1, total=4, job=plan),
        Made(name="acme/once", tracked=False, status=None, job=job()),
        Made(name="acme/flaky", captured=2, job=failed_job()),
        Made(name="acme/running", captured=5, chunk=claimed),
    ]
    hidden = [
        Made(name="hush/payments", status="failed", is_private=True, captured=77_001, total=88_002, columns=bad),
        Made(name="hush/unknown", status="active", job=job(run_key="990001", workflow_run_id=990001, points=5_504)),
    ]
    hidden[0].job = failed_job(items=6_603)
    make(db, *shown, *hidden)
    with db.transaction() as tx:
        tx.run("update repositories set is_private = null where name = 'unknown'")
        for each, how in ((shown[0], held), (shown[1], {}), (hidden[0], {})):
            issues: dict[str, object] = {"repository_id": each.id, "kind": "issues", "captured": 9, "total": 12, **how}
            insert(tx, "backfills", {**issues, "status": "failed", "last_error": "secret-issues"})
        waiting = {"repository_id": hidden[0].id, "job_type": "progressive_backfill", "status": "pending"}
        insert(tx, "progressive_capture_jobs", {**waiting, "processor_type": "inngest"})
        tell: dict[str, object] = {"repository_id": shown[0].id, "event": "tracked", "who": "mona-who-tracked"}
        insert(tx, "backfill_events", {**tell, "detail": "secret-event"})
        odd: dict[str, object] = {"repository_id": shown[0].id, "kind": "review", "identity": "R_1", "number": 7}
        insert(tx, "backfill_quarantine", {**odd, "item_kind": "pull_requests", "reason": "secret-quarantine"})
        asked = {"job_type": "progressive_backfill", "metadata": {"named": "hush/asked-for"}}
        insert(tx, "progressive_capture_jobs", {**failed_job(), **asked})
        address = "https://github.com/hush/operations/actions/runs/48"
        told = {"address": address, "headline": "secret-headline: 6,603 of hush/payments", "public": False}
        of: dict[str, object] = {"run_key": "48", "processor": "github_actions", "error_summary": {}}
        insert(tx, "backfill_reports", {**of, "report": told})
        budget: dict[str, object] = {"resource": "graphql", "budget_limit": 5_000, "remaining": 4_321}
        for identity in ("user:mona-whose-budget", "installation:7"):
            whole = {**budget, "identity": identity}
            insert(tx, "api_budgets", {**whole, "reset_at": NOW + timedelta(minutes=9)})
            for minutes in (40, 10):
                at = NOW - timedelta(minutes=minutes)
                insert(tx, "budget_samples", {**whole, "run_key": f"{minutes}", "at": at})
        # All of it began before the test did, also where midnight comes in between.
        tx.run("update backfills set created_at = %(at)s", at=EARLIER)
        tx.run("update progressive_backfill_state set created_at = %(at)s", at=EARLIER)
        gone = {**budget, "identity": "user:a-budget-of-old", "run_key": "9", "at": NOW - timedelta(minutes=9)}
        insert(tx, "budget_samples", gone)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def plain() -> Settings:
    return settings.load({}, dotenv=None)


def written(folder: Path) -> dict[str, str]:
    """Return the text of every file of a site."""
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in folder.rglob("*") if file.is_file()
    }


def twin(folder: Path, place: str = "") -> Any:
    return json.loads((folder / place / "index.json").read_text(encoding="utf-8"))


def leads(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield every address that a page has, with the page."""
    for name, text in files.items():
        if name.endswith(".html"):
            yield from ((name, address) for address in re.findall(r'(?:href|src|action)="([^"]*)"', text))


def test_nothing_private_no_error_and_no_person_is_in_any_file(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    done = site.write(db, out, NOW, settings=plain)
    files = written(out)
    assert [(name, each) for name, text in files.items() for each in PRIVATE if each in f"{name} {text}"] == []
    assert "hush" not in "".join(files) + "".join(files.values())
    assert done.repositories == 8
    assert twin(out)["title"] == "Two repositories need you"


def test_all_of_it_is_there_for_whoever_asks_for_it(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain, private=True)
    text = "".join(f"{name} {text}" for name, text in written(out).items())
    assert [each for each in PRIVATE if each not in text] == []
    assert "hush/payments/index.html" in written(out)


def test_figures_count_what_is_shown_and_nothing_else(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain)
    page = twin(out, "monitor")
    assert page == twin(out)
    figures = page["figures"]
    assert (figures["repositories"], figures["captured"], figures["total"]) == (7, 158, 604)
    assert figures["cost"] is None
    assert page["costs"] is None
    (run,) = page["runs"]
    assert (run["run_key"], run["jobs"], run["failed"], run["items"], run["points"]) == ("48", 5, 2, 50, 15)
    assert (run["headline"], run["address"]) == (None, None)
    assert (page["day"]["items"], page["day"]["runs"], page["day"]["finished"]) == (50, 1, 4)
    assert len(page["jobs"]) == 5
    assert sorted(each["full_name"] for each in page["needs"]) == [
        "acme/broken",
        "acme/broken",
        "acme/flaky",
        "acme/retrying",
    ]
    assert page["days"][-1]["all"] == 7
    assert [each["identity"] for each in page["budgets"]] == ["budget 1", "budget 2"]
    assert [len(each["samples"]) for each in page["budgets"]] == [2, 2]
    assert "inngest" not in {each["processor"] for each in page["processors"]}  # its only job is of a private one
    listed = twin(out, "repositories")
    names = ("acme/.github", "acme/broken", "acme/engine", "acme/flaky", "acme/held", "acme/retrying", "acme/running")
    assert tuple(row["full_name"] for row in listed["rows"]) == names
    assert (listed["matching"], listed["all"]) == (7, 7)


def test_the_page_of_what_is_not_known_to_be_public_is_not_there(db: Database) -> None:
    fill(db)
    for name in ("hush/payments", "hush/unknown"):
        assert repository(db, name, {}, NOW, public_only=True) is None
        assert repository(db, name, {}, NOW) is not None


def test_every_link_leads_to_a_file_from_wherever_the_site_lies(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain, private=True)
    files = written(out)
    found = list(leads(files))
    assert len(found) > 50
    assert [each for each in found if each[1].startswith("/")] == []
    inner = [(name, urlsplit(address)) for name, address in found if not address.startswith(("#", "http"))]
    lost = [
        (name, address.path)
        for name, address in inner
        if os.path.normpath(Path(name).parent / unquote(address.path)) not in files or address.query
    ]
    assert lost == []


def test_no_template_leads_anywhere_but_through_the_shell() -> None:
    templates = (resources.PACKAGE / "web" / "templates").rglob("*.html")
    fixed = re.compile(r'(?:href|src|action|data-check)="/')
    assert [file.name for file in templates if fixed.search(file.read_text(encoding="utf-8"))] == []


def test_nothing_can_be_pressed_and_nothing_runs(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain, private=True)
    for name, text in written(out).items():
        if name.endswith(".html"):
            assert re.findall(r"<(?:form|button|input|script|select|textarea)|/login|/live|/add|/operate", text) == []
            assert " ago</time>" not in text  # it would be wrong a minute later


def test_a_folder_with_a_dot_before_its_name_has_another_one_for_the_artifact_leaves_those_out(
    db: Database, out: Path, plain: Settings
) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain)
    files = written(out)
    assert "acme/~.github/index.html" in files
    assert [name for name in files if any(part.startswith(".") for part in Path(name).parts)] == [site_folder.MARKER]
    assert "ADDRESS/acme/~.github/history.svg" in files["acme/~.github/index.html"]


def test_badges_tell_of_the_whole_history_and_of_the_last_look(db: Database, out: Path, plain: Settings) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain)
    files = written(out)
    assert "history: 100 %" in files["acme/engine/history.svg"]
    assert "fresh: 14 min" in files["acme/engine/fresh.svg"]
    assert "history: 25 %" in files["acme/~.github/history.svg"]
    assert "fresh: never" in files["acme/broken/fresh.svg"]
    assert "history: unknown" in files["acme/once/history.svg"]


def test_an_empty_database_makes_a_site_that_says_so(db: Database, out: Path, plain: Settings) -> None:
    site.write(db, out, NOW, settings=plain)
    assert "Of what is known to be public nothing is tracked" in written(out)["index.html"]


def test_the_list_is_whole_and_by_name_however_long_it_is(db: Database, out: Path, plain: Settings) -> None:
    make(db, *(Made(name=f"acme/same-{n:04}", status=None) for n in reversed(range(260))))
    site.write(db, out, NOW, settings=plain, dry_run=True)
    assert not out.exists()
    site.write(db, out, NOW, settings=plain)
    rows = twin(out, "repositories")["rows"]
    assert [row["full_name"] for row in rows] == [f"acme/same-{n:04}" for n in range(260)]


def test_a_repository_that_went_private_loses_its_pages_and_other_files_are_replaced_at_once(
    db: Database, out: Path, plain: Settings
) -> None:
    fill(db)
    site.write(db, out, NOW, settings=plain)
    (out / "acme" / "engine" / "index.html").write_text("as it was")
    os.link(out / "acme" / "engine" / "index.html", out.parent / "kept")
    with db.transaction() as tx:
        tx.run("update repositories set is_private = true where name = 'broken'")
    (out / "acme" / "held" / "notes.txt").write_text("somebody's own")
    done = site.write(db, out, NOW, settings=plain)
    assert done.removed == 5
    assert not (out / "acme" / "broken").exists()
    assert "acme/broken" not in "".join(written(out).values())
    assert (out / "acme" / "held" / "notes.txt").exists()
    assert (out.parent / "kept").read_text() == "as it was"  # a reader who has the old file open has it whole
    assert "<h1>" in (out / "acme" / "engine" / "index.html").read_text()
    assert list(out.rglob("*.part")) == []


def test_what_somebody_else_put_into_a_folder_is_never_touched(db: Database, out: Path, plain: Settings) -> None:
    out.mkdir()
    (out / "index.html").write_text("mine")
    for dry_run in (True, False):
        with pytest.raises(ConfigurationError, match="did not write"):
            site.write(db, out, NOW, settings=plain, dry_run=dry_run)
    assert written(out) == {"index.html": "mine"}
    with pytest.raises(ConfigurationError, match="is no folder"):
        site.write(db, out / "index.html", NOW, settings=plain)


def test_a_list_of_what_was_written_leads_out_of_no_folder(db: Database, out: Path, plain: Settings) -> None:
    site.write(db, out, NOW, settings=plain)
    other = out.parent / "other"
    other.mkdir()
    (other / "index.html").write_text("mine")
    with (out / site_folder.MARKER).open("a") as marker:
        marker.write("../other/index.html\n")
    site.write(db, out, NOW, settings=plain)
    assert (other / "index.html").exists()
    (out / site_folder.MARKER).write_text("something else")
    with pytest.raises(ConfigurationError, match="does not list"):
        site.write(db, out, NOW, settings=plain)


def test_a_folder_that_can_not_be_written_is_a_sentence(db: Database, out: Path, plain: Settings) -> None:
    out.parent.joinpath("file").write_text("")
    with pytest.raises(ConfigurationError, match=r"can't be written"):
        site.write(db, out.parent / "file" / "site", NOW, settings=plain)


def test_the_command_writes_and_says_what_and_a_dry_run_writes_nothing(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    fill(db)
    here = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
    foreseen = json.loads(cli(here, "site", "out", "--dry-run", "--json").stdout)
    assert not (tmp_path / "out").exists()
    done = cli(here, "site", "out")
    assert done.returncode == 0, done.stderr
    assert "wrote 8 repositories in 48 files to out" in done.stdout
    assert (foreseen["repositories"], foreseen["files"], foreseen["dry_run"]) == (8, 48, True)
    told = json.loads(cli(here, "site", "out", "--json", "--include-private").stdout)
    assert (told["repositories"], told["private"], told["removed"], told["left_out"]) == (10, True, 0, [])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    assert "did not write" in refused(cli(here, "site", "mine"), 2)
