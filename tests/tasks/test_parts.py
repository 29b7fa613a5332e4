"""A walk that is split over several jobs brings what one job brings, for hardly more points."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.recover import recover
from gh_backfill.models.work import Goal
from gh_backfill.policy.selection import PlanReason, Thresholds
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.simulator.world import World
from gh_backfill.store import estimates
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import capture, reread, track
from gh_backfill.tasks.plan import Plan, plan
from gh_backfill.tasks.ready import open_backfill
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, House
from tests.tasks.test_kills import ROOT, ended, first_lines

PULLS = 330
ISSUES = 30
ROWS = (
    "select number, title, state, github_id, capture_gap from pull_requests order by number",
    "select github_id, state, body from reviews order by github_id",
    "select comment_type, github_id, body from comments order by comment_type, github_id",
    "select github_id, username from contributors order by github_id",
)


@pytest.fixture
def house(db: Database, database_url: str, options: Options) -> Iterator[House]:
    """Give a repository with issues and gaps between its pull requests, some of which were deleted."""
    world = load(recipes=(f"{ENGINE}:{PULLS}",))
    for each in range(ISSUES):
        changes.open_issue(world, ENGINE, author="octo", title="An issue")
        if each % 10 == 0:
            changes.open_pull_request(world, ENGINE, author="octo", title="Between issues")
    for number in numbers(world)[5::97]:
        changes.delete(world, ENGINE, number)
    with running(world, options) as github:
        yield House(db=db, url=database_url, github=github)


def numbers(world: World) -> list[int]:
    (shelf,) = (shelf for shelf in world.shelves.values() if len(shelf))
    return sorted(outline.number for outline in shelf.outlines())


def planned(house: House, identities: int, *, per_part: int = 60, dry_run: bool = False) -> Plan:
    """Plan with so many credentials, each of an identity of its own."""
    tokens = [f"tok{each}" for each in range(identities)]
    every = [Credential(token, partial(str, token), partial(str, f"user of {token}")) for token in tokens]
    graphql = GraphQL(house.github.graphql_url, Credentials(every), sleep=house.slept.append)
    now = datetime.now(UTC)
    return plan(
        house.db, graphql, house.run, now, thresholds=Thresholds(), limit=12, per_part=per_part, dry_run=dry_run
    )


def split(house: House, parts: int) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    assert [part for _, part in planned(house, parts).entries] == list(range(1, parts + 1))


def part(number: int, max_chunks: int | None = None) -> Limits:
    return Limits(part=number, max_chunks=max_chunks)


def in_turns(house: House, parts: int, meanwhile: Callable[[int], object] = lambda turn: None) -> list[Captured]:
    """Let a job for each part run at the same time, a few chunks each, until the backfill is complete."""
    ended: list[Captured] = []

    def turn(number: int) -> Callable[[Progress], None]:
        """Begin the job of the next part when this one has its first chunk, and end before it goes on."""
        begun: list[int] = []

        def listen(progress: Progress) -> None:
            if progress.chunks == 1 and not begun:
                begun.append(number)
                meanwhile(number)
                if number < parts:
                    ended.append(house.capture(limits=part(number + 1), listen=turn(number + 1), token=f"t{number}"))

        return listen

    ended.append(house.capture(limits=part(1), listen=turn(1)))
    return ended


def stored(house: House) -> list[list[Row]]:
    return [house.rows(statement) for statement in ROWS]


def streams(house: House) -> list[Row]:
    return house.rows(
        "select stream, part, status, items_done, read_down_to, watermark from backfill_streams order by stream, part"
    )


def differences(house: House) -> object:
    with house.db.transaction(read_only=True) as tx:
        return compare(tx, expected_world(house.github.world), stood_still=False)


def by_one_job(house: House) -> tuple[list[list[Row]], int]:
    """Return the rows and the points of one job, and forget them."""
    house.track(ENGINE)
    before = house.github.stats.points
    house.capture()
    rows, points = stored(house), house.github.stats.points - before
    with house.db.transaction() as tx:
        tx.run("truncate repositories, contributors cascade")
    return rows, points


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_parts_bring_the_rows_of_one_job_for_at_most_two_points_more_each(house: House, parts: int) -> None:
    rows, points = by_one_job(house)
    split(house, parts)
    before = house.github.stats.points
    assert CaptureOutcome.COMPLETED in {each.outcome for each in in_turns(house, parts)}
    assert stored(house) == rows
    assert house.github.stats.points - before <= points + 2 * parts
    state = house.state()
    assert (state["status"], state["processed_prs"]) == ("completed", len(rows[0]))
    assert not differences(house)
    assert house.count("backfill_quarantine") == 0


def test_no_query_of_a_part_costs_a_second_point(house: House) -> None:
    split(house, 2)
    before = house.github.stats.points, house.github.stats.requests
    in_turns(house, 2)
    assert house.github.stats.points - before[0] == house.github.stats.requests - before[1]


def test_what_moves_meanwhile_is_there_at_the_end(house: House) -> None:
    split(house, 3)
    world = house.github.world
    there = numbers(world)
    early = changes.open_pull_request(world, ENGINE, author="octo", title="Opened before the first page")

    def move(turn: int) -> None:
        changes.edit(world, ENGINE, there[-1 - turn], title=f"Edited {turn}")
        changes.edit(world, ENGINE, there[turn], title=f"Edited early {turn}")
        changes.review(world, ENGINE, there[100 * turn - 75], author="octo", state="APPROVED", comments=["a"])
        changes.open_pull_request(world, ENGINE, author="octo", title=f"Opened {turn}")
        changes.delete(world, ENGINE, there[100 * turn - 90])

    in_turns(house, 3, move)
    found = house.rows("select number from pull_requests where title like 'Opened%%'")
    assert (len(found), early.number in [row["number"] for row in found]) == (4, True)
    # What was read before it was deleted stays.
    with house.db.transaction() as tx:
        for turn in (1, 2, 3):
            tx.run("delete from pull_requests where number = %(n)s", n=there[100 * turn - 90])
        tx.run("update progressive_backfill_state set processed_prs = (select count(*) from pull_requests)")
    assert not [each for each in differences(house).found if each.kind != "miscounted"]  # type: ignore[attr-defined]


def test_the_catch_up_opens_once_after_the_last_part_and_reads_down_to_when_the_first_began(house: House) -> None:
    split(house, 2)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = watermark - interval '1 hour' where part = 2")
    house.capture(limits=part(1, max_chunks=1))
    while [row["status"] for row in streams(house) if row["part"] == 1] != ["completed"]:
        house.capture(limits=part(1, max_chunks=1))
    assert [(row["stream"], row["part"], row["status"]) for row in streams(house)] == [
        ("history", 0, "paused"),
        ("history", 1, "completed"),
        ("history", 2, "active"),
    ]
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    caught, walk, _, second = streams(house)
    assert (caught["stream"], caught["status"], walk["status"]) == ("catch_up", "completed", "completed")
    first = house.only(
        "select min(c.started_at) as at, count(distinct s.id) as n from backfill_chunks c "
        "join backfill_streams s on s.id = c.stream_id where s.stream = 'catch_up'"
    )
    assert first["n"] == 1
    assert walk["watermark"] == second["watermark"]
    ends = house.only(
        "select max(c.completed_at) as at from backfill_chunks c join backfill_streams s on s.id = c.stream_id "
        "where s.stream = 'history'"
    )
    assert first["at"] >= ends["at"]


def test_two_rivals_at_each_part_do_every_pull_request_once(house: House) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)

    def rival(progress: Progress) -> None:
        """Play others who take this worker for dead, as its job has not told of itself for long."""
        if progress.chunks in (1, 2):
            with house.db.transaction() as tx:
                tx.run("update progressive_capture_jobs set heartbeat_at = now() - interval '1 hour'")
            for number in (1, 2, 1):
                house.capture(limits=part(number, max_chunks=1), token=f"rival{number}")

    house.capture(limits=part(1), listen=rival)
    assert house.state()["status"] == "completed"
    assert stored(house) == rows
    done = house.rows(
        "select unnest(pr_numbers) as n from backfill_chunks c join backfill_streams s on s.id = c.stream_id "
        "where s.stream = 'history'"
    )
    assert sorted(row["n"] for row in done) == [row["number"] for row in rows[0]]


@pytest.mark.parametrize("asked", [None, 1])
def test_a_job_takes_a_part_that_nobody_holds_and_then_the_next(house: House, asked: int | None) -> None:
    split(house, 3)
    with house.db.transaction() as tx:
        tx.run(
            "insert into backfill_chunks (repository_id, backfill_state_id, stream_id, chunk_number, status, attempt, "
            "lease_until, claimed_by, started_at) select repository_id, backfill_state_id, id, 1, 'processing', 1, "
            "now() + interval '5 minutes', 'somebody', now() from backfill_streams where part = 1"
        )
    captured = house.capture(limits=Limits(part=asked))
    assert captured.outcome is CaptureOutcome.BUSY
    assert [row["status"] for row in streams(house)] == ["paused", "active", "completed", "completed"]
    assert [row["part"] for row in chunks(house)] == sorted(row["part"] for row in chunks(house))


def chunks(house: House) -> list[Row]:
    return house.rows(
        "select s.part, c.claimed_by from backfill_chunks c join backfill_streams s on s.id = c.stream_id "
        "order by c.chunk_number"
    )


def test_a_killed_part_is_recovered_and_read_to_its_end(house: House) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)
    house.capture(limits=part(2, max_chunks=1))

    class Killed(BaseException):
        pass

    def die(progress: Progress) -> None:
        raise Killed

    with pytest.raises(Killed):
        house.capture(limits=part(2), listen=die)
    with house.db.transaction() as tx:
        tx.run(
            "update backfill_chunks set status = 'processing', completed_at = null, lease_until = '2020-01-01' "
            "where status = 'pending'"
        )
    recover(house.db)
    made = planned(house, 2)
    assert [part for _, part in made.entries] == [1, 2]
    for _, number in made.entries:
        house.capture(limits=Limits(part=number))
    assert (house.state()["status"], stored(house)) == ("completed", rows)


@pytest.mark.parametrize("count", [1, None])
def test_a_number_of_which_github_says_nothing_is_asked_again_and_never_skipped(
    house: House, count: int | None
) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)
    nothing = Fault(name="null_with_error", size=0.01, count=count, match={"operation": "^Numbers$"})
    house.github.faults.add(nothing)
    house.capture()
    assert [row["number"] for row in stored(house)[0]] == [row["number"] for row in rows[0]]
    house.github.faults.clear()
    reread.retry_quarantined(house.db, house.graphql(), [ENGINE])
    assert stored(house) == rows


def test_a_pull_request_that_no_query_can_carry_is_left_with_its_number_and_stored_by_the_catch_up(
    house: House,
) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)
    home = next(iter(house.github.world.repositories))
    pull = house.github.world.pull(home, rows[0][100]["number"])
    assert pull is not None
    house.github.faults.add(Fault(name="504", match={"variables": pull.node_id}))
    house.capture()
    lost = house.only("select kind, number, identity, reason, resolved_at from backfill_quarantine")
    assert (lost["kind"], lost["number"], lost["identity"]) == ("pull_request", pull.number, pull.node_id)
    assert "can't deliver" in lost["reason"]
    assert stored(house) == rows


def test_a_query_shrinks_where_it_is_its_numbers_that_are_too_many(house: House) -> None:
    rows, points = by_one_job(house)
    split(house, 2)
    house.github.faults.add(Fault(name="504", match={"variables": '"q40":'}))
    before = house.github.stats.points
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert stored(house) == rows
    assert house.count("backfill_quarantine") == 0
    answered = house.github.stats.points - before
    assert answered < 4 * points, "pages that are not too large stay as large as they were"


@pytest.mark.parametrize("chunk_size", [1, 13, 70])
def test_what_completes_a_page_is_not_blamed_for_numbers_that_are_too_many(house: House, chunk_size: int) -> None:
    """A page that has no room for an item is still asked what the next numbers are, beside what completes others."""
    rows, _ = by_one_job(house)
    split(house, 2)
    house.github.faults.add(Fault(name="504", match={"variables": '"q40":'}))
    house.capture(limits=Limits(chunk_size=chunk_size))
    assert stored(house) == rows
    assert house.count("backfill_quarantine") == 0


def test_pages_of_a_part_shrink_where_github_leaves_out_most_of_them(house: House) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)
    house.github.faults.add(Fault(name="504", match={"variables": r'"known": ?\[("PR_[^"]+",? ?){31}'}))
    house.capture()
    assert stored(house) == rows


@pytest.mark.parametrize(
    ("identities", "per_part", "parts"), [(1, 100, 0), (2, 1000, 0), (2, 100, 2), (3, 200, 2), (9, 10, 5)]
)
def test_a_plan_splits_only_where_it_pays(house: House, identities: int, per_part: int, parts: int) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    made = planned(house, identities, per_part=per_part)
    names = [f"{ENGINE} part {number}" for number in range(1, parts + 1)] or [ENGINE]
    assert [entry["name"] for entry in made.matrix()["include"]] == names
    expected: list[str | None] = [str(number) for number in range(1, parts + 1)] or [None]
    assert [entry.get("part") for entry in made.matrix()["include"]] == expected
    labels = house.rows("select metadata ->> 'label' as label from progressive_capture_jobs order by 1")
    assert [row["label"] for row in labels] == names
    split_up = [row for row in streams(house) if row["part"]]
    assert len(split_up) == parts
    assert all(row["watermark"] is not None for row in split_up)  # what is opened before the first page is newer


@pytest.mark.parametrize("fault", ["newest_unread", "huge_number"])
def test_an_outline_that_leaves_the_highest_number_in_doubt_is_asked_for_again_and_then_not_split_by(
    house: House, fault: str
) -> None:
    house.track(ENGINE)
    operation = {"operation": "PullRequestOutline"}
    house.github.faults.add(Fault(name=fault, match=operation))
    assert planned(house, 3).parts == {}
    assert house.github.faults.struck() == {fault: 2}
    house.github.faults.clear()
    house.github.faults.add(Fault(name=fault, count=1, match=operation))
    (parts,) = planned(house, 3).parts.values()
    in_turns(house, len(parts))
    assert not differences(house)


def test_a_dry_run_says_how_it_would_split_and_writes_nothing(house: House) -> None:
    track.track(house.db, house.graphql(), [ENGINE])
    assert [part for _, part in planned(house, 2, dry_run=True).entries] == [1, 2]
    assert streams(house) == []


def test_a_walk_that_has_begun_and_an_initial_one_stay_whole(house: House) -> None:
    house.track(ENGINE, goal=Goal(max_items=200))
    assert [part for _, part in planned(house, 3).entries] == [None]
    house.capture(limits=Limits(max_chunks=1))
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set goal_max_items = null")
    before = house.github.stats.points
    assert [part for _, part in planned(house, 3).entries] == [None]
    assert house.github.stats.points - before == 1


def test_a_later_plan_has_a_job_for_each_free_part_and_a_single_one_for_one_identity(house: House) -> None:
    split(house, 3)
    house.capture(limits=part(2, max_chunks=1))
    with house.db.transaction() as tx:
        tx.run(
            "update backfill_chunks set status = 'processing', lease_until = now() + interval '5 minutes', "
            "claimed_by = 'somebody'"
        )
    assert [part for _, part in planned(house, 3).entries] == [1, 3]
    assert [part for _, part in planned(house, 1).entries] == [None]


def test_each_job_of_a_run_takes_the_entry_of_its_part(house: House) -> None:
    split(house, 2)
    for number in (2, 1):
        house.capture(limits=part(number, max_chunks=1))
        done = house.rows(
            "select metadata ->> 'label' as label from progressive_capture_jobs where outcome = 'stopped' "
            "order by completed_at desc"
        )
        assert done[0]["label"] == f"{ENGINE} part {number}"


def test_a_split_walk_that_is_opened_again_goes_on_in_its_parts(house: House) -> None:
    split(house, 2)
    repository = capture.find(house.db, ENGINE)
    with house.db.transaction() as tx:
        open_backfill(tx, repository, Goal(max_items=50))
    assert [(row["part"], row["status"]) for row in streams(house)] == [(0, "paused"), (1, "active"), (2, "active")]
    house.capture()
    assert not differences(house)


def test_what_is_left_is_counted_over_all_parts(house: House) -> None:
    split(house, 2)
    house.capture(limits=part(2, max_chunks=2))
    row = house.only("select id from repositories")
    with house.db.transaction(read_only=True) as tx:
        work = estimates.works(tx, [row["id"]])[row["id"]]
    assert work.left == len(numbers(house.github.world)) - house.count("pull_requests")
    assert work.items == house.count("pull_requests")


def test_a_split_walk_that_was_finished_begins_again_whole_or_split_anew(house: House) -> None:
    split(house, 3)
    house.capture()
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number > 60")
        tx.run("update progressive_backfill_state set processed_prs = (select count(*) from pull_requests)")
    made = planned(house, 2)
    assert [(verdict.why, part) for verdict, part in made.entries] == [(PlanReason.NEW, 1), (PlanReason.NEW, 2)]
    assert [row["status"] for row in streams(house) if row["stream"] == "history"] == [
        "paused",
        "active",
        "active",
        "completed",
    ]
    house.capture()
    assert not differences(house)
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number > 60")
        tx.run("update progressive_backfill_state set processed_prs = (select count(*) from pull_requests)")
    assert [part for _, part in planned(house, 1).entries] == [None]
    house.capture()
    assert not differences(house)


def test_a_second_capture_of_a_split_repository_asks_for_what_changed(house: House) -> None:
    split(house, 2)
    house.capture()
    changes.edit(house.github.world, ENGINE, numbers(house.github.world)[20], title="Edited long after")
    again = house.capture()
    assert (again.spent.points, again.counts.updated) == (1, 1)


def test_a_worker_killed_at_its_part_is_followed_by_another_from_the_command_line(house: House) -> None:
    rows, _ = by_one_job(house)
    split(house, 2)
    command = [sys.executable, "-m", "gh_backfill", "capture", ENGINE, "--chunk-size", "5", "--part", "2"]
    with ended(started(house, command)) as process:
        first_lines(process, "2 chunks")
        process.kill()
        process.wait(30)
    assert {row["part"] for row in chunks(house)} == {2}
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert stored(house) == rows


@pytest.mark.parametrize("moment", ["between two chunks", "at a chunk"])
def test_what_an_operator_takes_from_a_silent_part_is_claimed_at_once(house: House, moment: str) -> None:
    split(house, 2)
    house.capture(limits=part(2, max_chunks=1))
    held = "status = 'processing', lease_until = now() + interval '5 minutes', " if moment == "at a chunk" else ""
    with house.db.transaction() as tx:
        tx.run(f"update backfill_chunks set {held} claimed_by = 'another-machine'")  # noqa: S608  (a test's own words)
        tx.run(
            "update progressive_capture_jobs set outcome = null, status = 'processing', heartbeat_at = now(), "
            "worker = 'another-machine' where outcome is not null"
        )
    stands = house.capture()
    assert (stands.outcome, "another-machine" in stands.reason) == (CaptureOutcome.BUSY, True)
    recover(house.db, everything=True)
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert not differences(house)


def started(house: House, command: list[str]) -> subprocess.Popen[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(ROOT),
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": house.github.url,
        "DATABASE_URL": house.url,
    }
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
