"""Cursors, orders and the rules of `first` and `last`."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors

_QUERY = """query(
  $first: Int, $last: Int, $after: String, $before: String, $order: IssueOrder, $states: [PullRequestState!]
) {
  repository(owner: "here", name: "full") { name
    pullRequests(first: $first, last: $last, after: $after, before: $before, orderBy: $order, states: $states) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { number } edges { cursor }
    }
  }
}"""
NEWEST = {"field": "CREATED_AT", "direction": "DESC"}
TOUCHED = {"field": "UPDATED_AT", "direction": "DESC"}


def page(application: Application, **variables: Any) -> tuple[list[int], dict[str, Any]]:
    connection = ask(application, _QUERY, **variables)["data"]["repository"]["pullRequests"]
    return [node["number"] for node in connection["nodes"]], connection["pageInfo"] | {
        "total": connection["totalCount"]
    }


def walk(application: Application, order: dict[str, str] | None, size: int = 2) -> list[int]:
    found: list[int] = []
    after = None
    while True:
        numbers, info = page(application, first=size, after=after, order=order)
        found += numbers
        after = info["endCursor"]
        if not info["hasNextPage"]:
            return found


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, [1, 2, 3, 4, 5]),
        (NEWEST, [5, 4, 3, 2, 1]),
        ({"field": "CREATED_AT", "direction": "ASC"}, [1, 2, 3, 4, 5]),
        (TOUCHED, [1, 2, 3, 4, 5]),
        ({"field": "UPDATED_AT", "direction": "ASC"}, [5, 4, 3, 2, 1]),
    ],
)
def test_pages_together_give_every_row_once_in_the_order_asked_for(
    application: Application, order: dict[str, str] | None, expected: list[int]
) -> None:
    assert walk(application, order) == expected


def test_last_and_before_read_backwards(application: Application) -> None:
    numbers, info = page(application, last=2, order=NEWEST)
    assert (numbers, info["hasPreviousPage"], info["hasNextPage"]) == ([2, 1], True, False)
    numbers, info = page(application, last=2, before=info["startCursor"], order=NEWEST)
    assert (numbers, info["hasPreviousPage"], info["hasNextPage"]) == ([4, 3], True, True)


def test_the_total_ignores_the_page_but_not_the_filter(application: Application) -> None:
    _, info = page(application, first=1, order=NEWEST)
    assert info["total"] == 5
    numbers, info = page(application, first=5, order=NEWEST, states=["OPEN"])
    assert (numbers, info["total"]) == ([5, 4, 3], 3)
    assert page(application, first=5, order=NEWEST, states=["MERGED"])[0] == [1]


def test_an_empty_page_has_no_cursors(application: Application) -> None:
    _, last = page(application, first=5, order=NEWEST)
    numbers, info = page(application, first=5, after=last["endCursor"], order=NEWEST)
    assert (numbers, info["startCursor"], info["endCursor"], info["hasNextPage"]) == ([], None, None, False)


def test_a_cursor_outlives_its_row(application: Application, world: World) -> None:
    _, info = page(application, first=2, order=NEWEST)
    changes.delete(world, "here/full", 4)
    assert page(application, first=2, after=info["endCursor"], order=NEWEST)[0] == [3, 2]


def test_a_row_touched_during_a_walk_by_update_is_lost_behind_the_cursor(
    application: Application, world: World
) -> None:
    numbers, info = page(application, first=2, order=TOUCHED)
    changes.edit(world, "here/full", 4, title="touched")
    assert numbers + page(application, first=9, after=info["endCursor"], order=TOUCHED)[0] == [1, 2, 3, 5]


def test_a_walk_by_creation_does_not_notice_touches(application: Application, world: World) -> None:
    numbers, info = page(application, first=2, order=NEWEST)
    changes.edit(world, "here/full", 2, title="touched")
    changes.open_pull_request(world, "here/full", author="ann")
    assert numbers + page(application, first=9, after=info["endCursor"], order=NEWEST)[0] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("forged", ["", "invalid cursor", "MQ==", base64.b64encode(b"cursor:v2:\x91\x01").decode()])
def test_a_cursor_that_github_did_not_give_is_invalid(application: Application, forged: str) -> None:
    answer = ask(application, _QUERY, first=2, after=forged)
    assert errors(answer) == [("INVALID_CURSOR_ARGUMENTS", ["repository", "pullRequests"])]
    assert answer["errors"][0]["message"] == f"`{forged}` does not appear to be a valid cursor."


def test_a_changed_cursor_is_invalid(application: Application) -> None:
    _, info = page(application, first=2, order=NEWEST)
    sealed = bytearray(base64.b64decode(info["endCursor"]))
    sealed[-1] ^= 1
    answer = ask(application, _QUERY, first=2, order=NEWEST, after=base64.b64encode(sealed).decode())
    assert errors(answer)[0][0] == "INVALID_CURSOR_ARGUMENTS"


def test_a_cursor_of_another_order_is_invalid(application: Application) -> None:
    _, info = page(application, first=2, order=NEWEST)
    assert errors(ask(application, _QUERY, first=2, order=TOUCHED, after=info["endCursor"]))


def test_a_cursor_tells_nothing_of_what_it_holds(application: Application) -> None:
    _, info = page(application, first=2, order=NEWEST)
    sealed = base64.b64decode(info["endCursor"])
    assert b"2020" not in sealed
    assert b"CREATED_AT" not in sealed


def test_nodes_without_a_size_are_refused_where_they_stand(application: Application) -> None:
    query = """{ rateLimit { cost } repository(owner: "here", name: "full") {
      name labels { totalCount edges { cursor } } issues { ...Rows } } }
      fragment Rows on IssueConnection { nodes { id } }"""
    answer = ask(application, query)
    assert errors(answer) == [
        ("MISSING_PAGINATION_BOUNDARIES", ["repository", "labels"]),
        ("MISSING_PAGINATION_BOUNDARIES", ["repository", "issues"]),
    ]
    text = "You must provide a `first` or `last` value to properly paginate the `labels` connection."
    assert answer["errors"][0]["message"] == text
    assert answer["data"]["rateLimit"] == {"cost": 1}


def test_a_count_needs_no_size(application: Application) -> None:
    answer = ask(application, '{ repository(owner: "here", name: "full") { pullRequests { totalCount } } }')
    assert answer["data"]["repository"]["pullRequests"] == {"totalCount": 5}


@pytest.mark.parametrize("name", ["first", "last"])
def test_more_than_a_hundred_are_refused(application: Application, name: str) -> None:
    answer = ask(application, _QUERY, "t", **{name: 101})
    assert errors(answer) == [("EXCESSIVE_PAGINATION", ["repository", "pullRequests"])]
    text = f"Requesting 101 records on the `pullRequests` connection exceeds the `{name}` limit of 100 records."
    assert answer["errors"][0]["message"] == text
