"""The deterministic figures stay within their recorded bounds (`scripts/bench --quick`); tables are true."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.benchmarks import aggregation, distance, initial, pages, plot, quick, tables
from tests.benchmarks.rig import Rig
from tests.benchmarks.worlds import Source, shapes
from tests.conftest import Server


def test_a_capture_costs_no_more_points_requests_and_statements_than_recorded(server: Server, tmp_path: Path) -> None:
    figures = quick.measure(Rig(server=server, folder=tmp_path), quick.source())
    assert quick.exceeded(figures, quick.bounds()) == []


def test_a_capture_stays_near_the_floor_of_price_lists_that_nobody_told_us_in_a_first_and_a_second_process(
    server: Server, tmp_path: Path
) -> None:
    assert quick.prices(Rig(server=server, folder=tmp_path)).missed == ()


def test_of_a_bulk_exactly_what_is_broken_for_good_fails_and_the_rest_has_its_newest(
    server: Server, tmp_path: Path
) -> None:
    bulk = initial.quick(Rig(server=server, folder=tmp_path))
    assert bulk.wrong == ""
    assert bulk.statuses == {"bench/of-300": "completed"} | {
        f"bench/small-{number}": "failed" if number == 7 else "completed" for number in range(8)
    }


def test_a_chunk_takes_no_more_than_eight_round_trips_to_the_database(server: Server, tmp_path: Path) -> None:
    assert distance.trips_of_a_chunk(Rig(server=server, folder=tmp_path)) <= distance.A_CHUNK


@pytest.mark.parametrize("many", distance.MANY)
def test_no_command_takes_more_round_trips_to_its_database_for_more_repositories(
    server: Server, tmp_path: Path, many: int
) -> None:
    measured = distance.figures(Rig(server=server, folder=tmp_path), many)
    name = f"{many} repositories far away"
    assert quick.exceeded({name: measured}, quick.bounds()) == []
    assert {command for command, trips in measured.items() if trips > distance.ALLOWED[command]} == set()


def test_a_workspace_is_aggregated_in_as_many_round_trips_and_scans_whatever_its_repositories(
    server: Server, tmp_path: Path
) -> None:
    rig = Rig(server=server, folder=tmp_path)
    taken = []
    for repositories in (20, 80):
        url = rig.database()
        aggregation.fill(url, repositories, 60 * repositories)
        taken.append(aggregation.measure(url, "bench"))
        rig.drop(url)
    assert [each.trips for each in taken] == [aggregation.MOST_TRIPS] * 2
    assert max(each.scans for each in taken) <= aggregation.MOST_SCANS


def test_a_figure_over_its_bound_and_one_without_a_bound_are_named() -> None:
    allowed = {"a/b": {"points": 5}}
    assert quick.exceeded({"a/b": {"points": 5}}, allowed) == []
    assert quick.exceeded({"a/b": {"points": 6}}, allowed) == ["a/b: points is 6, the bound is 5"]
    assert quick.exceeded({"c/d": {"points": 1}}, allowed) == ["c/d: points is 1, the bound is not recorded"]


def test_the_floor_counts_full_pages_full_top_ups_and_overflow() -> None:
    (shape,) = shapes(Source(recipes=("floor/of:300",)))
    assert (shape.pull_requests, len(shape.ids["reviews"])) == (300, shape.reviews)
    assert shape.floor == -(-300 // 74) + -(-shape.units // 149) + -(-shape.overflow // 149)
    assert shape.overflow >= 3 + 2  # number 7 has 337 reviews, number 11 has 260 comments


def test_a_page_takes_its_tables_from_the_results() -> None:
    results = {"points": {"columns": ["a", "b"], "rows": [["x", 1234], ["y", 0.5]], "notes": ["n"]}}
    page = "before\n<!-- begin points -->\nold\n<!-- end points -->\nafter"
    told = tables.document(page, results)
    assert told.startswith("before\n<!-- begin points -->\n| a | b |\n| --- | ---: |\n| x | 1,234 |\n| y | 0.50 |\n")
    assert told.endswith("- n\n<!-- end points -->\nafter")
    assert "old" not in told
    with pytest.raises(ValueError, match="wall"):
        tables.document("<!-- begin wall -->\n<!-- end wall -->", results)


def test_linear_growth_is_drawn_as_a_straight_line() -> None:
    drawn = plot.svg([plot.Line(name="points", points=((1_000, 20), (10_000, 200), (100_000, 2_000)))])
    circles = [part.split('"') for part in drawn.split("<circle ")[1:]]
    places = [(float(each[1]), float(each[3])) for each in circles]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in pairwise(places)]
    assert slopes[0] == pytest.approx(slopes[1], rel=0.01)


def test_a_page_takes_as_many_round_trips_for_many_repositories_as_for_few(server: Server, tmp_path: Path) -> None:
    (table,) = pages.pages(Rig(server=server, folder=tmp_path), ((10, 400), (200, 8_000)))
    assert [miss for miss in table.missed if "round trips" in miss] == []
