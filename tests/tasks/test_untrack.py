"""Repositories are taken off the list: nothing is captured of them any more, and their rows stay or go."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.events import Answering, Series, Source, SourceAnswer, StarDay, StarsAndForks, star
from gh_backfill.policy.selection import Thresholds
from gh_backfill.store import events
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import operate, reread
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.track import Result, track
from gh_backfill.tasks.untrack import Untracked, untrack
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.test_installations import WRITER_ROLE, as_role, run

ANA = Actor(who="ana")
EVENT_TABLES = ("github_events_cache", "private_events", "star_days", "count_snapshots", "event_sources")


def untracked(house: House, *names: str, delete_rows: bool = False, dry_run: bool = False) -> list[Untracked]:
    return untrack(house.db, names or [ENGINE], delete_rows=delete_rows, dry_run=dry_run, actor=ANA)


def candidates(house: House) -> list[str]:
    made = plan(house.db, house.graphql(), house.run, datetime.now(UTC), thresholds=Thresholds(), limit=12)
    return [verdict.repository.full_name for verdict in made.verdicts]


def test_rows_stay_and_no_plan_looks_at_it_any_more(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture(limits=Limits(chunk_size=25, max_chunks=1))
    (done,) = untracked(house)
    assert done.result.startswith("untracked; 25 pull requests, ")
    assert done.result.endswith(" comments stay")
    assert (house.count("pull_requests"), candidates(house)) == (25, [SMALL])
    (again,) = untracked(house)
    assert again.result.startswith("was not tracked any more; 25 pull requests")
    events = house.rows("select event, who from backfill_events where event = 'untracked'")
    assert events == [{"event": "untracked", "who": "ana"}]


def test_a_retry_is_refused_and_says_what_tracks_it_again(house: House) -> None:
    house.track(ENGINE)
    untracked(house)
    (done,) = operate.retry(house.db, [ENGINE], actor=ANA)
    (again,) = reread.retry_quarantined(house.db, house.graphql(), [ENGINE])
    said = f"it is not tracked (untracked by ana): gh-backfill track {ENGINE} tracks it again"
    assert [done.result, again.result] == [said, said]
    assert [(each.failed, each.changed) for each in (done, again)] == [(True, False)] * 2
    assert (candidates(house), house.state()["held_reason"]) == ([], "untracked")
    assert house.only("select tracking_enabled from tracked_repositories") == {"tracking_enabled": False}


def test_who_resumes_it_tracks_it_again(house: House) -> None:
    house.track(ENGINE)
    untracked(house)
    (done,) = operate.resume(house.db, [ENGINE], actor=ANA)
    assert done.result == "goes on (was untracked by ana)"
    assert house.only("select tracking_enabled from tracked_repositories") == {"tracking_enabled": True}
    assert candidates(house) == [ENGINE]


def test_a_capture_that_runs_stops_after_the_page_in_hand_and_leaves_nothing_of_what_is_deleted(house: House) -> None:
    house.track(ENGINE)

    def listen(progress: Progress) -> None:
        if progress.chunks == 1:
            with Database(house.url) as other:
                untrack(other, [ENGINE], delete_rows=True, actor=ANA)

    captured = house.capture(limits=Limits(chunk_size=25), listen=listen)
    assert captured.chunks == 1
    assert captured.outcome is not CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 0


def test_deleted_rows_are_those_of_the_repository_alone_and_it_can_be_captured_again(house: House) -> None:
    house.track(ENGINE, SMALL)
    house.capture()
    house.capture(SMALL)
    before = house.count("contributors")
    with house.db.transaction() as tx:
        tx.run("update repositories set initial_backfill_status = 'completed'")
    (done,) = untracked(house, delete_rows=True)
    assert done.deleted
    statuses = house.rows("select initial_backfill_status as status from repositories order by full_name")
    assert [each["status"] for each in statuses] == [None, "completed"]
    assert (house.count("pull_requests"), house.count("contributors")) == (12, before)
    assert house.only("select count(*) as n from reviews v left join pull_requests p on p.id = v.pull_request_id "
                      "where p.id is null")["n"] == 0  # fmt: skip
    house.track(ENGINE)
    house.capture()
    assert house.count("pull_requests") == 192


@pytest.mark.parametrize("is_private", [False, True])
def test_events_go_with_the_rows_and_those_of_an_application_stay(house: House, is_private: bool) -> None:
    house.track(SMALL, ENGINE)
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with house.db.transaction() as tx:
        tx.run("update repositories set is_private = %(is_private)s", is_private=is_private)
        ids = {row["full_name"]: row for row in tx.rows("select id, github_id, full_name from repositories")}
    events.make_months(house.db, [at])
    with house.db.transaction() as tx:
        for row in ids.values():
            events.write(tx, row["id"], [star(row["github_id"], "ada", 1, at, Source.STARGAZERS)])
            events.write_star_days(tx, row["id"], [StarDay(day=at.date(), stars=1, provisional=False)], at)
            events.write_snapshots(tx, [(row["id"], StarsAndForks(stars=1, forks=0), at)])
            events.write_source(tx, row["id"], answer(at))
        tx.run(
            "insert into github_events_cache (event_id, event_type, actor_login, repository_owner, repository_name, "
            "payload, created_at) values ('1', 'WatchEvent', 'bob', 'octo', 'small', '{}', %(at)s)",
            at=at,
        )
    (done,) = untracked(house, SMALL, delete_rows=True)
    assert done.deleted
    here = {table: house.count(table) for table in EVENT_TABLES}
    place = "private_events" if is_private else "github_events_cache"
    assert here == dict.fromkeys(EVENT_TABLES, 1) | {"private_events": 0, "github_events_cache": 1} | {
        place: 1 if is_private else 2
    }


def answer(at: datetime) -> SourceAnswer:
    return SourceAnswer(series=Series.STARS, source=Source.HISTORY, state=Answering.AVAILABLE, asked_at=at)


@pytest.mark.parametrize("delete_rows", [False, True])
def test_that_only_the_newest_were_wanted_is_forgotten_with_the_rows(house: House, delete_rows: bool) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set only_newest = true")
    untracked(house, delete_rows=delete_rows)
    track(house.db, house.graphql(), [ENGINE])
    assert house.only("select only_newest from tracked_repositories")["only_newest"] is (None if delete_rows else True)


@pytest.mark.parametrize("delete_rows", [False, True])
def test_who_tracks_it_again_reads_that_it_was_added_and_so_does_its_history(house: House, delete_rows: bool) -> None:
    house.track(ENGINE)
    untracked(house, delete_rows=delete_rows)
    (again,) = track(house.db, house.graphql(), [ENGINE])
    assert again.result is Result.ADDED
    events = house.rows("select event from backfill_events order by id")
    assert [each["event"] for each in events][-2:] == ["untracked", "tracked"]
    (twice,) = track(house.db, house.graphql(), [ENGINE])
    assert twice.result is Result.KNOWN


def test_a_dry_run_tells_the_rows_and_writes_nothing(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    (done,) = untracked(house, SMALL, delete_rows=True, dry_run=True)
    assert done.result.startswith("would be untracked; 12 pull requests, ")
    assert done.result.endswith(" would be deleted")
    assert (house.count("pull_requests"), candidates(house)) == (12, [SMALL])


def test_a_role_that_may_not_delete_is_told_what_it_lacks_and_may_untrack_all_the_same(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    run(house.url, WRITER_ROLE)
    with Database(as_role(house.url, "gh_backfill_writer")) as db:
        tables = "backfill_quarantine, backfill_readings, backfills, comments, "
        with pytest.raises(ConfigurationError, match=f"grant delete on {tables}"):
            untrack(db, [SMALL], delete_rows=True)
        assert house.count("pull_requests") == 12
        (done,) = untrack(db, [SMALL], delete_rows=False)
        assert done.result.startswith("untracked; 12 pull requests")
        missing = "reviews, comments, discussion_comments, backfill_quarantine, backfills, "
        missing += ", ".join((*EVENT_TABLES, "embedding_jobs", "backfill_readings"))
        assert f"grant delete on {missing} to gh_backfill_writer" in WRITER_ROLE
        run(house.url, f"grant delete on {missing} to gh_backfill_writer")
        (done,) = untrack(db, [SMALL], delete_rows=True)
    assert (done.deleted, house.count("pull_requests"), house.count("reviews")) == (True, 0, 0)


def test_rows_that_a_policy_keeps_are_not_called_deleted(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    run(house.url, WRITER_ROLE)
    run(
        house.url,
        "grant delete on all tables in schema public to gh_backfill_writer;"
        "create policy none_goes on comments as restrictive for delete to gh_backfill_writer using (false);"
        "create policy none_goes on reviews as restrictive for delete to gh_backfill_writer using (false);"
        "create policy none_goes on pull_requests as restrictive for delete to gh_backfill_writer using (false)",
    )
    kept = pytest.raises(ConfigurationError, match="nothing was deleted: row level security keeps 12 pull requests")
    with Database(as_role(house.url, "gh_backfill_writer")) as db, kept:
        untrack(db, [SMALL], delete_rows=True)
    assert (house.count("pull_requests"), candidates(house)) == (12, [SMALL])
