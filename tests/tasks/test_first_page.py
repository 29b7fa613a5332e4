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


def others(house: House, many: int, *, total: int, page: int, too_big: int | None = None) -> None:
    """Let other repositories be here, with so many pull requests, that were captured with pages of a size."""
    with house.db.transaction() as tx:
        tx.run(
            """with made as (
                   insert into repositories (github_id, full_name, owner, name, github_pull_requests)
                   select 9000 + n, 'other/' || n, 'other', n::text, %(total)s from generate_series(1, %(many)s) as n
                   returning id
               )
               insert into backfills (repository_id, kind, total, captured, status)
               select id, 'pull_requests', %(total)s, %(total)s, 'completed' from made""",
            total=total,
            many=many,
        )
        tx.run(
            """insert into backfill_streams (repository_id, kind, backfill_id, backfill_state_id, stream, ordering,
                                             status, page_size, page_worked, page_too_big, items_done)
               select repository_id, kind, id, id, 'history', 'CREATED_AT', 'completed', %(page)s, %(page)s,
                      %(too_big)s, %(total)s
               from backfills where repository_id in (select id from repositories where owner = 'other')""",
            page=page,
            too_big=too_big,
            total=total,
        )


def test_a_new_repository_begins_with_the_page_that_others_of_its_size_took(house: House) -> None:
    house.track(ENGINE)
    others(house, 3, total=200, page=60)
    assert first_page(house) == 60


def test_too_few_others_or_others_of_another_size_tell_nothing(house: House) -> None:
    house.track(ENGINE)
    others(house, 2, total=200, page=60)
    assert first_page(house) == 25


def test_what_was_too_much_for_others_is_not_tried(house: House) -> None:
    house.track(ENGINE)
    others(house, 3, total=200, page=60, too_big=41)
    assert first_page(house) == 40


def test_others_that_are_much_larger_tell_nothing(house: House) -> None:
    house.track(ENGINE)
    others(house, 5, total=9_000, page=60)
    assert first_page(house) == 25
