"""Workspaces on a database of ours and on that of an application: members, limits, owners, turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.workspaces import LOCAL_OWNER, Every
from gh_backfill.store import workspaces as store
from gh_backfill.store.db import Database
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.events.rounds import REFRESHED_DAYS, rounds
from gh_backfill.tasks.events.wish import EventsWish

DAY = timedelta(days=1)
OWNER = "d0000000-0000-4000-8000-000000000001"


@pytest.fixture
def host(existing_database_url: str) -> Iterator[Database]:
    with Database(existing_database_url) as database:
        yield database


def repositories(db: Database, many: int, *, private: bool = False) -> list[str]:
    """Put so many repositories there, and return our ids of them."""
    ids = [str(uuid4()) for _ in range(many)]
    with db.transaction() as tx:
        for number, own in enumerate(ids):
            name = f"r{own[:8]}"
            tx.run(
                "insert into repositories (id, github_id, full_name, owner, name, is_private) "
                "values (%(id)s, %(number)s, 'acme/' || %(name)s, 'acme', %(name)s, %(private)s)",
                id=own,
                number=700_000 + number + int(own[:6], 16),
                name=name,
                private=private,
            )
    return ids


def make(db: Database, slug: str = "web-frameworks", **given: object) -> store.Workspace:
    wanted = {"name": None, "description": None, "owner": None, "private": False, **given}
    return workspaces.create(db, slug, **wanted)  # type: ignore[arg-type]


def count(db: Database, slug: str = "web-frameworks") -> tuple[int, int]:
    """Return what the workspace says it has, and how many rows there are."""
    with db.reading() as tx:
        (row,) = tx.rows(
            "select current_repository_count as said, (select count(*) from workspace_repositories m "
            "where m.workspace_id = w.id) as there from workspaces w where slug = %(slug)s",
            slug=slug,
        )
    return row["said"], row["there"]


def test_of_ours_a_fixed_owner_and_a_thousand_repositories(db: Database) -> None:
    made = make(db, name="The web", description="what renders")
    assert (made.slug, made.name, made.owner_id, made.most) == ("web-frameworks", "The web", LOCAL_OWNER, 1_000)
    ids = repositories(db, 3)
    changed = workspaces.add(db, "web-frameworks", [*ids, ids[0]])
    assert (changed.changed, changed.unchanged) == (tuple(ids), ())
    again = workspaces.add(db, "WEB-frameworks", ids)
    assert (again.changed, again.unchanged) == ((), tuple(ids))
    assert count(db) == (3, 3)
    gone = workspaces.remove(db, "web-frameworks", [ids[1], str(uuid4())])
    assert (gone.changed, gone.workspace.repositories) == ((ids[1],), 2)
    assert count(db) == (2, 2)
    assert sorted(workspaces.members(db, "web-frameworks")) == sorted([ids[0], ids[2]])


def test_a_full_workspace_refuses_in_a_line_and_takes_none(db: Database) -> None:
    make(db)
    ids = repositories(db, 5)
    with db.transaction() as tx:
        tx.run("update workspaces set max_repositories = 4")
    workspaces.add(db, "web-frameworks", ids[:2])
    with pytest.raises(ConfigurationError, match=r"full: it has 2 of 4 repositories, and 3 more do not fit"):
        workspaces.add(db, "web-frameworks", ids)
    assert count(db) == (2, 2)
    workspaces.add(db, "web-frameworks", ids[:4])
    with db.transaction() as tx:
        tx.run("update workspaces set max_repositories = null")
    assert workspaces.add(db, "web-frameworks", ids).workspace.most is None
    assert count(db) == (5, 5)


def test_two_who_add_at_once_never_pass_the_limit(db: Database) -> None:
    make(db)
    ids = repositories(db, 8)
    with db.transaction() as tx:
        tx.run("update workspaces set max_repositories = 5")
    refused: list[str] = []

    def add(own: str) -> None:
        with db.another() as other:
            try:
                workspaces.add(other, "web-frameworks", [own])
            except ConfigurationError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=add, args=(own,)) for own in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (count(db), len(refused)) == ((5, 5), 3)


def test_a_slug_that_is_taken_and_a_workspace_that_is_none_are_told(db: Database) -> None:
    make(db)
    with pytest.raises(ConfigurationError, match="web-frameworks is the slug of a workspace: choose another"):
        make(db)
    for act in (
        lambda: workspaces.shown(db, "nothing"),
        lambda: workspaces.add(db, "nothing", []),
        lambda: workspaces.remove(db, "nothing", []),
        lambda: workspaces.delete(db, "nothing"),
        lambda: workspaces.schedule(db, "nothing", Every.DAILY, days=9, now=datetime.now(UTC)),
    ):
        with pytest.raises(ConfigurationError, match="there is no workspace nothing"):
            act()
    with pytest.raises(ConfigurationError, match="has no repositories yet: gh-backfill workspace add"):
        workspaces.members(db, "web-frameworks")


def test_of_ours_a_deleted_workspace_frees_its_slug_and_keeps_its_repositories(db: Database) -> None:
    make(db)
    ids = repositories(db, 2)
    workspaces.add(db, "web-frameworks", ids)
    workspaces.schedule(db, "web-frameworks", Every.WEEKLY, days=30, now=datetime.now(UTC))
    workspaces.delete(db, "web-frameworks")
    assert workspaces.listed(db) == []
    assert make(db).repositories == 0
    with db.reading() as tx:
        assert len(tx.rows("select 1 from repositories")) == 2


def test_an_applications_workspace_needs_one_of_its_users(host: Database) -> None:
    with pytest.raises(ConfigurationError, match="belongs to a user of its application: name one, --owner UUID"):
        make(host)
    with pytest.raises(ConfigurationError, match="--owner takes a UUID, not 'me'"):
        make(host, owner="me")
    with pytest.raises(ConfigurationError, match="the application has no such user"):
        make(host, owner=str(uuid4()))
    with host.reading() as tx:
        (user,) = tx.rows("select id, auth_user_id from app_users where id = %(id)s", id=OWNER)
    with pytest.raises(ConfigurationError, match=f"is the id of a login; that of its user is {OWNER}"):
        make(host, owner=user["auth_user_id"])
    made = make(host, owner=OWNER)
    assert (made.owner_id, made.most) == (OWNER, 4)  # the application's own limit


def test_an_applications_workspace_is_added_to_within_its_limit_and_deleted_as_it_deletes(host: Database) -> None:
    ids = repositories(host, 9)
    changed = workspaces.add(host, "contributor-tools", ids[:8])
    assert changed.workspace.repositories == 10
    with pytest.raises(ConfigurationError, match="contributor-tools is full: it has 10 of 10 repositories, and 1 more"):
        workspaces.add(host, "contributor-tools", ids)
    assert count(host, "contributor-tools") == (10, 10)
    workspaces.delete(host, "contributor-tools")
    with host.reading() as tx:
        (row,) = tx.rows("select is_active from workspaces where slug = 'contributor-tools'")
    assert row["is_active"] is False
    assert workspaces.listed(host) == []
    with pytest.raises(ConfigurationError, match="contributor-tools is the slug of a deleted workspace"):
        make(host, "contributor-tools", owner=OWNER)


def test_guests_see_public_workspaces_with_their_public_repositories(db: Database) -> None:
    make(db)
    make(db, "secret", private=True)
    public, hush = repositories(db, 1), repositories(db, 1, private=True)
    workspaces.add(db, "web-frameworks", [*public, *hush])
    workspaces.add(db, "secret", public)
    with db.reading() as tx:
        (seen,) = store.workspaces(tx, public_only=True)
        assert (seen.slug, seen.repositories) == ("web-frameworks", 1)
        assert [each.id for each in store.members(tx, seen.id, public_only=True)] == public
        assert store.workspaces_of(tx, public[0], public_only=True) == [("web-frameworks", "Web frameworks")]
        assert [slug for slug, _ in store.workspaces_of(tx, public[0])] == ["secret", "web-frameworks"]


def test_a_turn_is_taken_once_comes_again_at_its_hour_and_others_are_looked_at_for_news(db: Database) -> None:
    now = datetime.now(UTC)
    first, second, third = (repositories(db, 2) for _ in range(3))
    for slug, ids in (("weekly", first), ("monthly", [*second, first[0]]), ("asked", [*third, second[0]])):
        make(db, slug)
        workspaces.add(db, slug, ids)
    workspaces.schedule(db, "weekly", Every.WEEKLY, days=30, now=now - DAY)
    workspaces.schedule(db, "monthly", Every.MONTHLY, days=90, now=now - DAY)
    wish = EventsWish.of(now)

    def asked(*, claims: bool = True) -> list[tuple[int, set[str], list[str]]]:
        return [
            (
                round((datetime.now(UTC) - each.wish.since) / DAY),
                set(each.names),
                [one.workspace.slug for one in each.turns],
            )
            for each in rounds(db, [], wish, workspace=None, due=True, claims=claims)
        ]

    whole = [
        (90, {*second, first[0]}, ["monthly"]),
        (30, {first[1]}, ["weekly"]),
        (REFRESHED_DAYS, set(third), []),
    ]
    assert asked(claims=False) == whole
    taken = rounds(db, [], wish, workspace=None, due=True)
    assert [len(each.names) for each in taken] == [3, 1, 2]
    everything = {*first, *second, *third}
    assert asked() == [(REFRESHED_DAYS, everything, [])]  # nobody else takes the turn meanwhile
    workspaces.had_their_turn(db, [each.workspace for each in taken[0].turns])
    (monthly,) = workspaces.listed(db)[1:2]
    assert monthly.last_run_at is not None
    assert monthly.next_due_at is not None
    assert monthly.next_due_at.timetz() == (now - DAY).timetz()
    # What was begun and never ended is taken again when its turn is over.
    with db.transaction() as tx:
        tx.run(
            "update workspace_schedules set claimed_until = now() - interval '1 minute' where claimed_until is not null"
        )
    again = rounds(db, [], wish, workspace=None, due=True)
    assert [one.workspace.slug for one in again[0].turns] == ["weekly"]
    assert again[0].turns[0].workspace.due_at == now - DAY  # late, it has its own hour still
    # What could not do all of it gives its turn back.
    workspaces.give_their_turn_back(db, [again[0].turns[0].workspace])
    assert asked()[0][2] == ["weekly"]
    workspaces.schedule(db, "weekly", None, days=30, now=now)
    assert asked() == [(REFRESHED_DAYS, everything, [])]


def test_due_takes_no_names_beside_it(db: Database) -> None:
    with pytest.raises(ConfigurationError, match="leave out names and --workspace"):
        rounds(db, ["a/b"], EventsWish.of(datetime.now(UTC)), workspace=None, due=True)
    assert rounds(db, [], EventsWish.of(datetime.now(UTC)), workspace=None, due=True) == []
