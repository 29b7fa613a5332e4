"""What pages draw of days: bars with a strip under them, a map of what is known, and a workspace's figures together."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.velocity import trend
from gh_backfill.store import events
from gh_backfill.store.db import Database
from gh_backfill.tasks.pages.heat_map import heat_map
from gh_backfill.tasks.pages.timeline import timeline
from gh_backfill.tasks.velocity.figures import velocities
from gh_backfill.tasks.velocity.together import together
from tests.velocity_by_hand import DAY, Plain, Span, Told
from tests.velocity_rows import at, store

NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
TODAY = int(NOW.timestamp() // DAY)


def plain(since: int, until: int, *sources: tuple[str, str], each_day: int = 1) -> Plain:
    """Return stars and forks, so many on each day, of which the sources know the days from so many before today on."""
    told = [
        Told(kind, f"{kind}{back}-{n}", 100 * back + n, (TODAY - back) * DAY)
        for kind in ("WatchEvent", "ForkEvent")
        for back in range(1, 91)
        for n in range(each_day)
    ]
    spans = [Span(*which, (TODAY - since) * DAY, (TODAY - until) * DAY) for which in sources]
    return Plain(told=told, spans=spans)


BOTH = (("stars", "stargazers"), ("forks", "forks"))


def write(db: Database, *each: Plain, is_private: bool = False) -> list[str]:
    events.make_months(db, [at((TODAY - back) * DAY) for back in range(0, 100, 10)])
    with db.transaction() as tx:
        return [store(tx, one, name=f"kit{place}", is_private=is_private) for place, one in enumerate(each)]


def test_the_bars_and_the_strip_of_a_repository_are_its_days(db: Database) -> None:
    (id_,) = write(db, plain(40, 10, ("stars", "stargazers"), ("forks", "events")))
    found = timeline(db, id_, NOW)
    assert found is not None
    assert [bar.count for bar in found.stars.bars] == [None] * 50 + [1] * 30 + [None] * 10
    assert (found.stars.bars[50].words, found.stars.bars[0].words) == (
        "6 Dec 2026: 1 star",
        "17 Oct 2026: unknown: nobody covered it",
    )
    assert [part.words for part in found.forks.strip] == [
        "17 Oct 2026 to 5 Dec 2026: unknown: nobody covered it",
        "6 Dec 2026 to 4 Jan: from the events call",
        "5 Jan to 14 Jan: unknown: nobody covered it",
    ]
    assert sum(part.share for part in found.stars.strip) == 100
    assert (found.stars.strip[0].since, found.stars.strip[-1].until) == (date(2026, 10, 17), NOW.date())
    assert found.stars.text == "30 stars in 90 days, of which 60 are not known."
    shown = json.loads(json_text(found.as_json()))
    assert shown["velocity"]["stars"]["trend"]["outcome"] == "insufficient_data"
    assert [bar["count"] for bar in shown["stars"]["bars"]] == [bar.count for bar in found.stars.bars]


def test_a_chart_is_shown_to_guests_only_where_the_repository_is_public(db: Database) -> None:
    (hidden,) = write(db, plain(90, 0, *BOTH), is_private=True)
    assert timeline(db, hidden, NOW, public_only=True) is None
    assert timeline(db, hidden, NOW) is not None
    assert heat_map(db, [hidden], NOW, public_only=True).rows == ()


def test_the_map_has_a_row_for_each_the_least_known_first_and_cells_of_weeks(db: Database) -> None:
    ids = write(db, plain(90, 0, *BOTH), Plain(), plain(90, 3, *BOTH), plain(90, 0, ("stars", "history")))
    found = heat_map(db, ids, NOW)
    assert [(row.full_name, row.percent, row.needs_backfill) for row in found.rows] == [
        ("octo/kit1", 0.0, True),
        ("octo/kit3", 50.0, True),
        ("octo/kit2", 96.6, True),
        ("octo/kit0", 100.0, False),
    ]
    assert [len(row.cells) for row in found.rows] == [13] * 4
    assert {cell.heat for cell in found.rows[0].cells} == {"unknown"}
    assert [cell.heat for cell in found.rows[2].cells] == ["known"] * 12 + ["partly known"]
    assert found.rows[2].cells[-1].words == "8 Jan to 14 Jan: 57.1 % known"
    assert (found.rows[0].cells[0].since, found.rows[0].cells[0].until) == (date(2026, 10, 17), date(2026, 10, 23))
    assert (found.text, found.needing) == ("3 of 4 need a backfill of events.", 3)
    assert found.rows[2].advice == ("3 days unknown: gh-backfill events octo/kit2 --since 2027-01-12",)
    assert json.loads(json_text(found.as_json()))["rows"][2]["cells"][-1]["heat"] == "partly known"


def test_a_workspace_without_repositories_has_an_empty_map_and_no_figures(db: Database) -> None:
    found = heat_map(db, [], NOW)
    assert (found.rows, found.text) == ((), "No repositories yet.")
    stars, _ = together([])
    assert (stars.per_day, trend.outcome(stars.trend)) == (None, "unavailable")


def test_a_workspace_counts_only_what_is_wholly_known(db: Database) -> None:
    ids = write(db, plain(90, 0, *BOTH), plain(90, 0, *BOTH, each_day=2), plain(40, 0, *BOTH, each_day=50))
    with db.reading() as tx:
        stars, forks = together(velocities(tx, ids, 30, NOW))
    assert (stars.counted, stars.repositories, stars.current, stars.per_day) == (2, 3, 90, 3.0)
    assert stars.as_json(NOW.date()) == forks.as_json(NOW.date())
    assert trend.words(stars.trend, NOW.date()) == "0 % (as many as before)"
