"""Velocity, trend and timeline are what a script makes of the same rows, in every zone and at every boundary."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.velocity import trend as rules
from gh_backfill.store import events
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.velocity.figures import RepositoryVelocity, Velocity, velocities
from tests.benchmarks.line import Line
from tests.corpus import CORPUS
from tests.velocity_by_hand import DAY, Figures, Plain, Span, Told, figures
from tests.velocity_rows import EPOCH, at, store

# 5:45 ahead, half hours with a clock that changes, and the day's other side.
ZONES = ("Asia/Kathmandu", "America/St_Johns", "Pacific/Apia")
PERIOD = 5
KEPLOY_45 = (1_634, "+1,156 %")
# After the turn of a year, of a leap February, and of clocks that go forward and back; within a day and at its edges.
NOWS = [
    datetime(2027, 1, 4, 12, tzinfo=UTC),
    datetime(2028, 3, 2, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 11, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 4, 2, tzinfo=UTC),
    datetime(2026, 11, 4, 6, 30, tzinfo=UTC),
]
FIRST_OF_MONTHS = [date(year, month, 1) for year in (2026, 2027, 2028) for month in range(1, 13)]


@pytest.fixture(params=ZONES)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Let this process live in another zone than UTC, and return which; `in_zone` lets a transaction do so, too."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def in_zone(tx: Transaction, zone: str) -> None:
    """Let a transaction live in a zone: every one of ours begins in UTC, and its statements do without that."""
    tx.run(f"set local timezone = '{zone}'")


def told(found: Velocity) -> Figures:
    """Return what the product says in the words of the script."""
    counts = (*found.previous.counts, *found.current.counts)
    sources = (*found.previous.sources, *found.current.sources)
    first = (found.previous.first - EPOCH).days
    exact = found.current.per_day
    verdict: tuple[object, ...] = (rules.outcome(found.trend),)
    if isinstance(found.trend, rules.InsufficientData):
        verdict += (found.trend.covered, found.trend.needed, (found.trend.enough_on - EPOCH).days)
    if isinstance(found.trend, rules.PercentChange):
        verdict += (Decimal(found.trend.tenths) / 10,)
    return Figures(
        days=[(first + place, *each) for place, each in enumerate(zip(sources, counts, strict=True))],
        covered=found.current.covered,
        total=found.current.total,
        per_day=None if exact is None else Decimal(exact.numerator) / exact.denominator,
        trend=verdict,
    )


def agree(found: RepositoryVelocity, plain: Plain, now: datetime, period: int) -> None:
    for series, own in (("stars", found.stars), ("forks", found.forks)):
        by_hand = figures(plain, series, now.timestamp(), period)
        if rules.outcome(own.trend) == "unavailable":  # nobody was asked, which a script does not know
            assert by_hand.covered == 0
            continue
        assert told(own) == by_hand


def make_months(db: Database) -> None:
    events.make_months(db, [datetime(each.year, each.month, 15, tzinfo=UTC) for each in FIRST_OF_MONTHS])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[datetime, Plain, list[bool]]:
    now = draw(st.sampled_from(NOWS))
    today = int(now.timestamp() // DAY)
    edges = st.sampled_from([0, 0.5, 1, 43_200, DAY - 1, DAY - 0.5])
    moments = st.builds(lambda back, second: (today - back) * DAY + second, st.integers(-1, 2 * PERIOD + 2), edges)
    people = st.sampled_from(
        [("ada", 1), ("Ada", None), ("ada", None), ("bob", 2), ("bob", 3), ("eve", None), ("ghost", None)]
    )
    made = st.sampled_from([("a/kit", 1), ("A/kit", None), ("b/kit", 2), ("c/kit", None)])
    star = st.builds(Told, st.sampled_from(["WatchEvent"] * 4 + ["StarRemovedEvent"]), st.none(), st.none(), moments)
    rows = [
        Told(each.type, who[0], who[1], each.at)
        for each, who in draw(
            st.lists(st.tuples(star, people), max_size=25, unique_by=lambda pair: (pair[0].at, pair[1]))
        )
    ]
    rows += [
        Told("ForkEvent", which[0], which[1], when)
        for when, which in draw(st.lists(st.tuples(moments, made), max_size=10))
    ]
    rows += [Told("PushEvent", "ada", 1, today * DAY - 5)]
    ends = st.builds(lambda back, second: (today - back) * DAY + second, st.integers(-1, 2 * PERIOD + 1), edges)
    sources = st.sampled_from(
        [("stars", each) for each in ("stargazers", "history", "events", "webhook")]
        + [("forks", each) for each in ("forks", "events")]
    )
    spans = [
        Span(which[0], which[1], min(pair), max(pair))
        for which, pair in draw(st.lists(st.tuples(sources, st.tuples(ends, ends)), max_size=6))
        if pair[0] != pair[1]
    ]
    # Of every second example all is covered, by a source or two.
    for series, source in draw(st.one_of(st.just([]), st.lists(sources, min_size=2, max_size=3))):
        spans.append(Span(series, source, (today - 2 * PERIOD - 1) * DAY, now.timestamp()))
    history = draw(
        st.dictionaries(
            st.integers(today - 2 * PERIOD - 1, today), st.tuples(st.integers(0, 9), st.booleans()), max_size=8
        )
    )
    # An application knows no ids of its actors.
    ours = [draw(st.booleans()) or each.number is not None for each in rows]
    return now, Plain(told=rows, spans=spans, history=history), ours


@given(worlds(), st.sampled_from([False, True, None]))
def test_whatever_is_known_the_figures_are_those_of_the_script(
    zone: str, db: Database, world: tuple[datetime, Plain, list[bool]], is_private: bool | None
) -> None:
    now, plain, ours = world
    make_months(db)
    with db.transaction() as tx:
        in_zone(tx, zone)
        id_ = store(tx, plain, ours=ours, is_private=is_private)
        (found,) = velocities(tx, [id_], PERIOD, now)
    agree(found, plain, now, PERIOD)


def keploy() -> tuple[list[Told], datetime]:
    """Return 6,889 real stars, and the moment at which they were listed."""
    folder = CORPUS / "keploy__keploy"
    if not folder.is_dir():
        pytest.skip(f"the corpus is not at {folder}")
    with gzip.open(folder / "stargazers.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    told = [
        Told("WatchEvent", row["user"]["login"], None, datetime.fromisoformat(row["starred_at"]).timestamp())
        for row in rows
    ]
    return told, datetime(2025, 3, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize("way", ["stargazers", "history", "both"])
def test_ninety_days_of_real_stars_are_exact_by_either_way(zone: str, db: Database, way: str) -> None:
    stars, now = keploy()
    ends = now.timestamp() // DAY * DAY
    plain = Plain(spans=[Span("stars", each, 0, ends) for each in ("stargazers", "history") if way in (each, "both")])
    if way != "history":
        plain.told = stars
    if way != "stargazers":
        for each in stars:
            day = int(each.at // DAY)
            plain.history[day] = (plain.history.get(day, (0, True))[0] + 1, day * DAY < ends)
    events.make_months(db, [at(each.at) for each in stars])
    with db.transaction() as tx:
        in_zone(tx, zone)
        id_ = store(tx, plain)
        (month,) = velocities(tx, [id_], 30, now)
        (found,) = velocities(tx, [id_], 45, now)
    agree(month, plain, now, 30)
    agree(found, plain, now, 45)
    assert len(stars) == 6_889
    # What a person counts with `zcat stargazers.jsonl.gz | cut -c16-25 | sort | uniq -c`.
    assert (found.stars.current.total, rules.short(found.stars.trend)) == KEPLOY_45
    used = {"both": "stargazers"}.get(way, way)
    assert found.stars.current.by_source == {used: 45}


NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
TODAY = int(NOW.timestamp() // DAY)
ALL = [Span("stars", "stargazers", 0, TODAY * DAY), Span("forks", "forks", 0, TODAY * DAY)]


def noon(back: int, seconds: float = 0) -> float:
    """Return the noon of a day before today, and so many seconds."""
    return (TODAY - back) * DAY + DAY / 2 + seconds


def found(
    db: Database, plain: Plain, *, is_private: bool | None = False, ours: Sequence[bool] = ()
) -> RepositoryVelocity:
    make_months(db)
    with db.transaction() as tx:
        id_ = store(tx, plain, is_private=is_private, ours=ours)
        (each,) = velocities(tx, [id_], PERIOD, NOW)
    return each


def test_a_star_that_two_tell_of_is_one_also_on_both_sides_of_midnight(db: Database) -> None:
    edge = (TODAY - 2) * DAY
    told = [Told("WatchEvent", "ada", 1, edge - 1), Told("WatchEvent", "Ada", None, edge + 1)]
    each = found(db, Plain(told=told, spans=ALL), ours=[True, False])
    assert each.stars.current.counts == (0, 0, 0, 1, 0)


def test_those_who_are_gone_count_one_by_one_and_what_was_taken_back_does_not_count(db: Database) -> None:
    told = [Told("WatchEvent", "ghost", None, noon(1, second)) for second in range(3)]
    told += [Told("WatchEvent", "bob", 2, noon(3)), Told("StarRemovedEvent", "bob", 2, noon(2))]
    told += [Told("WatchEvent", "eve", 3, noon(4)), Told("StarRemovedEvent", "eve", 3, noon(3))]
    told += [Told("WatchEvent", "eve", 3, noon(2))]
    assert found(db, Plain(told=told, spans=ALL)).stars.current.counts == (0, 0, 0, 1, 3)


def test_a_day_that_nobody_covered_is_unknown_and_never_zero(db: Database) -> None:
    told = [Told("WatchEvent", "ada", 1, noon(1))]
    each = found(db, Plain(told=told))
    assert each.stars.current.counts == (None,) * PERIOD
    assert (each.stars.per_day, each.stars.current.total) == (None, None)
    assert rules.words(each.stars.trend, NOW.date()) == "unavailable (nobody asked for it yet)"
    almost = Span("stars", "events", (TODAY - 3) * DAY + 1, TODAY * DAY)
    each = found(db, Plain(told=told, spans=[almost]))
    assert each.stars.current.counts == (None, None, None, 0, 1)
    enough = "insufficient data (2 of 10 days, enough on 5 Dec)"
    assert rules.words(each.stars.trend, NOW.date()) == enough


def test_a_day_of_the_history_that_was_not_over_when_it_was_read_is_unknown(db: Database) -> None:
    history = {TODAY - 2: (4, True), TODAY - 1: (1, False)}
    each = found(db, Plain(history=history, spans=[Span("stars", "history", 0, TODAY * DAY)]))
    assert each.stars.current.counts == (0, 0, 0, 4, None)


def test_the_list_goes_before_the_history_and_that_before_events_day_by_day(db: Database) -> None:
    told = [Told("WatchEvent", "ada", 1, noon(back)) for back in (5,)]
    told += [Told("WatchEvent", f"u{back}", 10 + back, noon(back)) for back in range(1, 5)]
    spans = [
        Span("stars", "events", (TODAY - 5) * DAY, TODAY * DAY),
        Span("stars", "history", (TODAY - 4) * DAY, (TODAY - 1) * DAY),
        Span("stars", "stargazers", (TODAY - 3) * DAY, (TODAY - 2) * DAY),
    ]
    each = found(db, Plain(told=told, spans=spans, history={TODAY - 4: (7, True), TODAY - 3: (8, True)}))
    assert each.stars.current.sources == ("events", "history", "stargazers", "history", "events")
    assert each.stars.current.counts == (1, 7, 1, 0, 1)


@pytest.mark.parametrize("is_private", [True, None])
def test_guests_see_nothing_of_what_is_not_known_to_be_public(db: Database, is_private: bool | None) -> None:
    make_months(db)
    plain = Plain(told=[Told("WatchEvent", "ada", 1, noon(1))], spans=ALL)
    with db.transaction() as tx:
        ids = [store(tx, plain, is_private=is_private), store(tx, plain)]
        assert {each.stars.current.total for each in velocities(tx, ids, PERIOD, NOW)} == {1}
        (guests,) = velocities(tx, ids, PERIOD, NOW, public_only=True)
        assert guests.repository.id == ids[1]
        tx.run("update event_sources set state = 'unavailable', reason = 'octo/secret is not shown'")
        (guests,) = velocities(tx, ids, PERIOD, NOW, public_only=True)
    assert {each.reason for each in guests.stars.asked} == {"the reason is not published"}


def test_events_of_another_repository_that_had_the_name_before_are_not_counted(db: Database) -> None:
    make_months(db)
    with db.transaction() as tx:
        id_ = store(tx, Plain(told=[Told("WatchEvent", "ada", 1, noon(1))], spans=ALL))
        tx.run("update github_events_cache set repository_github_id = 5")
        (each,) = velocities(tx, [id_], PERIOD, NOW)
    assert each.stars.current.total == 0


def test_what_github_counted_is_a_series_of_its_own(db: Database) -> None:
    looks = [(9, 50, 5), (6, 60, 5), (4, 58, 6), (4.2, 61, 6), (2, 64, 6), (1, 63, 7), (0, 90, 9)]
    with db.transaction() as tx:
        id_ = store(tx, Plain(spans=ALL))
        for back, stars, forks in looks:
            tx.run("insert into count_snapshots values (%(id)s, %(at)s, %(stars)s, %(forks)s)",
                   id=id_, at=at(noon(0) - back * DAY), stars=stars, forks=forks)  # fmt: skip
        (each,) = velocities(tx, [id_], PERIOD, NOW)
    assert each.observed is not None
    assert (each.observed.stars, each.observed.forks, each.observed.taken_back) == (3, 2, 4)
    assert (each.observed.since, each.observed.until) == (at(noon(6)), at(noon(1)))
    assert each.stars.current.total == 0


CAPTURED = """
    insert into backfills (repository_id, kind, status, total, captured) values (%(id)s, %(kind)s, %(status)s, 1, 1)
    returning id
