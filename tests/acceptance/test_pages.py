"""The workflow that publishes the monitor, unchanged, against a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests.acceptance.act import ActRun, copy_checkout, run_workflow
from tests.tasks.pages.worlds import Made, make


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_checkout(tmp_path / "checkout")


def run(checkout: Path, database_url: str, **variables: str) -> ActRun:
    """Run it as its schedule does, with these variables of the repository."""
    return run_workflow(
        checkout, "pages.yml", event="schedule", secrets={"DATABASE_URL": database_url}, variables=variables
    )


def test_what_is_public_is_published_and_nothing_where_nobody_asked_for_it(
    checkout: Path, db: Database, database_url: str
) -> None:
    hidden = Made(name="acme/hidden", status="failed", is_private=True, columns={"last_error": "secret"})
    make(db, Made(name="acme/engine", captured=40), Made(name="acme/.github"), hidden)
    published = checkout.with_name("checkout-act") / "published"

    asked_for_nothing = run(checkout, database_url)
    assert asked_for_nothing.exit_code == 0, asked_for_nothing.text
    assert "success" not in asked_for_nothing.jobs.values()
    assert not published.exists()

    done = run(checkout, database_url, GH_BACKFILL_PAGES="true")
    assert (done.exit_code, done.jobs) == (0, {"write": "success", "deploy": "success"}), done.text
    files = {str(file.relative_to(published)): file.read_text() for file in published.rglob("*") if file.is_file()}
    pages = {"index.html", "monitor/index.html", "repositories/index.html", "acme/engine/index.html"}
    assert pages | {"acme/engine/history.svg", "acme/~.github/index.html"} <= files.keys()
    assert "acme/hidden" not in "".join(files) + "".join(files.values()) + done.log
    assert "secret" not in "".join(files.values())
    assert done.outputs["deploy"]["page_url"] == "https://acme.github.io/backfill/"
