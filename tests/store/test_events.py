"""Events are here once, whoever tells of them and in which order; days, snapshots and sources hold what they should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from gh_backfill.models.events import (
    Answering,
    Covered,
    Event,
    Series,
    Source,
    SourceAnswer,
    StarDay,
    StarsAndForks,
    fork,
    star,
)
from gh_backfill.store import events, repositories
from gh_backfill.store.db import Database

REPOSITORY, GITHUB_ID = "00000000-0000-4000-8000-000000000001", 77
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
both_places = pytest.mark.parametrize("is_private", [False, True, None])


def repository(db: Database, *, is_private: bool | None = False) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into repositories (id, github_id, full_name, owner, name, is_private) "
            "values (%(id)s, %(github_id)s, 'octo/kit', 'octo', 'kit', %(is_private)s)",
            id=REPOSITORY, github_id=GITHUB_ID, is_private=is_private,
        )  # fmt: skip


def written(db: Database, *told: Event) -> int:
    events.make_months(db, [each.created_at for each in told])
    with db.transaction() as tx:
        return events.write(tx, REPOSITORY, told)


def here(db: Database, table: str) -> list[str]:
    with db.transaction(read_only=True) as tx:
        rows = tx.rows(f"select actor_login, event_type, created_at from {table} order by created_at, actor_login")  # noqa: S608
    return [f"{row['event_type']} {row['actor_login']} {row['created_at']:%d %H}" for row in rows]


def star_of(login: str | None, number: int | None, at: datetime = NOON, source: Source = Source.STARGAZERS) -> Event:
    return star(GITHUB_ID, login, number, at, source)


@pytest.fixture
def existing(existing_database_url: str) -> Iterator[Database]:
    with Database(existing_database_url) as db:
        yield db


@both_places
def test_a_star_is_one_actor_and_day_whoever_tells_of_it(db: Database, is_private: bool | None) -> None:
    repository(db, is_private=is_private)
    told = star_of("ada", 1)
    assert written(db, told, replace(told, created_at=NOON + timedelta(minutes=1))) == 1
    assert written(db, star_of("Ada", 1, NOON + timedelta(seconds=2), Source.EVENTS)) == 0
    assert written(db, star_of("ada", 1, NOON + timedelta(days=1)), star_of("bob", 2)) == 2
    table = "github_events_cache" if is_private is False else "private_events"
    assert here(db, table) == ["WatchEvent bob 01 12", "WatchEvent ada 01 12", "WatchEvent ada 02 12"]


@both_places
def test_those_who_are_gone_are_as_many_as_there_were_moments(db: Database, is_private: bool | None) -> None:
    repository(db, is_private=is_private)
    told = [star_of(None, None, NOON + timedelta(seconds=second)) for second in range(3)]
    assert [written(db, *told), written(db, *told)] == [3, 0]


def test_what_an_application_wrote_of_the_same_star_or_fork_is_not_written_again(existing: Database) -> None:
    repository(existing)
    events.make_months(existing, [NOON])
    with existing.transaction() as tx:
        for event_id, kind, actor, payload in (
            ("WatchEvent_5", "WatchEvent", "ada", '{"action": "started"}'),
            ("6", "ForkEvent", "bob", '{"forkee": {"full_name": "bob/kit"}}'),
            ("PushEvent_7", "PushEvent", "bob", "{}"),
        ):
            tx.run(
                "insert into github_events_cache (event_id, event_type, actor_login, repository_owner, repository_name,"
                " payload, created_at) values (%(id)s, %(kind)s, %(actor)s, 'octo', 'kit', %(payload)s::jsonb, %(at)s)",
                id=event_id, kind=kind, actor=actor, payload=payload, at=NOON,
            )  # fmt: skip
    push = replace(star_of("bob", 2, source=Source.EVENTS), event_id="7", event_type="PushEvent", payload={})
    assert written(existing, star_of("ada", 1), fork(9, "bob/kit", "bob", NOON, Source.FORKS), push) == 0
    assert written(existing, fork(10, "carl/kit", "carl", NOON, Source.FORKS)) == 1


def test_months_are_made_where_they_lack_and_only_once(existing: Database) -> None:
    repository(existing)
    months = [datetime(year, month, 28, 23, 59, tzinfo=UTC) for year in (2015, 2026) for month in range(1, 13)]
    events.make_months(existing, [*months, *months])
    events.make_months(existing, months)
    assert written(existing, *(star_of("ada", 1, at) for at in months)) == 24


def test_the_partition_of_a_month_is_closed_to_guests_like_the_table(db: Database) -> None:
    events.make_months(db, [NOON])
    with db.transaction(read_only=True) as tx:
        row = tx.row("select relrowsecurity as closed from pg_class where relname = 'github_events_cache_2026_03'")
    assert row == {"closed": True}


def test_a_repository_that_stops_being_public_takes_its_events_along_and_not_those_of_others(db: Database) -> None:
    repository(db)
    written(db, star_of("ada", 1), star_of("bob", 2))
    with db.transaction() as tx:
        tx.run("insert into github_events_cache (event_id, event_type, actor_login, repository_owner, repository_name,"
               " payload, created_at, source) values ('x', 'WatchEvent', 'eve', 'octo', 'other', '{}', %(at)s, 'e')",
               at=NOON)  # fmt: skip
        tx.run("update repositories set is_private = null where id = %(id)s", id=REPOSITORY)
    assert here(db, "github_events_cache") == ["WatchEvent eve 01 12"]
    assert here(db, "private_events") == ["WatchEvent ada 01 12", "WatchEvent bob 01 12"]
    assert written(db, star_of("ada", 1), star_of("carl", 3)) == 1
    assert here(db, "github_events_cache") == ["WatchEvent eve 01 12"]


def test_events_go_by_the_name_that_the_repository_has_today(db: Database) -> None:
    repository(db)
    written(db, star_of("ada", 1))
    with db.transaction() as tx:
        assert repositories.follow(tx, REPOSITORY, full_name="cat/kit", is_private=False, total=None)
    assert written(db, star_of("ada", 1), star_of("bob", 2)) == 1
    with db.transaction(read_only=True) as tx:
        rows = tx.rows("select distinct repository_owner as owner from github_events_cache")
    assert rows == [{"owner": "cat"}]


def days_of(db: Database) -> list[tuple[int, int, bool]]:
    with db.transaction(read_only=True) as tx:
        rows = tx.rows("select day, stars, provisional from star_days order by day")
    return [(row["day"].day, row["stars"], row["provisional"]) for row in rows]


def test_the_latest_reading_of_a_day_holds_whatever_comes_late(db: Database) -> None:
    repository(db)
    first = [StarDay(day=date(2026, 3, day), stars=day, provisional=day == 3) for day in (1, 2, 3)]
    later = [
        StarDay(day=date(2026, 3, 3), stars=9, provisional=False),
        StarDay(day=date(2026, 3, 2), stars=1, provisional=False),
    ]

    def write(days: Sequence[StarDay], at: datetime) -> int:
        with db.transaction() as tx:
            return events.write_star_days(tx, REPOSITORY, days, at)

    assert [write(first, NOON), write(first, NOON), write(later, NOON + timedelta(hours=1)), write(first, NOON)] == [
        3,
        0,
        2,
        0,
    ]
    assert days_of(db) == [(1, 1, False), (2, 1, False), (3, 9, False)]


def test_a_snapshot_is_kept_once_a_day_and_at_each_change(db: Database) -> None:
    repository(db)
    told = [(0, 5, 1), (1, 5, 1), (2, 6, 1), (3, 5, 1), (11.9, 5, 1), (12, 5, 1), (13, 5, 1), (14, 5, 2)]
    kept = [0]
    for hours, stars, forks in told:
        counted(db, hours, stars, forks)
        kept.append(len(snapshots(db)))
    assert [after - before for before, after in pairwise(kept)] == [1, 0, 1, 1, 0, 1, 0, 1]
    assert shown(db) == (5, 2)


def counted(db: Database, hours: float, stars: int, forks: int) -> None:
    with db.transaction() as tx:
        at = NOON + timedelta(hours=hours)
        events.write_snapshots(tx, [(REPOSITORY, StarsAndForks(stars=stars, forks=forks), at)])


def snapshots(db: Database) -> list[int]:
    with db.transaction(read_only=True) as tx:
        return [row["stars"] for row in tx.rows("select stars from count_snapshots order by taken_at")]


def shown(db: Database) -> tuple[int, int]:
    with db.transaction(read_only=True) as tx:
        (row,) = tx.rows("select stargazers_count as stars, forks_count as forks from repositories")
    return row["stars"], row["forks"]


def test_who_comes_late_with_an_earlier_count_changes_nothing_that_is_shown(db: Database) -> None:
    repository(db)
    for hours, stars, forks in ((2, 7, 1), (1, 6, 1)):
        counted(db, hours, stars, forks)
    assert shown(db) == (7, 1)
    assert snapshots(db) == [6, 7]
    with db.transaction() as tx:  # of a repository that is not here nothing is kept
        events.write_snapshots(tx, [(REPOSITORY.replace("1", "2"), StarsAndForks(stars=1, forks=1), NOON)])
    assert snapshots(db) == [6, 7]


def test_what_a_source_covered_stays_covered_when_it_does_not_answer(db: Database) -> None:
    repository(db)

    def write(answer: SourceAnswer) -> None:
        with db.transaction() as tx:
            events.write_source(tx, REPOSITORY, answer)

    good = SourceAnswer(
        series=Series.STARS,
        source=Source.HISTORY,
        state=Answering.AVAILABLE,
        asked_at=NOON,
        covered=(Covered(since=NOON - timedelta(days=9), until=NOON - timedelta(days=5)),),
        found=7,
        expected=9,
    )
    write(good)
    write(replace(good, covered=(Covered(since=NOON - timedelta(days=5), until=NOON - timedelta(days=4)),)))
    write(replace(good, covered=(Covered(since=NOON - timedelta(days=2), until=NOON),)))
    write(replace(good, state=Answering.UNAVAILABLE, reason="FORBIDDEN", covered=(), found=None, expected=None))
    with db.transaction(read_only=True) as tx:
        (standing,) = events.sources(tx, REPOSITORY)
    assert (standing.state, standing.reason, standing.unexplained) == (Answering.UNAVAILABLE, "FORBIDDEN", 2)
    spans = [((each.since - NOON).days, (each.until - NOON).days) for each in standing.covered]
    assert spans == [(-9, -4), (-2, 0)]
