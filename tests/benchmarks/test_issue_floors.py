"""The floors of issues are what their definition says, on worlds whose counts are known."""

from __future__ import annotations

from math import ceil

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from tests.benchmarks import tables
from tests.benchmarks.github import Tally
from tests.benchmarks.issue_floors import issue_shape, issue_shapes, points_table, requests_table, target
from tests.benchmarks.worlds import Source, corpus

NAME = "floor/of"


def test_the_floors_count_each_list_once_and_further_pages() -> None:
    (shape,) = issue_shapes(Source(recipes=(f"{NAME}:200",)))
    assert (shape.issues, shape.pull_requests) == (16, 200)
    assert shape.further == 2  # number 13 has 130 comments, number 26 has 104 labels
    lists = shape.with_labels + shape.with_assignees + shape.further
    assert shape.floor == pytest.approx((16 + lists) / 149)
    assert shape.floor_by_counts == pytest.approx((1 + shape.with_comments + lists) / 149)
    assert shape.listed == ceil(216 / 100)
    assert shape.requests == 3 + ceil((shape.comments + shape.conversations) / 100)


def test_an_issue_costs_what_it_has() -> None:
    world = load(recipes=[f"{NAME}:5"])
    (home,) = world.repositories
    changes.open_issue(world, NAME, title="Bare", author="ann")
    bare = issue_shape(world, home)
    assert (bare.floor * 149, bare.floor_by_counts * 149) == pytest.approx((1, 1))
    number = changes.open_issue(world, NAME, title="Full", author="ann", labels=["a"], assignees=["ann"]).number
    changes.comment(world, NAME, number, author="ann")
    full = issue_shape(world, home)
    assert (full.floor * 149, full.floor_by_counts * 149) == pytest.approx((4, 4))
    changes.edit_issue(world, NAME, number, assignees=["robot[bot]"])
    assert issue_shape(world, home).with_assignees == 0


def test_the_whole_corpus_has_floors_and_their_sum() -> None:
    source = corpus()
    if not source.folders:
        pytest.skip("there is no corpus")
    shapes = issue_shapes(source)
    points, requests = points_table(shapes), requests_table(shapes)
    assert [row[0] for row in points.rows] == [row[0] for row in requests.rows]
    assert len(points.rows) == 12
    assert points.rows[-1][:3] == ("all", 3_106, 10_705)
    assert "| all | 3,106 | 10,705 |" in tables.markdown(points.as_json())


def test_what_a_capture_cost_stands_beside_the_floors_and_too_much_is_named() -> None:
    (shape,) = shapes = issue_shapes(Source(recipes=(f"{NAME}:200",)))
    few, many = (Tally(points=points, requests=3, nodes=0, rest=0, refused=0) for points in (2, 9))
    table = points_table(shapes, [few])
    assert (table.columns[-2:], table.rows[0][-2:], table.missed) == (("measured", "requests"), (2, 3), ())
    assert points_table(shapes, [many]).missed == (f"{shape.name}: 9 points, the target is {target(shape):.1f}",)
