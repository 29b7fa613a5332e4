"""Where the marks of a chart stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.web import charts

values = st.lists(st.one_of(st.none(), st.floats(0, 1e9), st.integers(0, 10**9)), max_size=60)


@given(values)
def test_bars_stay_within_their_chart(given_values: list[charts.Value]) -> None:
    drawn = charts.bars([(str(place), value) for place, value in enumerate(given_values)])
    assert len(drawn.bars) == len(given_values)
    for bar in drawn.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= 100.01
        assert charts.TOP - 0.01 <= bar.y <= bar.y + bar.height <= charts.FLOOR + 0.01


def test_a_value_that_is_not_zero_is_seen() -> None:
    few, many, none, unknown = charts.bars([("a", 1), ("b", 100_000), ("c", 0), ("d", None)]).bars
    assert few.height == 2
    assert many.height == charts.HEIGHT
    assert none.height == unknown.height == 0


@given(values)
def test_lines_have_a_gap_where_nothing_is_known(given_values: list[charts.Value]) -> None:
    (shape,) = charts.lines([str(each) for each in given_values], {"points": given_values}).shapes
    pieces = sum(
        1
        for place, value in enumerate(given_values)
        if value is not None and (place == 0 or given_values[place - 1] is None)
    )
    assert len(shape.parts) == pieces


def test_areas_stand_on_each_other() -> None:
    low, high = charts.stacked(["a", "b"], {"completed": [10, 0], "failed": [10, 20]}).shapes
    assert low.parts == ("0.0,50.0 100.0,100.0 100.0,100.0 0.0,100.0",)
    assert high.parts == ("0.0,0.0 100.0,0.0 100.0,100.0 0.0,50.0",)


def test_a_heat_map_tells_nothing_from_unknown() -> None:
    (row,) = charts.heat_map(["00", "01", "02", "03"], [("Mon", [None, 0, 1, 12])], gutter=12)
    assert [cell.level for cell in row.cells] == [None, 0, 1, 4]
    assert row.cells[0].x == 12
    assert row.cells[-1].x + row.cells[-1].width <= 100


@given(st.lists(st.text(max_size=5), max_size=400))
def test_labels_are_few_and_fewer_where_it_is_narrow(labels: list[str]) -> None:
    chosen = charts.ticks(labels)
    assert len(chosen) <= charts.WIDE_TICKS
    assert len([each for each in chosen if not each.minor]) <= charts.NARROW_TICKS
    assert bool(chosen) == bool(labels)


def test_the_scale_ends_with_a_round_number() -> None:
    assert [charts.nice(each) for each in (0, 0.3, 1, 3, 7, 912, 1000, 1001)] == [1, 1, 1, 5, 10, 1000, 1000, 2000]


def test_counts_have_a_scale_of_whole_numbers() -> None:
    wanted = {
        0: [1],
        1: [1],
        2: [1, 2],
        3: [2, 4],
        4: [2, 4],
        5: [3, 6],
        6: [3, 6],
        7: [5, 10],
        30: [25, 50],
        912: [500, 1000],
    }
    for most, scale in wanted.items():
        for drawn in (charts.bars([("a", most), ("b", None)]), charts.lines(["a"], {"x": [most]})):
            assert [each.value for each in drawn.frame.grid] == scale, most
    stacked = charts.stacked(["a", "b"], {"complete": [2, 1], "open": [3, 4]})
    assert [each.value for each in stacked.frame.grid] == [3, 6]
    assert [each.value for each in charts.lines(["a"], {"x": [0.3]}).frame.grid] == [0.5, 1]


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_no_count_is_above_its_scale(counts: list[int]) -> None:
    frame = charts.bars([("", each) for each in counts]).frame
    assert frame.most >= max(counts)
    assert all(each.value.is_integer() for each in frame.grid)
