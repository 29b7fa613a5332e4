"""The customer's table decides how a walk begins: by size, by what is stored, and by what is left of the hour."""

from __future__ import annotations

import pytest

from gh_backfill.engine.outcome import Limits
from gh_backfill.simulator.options import Options
from gh_backfill.tasks import capture
from tests.tasks.conftest import ENGINE, House

ONE = Limits(max_chunks=1)


def first_page(house: House) -> int:
    house.capture(limits=ONE)
    return chunk_size(house)


def chunk_size(house: House) -> int:
    return int(house.only("select page_size from backfill_chunks order by chunk_number limit 1")["page_size"])


def test_a_walk_begins_with_the_page_of_the_table(house: House) -> None:
    house.track(ENGINE)
    assert first_page(house) == 25


def test_large_pull_requests_that_are_here_make_the_first_page_smaller(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run(
            """insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name,
                                          head_branch, base_branch, created_at, updated_at, changed_files)
               select 1, 1, 'of an older application', 'open', id, full_name, 'topic', 'main', '2001-01-01',
                      '2001-01-01', 101 from repositories"""
        )
    assert first_page(house) == 17


@pytest.mark.parametrize("options", [Options(graphql_limit=100)])
@pytest.mark.parametrize(("spent", "size"), [(79, 25), (81, 12)])
def test_little_left_of_the_hour_halves_the_first_page(house: House, spent: int, size: int) -> None:
    house.track(ENGINE)
    graphql = house.graphql()
    for _ in range(spent - len(house.slept) - 1):  # tracking has cost one
        graphql.execute("query { rateLimit { cost limit remaining resetAt } }", {})
    capture.run(house.db, graphql, house.run, ENGINE, ONE, listen=lambda progress: None, sleep=house.wait)
    assert chunk_size(house) == size
