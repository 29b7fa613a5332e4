"""The world moves while we walk: at the end the database is what GitHub is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gh_backfill.engine.outcome import CaptureOutcome, Limits, Progress
from gh_backfill.simulator import changes
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.world import World
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, SMALL, House


def rename_somebody(world: World) -> None:
    changes.rename_account(world, somebody(world), to="somebody-renamed")


def somebody(world: World) -> str:
    return next(each.login for each in world.accounts.values() if each.login != "octo" and each.type == "User")


Change = Callable[[World], object]
CHANGES: dict[str, Change] = {
    "opened": lambda world: changes.open_pull_request(world, ENGINE, author="octo", title="New"),
    "edited": lambda world: changes.edit(world, ENGINE, 190, title="Edited", body="Anew"),
    "edited before it is reached": lambda world: changes.edit(world, ENGINE, 5, title="Edited early"),
    "reviewed": lambda world: changes.review(world, ENGINE, 191, author="octo", state="APPROVED", comments=["a", "b"]),
    "commented": lambda world: changes.comment(world, ENGINE, 191, author="octo", body="Word."),
    "closed": lambda world: changes.close(world, ENGINE, 191),
    "merged": lambda world: changes.close(world, ENGINE, 190, merged_by="octo"),
    "account renamed": rename_somebody,
}


def during(house: House, change: Change, *, after_chunk: int = 1) -> Callable[[Progress], None]:
    made: list[object] = []

    def listen(progress: Progress) -> None:
        if progress.chunks == after_chunk and not made:
            made.append(change(house.github.world))

    return listen


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("after_chunk", [1, 3])
def test_what_happens_during_the_walk_is_there_at_its_end(house: House, what: str, after_chunk: int) -> None:
    house.track(ENGINE)
    captured = house.capture(limits=Limits(chunk_size=40), listen=during(house, CHANGES[what], after_chunk=after_chunk))
    assert captured.outcome is CaptureOutcome.COMPLETED
    with house.db.transaction(read_only=True) as tx:
        wanted = [each for each in expected_world(house.github.world) if each.full_name == ENGINE]
        differences = compare(tx, wanted, stood_still=False)
    assert not differences, differences


def test_many_changes_at_once_take_more_than_one_pass(house: House) -> None:
    house.track(ENGINE)

    def storm(world: World) -> None:
        for number in range(100, 190):
            if number % 13:
                changes.edit(world, ENGINE, number, title=f"Edited {number}")

    house.capture(limits=Limits(chunk_size=30), listen=during(house, storm, after_chunk=4))
    with house.db.transaction(read_only=True) as tx:
        wanted = [each for each in expected_world(house.github.world) if each.full_name == ENGINE]
        differences = compare(tx, wanted, stood_still=False)
    assert not differences, differences
    assert house.only("select pass from backfill_streams where stream = 'catch_up'")["pass"] >= 2


def test_a_pull_request_deleted_after_it_was_read_stays(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    changes.delete(house.github.world, SMALL, 3)
    house.capture(SMALL)
    assert house.count("pull_requests") == 12


def test_a_repository_that_stops_being_public_is_private_at_once(house: House) -> None:
    house.track(ENGINE)

    def hide(world: World) -> object:
        return changes.make_private(world, ENGINE)

    captured = house.capture(listen=during(house, hide))
    assert captured.outcome is CaptureOutcome.FAILED
    assert house.only("select is_private from repositories")["is_private"] is True
    assert house.count("pull_requests") == 25


def test_a_name_that_changes_hands_during_the_walk_ends_with_its_new_owner(house: House) -> None:
    house.track(ENGINE, SMALL)

    def change_hands(world: World) -> None:
        changes.rename_repository(world, SMALL, name="smaller")
        changes.rename_repository(world, ENGINE, name="small")

    captured = house.capture(limits=Limits(chunk_size=40), listen=during(house, change_hands))
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.rows("select distinct repository_full_name as name from pull_requests") == [{"name": SMALL}]
    house.capture(house.only("select id from repositories where full_name <> %(name)s", name=SMALL)["id"])
    names = "select repository_full_name as name, count(*) as n from pull_requests group by 1 order by 1"
    assert house.rows(names) == [
        {"name": SMALL, "n": 180},
        {"name": "octo/smaller", "n": 12},
    ]


def test_an_account_deleted_during_the_walk_drops_nothing(house: House) -> None:
    house.track(ENGINE)

    def leave(world: World) -> None:
        changes.delete_account(world, somebody(world))

    captured = house.capture(limits=Limits(chunk_size=40), listen=during(house, leave))
    assert captured.outcome is CaptureOutcome.COMPLETED
    assert house.count("pull_requests") == 180


def test_an_organisation_opens_reviews_comments_and_merges_like_anybody_and_may_be_renamed(house: House) -> None:
    world = house.github.world
    world.add_account(account({"login": "acme-corp", "type": "Organization"}))
    opened = changes.open_pull_request(world, SMALL, author="acme-corp").number
    changes.review(world, SMALL, opened, author="acme-corp", comments=["Ours."])
    changes.comment(world, SMALL, opened, author="acme-corp")
    changes.close(world, SMALL, opened, merged_by="acme-corp")
    house.track(SMALL)
    house.capture(SMALL)
    who = "select id, username, is_bot from contributors where username like 'acme%'"
    before = house.only(who)
    assert (before["username"], before["is_bot"]) == ("acme-corp", False)
    changes.rename_account(world, "acme-corp", to="acme")
    changes.comment(world, SMALL, opened, author="acme", body="Renamed.")
    house.capture(SMALL)
    assert house.only(who) == before | {"username": "acme"}
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, expected_world(world, SMALL), stood_still=False)
    assert not differences, differences
    assert house.count("backfill_quarantine") == 0
