"""The clock of the monitor: what is due and since when, what GitHub disabled, and how jobs were shared out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.store import dues, routing
from gh_backfill.store.db import Database
from gh_backfill.store.dues import Backlog
from gh_backfill.tasks.pages.clock import Clock
from gh_backfill.tasks.pages.monitor import monitor
from gh_backfill.tasks.report.report import ReportOptions, report
from tests.tasks.conftest import ENGINE, SMALL, House

HOUR = timedelta(hours=1)


def clock(db: Database, now: datetime, *, public_only: bool = False) -> Clock:
    return monitor(db, {}, now, public_only=public_only).clock


def due(house: House, since: Mapping[str, datetime]) -> None:
    with house.db.transaction() as tx:
        for name, at in since.items():
            tx.run(
                "insert into repository_syncs (repository_id, next_due_at) "
                "select id, %(at)s from repositories where full_name = %(name)s "
                "on conflict (repository_id) do update set next_due_at = excluded.next_due_at",
                name=name, at=at,
            )  # fmt: skip


@pytest.mark.parametrize(
    ("minutes", "late", "said"),
    [
        (-5, False, "Nothing is due for a sync."),
        (20, False, "1 repository is due for a sync, the longest since"),
        (60, False, "1 repository is due for a sync, the longest since"),
        (61, True, "The schedule is late: 1 repository is due for a sync, the longest since"),
    ],
)
def test_it_says_what_is_due_since_when_and_whether_the_schedule_missed_it(
    house: House, minutes: int, late: bool, said: str
) -> None:
    house.track(ENGINE)
    now = datetime(2030, 5, 1, 12, tzinfo=UTC)
    due(house, {ENGINE: now - timedelta(minutes=minutes)})
    found = clock(house.db, now)
    assert (found.late, found.text.startswith(said)) == (late, True)
    with house.db.reading() as tx:
        assert found.due == dues.backlog(tx, now=now).many


def test_what_is_private_or_paused_by_a_person_is_not_counted_for_everybody(house: House) -> None:
    house.track(ENGINE, SMALL)
    now = datetime(2030, 5, 1, 12, tzinfo=UTC)
    due(house, {ENGINE: now - HOUR, SMALL: now - 2 * HOUR})
    with house.db.transaction() as tx:
        tx.run("update repositories set is_private = true where full_name = %(name)s", name=SMALL)
    assert [clock(house.db, now, public_only=only).due for only in (False, True)] == [2, 1]
    assert clock(house.db, now, public_only=True).due_since == now - HOUR
    with house.db.transaction() as tx:
        tx.run("update backfills set held = true where repository_id = (select id from repositories where full_name = "
               "%(name)s)", name=ENGINE)  # fmt: skip
    assert clock(house.db, now, public_only=True).due == 0


def routed(house: House, rule: str, decision: str, many: int, at: datetime, name: str = ENGINE) -> None:
    with house.db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs "
            "(job_type, processor_type, status, created_at, metadata, repository_id) "
            "select 'sync', 'inngest', 'completed', %(at)s, jsonb_build_object('routing', "
            "jsonb_build_object('rule', %(rule)s, 'decision', %(decision)s)), r.id "
            "from generate_series(1, %(many)s), repositories r where r.full_name = %(name)s",
            rule=rule, decision=decision, many=many, at=at, name=name,
        )  # fmt: skip


def test_the_share_is_of_what_the_hash_decided_and_beside_it_stands_what_each_rule_did(
    house: House,
) -> None:
    house.track(ENGINE, SMALL)
    now = datetime.now(UTC)
    routed(house, "share", "github_actions", 25, now)
    routed(house, "share", "inngest", 75, now)
    routed(house, "progressive backfill", "github_actions", 40, now)
    routed(house, "being backfilled", "skip", 3, now)
    routed(house, "share", "inngest", 9, now - timedelta(days=8))
    with house.db.transaction() as tx:
        tx.run("update repositories set is_private = true where full_name = %(name)s", name=SMALL)
    routed(house, "share", "inngest", 25, now, SMALL)
    everybody, owner = clock(house.db, now, public_only=True), clock(house.db, now)
    assert (everybody.actions_percent, owner.actions_percent) == (25, 20)
    assert owner.shares.startswith("GitHub Actions got 20 % of 125 that the share decided; ")
    assert "3 to nobody (being backfilled)" in owner.shares
    with house.db.reading() as tx:
        assert routing.shares(tx, now - timedelta(days=7)).text == owner.shares


def test_what_a_report_heard_of_disabled_workflows_is_on_the_page_until_one_hears_otherwise(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    told = "the workflow dispatch.yml is disabled since 2026-11-01: open Actions in octo/data, and Enable workflow"
    made = report(house.db, house.run.key, options=ReportOptions(disabled=lambda: [told]))
    assert told in made.run.notes
    assert clock(house.db, datetime.now(UTC)).disabled == (told,)
    assert clock(house.db, datetime.now(UTC), public_only=True).disabled == ()
    report(house.db, house.run.key, options=ReportOptions())
    report(house.db, house.run.key, options=ReportOptions(disabled=list))
    assert clock(house.db, datetime.now(UTC)).disabled == ()


def test_a_report_says_since_when_repositories_are_due(house: House) -> None:
    house.track(ENGINE)
    house.capture()
    now = datetime(2030, 5, 1, 12, tzinfo=UTC)
    due(house, {ENGINE: now - 3 * HOUR})
    made = report(house.db, house.run.key, now=now)
    assert (
        "the schedule is late: 1 repository is due for a sync, the longest since 2030-05-01 09:00 UTC" in made.run.notes
    )
    due(house, {ENGINE: now - HOUR / 2})
    assert not any("due" in note for note in report(house.db, house.run.key, now=now).run.notes)


def test_what_no_tick_has_ever_seen_is_due_since_its_history_is_complete(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(SMALL)
    now = datetime.now(UTC) + 2 * HOUR
    assert house.rows("select 1 from repository_syncs") == []
    found = clock(house.db, now)
    assert (found.due, found.late) == (1, True)
    assert (
        found.due_since == house.only("select completed_at from backfills where status = 'completed'")["completed_at"]
    )
    with house.db.reading() as tx:
        assert dues.backlog(tx, now=now) == Backlog(many=1, since=found.due_since)
    with house.db.transaction() as tx:
        tx.run("update repositories set node_id = null")
    assert clock(house.db, now).due == 0
