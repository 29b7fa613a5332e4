"""Tracking: each name by itself, validated, whatever its case, and never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gh_backfill.clients import rest
from gh_backfill.errors import PartlyFailed, Unreachable
from gh_backfill.models.github import NotFound
from gh_backfill.models.work import Goal
from gh_backfill.policy.names import parse
from gh_backfill.policy.schedule import Priority
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.targets import repository_of
from gh_backfill.tasks.track import Result, Tracked, ask, raise_failures, register, track
from tests.tasks.conftest import ENGINE, SMALL, House


def tracked(house: House, *names: str) -> list[Tracked]:
    return track(
        house.db,
        house.graphql(),
        names,
        name_of=lambda github_id: rest.full_name(house.github.url, "tok", github_id),
        backfill=Goal(),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("octo/engine", ("octo", "engine")),
        (" octo/engine ", ("octo", "engine")),
        ("https://github.com/octo/engine", ("octo", "engine")),
        ("https://github.com/octo/engine.git", ("octo", "engine")),
        ("git@github.com:octo/engine.git", ("octo", "engine")),
        ("octo_corp/a.b-c_d", ("octo_corp", "a.b-c_d")),
        ("octo", None),
        ("octo/", None),
        ("/engine", None),
        ("octo/engine/pull", None),
        ("octo/..", None),
        ("octo/eng ine", None),
        ("octo/eng;ine", None),
        ("-octo/engine", None),
        ("", None),
    ],
)
def test_a_name_is_owner_and_name_or_an_address(given: str, expected: tuple[str, str] | None) -> None:
    assert parse(given) == expected


def test_what_is_wrong_with_one_name_does_not_stop_the_others(house: House) -> None:
    names = (ENGINE, "not a name", "octo/unknown", "OCTO/Engine", SMALL)
    results = {each.given: each.result for each in tracked(house, *names)}
    assert results == {
        ENGINE: Result.ADDED,
        "not a name": Result.MALFORMED,
        "octo/unknown": Result.NOT_FOUND,
        "OCTO/Engine": Result.DUPLICATE,
        SMALL: Result.ADDED,
    }
    stored = house.rows("select full_name, is_private, github_pull_requests, node_id is null as n from repositories")
    assert sorted(stored, key=lambda row: row["full_name"]) == [
        {"full_name": ENGINE, "is_private": False, "github_pull_requests": 180, "n": False},
        {"full_name": SMALL, "is_private": False, "github_pull_requests": 12, "n": False},
    ]


def test_many_repositories_cost_one_point(house: House) -> None:
    tracked(house, ENGINE, SMALL, *(f"octo/unknown-{number}" for number in range(40)))
    assert house.github.stats.points == 1


def test_tracking_again_changes_nothing_and_does_not_start_a_finished_backfill_again(house: House) -> None:
    tracked(house, SMALL)
    house.capture(SMALL)
    assert [each.result for each in tracked(house, SMALL)] == [Result.KNOWN]
    assert house.state(SMALL)["status"] == "completed"
    assert (house.count("repositories"), house.count("tracked_repositories")) == (1, 1)


def test_a_renamed_repository_keeps_its_row_under_its_new_name(house: House) -> None:
    (before,) = tracked(house, ENGINE)
    changes.rename_repository(house.github.world, ENGINE, name="motor")
    (after,) = tracked(house, ENGINE)
    assert (after.result, after.repository_id) == (Result.RENAMED, before.repository_id)
    names = house.only(
        "select r.full_name, t.repository_name from repositories r "
        "join tracked_repositories t on t.repository_id = r.id"
    )
    assert names == {"full_name": "octo/motor", "repository_name": "motor"}


def test_a_private_repository_is_stored_as_private(house: House) -> None:
    tracked(house, ENGINE)
    changes.make_private(house.github.world, ENGINE)
    (result,) = tracked(house, ENGINE)
    assert result.result is Result.NOT_FOUND


def test_a_repository_may_be_given_by_githubs_id(house: House) -> None:
    (first,) = tracked(house, ENGINE)
    assert first.repository is not None
    (again, unknown) = tracked(house, str(first.repository.github_id), "4711")
    assert again.repository_id == first.repository_id
    assert unknown.result is Result.NOT_FOUND


@pytest.mark.parametrize("fault", ["node_unread", "node_forbidden", "node_untyped"])
def test_what_github_does_not_say_is_not_called_missing(house: House, fault: str) -> None:
    tracked(house, SMALL)
    before = house.rows("select xmin::text, * from repositories")
    house.github.faults.add(Fault(name=fault))
    results = tracked(house, SMALL, ENGINE)
    assert [each.result for each in results] == [Result.UNKNOWN, Result.UNKNOWN]
    assert all(each.reason for each in results)
    assert house.rows("select xmin::text, * from repositories") == before
    with pytest.raises(Unreachable, match="try again"):
        raise_failures(results)


def test_one_that_github_does_not_say_stops_none_of_the_others(house: House) -> None:
    seen = set()
    for seed in range(6):
        house.github.faults.clear()
        house.github.faults.add(Fault(name="node_forbidden", size=0.5, seed=seed))
        asked = ask(house.graphql(), [ENGINE, SMALL, "octo/unknown"], name_of=lambda github_id: NotFound())
        seen.add(tuple(each.result for each in asked))
    assert (Result.UNKNOWN, Result.ADDED, Result.NOT_FOUND) in seen


@pytest.mark.parametrize("fault", ["blocked", "forbidden", "502_html", "truncated", "rate_limited", "secondary_a"])
def test_an_id_that_is_refused_is_told_of_alone(house: House, fault: str) -> None:
    (first,) = tracked(house, ENGINE)
    assert first.repository is not None
    house.github.faults.add(Fault(name=fault, match={"path": f"^/repositories/{first.repository.github_id}$"}))
    refused, added = tracked(house, str(first.repository.github_id), SMALL)
    assert (refused.result, added.result) == (Result.UNKNOWN, Result.ADDED)
    with pytest.raises(PartlyFailed, match="1 of 2"):
        raise_failures([refused, added])


def test_a_text_that_no_database_takes_does_not_hide_a_repository(house: House) -> None:
    home = repository_of(house.github.world, SMALL)
    house.github.world.replace_repository(replace(home, description="Half a pair: \ud83d"))
    assert [each.result for each in tracked(house, SMALL)] == [Result.ADDED]


def test_asking_needs_no_database(house: House) -> None:
    (found, wrong) = ask(house.graphql(), [ENGINE, "wrong"], name_of=lambda github_id: NotFound())
    assert (found.result, wrong.result) == (Result.ADDED, Result.MALFORMED)
    assert found.repository is not None
    assert found.repository.pull_requests == 180


def listed(house: House, name: str) -> tuple[str, int | None]:
    row = house.only(
        "select t.priority, t.sync_frequency_hours as hours from tracked_repositories t "
        "join repositories r on r.id = t.repository_id where r.full_name = %(name)s",
        name=name,
    )
    return row["priority"], row["hours"]


def test_a_repository_has_medium_priority_unless_somebody_says_another(house: House) -> None:
    register(house.db, ask(house.graphql(), [ENGINE], name_of=lambda _: NotFound()))
    register(house.db, ask(house.graphql(), [SMALL], name_of=lambda _: NotFound()), priority=Priority.HIGH)
    assert (listed(house, ENGINE), listed(house, SMALL)) == (("medium", None), ("high", None))
    register(house.db, ask(house.graphql(), [SMALL], name_of=lambda _: NotFound()))
    assert listed(house, SMALL) == ("high", None)


def test_a_priority_takes_the_place_of_the_hours_that_a_host_application_wrote(house: House) -> None:
    tracked(house, SMALL)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set priority = 'low', sync_frequency_hours = 24")
    tracked(house, SMALL)
    assert listed(house, SMALL) == ("low", 24)
    with house.db.transaction() as tx:
        tx.run("insert into repository_syncs (repository_id, next_due_at) select id, '2100-01-01Z' from repositories")
    asked = ask(house.graphql(), [SMALL], name_of=lambda _: NotFound())
    (told,) = register(house.db, asked, priority=Priority.HIGH)
    assert house.count("repository_syncs where next_due_at <= clock_timestamp()") == 1
    assert listed(house, SMALL) == ("high", None)
    assert told.text == "already tracked, has high priority from now on"