"""
STREAM = """
    insert into backfill_streams (repository_id, backfill_id, kind, stream, status, ordering, goal_max_items, watermark)
    values (%(id)s, %(backfill)s, %(kind)s, %(stream)s, 'completed', %(ordering)s, %(goal)s, %(watermark)s)
"""


PULL_REQUEST = """
    insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name, base_branch,
                               head_branch, created_at, updated_at)
    values (%(n)s, %(n)s, 't', 'open', %(id)s, 'o/n', 'a', 'b', %(at)s, now())
"""


def capture(
    tx: Transaction, id_: str, kind: str, until: float, *, goal: int | None = None, status: str = "completed"
) -> None:
    (row,) = tx.rows(CAPTURED, id=id_, kind=kind, status=status)
    for stream, ordering in (("history", "CREATED_AT"), ("catch_up", "UPDATED_AT")):
        tx.run(STREAM, id=id_, backfill=row["id"], kind=kind, stream=stream, ordering=ordering, goal=goal,
               watermark=at(until))  # fmt: skip


def pull_request(tx: Transaction, id_: str, number: int, when: float) -> None:
    tx.run(PULL_REQUEST, n=number, id=id_, at=at(when))


def test_the_work_of_a_day_is_known_as_far_as_its_history_is_captured(db: Database) -> None:
    with db.transaction() as tx:
        whole, newest, none = (store(tx, Plain()) for _ in range(3))
        for number, (id_, back) in enumerate([(whole, 3), (whole, 3), (whole, 1), (newest, 4), (newest, 2), (none, 2)]):
            pull_request(tx, id_, number, noon(back))
        capture(tx, whole, "pull_requests", noon(1))
        capture(tx, newest, "pull_requests", noon(0), goal=2)
        capture(tx, none, "pull_requests", noon(0), status="active")
        capture(tx, whole, "issues", noon(2))
        each = {one.repository.id: one.repository.counts for one in velocities(tx, [whole, newest, none], PERIOD, NOW)}
    counts = {name: counts.counts[PERIOD:] for name, counts in each[whole].items()}
    assert counts["pull_requests"] == (0, 0, 2, 0, None)
    assert counts["reviews"] == (0, 0, 0, 0, None)
    assert counts["issues"] == counts["issue_comments"] == (0, 0, 0, None, None)
    assert each[newest]["pull_requests"].counts[PERIOD:] == (None, None, 0, 1, 0)
    assert each[newest]["reviews"].known == each[none]["pull_requests"].known == ()


def test_an_installation_of_an_application_is_counted_where_a_source_covered_its_days(
    existing_database_url: str,
) -> None:
    told = [Told("WatchEvent", "ada", None, noon(1)), Told("ForkEvent", "ada/kit", None, noon(2))]
    with Database(existing_database_url) as db:
        own = found(db, Plain(told=told, spans=ALL), ours=[False, False])
        alone = found(db, Plain(told=told), ours=[False, False])
    assert (own.stars.current.counts, own.forks.current.counts) == ((0, 0, 0, 0, 1), (0, 0, 0, 1, 0))
    assert alone.stars.current.known == ()


def test_a_full_workspace_is_answered_in_one_round_trip_and_more_is_refused(database_url: str) -> None:
    with Line(database_url) as line, Database(line.url) as db:
        make_months(db)
        with db.transaction() as tx:
            plain = Plain(told=[Told("WatchEvent", "ada", 1, noon(1))], spans=ALL)
            ids = [store(tx, plain) for _ in range(40)]
            tx.run(
                "insert into repositories (github_id, full_name, owner, name, is_private)"
                " select n, 'many/' || n, 'many', n::text, false from generate_series(1, 960) n"
            )
            ids = [row["id"] for row in tx.rows("select id from repositories")]
        line.forget()
        with db.reading() as tx:
            each = velocities(tx, ids, 30, NOW)
            assert (len(each), sum(one.stars.current.total or 0 for one in each)) == (1_000, 40)
            with pytest.raises(ValueError, match="1001 repositories"):
                velocities(tx, [*ids, "x"], 30, NOW)
            with pytest.raises(ValueError, match="400 days"):
                velocities(tx, ids, 200, NOW)
        assert len(line.forget()) == 1
