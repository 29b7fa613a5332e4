"""The workflow that computes the figures of workspaces every night, unchanged."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gh_backfill.store.db import Database
from gh_backfill.tasks import workspaces
from tests.acceptance.act import copy_checkout, run_workflow
from tests.aggregation_rows import Odd


def test_the_nightly_run_computes_what_is_due_and_names_no_private_workspace(tmp_path: Path, database_url: str) -> None:
    checkout = copy_checkout(tmp_path / "checkout", installs=True)
    with Database(database_url) as db:
        with db.transaction() as tx:
            own = Odd(tx, 5, datetime.now(UTC)).repository()
        for slug, private in (("of-everybody", False), ("secret-plans", True)):
            workspaces.create(db, slug, name=None, description=None, owner=None, private=private)
            workspaces.add(db, slug, [own])
        done = run_workflow(
            checkout, "aggregate-workspaces.yml", event="schedule", secrets={"DATABASE_URL": database_url}
        )
        assert (done.exit_code, done.jobs) == (0, {"aggregate": "success"}), done.text
        assert r"of\-everybody" in done.summaries["aggregate"]
        assert "secret-plans" not in done.text + done.summaries["aggregate"]
        with db.reading() as tx:
            stored = tx.rows(
                "select w.slug, count(*) as periods, max(m.pull_requests_opened) > 0 as any "
                "from workspace_metrics m join workspaces w on w.id = m.workspace_id group by 1 order by 1"
            )
    assert stored == [{"slug": slug, "periods": 4, "any": True} for slug in ("of-everybody", "secret-plans")]
