"""Yesterday's world is backfilled, today's is synced once: then every row is as it is today, for what changed."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database, Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, sync, track
from gh_backfill.tasks.sync import SyncWish
from tests import corpus
from tests.comparison import compare, compare_issues

KINDS = ("pull_requests", "issues")
RUN = Run(key="run-1", run_id=None, attempt=1, processor="local")
# A page of pull requests has 74 for a point, and a query of follow-ups 149 units.
A_PAGE, UNITS = 74, 149
# The source of these rows has their heads under other names than it had them earlier.
EXCUSED = {("tlswg/draft-ietf-tls-esni", number) for number in range(504, 512)}


def moment(at: datetime) -> Options:
    return Options(clock=at.timestamp, graphql_limit=50_000)


def changed(db: Database, before: list[Row]) -> int:
    with db.reading() as tx:
        now = tx.rows("select id, updated_at from pull_requests union all select id, updated_at from issues")
    known = {row["id"]: row["updated_at"] for row in before}
    return sum(known.get(row["id"]) != row["updated_at"] for row in now)


@pytest.mark.parametrize("state", corpus.earlier_states(), ids=lambda state: f"{state.parents[1].name}-{state.name}")
def test_after_one_sync_every_row_is_as_it_is_today(db: Database, tmp_path: Path, state: Path) -> None:
    folder = state.parents[1]
    as_of = corpus.earlier(state, tmp_path)
    wanted = corpus.expected([folder])
    name = wanted[0].full_name
    with running(load([tmp_path]), moment(as_of)) as github:
        graphql = GraphQL(github.graphql_url, "tok")
        track.track(db, graphql, [name], backfill=Goal())
        was = capture.run(db, graphql, RUN, name, Limits(), listen=lambda _: None, begin=at_once, kinds=KINDS)
        assert was.outcome is CaptureOutcome.COMPLETED
    with db.reading() as tx:
        before = tx.rows("select id, updated_at from pull_requests union all select id, updated_at from issues")
        assert compare(tx, wanted, stood_still=False), "nothing changed since, so that nothing would be shown"
    with running(load([folder]), moment(datetime(2026, 11, 1, tzinfo=UTC))) as github:
        done = sync.run(db, GraphQL(github.graphql_url, "tok"), RUN, name, SyncWish(), begin=at_once, kinds=KINDS)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    with db.reading() as tx:
        found = [*compare(tx, wanted, stood_still=False).found, *compare_issues(tx, wanted).found]
    print(done.text, done.captured.spent, changed(db, before))
    assert [each for each in found] == []
