"""Bringing a database up to date while others use it."""

from __future__ import annotations

import pytest

from gh_backfill.store.db import Database
from gh_backfill.tasks.migrate import migrate


def test_a_table_that_others_hold_is_waited_for_and_they_are_named(
    db: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with db.transaction() as tx:
        tx.run("update gh_backfill_migrations set checksum = 'older' where name = 'parts'")
    waits: list[float] = []
    with Database(database_url, application_name="nightly report") as rival, rival.transaction() as reader:
        reader.rows("select * from backfill_streams")

        def until_it_is_free(seconds: float) -> None:
            waits.append(seconds)
            reader.run("commit")
            reader.run("begin")

        assert [each.name for each in migrate(db, until_it_is_free)] == ["parts"]
    assert len(waits) == 1
    assert "backfill_streams is used by nightly report (role postgres, process" in caplog.text
