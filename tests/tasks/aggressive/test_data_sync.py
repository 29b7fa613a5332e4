"""The data sync of an aggressive backfill: everything comes, of a time range just that, and what ends early goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill import settings
from gh_backfill.engine.outcome import Limits, Progress
from gh_backfill.errors import Denied, Unreachable
from gh_backfill.policy.aggressive.steps import AggressiveStatus, AggressiveStep, StepStatus
from gh_backfill.settings import Settings
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import aggressive as store
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import operate
from gh_backfill.tasks.aggressive import asking, opened
from gh_backfill.tasks.aggressive.asking import AggressiveAsked, AggressiveWish
from gh_backfill.tasks.aggressive.done import AggressiveDone, raise_failures
from gh_backfill.tasks.pages.repository import repository
from tests.comparison import compare, compare_issues
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, House

SYNC = (AggressiveStep.SYNC,)
BOTH = ("pull_requests", "issues")
WHOLE = AggressiveWish(steps=SYNC, kinds=BOTH)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass(kw_only=True)
class Ways:
    """What a test gives to a run, and what it took."""

    house: House
    limits: Limits = field(default_factory=Limits)
    wait: timedelta | None = None
    progress: Sequence[Progress] = ()
    stop_after: int | None = None
    heard: Callable[[AggressiveStep, bool], None] = lambda step, ended: None

    def listen(self, progress: Progress) -> None:
        self.progress = (*self.progress, progress)
        if self.stop_after is not None and len(self.progress) >= self.stop_after:
            raise KeyboardInterrupt

    def of(self) -> opened.AggressiveWays:
        return opened.AggressiveWays(
            settings=settled(self.house),
            db=self.house.db,
            graphql=self.house.graphql(),
            limits=self.limits,
            wait=self.wait,
            listen=self.listen,
            tell=lambda _, step, end: self.heard(step, end is not None),
            sleep=self.house.wait,
        )


def settled(house: House) -> Settings:
    return settings.load({"DATABASE_URL": house.url, "GITHUB_TOKEN": "tok"}, dotenv=None)


def asked(house: House, wish: AggressiveWish = WHOLE, name: str = ENGINE, now: datetime = NOW) -> AggressiveAsked:
    return asking.ask(
        house.db,
        house.graphql(),
        name,
        wish,
        name_of=lambda number: name,
        actor=Actor(who="somebody"),
        now=now,
    )


def done(house: House, wish: AggressiveWish = WHOLE, ways: Ways | None = None, **more: object) -> AggressiveDone:
    (found,) = opened.of_one((ways or Ways(house=house)).of(), asked(house, wish, **more))  # type: ignore[arg-type]
    return found


def differences(house: House) -> list[str]:
    with house.db.transaction(read_only=True) as tx:
        world = expected_world(house.github.world, ENGINE)
        return [str(each) for each in (*compare(tx, world, stood_still=False).found, *compare_issues(tx, world).found)]


def oldest(house: House, part: float) -> int:
    """Return the days before NOW in which so large a part of the issues was created."""
    (whole,) = expected_world(house.github.world, ENGINE)
    times = sorted(each.created_at for each in whole.issues if isinstance(each.created_at, datetime))
    return (NOW - times[round(len(times) * (1 - part))]).days + 1


def spent(house: House) -> int:
    return int(house.only("select sum(points) as n from progressive_capture_jobs")["n"])


def test_a_repository_that_nobody_tracks_comes_whole_and_is_checked(house: House) -> None:
    found = done(house)
    assert found.backfill.status is AggressiveStatus.COMPLETED
    assert differences(house) == []
    lines = {each.name: each for each in found.backfill.checklist}
    assert lines["PR count matches GitHub"].detail == "180 of 180"
    assert lines["Issue count matches GitHub"].detail == "14 of 14"
    assert [each.name for each in found.backfill.checklist if each.holds is None] == [
        "Embeddings are generated (check SQL query)",
        "Workspace metrics are updated",
    ]
    row = house.only("select kinds, tracking_enabled from tracked_repositories")
    assert (row["kinds"], row["tracking_enabled"]) == (["pull_requests", "issues"], True)


def test_of_a_time_range_just_that_comes_and_a_larger_one_adds_only_the_difference(house: House) -> None:
    few, many = oldest(house, 0.3), oldest(house, 0.8)
    first = done(house, replace(WHOLE, days=few))
    points = spent(house)
    assert first.backfill.status is AggressiveStatus.COMPLETED
    since = NOW - timedelta(days=few)
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    assert house.rows("select 1 from issues where created_at < %(day)s", day=day) == []
    here = house.count("pull_requests")
    done(house, replace(WHOLE, days=many))
    (whole,) = expected_world(house.github.world, ENGINE)
    early = (NOW - timedelta(days=many)).replace(hour=0, minute=0, second=0, microsecond=0)
    wanted = [each for each in whole.issues if isinstance(each.created_at, datetime) and each.created_at >= early]
    assert house.count("issues") == len(wanted)
    assert here < house.count("pull_requests")
    done(house)
    assert differences(house) == []
    alone = spent(house)
    assert points < alone


def test_a_time_range_is_held_against_what_githubs_search_counts(house: House) -> None:
    wish = replace(WHOLE, days=oldest(house, 0.4))
    found = done(house, wish)
    assert found.backfill.status is AggressiveStatus.COMPLETED
    lines = {each.name: each for each in found.backfill.checklist}
    for name, table in (("PR count matches GitHub", "pull_requests"), ("Issue count matches GitHub", "issues")):
        many = house.count(table)
        assert lines[name].detail.endswith(f"read down to there, and GitHub's search counts {many}")
    here = house.count("issues") - 1
    with house.db.transaction() as tx:
        tx.run("delete from issues where number = (select max(number) from issues)")
    again = done(house, wish)
    day = f"{wish.since(NOW):%Y-%m-%d}"
    assert [f"{each.name}: {each.detail}" for each in again.unheld] == [
        f"Issue count matches GitHub: {here} of {here + 1} created since {day}, as GitHub's search counts: 1 is missing"
    ]


def test_a_token_that_may_not_search_leaves_a_time_range_to_what_was_read(house: House) -> None:
    house.github.faults.add(Fault(name="forbidden", match={"operation": "CreatedSince"}))
    found = done(house, replace(WHOLE, days=oldest(house, 0.4)))
    assert found.backfill.status is AggressiveStatus.COMPLETED
    lines = {each.name: each for each in found.backfill.checklist}
    assert lines["PR count matches GitHub"].holds is True
    assert lines["PR count matches GitHub"].detail.endswith("GitHub's search did not say how many there are")


def test_of_a_repository_with_a_larger_goal_only_the_days_are_read(house: House) -> None:
    house.track(ENGINE)
    house.capture(limits=Limits(max_chunks=1, chunk_size=10))
    wish = AggressiveWish(steps=SYNC, kinds=("pull_requests",), days=oldest(house, 0.2))
    found = done(house, wish, Ways(house=house, limits=Limits(chunk_size=10)))
    since = (NOW - timedelta(days=oldest(house, 0.2))).replace(hour=0, minute=0, second=0, microsecond=0)
    (whole,) = expected_world(house.github.world, ENGINE)
    wanted = {
        each.number
        for each in whole.pull_requests
        if isinstance(each.created_at, datetime) and each.created_at >= since
    }
    assert wanted <= {row["number"] for row in house.rows("select number from pull_requests")}
    assert found.backfill.steps[AggressiveStep.SYNC].status is StepStatus.COMPLETED
    assert 10 < house.count("pull_requests") < 180
    assert house.state()["status"] == "active"
    lines = {each.name: each for each in found.backfill.checklist}
    assert lines["PR count matches GitHub"].holds is True
    assert lines["PR count matches GitHub"].detail.startswith(f"{len(wanted)} created since")


def test_what_is_interrupted_goes_on_and_nothing_is_paid_twice(house: House) -> None:
    with pytest.raises(KeyboardInterrupt):
        done(house, ways=Ways(house=house, stop_after=2, limits=Limits(chunk_size=20)))
    (row,) = house.rows("select status, worker from aggressive_backfills")
    assert (row["status"], row["worker"]) == ("pending", None)
    found = done(house, ways=Ways(house=house, limits=Limits(chunk_size=20)))
    assert found.backfill.status is AggressiveStatus.COMPLETED
    assert differences(house) == []
    assert house.count("aggressive_backfills") == 1
    twice = (
        "select 1 from backfill_chunks where status = 'completed' group by stream_id, after_cursor having count(*) > 1"
    )
    assert house.rows(twice) == []


def test_a_sync_that_takes_longer_than_is_waited_for_goes_on(house: House) -> None:
    limits = Limits(chunk_size=10, max_chunks=2)
    found = done(house, ways=Ways(house=house, limits=limits))
    assert found.backfill.status is AggressiveStatus.PENDING
    assert not found.failed
    assert found.backfill.steps[AggressiveStep.SYNC].status is StepStatus.PENDING
    (again,) = opened.of_all_that_waits(Ways(house=house).of())
    assert again.backfill.status is AggressiveStatus.COMPLETED
    assert differences(house) == []
    assert opened.of_all_that_waits(Ways(house=house).of()) == []


def test_what_another_worker_has_is_left_to_it_until_that_falls_silent(house: House) -> None:
    before = asked(house)
    with house.db.transaction() as tx:
        assert store.claim(tx, before.backfill.id, worker="another", run_key="run-2")
    found = done(house, ways=Ways(house=house, wait=timedelta(seconds=10)))
    assert found.busy
    assert not found.failed
    with house.db.transaction() as tx:
        tx.run("update aggressive_backfills set beat_at = beat_at - interval '6 minutes'")
    assert done(house).backfill.status is AggressiveStatus.COMPLETED


def test_a_pull_request_that_does_not_come_fails_the_checklist_by_its_name(house: House) -> None:
    done(house)
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number = 7")
    found = done(house)
    assert found.failed
    assert [f"{each.name}: {each.detail}" for each in found.unheld] == [
        "PR count matches GitHub: 179 of 180: 1 is missing"
    ]


def test_kinds_that_nobody_asked_for_are_no_part_of_the_checklist(house: House) -> None:
    done(house)
    changes.open_issue(house.github.world, ENGINE, author="octo", title="later")
    found = done(house, AggressiveWish(steps=SYNC, kinds=("pull_requests",)))
    assert found.backfill.status is AggressiveStatus.COMPLETED
    lines = {each.name: each for each in found.backfill.checklist}
    assert (lines["Issue count matches GitHub"].holds, lines["Issue count matches GitHub"].detail) == (
        None,
        "not asked for",
    )


def test_discussions_that_are_not_here_are_missing_in_the_line_of_the_data(db: Database, database_url: str) -> None:
    with running(load(recipes=[f"{ENGINE}:3:discussions=6"])) as github:
        house = House(db=db, url=database_url, github=github)
        wish = AggressiveWish(steps=SYNC, kinds=("pull_requests", "discussions"))
        assert done(house, wish).backfill.status is AggressiveStatus.COMPLETED
        with house.db.transaction() as tx:
            tx.run("delete from discussions where number = (select max(number) from discussions)")
        found = done(house, wish)
        assert [f"{each.name}: {each.detail}" for each in found.unheld] == [
            "Repository data appears in app: it is tracked; 3 pull requests, 5 of 6 discussions"
        ]


def test_what_came_while_the_steps_ran_is_read_before_it_counts_as_missing(house: House) -> None:
    def open_one(step: AggressiveStep, ended: bool) -> None:
        if ended and house.count("pull_requests") == 180:
            changes.open_pull_request(house.github.world, ENGINE, author="octo", title="late")

    found = done(house, ways=Ways(house=house, heard=open_one))
    assert found.backfill.status is AggressiveStatus.COMPLETED
    assert differences(house) == []
    assert house.count("pull_requests") == 181


def test_one_that_is_asked_for_again_reads_what_is_new(house: House) -> None:
    done(house)
    changes.open_pull_request(house.github.world, ENGINE, author="octo", title="later")
    before = spent(house)
    assert done(house).backfill.status is AggressiveStatus.COMPLETED
    assert (house.count("pull_requests"), house.count("aggressive_backfills")) == (181, 2)
    assert spent(house) - before <= 4


def test_a_token_that_github_refuses_fails_the_step_and_the_next_run_goes_on(house: House) -> None:
    before = asked(house)
    house.github.faults.add(Fault(name="bad_credentials"))
    (found,) = opened.of_one(Ways(house=house).of(), before)
    assert found.failed
    assert isinstance(found.error, Denied)
    assert found.backfill.steps[AggressiveStep.SYNC].status is StepStatus.FAILED
    house.github.faults.clear()
    assert done(house).backfill.status is AggressiveStatus.COMPLETED


def test_an_error_that_passes_leaves_it_to_go_on_and_is_no_failure(house: House) -> None:
    before = asked(house)
    house.github.faults.add(Fault(name="502_html", match={"operation": "IssuePage"}))
    (found,) = opened.of_one(Ways(house=house, wait=timedelta(minutes=5)).of(), before)
    assert (found.backfill.status, found.failed) == (AggressiveStatus.PENDING, False)
    assert found.backfill.not_before is not None
    assert "GitHub has trouble (status 502)" in str(found.backfill.reason)
    raise_failures([found])
    house.github.faults.clear()
    assert done(house).backfill.status is AggressiveStatus.COMPLETED
    assert differences(house) == []


def test_where_github_answers_nobody_at_all_the_run_says_so_with_exit_code_4(house: House) -> None:
    asked(house)
    house.github.faults.add(Fault(name="502_html"))
    done = opened.of_all_that_waits(Ways(house=house).of())
    assert [(each.backfill.status, each.failed) for each in done] == [(AggressiveStatus.PENDING, False)]
    with pytest.raises(Unreachable, match="nothing was done; 1 backfill will be tried again"):
        raise_failures(done)


@pytest.mark.parametrize("operation", ["IssuePage", "RepositoriesById"])
def test_an_error_that_passes_while_the_end_is_waited_for_is_waited_out(house: House, operation: str) -> None:
    before = asked(house)
    house.github.faults.add(Fault(name="502_html", match={"operation": operation}))
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        house.wait(seconds)
        if seconds > 500:
            waited.append(seconds)
            house.github.faults.clear()

    ways = replace(Ways(house=house, wait=timedelta(minutes=15)).of(), sleep=sleep)
    (found,) = opened.of_one(ways, before)
    assert (found.backfill.status, len(waited)) == (AggressiveStatus.COMPLETED, 1)
    assert differences(house) == []


def test_what_a_job_in_slices_brought_of_several_kinds_is_called_items(house: House) -> None:
    before = asked(house)
    ways = replace(Ways(house=house, limits=Limits(chunk_size=60)).of(), in_slices=timedelta(seconds=45))
    found = opened.of_this(ways, before.backfill)
    assert found.backfill.status is AggressiveStatus.COMPLETED
    row = house.only("select metadata ->> 'item' as item, items from progressive_capture_jobs")
    assert (row["item"], row["items"]) == ("item", 194)
    page = repository(house.db, ENGINE, {}, datetime.now(UTC))
    assert page is not None
    (told,) = [each.what.text for each in page.story if each.what.source == "job"]
    assert told.startswith("194 items, ")


def test_others_that_wait_do_not_wait_for_an_error_of_one_to_pass(house: House) -> None:
    asked(house)
    house.github.faults.add(Fault(name="502_html", match={"operation": "IssuePage"}))

    def sleep(seconds: float) -> None:
        assert seconds < 500, "the others would wait"
        house.wait(seconds)

    ways = replace(Ways(house=house, wait=timedelta(minutes=45)).of(), sleep=sleep)
    (found,) = opened.of_all_that_waits(ways)
    assert found.backfill.status is AggressiveStatus.PENDING


def test_one_that_is_cancelled_ends_and_keeps_its_rows(house: House) -> None:
    found = done(house, ways=Ways(house=house, limits=Limits(chunk_size=10, max_chunks=2)))
    with house.db.transaction() as tx:
        assert store.cancel(tx, [found.backfill.repository_id], who="somebody") == 1
    assert opened.of_all_that_waits(Ways(house=house).of()) == []
    assert house.count("pull_requests") == 20


def test_more_that_is_wanted_while_a_worker_is_at_it_is_done_by_that_worker(house: House) -> None:
    def ask_for_all(step: AggressiveStep, ended: bool) -> None:
        if not ended and house.count("aggressive_backfills") == 1 and wishes:
            asked(house, wishes.pop())

    wishes = [WHOLE]
    found = done(house, replace(WHOLE, days=oldest(house, 0.3)), ways=Ways(house=house, heard=ask_for_all))
    assert (found.backfill.status, found.backfill.since) == (AggressiveStatus.COMPLETED, None)
    assert differences(house) == []
    assert house.count("aggressive_backfills") == 1


def test_embeddings_alone_neither_widen_nor_do_an_open_data_sync(house: House) -> None:
    few = oldest(house, 0.3)
    first = done(house, replace(WHOLE, days=few), ways=Ways(house=house, limits=Limits(chunk_size=5, max_chunks=1)))
    rows = house.count("pull_requests")
    only = done(house, AggressiveWish(steps=(AggressiveStep.EMBEDDINGS,)))
    assert only.backfill.id == first.backfill.id
    assert (only.backfill.since, only.backfill.kinds) == (first.backfill.since, BOTH)
    assert only.backfill.steps[AggressiveStep.EMBEDDINGS].over
    assert only.backfill.status is AggressiveStatus.PENDING
    assert house.count("pull_requests") == rows


def test_one_whose_checklist_did_not_hold_begins_anew(house: House) -> None:
    done(house)
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number = 7")
    assert done(house).failed
    before = house.count("aggressive_backfills")
    assert done(house).failed
    assert house.count("aggressive_backfills") == before + 1


def test_a_backfill_that_a_person_holds_fails_the_step_and_says_so(house: House) -> None:
    asked(house)
    operate.pause(house.db, [ENGINE], reason="not now", until=None)
    found = done(house)
    assert found.failed
    assert "not now" in str(found.backfill.reason)
    operate.resume(house.db, [ENGINE])
    assert done(house).backfill.status is AggressiveStatus.COMPLETED


def test_one_that_is_cancelled_at_work_stops_at_its_next_page(house: House) -> None:
    before = asked(house)

    def cancel(step: AggressiveStep, ended: bool) -> None:
        with house.db.transaction() as tx:
            store.cancel(tx, [before.backfill.repository_id], who="somebody")

    ways = Ways(house=house, limits=Limits(chunk_size=5), heard=cancel)
    (found,) = opened.of_one(replace(ways.of(), beat=0.001), before)
    assert found.backfill.status is AggressiveStatus.CANCELLED
    assert found.backfill.steps[AggressiveStep.SYNC].status is StepStatus.PENDING
    assert house.count("pull_requests") < 180


def test_no_step_of_one_that_is_cancelled_is_said_to_be_at_work(house: House) -> None:
    ways = Ways(house=house).of()
    for by_its_run in (False, True):
        found = asked(house).backfill
        with house.db.transaction() as tx:
            assert store.claim(tx, found.id, worker="at-work", run_key="run-1")
            assert store.begin_step(tx, found.id, AggressiveStep.SYNC, worker="at-work")
            if by_its_run:
                store.cancel_run(tx, "run-1")
            else:
                assert store.cancel(tx, [found.repository_id], who="somebody") == 1
            (now,) = store.standing(tx, [found.repository_id])
        assert now.status is AggressiveStatus.CANCELLED
        assert now.steps[AggressiveStep.SYNC].status is StepStatus.PENDING
    assert opened.of_all_that_waits(ways) == []


def test_what_is_asked_for_on_a_page_switches_its_kinds_on(house: House) -> None:
    house.track(ENGINE)
    repository_id = str(house.only("select id from repositories")["id"])
    on_page = asking.asked_for(house.db, repository_id, WHOLE, who="somebody", now=NOW)
    opened.of_one(Ways(house=house).of(), on_page)
    assert house.only("select kinds from tracked_repositories")["kinds"] == ["pull_requests", "issues"]


def test_a_worker_that_was_taken_over_writes_nothing_into_the_steps_of_its_successor(house: House) -> None:
    before = asked(house).backfill
    with house.db.transaction() as tx:
        assert store.claim(tx, before.id, worker="asleep", run_key="run-1")
        assert store.begin_step(tx, before.id, AggressiveStep.SYNC, worker="asleep")
        tx.run("update aggressive_backfills set beat_at = beat_at - interval '6 minutes'")
        assert store.claim(tx, before.id, worker="successor", run_key="run-2")
        ended = StepStatus.COMPLETED
        assert store.end_step(tx, before, AggressiveStep.SYNC, ended, "done", worker="successor")
        assert not store.end_step(tx, before, AggressiveStep.SYNC, StepStatus.FAILED, "late", worker="asleep")
        assert not store.begin_step(tx, before.id, AggressiveStep.SYNC, worker="asleep")
        (now,) = store.standing(tx, [before.repository_id])
    assert (now.steps[AggressiveStep.SYNC].status, now.steps[AggressiveStep.SYNC].told) == (ended, "done")


def test_a_step_that_is_complete_of_less_than_is_wanted_by_now_is_to_be_done_again(house: House) -> None:
    before = asked(house, replace(WHOLE, days=oldest(house, 0.3))).backfill
    with house.db.transaction() as tx:
        assert store.claim(tx, before.id, worker="at-work", run_key="run-1")
    asked(house)
    with house.db.transaction() as tx:
        assert store.end_step(tx, before, AggressiveStep.SYNC, StepStatus.COMPLETED, "of less", worker="at-work")
        (now,) = store.standing(tx, [before.repository_id])
    assert (now.steps[AggressiveStep.SYNC].status, now.since) == (StepStatus.PENDING, None)
