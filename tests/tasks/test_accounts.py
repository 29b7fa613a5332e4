"""All repositories of an account: as many as there are, those that are wanted, and what GitHub does not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gh_backfill.errors import ConfigurationError, Gone, PartlyFailed, Unreachable
from gh_backfill.models.github import Unknown
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.options import Options
from gh_backfill.tasks import accounts, track
from gh_backfill.tasks.accounts import Filters
from gh_backfill.tasks.track import Result, Tracked
from tests.tasks.conftest import ENGINE, SMALL, House

MANY = 130
READER = Options(private_readers=frozenset({"tok"}))


@pytest.fixture
def account(house: House) -> House:
    """Give an account with more repositories than a page has, a private one, a fork and an archive among them."""
    world = house.github.world
    for number in range(MANY - 3):
        changes.add_repository(world, f"many/r{number:03}")
    changes.add_repository(world, "many/hidden", private=True)
    changes.add_repository(world, "many/fork", fork=True)
    changes.add_repository(world, "many/old", archived=True)
    return house


def asked(house: House, *logins: str, beside: tuple[Tracked, ...] = (), **filters: bool | int) -> list[Tracked]:
    found = accounts.ask(house.graphql(), logins, Filters(**filters))  # type: ignore[arg-type]
    return accounts.tracked(found, beside)


@pytest.mark.parametrize("options", [READER])
def test_all_repositories_are_found_however_many_a_hundred_for_a_point(account: House) -> None:
    found = asked(account, "many", forks=True, archived=True)
    assert len({each.given for each in found}) == MANY
    assert [each.given for each in found if each.repository and each.repository.is_private] == ["many/hidden"]
    assert account.github.stats.points == 2


def test_who_may_not_see_private_ones_does_not_get_them(account: House) -> None:
    assert "many/hidden" not in {each.given for each in asked(account, "many")}


def test_forks_archives_and_small_ones_are_left_out_unless_they_are_wanted_and_counted(account: House) -> None:
    (found,) = accounts.ask(account.graphql(), ["many"], Filters())
    assert found.left_out == {"fork": 1, "archive": 1}
    (line, _) = accounts.summary([found], account.graphql(), backfill=False, more_than=100)
    assert line.startswith("many: 127 repositories with 0 pull requests, about 1 point, ")
    assert line.endswith("left out: 1 fork (--include-forks takes them), 1 archive (--include-archived takes them)")
    (octo,) = accounts.ask(account.graphql(), ["octo"], Filters(least=100))
    assert [each.full_name for each in octo.chosen] == [ENGINE]
    assert accounts.summary([octo], account.graphql(), backfill=True, more_than=100)[0].endswith(
        "left out: 1 repository with fewer than 100"
    )


def test_an_account_that_is_not_there_fails_alone(house: House) -> None:
    found = asked(house, "nobody", "octo")
    assert [(each.given, each.result) for each in found] == [
        ("nobody/*", Result.NO_ACCOUNT),
        (ENGINE, Result.ADDED),
        (SMALL, Result.ADDED),
    ]
    registered = track.register(house.db, found)
    assert house.count("tracked_repositories") == 2
    with pytest.raises(PartlyFailed, match=r"1 of 3 names can't be tracked: nobody/\*"):
        track.raise_failures(registered)
    with pytest.raises(ConfigurationError, match=r"nobody/\*"):
        track.raise_failures(asked(house, "nobody"))
    with pytest.raises(Gone, match="no account nobody"):
        accounts.look(house.graphql(), "nobody", Filters())


def test_what_is_named_beside_its_account_or_by_two_accounts_is_taken_once(house: House) -> None:
    named = track.ask(house.graphql(), [SMALL], name_of=lambda github_id: Unknown(reason=""))
    found = asked(house, "octo", "OCTO", beside=tuple(named))
    assert [(each.given, each.result) for each in found] == [(ENGINE, Result.ADDED), (SMALL, Result.DUPLICATE)]


def test_repositories_of_an_account_are_registered_and_their_backfills_are_not_opened(house: House) -> None:
    track.register(house.db, asked(house, "octo"))
    assert (house.count("tracked_repositories"), house.count("progressive_backfill_state")) == (2, 0)


def test_some_that_github_does_not_tell_of_stop_none_of_the_others(house: House) -> None:
    (octo,) = accounts.ask(house.graphql(), ["octo"], Filters())
    found = accounts.tracked([replace(octo, untold=("GitHub forbids it", "GitHub forbids it"))], ())
    assert (found[-1].given, found[-1].text) == (
        "2 repositories of octo",
        "GitHub did not say, try again (GitHub forbids it)",
    )
    with pytest.raises(PartlyFailed, match="2 repositories of octo"):
        track.raise_failures(track.register(house.db, found))
    assert house.count("tracked_repositories") == 2


def test_an_answer_that_says_nothing_of_an_account_is_not_called_missing(house: House) -> None:
    house.github.faults.add(Fault(name="502_html", match={"operation": "RepositoriesOfOwner"}))
    (found,) = asked(house, "octo")
    assert (found.result, bool(found.reason)) == (Result.UNKNOWN, True)
    with pytest.raises(Unreachable, match="try again"):
        track.raise_failures([found])
