"""A search takes the same statements whatever there is, and the benchmark of it tells what an index finds."""

from __future__ import annotations

from pathlib import Path

from gh_backfill.store.db import Database
from tests.benchmarks import search
from tests.benchmarks.instruments import recording
from tests.benchmarks.rig import Rig
from tests.conftest import Server

MOST = 18


def test_a_search_takes_as_many_statements_over_many_items_as_over_few(server: Server, tmp_path: Path) -> None:
    rig = Rig(server=server, folder=tmp_path)
    counts = []
    for items in (400, 2_000):
        url = rig.database()
        search.fill(url, items)
        with recording() as record, Database(url) as db:
            for pattern in (*search.TEXTS.values(), None):
                search.once(db, 1, pattern, 0, record)
                counts.append(len(record.statements))
        rig.drop(url)
    assert counts[:5] == counts[5:]
    assert max(counts) <= MOST


def test_what_an_index_finds_of_the_nearest_is_told(server: Server, tmp_path: Path) -> None:
    rig = Rig(server=server, folder=tmp_path)
    url = rig.database()
    search.fill(url, 6_000)
    found = search.recalls(url)
    assert [row[1] for row in found[:2]] == [6_000, 2_400]
    assert all(0.9 <= row[4] <= 1 for row in found)
    rig.drop(url)
