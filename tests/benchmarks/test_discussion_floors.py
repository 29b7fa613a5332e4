"""Discussions cost what the benchmark says that they may, every row there."""

from __future__ import annotations

from math import ceil
from pathlib import Path

from gh_backfill.simulator.loading import load
from tests.benchmarks.discussion_floors import comments, discussions
from tests.benchmarks.rig import Rig
from tests.conftest import Server
from tests.discussion_comparison import floor


def test_a_capture_of_discussions_stays_near_its_floor(server: Server, tmp_path: Path) -> None:
    (table,) = discussions(Rig(server=server, folder=tmp_path), (101,))
    assert table.missed == ()
    world = load(recipes=["bench/talk-101:2:discussions=101"])
    ((name, many, said, told, points, most, _),) = table.rows
    least = floor(world, "bench/talk-101")
    assert (name, many, said, told) == ("bench/talk-101", 101, comments(world), least)
    assert isinstance(points, int)
    assert most == round(1.1 * ceil(least) + 2, 1)
    assert least <= points <= 1.1 * ceil(least) + 2
