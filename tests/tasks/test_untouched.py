"""A reading changes what it fetched and nothing else, whatever other columns a host application keeps beside it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gh_backfill.models.github import GHOST
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store import people, pull_requests, repositories
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import capture
from tests.examples import ADA, comment, complete, pull_request, tracked
from tests.tasks.conftest import SMALL, House

# A value that no capture would write, by type.
ODD: dict[str, Any] = {
    "boolean": True,
    "integer": 41,
    "bigint": 41,
    "numeric": 41,
    "text": "kept",
    "jsonb": {"kept": True},
    "timestamp with time zone": datetime(2001, 2, 3, tzinfo=UTC),
}
NOT_OURS = """
    select column_name as name, data_type as type from information_schema.columns
    where table_schema = 'public' and table_name = %(table)s and column_name <> all(%(ours)s::text[])
    and data_type = any(%(types)s::text[]) and is_generated = 'NEVER'"""
# What a capture writes; all the rest is the host application's, or from a richer reading than ours.
OURS = {
    "pull_requests": (
        *("github_id", "node_id", "number", "title", "body", "state", "draft", "html_url", "diff_url", "patch_url"),
        *("created_at", "updated_at", "closed_at", "merged_at", "merged", "additions", "deletions", "changed_files"),
        *("commits", "base_branch", "head_branch", "base_ref", "head_ref", "author_github_id", "author_login"),
        *("repository_full_name", "repository_github_id", "github_reviews", "github_review_comments"),
        *("github_comments", "github_review_threads", "github_total_comments", "capture_gap", "counts_fetched_at"),
        *("last_synced_at", "last_updated", "gone_at", "gone_reason", "gone_target"),
    ),
    "contributors": ("github_id", "username", "profile_url", "avatar_url", "is_bot", "last_updated_at"),
}


def fill(house: House, table: str) -> None:
    """Give every column that a capture does not fetch a value of its own, in all rows."""
    columns = house.rows(NOT_OURS, table=table, ours=OURS[table], types=tuple(ODD))
    assert len(columns) >= 3
    with house.db.transaction() as tx:
        for column in columns:
            tx.run(f"update {table} set {column['name']} = %(odd)s", odd=ODD[column["type"]])  # noqa: S608


def by_id(house: House, table: str) -> dict[int, Row]:
    return {row["github_id"]: row for row in house.rows(f"select * from {table}")}  # noqa: S608


def changed(before: Row, after: Row) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_a_catch_up_changes_only_what_it_fetched_and_what_is_different(
    kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    with running(load(recipes=[f"{SMALL}:12"])) as github, Database(url) as db:
        house = House(db=db, url=url, github=github)
        house.track(SMALL)
        house.capture(SMALL)
        for table in OURS:
            fill(house, table)
        before, people_before = by_id(house, "pull_requests"), by_id(house, "contributors")
        edited = changes.edit(github.world, SMALL, 3, title="Edited since")
        author = github.world.accounts[edited.author or 0]
        changes.rename_account(github.world, author.login, to="renamed-since")
        house.capture(SMALL)
        after, people_after = by_id(house, "pull_requests"), by_id(house, "contributors")
        moved = {"title", "updated_at", "author_login", "counts_fetched_at", "last_synced_at", "last_updated"}
        moved |= {"embedding", "embedding_generated_at", "content_hash"}  # another text has no vector yet
        moved |= {"labels", "assignees", "requested_reviewers", "milestone"}  # fetched anew, too
        assert {"title", "updated_at"} <= changed(before[edited.id], after[edited.id]) <= moved
        others = {each for each in before if each != edited.id and before[each] != after[each]}
        assert {before[each]["author_github_id"] for each in others} == {author.id}  # the copies of the name follow
        copied = set().union(*(changed(before[each], after[each]) for each in others))
        assert copied - {"last_updated"} == {"author_login"}  # where the host keeps the time of a row's last change
        named = {"username", "profile_url", "last_updated_at"}
        assert changed(people_before[author.id], people_after[author.id]) == named
        assert {each for each in people_before if changed(people_before[each], people_after[each])} == {author.id}


def test_a_lighter_reading_of_a_person_or_a_repository_keeps_what_a_fuller_one_knew(db: Database) -> None:
    full = replace(ADA, name="Ada", avatar_url="https://avatars.example/ada")
    with db.transaction() as tx:
        repository = tracked(tx)
        people.insert_new(tx, [full])
        before = tx.row("select * from contributors")
        home = tx.row("select * from repositories")
    light = complete(
        1, pull_request=pull_request(1, author=ADA), reviews=(), review_comments=(), comments=(comment(1),)
    )
    with db.transaction() as tx:
        people.store_people(tx, pull_requests.people_of([light]))
        pull_requests.write(tx, repository, [light], ())
        repositories.follow(tx, repository.id, full_name=repository.full_name, is_private=True, total=301)
        assert tx.row("select * from contributors") == before
        found = tx.row("select * from repositories")
    assert home is not None
    assert found is not None
    counts = {"github_pull_requests", "github_pull_requests_at", "pull_request_count", "total_pull_requests"}
    assert changed(home, found) == {"is_private", *counts}
    assert (found["is_private"], found["github_pull_requests"]) == (True, 301)


def test_the_date_at_which_somebody_was_first_seen_and_the_followers_outlive_every_later_sight(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    long_ago = datetime(2019, 5, 6, tzinfo=UTC)
    with house.db.transaction() as tx:
        tx.run("update contributors set first_seen_at = %(at)s, created_at = %(at)s, followers = 12", at=long_ago)
        tx.run("update repositories set first_tracked_at = %(at)s", at=long_ago)
        tx.run("update pull_requests set updated_at = '2001-01-01'")
        tx.run("update progressive_backfill_state set processed_prs = 1")
    world = house.github.world
    for person in [each for each in world.accounts.values() if each.id != GHOST.github_id and each.login != "octo"]:
        changes.rename_account(world, person.login, to=f"{person.login[:30]}-2")
    again = house.capture(SMALL)
    house.track(SMALL)
    assert again.items >= 12
    assert house.only("select count(*) as n from contributors where username like '%-2'")["n"] > 0
    seen = house.rows("select distinct first_seen_at, created_at, followers from contributors")
    assert seen == [{"first_seen_at": long_ago, "created_at": long_ago, "followers": 12}]
    assert house.only("select first_tracked_at from repositories")["first_tracked_at"] == long_ago
    assert capture.find(house.db, SMALL).captured == 12
