"""What is copied from a row is renamed with it: names in addresses, in tracked entries, and logins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gh_backfill.models.github import NodeId, Person
from gh_backfill.models.work import TrackedRepository
from gh_backfill.store import people, pull_requests, repositories
from gh_backfill.store.db import Database, Row
from tests.conftest import VARIANTS
from tests.examples import ADA, REPOSITORY, comment, complete, pull_request, tracked

OTHER = replace(REPOSITORY, github_id=502, node_id=NodeId("R_2"), name="website")
PULLS = "select number, repository_full_name, html_url, diff_url, patch_url from pull_requests order by number"


def address(name: str, number: int) -> Row:
    url = f"https://github.com/{name}/pull/{number}"
    return {
        "number": number,
        "repository_full_name": name,
        "html_url": url,
        "diff_url": f"{url}.diff",
        "patch_url": f"{url}.patch",
    }


def rows(db: Database, statement: str) -> list[Row]:
    with db.transaction(read_only=True) as tx:
        return tx.rows(statement)


def filled(db: Database) -> tuple[TrackedRepository, TrackedRepository]:
    """Store two repositories with one pull request each."""
    with db.transaction() as tx:
        first, second = tracked(tx, REPOSITORY), tracked(tx, OTHER)
        for repository, number in ((first, 1), (second, 2)):
            made = pull_request(number)
            made = replace(made, url=f"https://github.com/{repository.full_name}/pull/{number}")
            pull_requests.write(tx, repository, [complete(number, pull_request=made)], [])
    return first, second


def follow(db: Database, repository: TrackedRepository, full_name: str) -> None:
    with db.transaction() as tx:
        repositories.follow(tx, repository.id, full_name=full_name, is_private=False, total=1)


def entries(db: Database) -> list[tuple[str, str]]:
    found = rows(db, "select organization_name as o, repository_name as n from tracked_repositories order by 1, 2")
    return [(row["o"], row["n"]) for row in found if row["o"] in ("octo", "acme")]


def test_a_page_under_a_new_name_renames_every_copy(db: Database) -> None:
    first, _ = filled(db)
    follow(db, first, "acme/motor")
    assert rows(db, PULLS) == [address("acme/motor", 1), address("octo/website", 2)]
    assert entries(db) == [("acme", "motor"), ("octo", "website")]


def test_a_plan_that_learns_of_a_new_name_renames_every_copy(db: Database) -> None:
    filled(db)
    with db.transaction() as tx:
        repositories.store(tx, [replace(REPOSITORY, owner="acme", name="motor"), OTHER])
    assert rows(db, PULLS) == [address("acme/motor", 1), address("octo/website", 2)]
    assert entries(db) == [("acme", "motor"), ("octo", "website")]


@pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)
def test_every_copy_is_renamed_in_an_existing_installation(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        first, _ = filled(db)
        follow(db, first, "acme/motor")
        assert address("acme/motor", 1) in rows(db, PULLS)
        half = {row["number"]: row["repository_full_name"] for row in rows(db, PULLS)}
        assert half[1805] == "bdougie/contributor.info"
        known = rows(db, "select id from repositories where github_id = 900000001")
        with db.transaction() as tx:
            repositories.follow(tx, known[0]["id"], full_name="bdougie/people.info", is_private=False, total=1)
        assert {row["repository_full_name"] for row in rows(db, PULLS) if row["number"] in (1801, 1805)} == {
            "bdougie/people.info"
        }
        assert entries(db) == [("acme", "motor"), ("octo", "website")]


def test_two_repositories_that_swap_their_names_swap_every_copy(db: Database) -> None:
    filled(db)
    with db.transaction() as tx:
        repositories.store(tx, [replace(REPOSITORY, name="website"), replace(OTHER, name="engine")])
    assert rows(db, PULLS) == [address("octo/website", 1), address("octo/engine", 2)]
    assert entries(db) == [("octo", "engine"), ("octo", "website")]
    assert rows(db, "select github_id, full_name from repositories order by 1") == [
        {"github_id": 501, "full_name": "octo/website"},
        {"github_id": 502, "full_name": "octo/engine"},
    ]


def test_a_name_that_changed_hands_is_taken_from_who_had_it_and_no_query_by_name_mixes_both(db: Database) -> None:
    first, second = filled(db)
    follow(db, first, "octo/website")
    named = rows(db, "select number from pull_requests where repository_full_name = 'octo/website'")
    assert named == [{"number": 1}]
    follow(db, second, "octo/engine")
    assert rows(db, PULLS) == [address("octo/website", 1), address("octo/engine", 2)]
    assert entries(db) == [("octo", "engine"), ("octo", "website")]


def test_a_page_under_the_same_name_touches_no_pull_request(db: Database) -> None:
    first, _ = filled(db)
    before = rows(db, "select xmin, number from pull_requests order by number")
    follow(db, first, "octo/engine")
    assert rows(db, "select xmin, number from pull_requests order by number") == before


def settle(db: Database, *known: Person) -> None:
    with db.transaction() as tx:
        people.store_people(tx, known)


def logins(db: Database) -> list[Row]:
    return rows(db, "select number, author_login from pull_requests order by number")


def test_a_renamed_account_is_renamed_in_the_pull_requests_of_all_repositories(db: Database) -> None:
    filled(db)
    settle(db, replace(ADA, login="ada-l"))
    assert logins(db) == [{"number": 1, "author_login": "ada-l"}, {"number": 2, "author_login": "ada-l"}]
    profile = rows(db, "select profile_url from contributors where github_id = 1001")
    assert profile == [{"profile_url": "https://github.com/ada-l"}]


def test_a_login_that_changed_hands_is_nobody_elses_in_any_pull_request(db: Database) -> None:
    filled(db)
    heir = Person(github_id=77, login="ada")
    with db.transaction() as tx:
        repository = tracked(tx, REPOSITORY)
        chunk = [complete(3, pull_request=pull_request(3, author=heir), comments=(comment(3, author=heir),))]
        people.store_people(tx, pull_requests.people_of(chunk))
        pull_requests.write(tx, repository, chunk, [])
    assert logins(db) == [
        {"number": 1, "author_login": "ada~1001"},
        {"number": 2, "author_login": "ada~1001"},
        {"number": 3, "author_login": "ada"},
    ]
    profiles = "select profile_url from contributors where github_id in (77, 1001) order by github_id"
    assert rows(db, profiles) == [{"profile_url": "https://github.com/ada"}, {"profile_url": None}]
