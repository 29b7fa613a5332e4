"""Workspaces first, then issues, pull requests, discussions."""

from __future__ import annotations

from itertools import permutations

from gh_backfill.policy.embedding.order import ItemType, Stretch, in_order

SORTED = [
    Stretch(item_type=item_type, repository_id=repository, in_workspace=repository == "team", ready=1)
    for repository in ("team", "plain")
    for item_type in (ItemType.ISSUE, ItemType.PULL_REQUEST, ItemType.DISCUSSION)
]


def test_every_item_of_a_workspace_comes_before_any_other_and_the_types_by_their_worth() -> None:
    for given in permutations(SORTED):
        assert in_order(given) == SORTED


def test_where_nothing_waits_nobody_walks() -> None:
    done = Stretch(item_type=ItemType.ISSUE, repository_id="team", in_workspace=True, ready=0)
    assert in_order([done, SORTED[-1]]) == [SORTED[-1]]
