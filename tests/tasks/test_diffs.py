"""Files and commits of pull requests: all of them, once, replaced by a push, for the points that were told before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.errors import BackfillError
from gh_backfill.models.work import COMMITS, FILES, PULL_REQUESTS
from gh_backfill.policy.query_prices import lists_cost
from gh_backfill.simulator import changes
from gh_backfill.simulator.diff_fields import MOST_COMMITS, MOST_FILES, files_of
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import PullRequestRow
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.store.diffs import DiffStanding
from gh_backfill.tasks import capture, diffs, sync
from gh_backfill.tasks.diffs import DiffsFound
from gh_backfill.tasks.sync_told import SyncWish
from tests.tasks.conftest import ENGINE, House

ALL = (PULL_REQUESTS, FILES, COMMITS)
# Each query, and the lists that are asked for where it is to be the one that is struck.
QUERIES = {"FilesById": (FILES,), "CommitsById": (), "MoreFiles": (), "MoreCommits": ()}


def captured(house: House, kinds: Sequence[str] = (PULL_REQUESTS,)) -> Captured:
    return capture.run(
        *(house.db, house.graphql(), house.run, ENGINE, Limits()),
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def read(house: House, of: Sequence[str] = (), limits: Limits | None = None) -> DiffsFound:
    (found,) = diffs.run(house.beside(limits), [ENGINE], of=of, default_kinds=(PULL_REQUESTS,))
    return found


def pulls(house: House) -> list[PullRequestRow]:
    world = house.github.world
    (home,) = (each for each in world.repositories.values() if each.full_name == ENGINE)
    numbers = [row["number"] for row in house.rows("select number from pull_requests order by number")]
    found = [world.pull(home.id, number) for number in numbers]
    return [each for each in found if each is not None]


def wrong(house: House, of: Sequence[str] = (FILES, COMMITS)) -> list[tuple[int, str]]:
    """Return where what is stored is not what the simulated GitHub lists."""
    stored: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
    for row in house.rows("select * from pull_request_files order by number, position"):
        told = (row["path"], row["change_type"], row["additions"], row["deletions"])
        stored.setdefault((FILES, row["number"]), []).append(told)
    for row in house.rows("select * from pull_request_commits order by number, position"):
        at = f"{row['authored_at'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        stored.setdefault((COMMITS, row["number"]), []).append((row["oid"], row["message"], at))
    found = []
    for pull in pulls(house):
        told_files: list[tuple[Any, ...]] = [
            (each.path, each.change.lower(), each.additions, each.deletions) for each in files_of(pull)
        ]
        listed = pull.commits[:MOST_COMMITS]
        told_commits: list[tuple[Any, ...]] = [
            (each.oid, each.message.partition("\n")[0], each.authored_at) for each in listed
        ]
        for list_, wanted in ((FILES, told_files), (COMMITS, told_commits)):
            if list_ in of and stored.get((list_, pull.number), []) != wanted:
                found.append((pull.number, list_))
    return found


def asked(house: House) -> int:
    tallies = house.github.stats.as_json()["tokens"].values()
    names = ("FilesById", "CommitsById", "MoreFiles", "MoreCommits")
    return sum(n for each in tallies for name, n in each["operations"].items() if name in names)


def test_a_capture_with_them_switched_on_brings_all_lists_at_their_floor(house: House) -> None:
    house.track(ENGINE)
    done = captured(house, ALL)
    assert done.outcome is CaptureOutcome.COMPLETED, done.told
    assert wrong(house) == []
    many = house.count("pull_requests")
    assert many > 20
    further = sum(
        max(0, -(-min(pull.changed_files, MOST_FILES) // 100) - 1) + max(0, -(-len(pull.commits) // 100) - 1)
        for pull in pulls(house)
    )
    floor = (2 * many + further) / 149
    assert asked(house) <= 1.1 * floor + 2 + (further > 0) * 30, "the longest list is followed page by page"
    before = asked(house)
    captured(house, ALL)
    assert asked(house) == before, "nothing is asked for twice"


def test_without_them_nothing_is_asked_and_the_dry_run_tells_the_price(house: House) -> None:
    house.track(ENGINE)
    captured(house)
    assert asked(house) == 0
    many = house.count("pull_requests")
    (outlook,) = diffs.outlook(house.db, [ENGINE], default_kinds=(PULL_REQUESTS,))
    assert outlook.standing == DiffStanding(2 * many, 0)
    assert f"would ask for {2 * many:,}, {lists_cost(2 * many, of=2)} point" in outlook.text
    assert asked(house) == 0
    assert house.count("pull_request_diffs") == 0
    found = read(house, [FILES])
    assert (found.standing.lists, found.standing.known) == (many, many)
    assert wrong(house, [FILES]) == []
    assert house.rows("select 1 from pull_request_commits") == []


def test_a_push_replaces_the_list_and_a_sync_brings_it(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = %(kinds)s", kinds=tuple(ALL))
    captured(house, ALL)
    pull = next(each for each in pulls(house) if each.changed_files >= 2 and len(each.commits) >= 1)
    fewer, forced = pull.changed_files - 1, tuple(replace(each, oid="f" * 40) for each in pull.commits[:1])
    changes.edit(house.github.world, ENGINE, pull.number, changed_files=fewer, commits=forced, commit_count=1)
    assert {list_ for _, list_ in wrong(house)} == {FILES, COMMITS}
    sync.run(
        *(house.db, house.graphql(), house.run, ENGINE, SyncWish()), listen=lambda progress: None, sleep=house.wait
    )
    assert wrong(house) == []
    other = [(each.number, list_) for each in pulls(house) for list_ in ALL[1:] if each.number != pull.number]
    assert len(house.rows("select 1 from pull_request_diffs")) == len(other) + 2, "a list is one row, whatever came"


def test_what_github_does_not_list_is_a_gap_that_says_so(db: Database, database_url: str) -> None:
    with running(load(recipes=[f"{ENGINE}:12"])) as github:
        house = House(db=db, url=database_url, github=github)
        house.track(ENGINE)
        captured(house)
        number = pulls(house)[0].number
        changes.edit(github.world, ENGINE, number, changed_files=MOST_FILES + 500)
        captured(house, ALL)
        row = house.only(
            "select d.* from pull_request_diffs d join pull_requests p on p.id = d.pull_request_id "
            "where p.number = %(number)s and d.list = 'files'",
            number=number,
        )
        assert (len(row["rows"]), row["total"]) == (MOST_FILES, MOST_FILES + 500)
        assert row["gap"] == "GitHub lists 3,000 of 3,500"
        assert wrong(house) == []
        before = asked(house)
        read(house)
        assert asked(house) == before, "what GitHub does not list is not asked for again"


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_killed_reading_goes_on_where_it_was_without_paying_twice(house: House, after: int) -> None:
    house.track(ENGINE)
    captured(house)
    graphql, told = house.graphql(), 0

    def kill(progress: object) -> None:
        nonlocal told
        told += 1
        if told == after:
            raise KeyboardInterrupt

    reading = DiffReading(
        db=house.db,
        graphql=graphql,
        repository=capture.find(house.db, ENGINE),
        of=(FILES, COMMITS),
        now=lambda: datetime.now(UTC),
        sleep=house.wait,
        listen=kill,
    )
    with pytest.raises(KeyboardInterrupt):
        reading.run()
    assert house.rows("select 1 from pull_request_diffs where leased_until is not null") == [], "given back at once"
    known = {
        (row["pull_request_id"], row["list"])
        for row in house.rows("select * from pull_request_diffs where as_of is not null")
    }
    assert known, "what was answered is kept"
    found = read(house)
    assert found.captured is not None
    assert found.captured.items == found.standing.lists - len(known)
    assert wrong(house) == []


@pytest.mark.parametrize("fault", sorted(EFFECTS))
@pytest.mark.parametrize(("query", "of"), QUERIES.items())
def test_no_fault_writes_what_is_wrong_and_the_next_reading_is_right(
    house: House, fault: str, query: str, of: tuple[str, ...]
) -> None:
    house.track(ENGINE)
    captured(house)
    first = pulls(house)[0]
    many = tuple(replace(first.commits[0], oid=f"{number:040x}") for number in range(230))
    changes.edit(house.github.world, ENGINE, first.number, changed_files=250, commits=many, commit_count=230)
    captured(house)
    house.github.faults.add(Fault(name=fault, count=2, match={"operation": query}))
    with suppress(BackfillError):
        read(house, of, Limits(deadline=datetime.now(UTC) + timedelta(minutes=1)))
    known = {(row["number"], row["list"]) for row in house.rows(KNOWN)}
    assert [each for each in wrong(house) if each in known] == [], "what counts as known is right"
    house.github.faults.clear()
    free_again(house)
    after = read(house)
    assert after.standing.known == after.standing.lists, after.text
    assert wrong(house) == []
    assert house.rows("select gap from pull_request_diffs where gap is not null") == []


def free_again(house: House) -> None:
    """Let whatever limit a fault brought about be over."""
    with house.db.transaction() as tx:
        tx.run("delete from api_budgets")


KNOWN = (
    "select p.number, d.list from pull_request_diffs d join pull_requests p on p.id = d.pull_request_id "
    "where d.as_of >= p.updated_at and d.gap is null"
)
