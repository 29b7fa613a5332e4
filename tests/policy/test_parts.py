"""Parts of a walk: as many as pay, and every number in one of them."""

from __future__ import annotations

import pytest

from gh_backfill.policy.parts import parts, ranges


@pytest.mark.parametrize(
    ("pull_requests", "identities", "expected"),
    [(50_000, 1, 1), (10_000, 3, 1), (10_001, 3, 2), (25_000, 2, 2), (25_000, 3, 3), (1_000_000, 9, 5), (0, 3, 1)],
)
def test_there_are_as_many_parts_as_identities_if_each_is_worth_it(
    pull_requests: int, identities: int, expected: int
) -> None:
    assert parts(pull_requests, identities=identities, per_part=10_000) == expected


@pytest.mark.parametrize(("highest", "many"), [(10, 1), (10, 3), (7, 5), (2, 5), (12_345, 4)])
def test_every_number_is_in_one_range_the_newest_first(highest: int, many: int) -> None:
    found = ranges(highest, many)
    assert [number for low, high in found for number in range(high, low - 1, -1)] == list(range(highest, 0, -1))
