"""Aggregation: figures are those of an independent computation, whoever asks, and whatever goes on meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.errors import ConfigurationError, StoreSlow
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import aggregation, marks
from gh_backfill.store.db import Database, Row, Transaction
from gh_backfill.tasks import aggregate, sync, workspaces
from gh_backfill.tasks.aggregate import AggregationEnd
from gh_backfill.tasks.sync_told import SyncWish
from tests import aggregation_by_hand as by_hand
from tests.aggregation_rows import Odd, tables
from tests.conftest import SHARED
from tests.corpus import CORPUS, smaller
from tests.tasks.conftest import SMALL, House
from tests.tasks.test_discussions import TALK
from tests.tasks.test_issues import captured
from tests.tasks.test_workspaces import OWNER, make

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
DATABASES = pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])


def figures(db: Database, slug: str, *, public_only: bool = False) -> dict[str, dict[str, Any]]:
    """Return what is stored of a workspace, by period."""
    with db.reading() as tx:
        (row,) = tx.rows("select id from workspaces where slug = %(slug)s", slug=slug)
        found = aggregation.metrics(tx, row["id"], public_only=public_only)
    return {each.period: asdict(each) for each in found}


def differing(wanted: dict[str, dict[str, Any]], found: dict[str, dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    """Return what is not as it is wanted, hours but for rounding."""
    return {
        f"{period} {name}": (value, found[period][name])
        for period, values in wanted.items()
        for name, value in values.items()
        if not same(value, found[period][name])
    }


def same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) < 1e-6 * max(1.0, abs(one))
    return one == other


def rows_same(wanted: dict[Any, tuple[Any, ...]], found: dict[Any, tuple[Any, ...]]) -> list[Any]:
    """Return the keys whose values differ, or that only one side has."""
    return [
        (key, wanted.get(key), found.get(key))
        for key in {*wanted, *found}
        if key not in wanted
        or key not in found
        or not all(same(one, other) for one, other in zip(wanted[key], found[key], strict=True))
    ]


def view(tx: Transaction, name: str, grain: str | None, keys: Iterable[str], values: Iterable[str]) -> dict[Any, Any]:
    """Return a view by its keys; a key that comes twice is an error."""
    where = f"where grain = '{grain}'" if grain else ""
    rows: list[Row] = tx.rows(f"select * from {name} {where}")  # noqa: S608 (names of ours)
    made = {
        tuple(row[key] for key in keys): tuple(
            each.timestamp() if isinstance(each := row[value], datetime) else each for value in values
        )
        for row in rows
    }
    assert len(made) == len(rows), name
    return made


def views_that_differ(tx: Transaction, made: by_hand.World) -> dict[str, list[Any]]:
    """Hold every view of a repository against the computation by hand."""
    hours = "median_hours_to_{0} p75_hours_to_{0} p90_hours_to_{0}"
    times = f"merged {hours.format('merge')} reviewed {hours.format('first_review')}".split()
    load = ["reviews", "pull_requests", "approvals", "changes_requested", "median_hours_to_respond"]
    acts = [
        "pull_requests_opened",
        "pull_requests_merged",
        "pull_requests_closed",
        "issues_opened",
        "issues_closed",
        "reviews",
        "comments",
        "contributors",
    ]
    talk = ["discussions_opened", "discussions_answered", "comments", "contributors", "median_hours_to_answer"]
    bucket = ("repository_id", "begins")
    found = {
        "repository_contributors": rows_same(
            by_hand.contributors(made),
            view(
                tx,
                "repository_contributors",
                None,
                ("repository_id", "contributor_id"),
                ["pull_requests", "merged", "reviews", "comments", "issues", "first_at", "last_at"],
            ),
        ),
        "discussion_contributors": rows_same(
            by_hand.talkers(made),
            view(
                tx,
                "discussion_contributors",
                None,
                ("repository_id", "contributor_id"),
                ["discussions", "comments", "answers", "first_at", "last_at"],
            ),
        ),
    }
    for grain in ("week", "month"):
        found |= {
            f"times {grain}": rows_same(
                by_hand.cycle_times(made, grain), view(tx, "repository_cycle_times", grain, bucket, times)
            ),
            f"load {grain}": rows_same(
                by_hand.reviewer_load(made, grain),
                view(tx, "reviewer_load", grain, (*bucket, "reviewer_id"), load),
            ),
            f"activity {grain}": rows_same(
                by_hand.activity(made, grain), view(tx, "repository_activity", grain, bucket, acts)
            ),
            f"discussions {grain}": rows_same(
                by_hand.talk(made, grain), view(tx, "discussion_activity", grain, bucket, talk)
            ),
        }
    return {name: keys for name, keys in found.items() if keys}


def workspace_of(db: Database, slug: str, ids: list[str], *, hosted: bool = False, private: bool = False) -> None:
    make(db, slug, owner=OWNER if hosted else None, private=private)
    if ids:
        workspaces.add(db, slug, ids)


@DATABASES
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_odd_rows_all_figures_and_views_are_those_of_a_computation_by_hand(
    kind: str, seed: int, request: pytest.FixtureRequest
) -> None:
    hosted = kind == "existing_database_url"
    with Database(request.getfixturevalue(kind)) as db:
        with db.transaction() as tx:
            odd = Odd(tx, seed, NOW, spam=hosted)
            ids = [odd.repository() for _ in range(3)]
        workspace_of(db, "two-of-three", ids[:2], hosted=hosted)
        workspace_of(db, "one-of-these", ids[1:2], hosted=hosted)
        aggregate.run(db, now=NOW)
        with db.reading() as tx:
            made = by_hand.world(tables(tx))
            assert views_that_differ(tx, made) == {}
        for slug, own in (("two-of-three", ids[:2]), ("one-of-these", ids[1:2])):
            wanted = by_hand.workspace(made, own, NOW.timestamp())
            assert differing(wanted, figures(db, slug)) == {}
            assert wanted["90d"]["reviews"]
            assert wanted["90d"]["discussions_answered"]
            assert wanted["30d"]["previous_median_hours_to_merge"] is not None


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_of_the_corpus_all_figures_and_views_are_those_of_a_computation_by_hand(database_url: str) -> None:
    with running(load(smaller())) as github, Database(database_url) as db:
        _of_the_corpus(House(db=db, url=database_url, github=github))


def _of_the_corpus(house: House) -> None:
    names = [home.full_name for home in house.github.world.repositories.values()]
    for name in names:
        house.track(name)
        captured(house, (PULL_REQUESTS, "issues"), name)
    ids = [row["id"] for row in house.rows("select id from repositories")]
    workspace_of(house.db, "corpus", ids)
    latest = house.only("select max(created_at) as at from pull_requests")["at"] + timedelta(hours=1)
    aggregate.run(house.db, now=latest)
    with house.db.reading() as tx:
        made = by_hand.world(tables(tx))
        assert views_that_differ(tx, made) == {}
    found = figures(house.db, "corpus")
    assert differing(by_hand.workspace(made, ids, latest.timestamp()), found) == {}
    assert found["all"]["pull_requests_whole"] == len(names)
    assert found["all"]["issues_whole"] == len(names)
    assert found["all"]["pull_requests_opened"] == house.count("pull_requests") > 50


def test_who_only_discusses_is_a_contributor_and_discussions_are_counted_as_they_are_captured(
    database_url: str,
) -> None:
    with running(load(recipes=[f"{TALK}:2:discussions=12"])) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track(TALK)
        captured(house, ("discussions",), TALK)
        ids = [row["id"] for row in house.rows("select id from repositories")]
        workspace_of(db, "talk", ids)
        latest = house.only("select max(created_at) as at from discussion_comments")["at"] + timedelta(hours=1)
        aggregate.run(db, now=latest)
        with db.reading() as tx:
            made = by_hand.world(tables(tx))
            assert views_that_differ(tx, made) == {}
        found = figures(db, "talk")
        assert differing(by_hand.workspace(made, ids, latest.timestamp()), found) == {}
        assert (found["all"]["discussions_whole"], found["all"]["discussions_opened"]) == (1, 12)
        assert (found["all"]["issues_opened"], found["all"]["pull_requests_opened"]) == (0, 0)
        assert found["all"]["contributors"] == totals(db, "talk")["total_contributors"] > 1
        (people,) = house.rows(
            "select count(*) as n from workspace_contributors where workspace = 'talk' and not is_bot"
        )
        assert people["n"] == found["all"]["contributors"]


def ended(aggregated: aggregate.Aggregated) -> dict[str, str]:
    return {each.workspace.slug: str(each.end) for each in aggregated.workspaces}


def totals(db: Database, slug: str) -> Row:
    with db.reading() as tx:
        (row,) = tx.rows(
            "select total_repositories, total_contributors, total_pull_requests, total_issues, updated_at "
            "from workspaces where slug = %(slug)s",
            slug=slug,
        )
    return row


def odd(db: Database, *, many: int = 1, private: bool | None = False, seed: int = 7) -> list[str]:
    with db.transaction() as tx:
        made = Odd(tx, seed, NOW)
        return [made.repository(private=private, items=20) for _ in range(many)]


def test_an_empty_workspace_has_figures_of_nothing(db: Database) -> None:
    workspace_of(db, "empty", [])
    aggregate.run(db, now=NOW)
    found = figures(db, "empty")
    assert list(found) == ["7d", "30d", "90d", "all"]
    assert {(each["repositories"], each["contributors"], each["pull_requests_open"]) for each in found.values()} == {
        (0, 0, 0)
    }
    assert {each["median_hours_to_merge"] for each in found.values()} == {None}
    assert {each["stars"] for each in found.values()} == {None}
    assert totals(db, "empty")["total_pull_requests"] == 0


def test_a_repository_that_leaves_takes_its_figures_along_and_a_deleted_workspace_is_left_alone(db: Database) -> None:
    ids = odd(db, many=2)
    workspace_of(db, "the-two", ids)
    aggregate.run(db, now=NOW)
    both = figures(db, "the-two")["all"]["pull_requests_opened"]
    with db.transaction() as tx:
        tx.run("delete from workspace_repositories where repository_id = %(id)s", id=ids[0])
    assert ended(aggregate.run(db, only_due=True, dry_run=True)) == {"the-two": "would be"}
    aggregate.run(db, now=NOW)
    left = figures(db, "the-two")["all"]["pull_requests_opened"]
    assert 0 < left < both
    with db.reading() as tx:
        made = by_hand.world(tables(tx))
    assert differing(by_hand.workspace(made, ids[1:], NOW.timestamp()), figures(db, "the-two")) == {}
    with db.transaction() as tx:
        tx.run("update workspaces set is_active = false")
    assert ended(aggregate.run(db)) == {}
    with pytest.raises(ConfigurationError, match="there is no workspace the-two"):
        aggregate.run(db, slugs=["the-two"])


@DATABASES
def test_everybody_sees_figures_of_what_is_public_and_none_where_these_are_not_known(
    kind: str, request: pytest.FixtureRequest
) -> None:
    hosted = kind == "existing_database_url"
    with Database(request.getfixturevalue(kind)) as db:
        (public,), (secret,) = odd(db), odd(db, private=True, seed=8)
        workspace_of(db, "shared-one", [public], hosted=hosted)
        aggregate.run(db, slugs=["shared-one"], now=NOW)
        assert figures(db, "shared-one", public_only=True) == figures(db, "shared-one")
        workspaces.add(db, "shared-one", [secret])
        assert figures(db, "shared-one", public_only=True) == {}
        aggregate.run(db, slugs=["shared-one"], now=NOW)
        with db.reading() as tx:
            made = by_hand.world(tables(tx))
        guests, members = figures(db, "shared-one", public_only=True), figures(db, "shared-one")
        assert differing(by_hand.workspace(made, [public], NOW.timestamp()), guests) == {}
        assert differing(by_hand.workspace(made, [public, secret], NOW.timestamp()), members) == {}
        assert [guests["all"][name] for name in ("repositories", "stars")] == [1, 100]
        # The row of a workspace an application shows to its guests; of ours nobody sees it.
        seen = guests if hosted else members
        assert totals(db, "shared-one")["total_pull_requests"] == seen["all"]["pull_requests_opened"]
        workspaces.remove(db, "shared-one", [secret])
        aggregate.run(db, slugs=["shared-one"], now=NOW)
        with db.reading() as tx:
            assert {row["audience"] for row in tx.rows("select audience from workspace_metrics")} == {"members"}


def test_totals_of_a_private_workspace_of_an_application_count_everything(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        (secret,) = odd(db, private=True)
        workspace_of(db, "own-secrets", [secret], hosted=True, private=True)
        aggregate.run(db, slugs=["own-secrets"], now=NOW)
        found = totals(db, "own-secrets")
        assert (found["total_repositories"], found["total_pull_requests"] > 0) == (1, True)
        assert figures(db, "own-secrets", public_only=True)["all"]["repositories"] == 0


GUIDE = SHARED / "requirements" / "3_aggressive_backfill_guide.md"


@pytest.mark.skipif(not GUIDE.exists(), reason=f"the guide is not at {GUIDE}")
@DATABASES
def test_the_query_of_the_guide_reads_what_is_aggregated(kind: str, request: pytest.FixtureRequest) -> None:
    (query,) = [
        block
        for block in re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
        if "total_repositories" in block
    ]
    hosted = kind == "existing_database_url"
    with Database(request.getfixturevalue(kind)) as db:
        ids = odd(db, many=2)
        workspace_of(db, "of-the-guide", ids, hosted=hosted)
        assert ended(aggregate.run(db, repository_id=ids[0], now=NOW)) == {"of-the-guide": "done"}
        with db.reading() as tx:
            (row,) = tx.rows(query.replace("your-repo-id", ids[1]))
        whole = figures(db, "of-the-guide")["all"]
    assert row == {
        "name": "Of the guide",
        "total_repositories": 2,
        "total_contributors": whole["contributors"],
        "total_pull_requests": whole["pull_requests_opened"],
        "total_issues": whole["issues_opened"],
    }


def test_the_row_of_a_workspace_is_not_touched_where_its_totals_are_the_same(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        ids = odd(db)
        workspace_of(db, "untouched", ids, hosted=True)
        aggregate.run(db, now=NOW)
        before = totals(db, "untouched")
        aggregate.run(db, now=NOW + timedelta(seconds=1))
        assert totals(db, "untouched") == before


def test_stars_change_by_what_github_counted_at_both_ends_and_of_how_many_is_said(db: Database) -> None:
    ids = odd(db, many=3)
    looks: dict[str, list[tuple[float, int]]] = {
        ids[0]: [(0.1, 130), (6.5, 120), (7.5, 118), (29, 100), (30.5, 90), (95, 10)],
        ids[1]: [(1, 55), (20, 50)],
        ids[2]: [(5, 70), (7.1, 60)],
    }
    with db.transaction() as tx:
        for own, seen in looks.items():
            for days, stars in seen:
                tx.run(
                    "insert into count_snapshots values (%(id)s, %(at)s, %(stars)s, 5)",
                    id=own,
                    at=NOW - timedelta(days=days),
                    stars=stars,
                )
    workspace_of(db, "counted", ids)
    aggregate.run(db, now=NOW)
    found = figures(db, "counted")
    names = ("stars_change", "forks_change", "changes_known")
    assert {period: tuple(each[name] for name in names) for period, each in found.items()} == {
        "7d": (12, 0, 1),
        "30d": (40, 0, 1),
        "90d": (None, None, 0),
        "all": (None, None, 0),
    }
    assert (found["7d"]["stars"], found["7d"]["forks"]) == (300, 30)


def job(db: Database, repository_id: str, completed_at: datetime) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, outcome, "
            "created_at, completed_at) values ('sync', %(id)s, 'local', 'completed', 'completed', %(at)s, %(at)s)",
            id=repository_id,
            at=completed_at,
        )


def test_due_is_what_is_new_old_or_of_other_repositories_or_had_a_job_since(db: Database) -> None:
    ids = odd(db, many=3)
    for slug, own in (("first", ids[:1]), ("second", ids[1:2]), ("third", ids[:2])):
        workspace_of(db, slug, own)
    assert ended(aggregate.run(db, only_due=True)) == {"first": "done", "second": "done", "third": "done"}
    assert ended(aggregate.run(db, only_due=True)) == {}
    job(db, ids[0], datetime.now(UTC) - timedelta(hours=1))
    assert ended(aggregate.run(db, only_due=True, dry_run=True)) == {}
    job(db, ids[0], datetime.now(UTC) + timedelta(seconds=1))
    assert ended(aggregate.run(db, only_due=True, dry_run=True)) == {"first": "would be", "third": "would be"}
    assert ended(aggregate.run(db, repository_id=ids[1], only_due=True, dry_run=True)) == {"third": "would be"}
    workspaces.add(db, "second", ids[2:])
    assert set(ended(aggregate.run(db, only_due=True, dry_run=True))) == {"first", "second", "third"}
    with db.transaction() as tx:
        tx.run("delete from progressive_capture_jobs")
        tx.run("update workspace_aggregations set computed_at = computed_at - interval '21 hours'")
    assert set(ended(aggregate.run(db, only_due=True))) == {"first", "second", "third"}
    with db.transaction() as tx:
        tx.run("update repositories set is_private = true where id = %(id)s", id=ids[2])
    assert ended(aggregate.run(db, only_due=True)) == {"second": "done"}


def test_a_dry_run_writes_nothing(db: Database) -> None:
    workspace_of(db, "untried", odd(db))
    assert ended(aggregate.run(db, dry_run=True)) == {"untried": "would be"}
    assert figures(db, "untried") == {}
    with pytest.raises(ConfigurationError, match=r"there is no workspace nobodys.*nothing was written"):
        aggregate.run(db, slugs=["untried", "nobodys"])
    assert figures(db, "untried") == {}


def test_two_at_once_do_it_once_or_one_after_the_other_and_no_writer_waits(db: Database, database_url: str) -> None:
    ids = odd(db)
    workspace_of(db, "at-once", ids)
    with db.reading() as reading:
        (own,) = aggregation.to_aggregate(reading)
    db.statements(aggregation.noting([own]))
    with Database(database_url) as other, other.transaction() as tx:
        assert aggregation.lock(tx, own.id, unless_busy=False)
        aggregation.write(tx, own, NOW, seconds=60)
        assert ended(aggregate.run(db, only_due=True)) == {"at-once": "busy"}
        aggregate.after(db, ids[0])
        with db.transaction() as writing:
            assert writing.run("update repositories set description = 'x'")
            assert writing.run("update pull_requests set title = 'x'")
            assert writing.run("delete from workspace_repositories")
    assert figures(db, "at-once")["all"]["repositories"] == 1
    assert ended(aggregate.run(db)) == {"at-once": "done"}
    assert figures(db, "at-once")["all"]["repositories"] == 0


def test_after_a_job_its_workspaces_are_aggregated_unless_that_was_done_a_moment_ago(db: Database) -> None:
    ids = odd(db, many=2)
    workspace_of(db, "followed", ids)
    workspace_of(db, "of-others", ids[1:])
    aggregate.after(db, ids[0])
    (whole, others) = (figures(db, slug) for slug in ("followed", "of-others"))
    assert (len(whole), others) == (4, {})
    job(db, ids[0], datetime.now(UTC) + timedelta(seconds=5))
    aggregate.after(db, ids[0])
    assert figures(db, "followed") == whole
    aggregate.settle(db, clock=iter([0.0, 61.0, 61.0]).__next__)
    assert figures(db, "of-others") == {}
    aggregate.settle(db)
    assert figures(db, "followed")["all"]["computed_at"] > whole["all"]["computed_at"]


def test_what_keeps_an_aggregation_from_its_end_keeps_no_job_from_its_own(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    ids = odd(db)
    workspace_of(db, "broken", ids)
    with db.transaction() as tx:
        tx.run("alter table workspace_metrics rename to elsewhere")
    aggregate.after(db, ids[0])
    assert "figures of workspaces are older than what was just stored" in caplog.text
    (found,) = aggregate.run(db).workspaces
    assert (found.end, "workspace_metrics" in str(found.error)) == (AggregationEnd.FAILED, True)
    with db.transaction() as tx:
        tx.run("alter table elsewhere rename to workspace_metrics")
    with db.reading() as tx:
        (own,) = aggregation.to_aggregate(tx)
    db.statements(aggregation.noting([own]))
    with pytest.raises(StoreSlow), db.transaction() as tx:
        aggregation.lock(tx, own.id, unless_busy=False)
        aggregation.write(tx, own, NOW, seconds=0.001)
    assert figures(db, "broken") == {}


def test_what_takes_too_long_after_a_job_is_not_tried_after_each_one(db: Database) -> None:
    ids = odd(db)
    workspace_of(db, "too-large", ids)
    aggregate.after(db, ids[0], seconds=0.001)
    assert figures(db, "too-large") == {}
    with db.reading() as tx:
        assert tx.rows("select seconds from workspace_aggregations") == [{"seconds": 0.001}]
        assert aggregation.to_aggregate(tx, only_due=True, within=0.001) == []
    aggregate.settle(db)
    assert len(figures(db, "too-large")) == 4


def test_a_date_that_no_calendar_has_breaks_no_figure(db: Database) -> None:
    ids = odd(db)
    workspace_of(db, "odd-dates", ids)
    for at in ("infinity", "-infinity", "4713-01-01 BC"):
        with db.transaction() as tx:
            tx.run("update pull_requests set merged_at = %(at)s where number %% 3 = 0", at=at)
            tx.run("update pull_requests set created_at = %(at)s where number %% 5 = 0", at=at)
            tx.run("update reviews set submitted_at = %(at)s where state = 'DISMISSED'", at=at)
            tx.run("update issues set closed_at = %(at)s where number %% 3 = 0", at=at)
        assert ended(aggregate.run(db, now=NOW)) == {"odd-dates": "done"}, at
        with db.reading() as tx:
            for name in marks.VIEWS:
                tx.run(f"select count(*) from (select * from {name}) x")  # noqa: S608 (names of ours)
                tx.run(f"select x::text from {name} x")  # noqa: S608 (names of ours)


@pytest.mark.parametrize("broken", [False, True], ids=["", "which fails"])
def test_a_capture_and_a_sync_of_what_is_in_a_workspace_end_with_its_aggregation(house: House, broken: bool) -> None:
    house.track(SMALL)
    ids = [row["id"] for row in house.rows("select id from repositories")]
    workspace_of(house.db, "followed", ids)
    if broken:
        with house.db.transaction() as tx:
            tx.run("alter table workspace_metrics rename to elsewhere")
    assert house.capture(SMALL).outcome is CaptureOutcome.COMPLETED
    if broken:
        return
    captured_at = figures(house.db, "followed")["all"]
    assert (captured_at["pull_requests_opened"], captured_at["pull_requests_whole"]) == (12, 1)
    with house.db.transaction() as tx:
        tx.run("update workspace_aggregations set computed_at = computed_at - interval '10 minutes'")
    done = sync.run(house.db, house.graphql(), house.run, SMALL, SyncWish(), sleep=house.wait, begin=at_once)
    assert done.captured is not None
    assert done.captured.outcome is CaptureOutcome.COMPLETED
    assert figures(house.db, "followed")["all"]["computed_at"] > captured_at["computed_at"]
