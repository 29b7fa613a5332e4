"""The certificate of a repository: on its page, as a badge, and in the report of a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.differences import Difference, What
from gh_backfill.policy.verify.numbers import NumberIs
from gh_backfill.policy.verify.score import score
from gh_backfill.store import verify
from gh_backfill.store.db import Database
from gh_backfill.tasks.pages import badge_figures
from gh_backfill.tasks.pages.repository import repository
from gh_backfill.tasks.report.publish import markdown
from gh_backfill.tasks.report.report import report
from gh_backfill.web import badge_files, badges
from tests.tasks.pages.worlds import Made, make
from tests.web.house import open_house

NOW = datetime(2026, 11, 27, 12, 10, tzinfo=UTC)
NAME = "acme/engine"
MISSING = Difference(kind="pull_requests", number=7, what=What.MISSING, detail="there is no row of it")


def certify(db: Database, *found: Difference, proven: bool = True) -> None:
    (id_,) = make(db, Made(name=NAME, status="completed", captured=98, job={"run_key": "77/1", "outcome": "completed"}))
    certificate = Certificate(
        full_name=NAME,
        highest=100,
        numbers={NumberIs.PULL_REQUEST: 100},
        expected=100,
        proven=100,
        differences=found,
        score=score(found, expected=100, proven=100),
        proven_at=NOW - timedelta(hours=1) if proven else None,
    )
    with db.transaction() as tx:
        verify.save_verification(tx, id_, certificate, NOW)


def badge_of(db: Database) -> str:
    return badge_files.picture("proof", badge_figures.figures(db, NAME, NOW), NOW)


def test_the_page_has_the_certificate_in_a_line_with_what_is_wrong(db: Database, database_url: str) -> None:
    certify(db, MISSING)
    page = repository(db, NAME, {}, NOW)
    assert page is not None
    assert page.proof is not None
    assert "1 missing (#7)" in page.proof.line
    assert (page.proof.open, page.proof.whole, page.proof.verified_at) == (1, False, NOW)
    assert page.proof.differences == ("pull request #7: there is no row of it: open",)
    public = repository(db, NAME, {}, NOW, public_only=True)
    assert public is not None
    assert public.proof is not None
    assert public.proof.differences == ()
    with open_house(database_url, own_pages=True) as house, house.client() as client:
        text, told = client.get(f"/{NAME}").text, client.get(f"/api/repositories/{NAME}")
        svg = client.get(f"/{NAME}/proof.svg").text
    assert "1...100: 100 pull requests, 1 missing (#7); found 2026-11-27 11:10 UTC" in text
    assert f"gh-backfill verify {NAME} --repair" in text
    assert "[![proof](ADDRESS/acme/engine/proof.svg)](ADDRESS/acme/engine)" in text
    assert "<title>proof: 1 open</title>" in svg
    assert told.status_code in (200, 404)


@pytest.mark.parametrize(
    ("found", "proven", "words"),
    [((), True, "nothing missing"), ((), False, "under way"), ((MISSING,), True, "1 open")],
)
def test_the_badge_says_what_the_certificate_says(
    db: Database, found: tuple[Difference, ...], proven: bool, words: str
) -> None:
    certify(db, *found, proven=proven)
    assert f"<title>proof: {words}</title>" in badge_of(db)


def test_without_a_verification_nothing_is_claimed(db: Database) -> None:
    make(db, Made(name=NAME, status="completed", captured=98))
    assert "<title>proof: none yet</title>" in badge_of(db)
    assert badges.proof(None, proven=False) == badge_of(db)
    page = repository(db, NAME, {}, NOW)
    assert page is not None
    assert page.proof is None


def test_the_report_of_a_run_has_the_certificate_of_each_repository(db: Database) -> None:
    certify(db)
    made = report(db, "77/1", dry_run=True)
    text = markdown(made).replace("\\", "")
    assert "1...100: 100 pull requests, nothing missing; proven 2026-11-27 11:10 UTC by counts and numbers" in text
    (job,) = made.as_json()["repositories"]
    assert job["certificate"].startswith("1...100")
