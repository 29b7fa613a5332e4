"""Issues: what the capture asks of them, and how every fault strikes them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from gh_backfill.simulator import derive
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, get

PAGE = """query Page($repository: ID!, $first: Int!, $after: String, $field: IssueOrderField!) {
  rateLimit { cost nodeCount }
  node(id: $repository) { ... on Repository { id nameWithOwner isPrivate
    issues(first: $first, after: $after, orderBy: {field: $field, direction: DESC}) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { cursor node { id fullDatabaseId number title body state stateReason url createdAt updatedAt closedAt
        author { __typename login }
        milestone { id number title description state dueOn url resourcePath repository { id } closed closedAt }
        commentCount: comments { totalCount } labelCount: labels { totalCount } assigneeCount: assignees { totalCount }
      } } } } } }"""
LISTS = """query Lists($ids0: [ID!]!, $ids1: [ID!]!, $ids2: [ID!]!, $id3: ID!, $after3: String) {
  rateLimit { cost }
  a0: nodes(ids: $ids0) { ... on Issue { id comments(first: 100) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id fullDatabaseId author { login } body createdAt updatedAt } } } }
  a1: nodes(ids: $ids1) { ... on Issue { id labels(first: 100) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id name color description isDefault } } } }
  a2: nodes(ids: $ids2) { ... on Issue { id assignees(first: 100) { totalCount pageInfo { hasNextPage endCursor }
    nodes { databaseId login name avatarUrl } } } }
  a3: node(id: $id3) { ... on Issue { id labels(first: 1, after: $after3) {
    totalCount pageInfo { hasNextPage endCursor } nodes { name } } } }
}"""
RECIPE = "made/up:150"


@pytest.fixture(scope="module")
def made() -> World:
    return load(recipes=[RECIPE])


def issue_id(world: World, name: str = "here/full", number: int = 6) -> str:
    home = world.repository(*name.split("/"))
    assert home is not None
    return world.shelves[home.id].issues[number].node_id


def page(application: Application, repository: str = "R_real", **variables: Any) -> dict[str, Any]:
    given = {"first": 100, "field": "CREATED_AT", "repository": repository, **variables}
    answer = ask(application, PAGE, **given)
    found: dict[str, Any] = answer["data"]["node"]["issues"]
    return found


def lists(application: Application, *ids: str, after: str | None = None) -> dict[str, Any]:
    every = {f"ids{index}": list(ids) for index in range(3)}
    return ask(application, LISTS, "t", id3=ids[0], after3=after, **every)


def test_an_issue_is_served_as_its_source_has_it(application: Application) -> None:
    (edge,) = page(application)["edges"]
    issue = edge["node"]
    assert {name: issue[name] for name in ("fullDatabaseId", "number", "title", "body", "state", "stateReason")} == {
        "fullDatabaseId": "900", "number": 6, "title": "An issue", "body": "text", "state": "CLOSED",
        "stateReason": "COMPLETED",
    }  # fmt: skip
    assert (issue["url"], issue["author"]["login"]) == ("https://github.com/here/full/issues/6", "ann")
    assert issue["milestone"] == {
        "id": "MI_real", "number": 2, "title": "2.0", "description": "the next one", "state": "CLOSED",
        "dueOn": "2020-01-30T00:00:00Z", "url": "https://github.com/here/full/milestone/2", "closed": True,
        "resourcePath": "/here/full/milestone/2", "repository": {"id": "R_real"}, "closedAt": None,
    }  # fmt: skip
    assert (issue["commentCount"], issue["labelCount"]) == ({"totalCount": 2}, {"totalCount": 2})


def test_its_lists_come_in_githubs_order_with_derived_ids_where_the_source_has_none(
    application: Application, world: World
) -> None:
    data = lists(application, issue_id(world))["data"]
    comments = data["a0"][0]["comments"]["nodes"]
    assert [(row["fullDatabaseId"], row["author"]) for row in comments] == [("510", {"login": "ann"}), ("511", None)]
    labels = data["a1"][0]["labels"]["nodes"]
    assert labels[0] == {
        "id": derive.label_node_id("here/full", "bug"), "name": "bug", "color": "ededed", "description": None,
        "isDefault": False,
    }  # fmt: skip
    assert (labels[1]["id"], labels[1]["isDefault"]) == ("LA_real", True)
    assert data["a3"]["labels"]["nodes"] == [{"name": "bug"}]
    after = lists(application, issue_id(world), after=data["a3"]["labels"]["pageInfo"]["endCursor"])
    assert after["data"]["a3"]["labels"]["nodes"] == [{"name": "Area"}]


def test_assignees_are_users_and_bots_are_assigned_actors_only(application: Application, world: World) -> None:
    found = lists(application, issue_id(world))["data"]["a2"][0]["assignees"]
    assert (found["totalCount"], [row["login"] for row in found["nodes"]]) == (2, ["ann", "zoe"])
    query = (
        """query($id: ID!) { node(id: $id) { ... on Issue { assignedActors(first: 10) { nodes { __typename } } } } }"""
    )
    actors = ask(application, query, id=issue_id(world))["data"]["node"]["assignedActors"]["nodes"]
    assert [row["__typename"] for row in actors] == ["Bot", "User", "User"]


def test_a_duplicate_is_only_so_for_who_asks(world: World) -> None:
    home = world.repository("here", "full")
    assert home is not None
    shelf = world.shelves[home.id]
    shelf.put_issue(replace(shelf.issues[6], state_reason="duplicate"))
    query = """{ repository(owner: "here", name: "full") { issue(number: 6) {
      plain: stateReason enabled: stateReason(enableDuplicate: true) } } }"""
    found = ask(Application(world, Options()), query)["data"]["repository"]["issue"]
    assert found == {"plain": "NOT_PLANNED", "enabled": "DUPLICATE"}


@pytest.mark.parametrize("field", ["CREATED_AT", "UPDATED_AT"])
def test_the_issues_of_a_world_are_read_page_by_page_in_either_order(made: World, field: str) -> None:
    application, after, keys = Application(made, Options()), None, []
    home = made.repository("made", "up")
    assert home is not None
    while True:
        found = page(application, home.node_id, first=4, after=after, field=field)
        keys += [
            (edge["node"]["createdAt" if field == "CREATED_AT" else "updatedAt"], edge["node"]["number"])
            for edge in found["edges"]
        ]
        after = found["edges"][-1]["cursor"]
        assert after == found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert len(keys) == found["totalCount"] == len(made.shelves[home.id].issues)
    assert keys == sorted(keys, reverse=True)


def test_counts_are_free_and_lists_cost_one_unit_for_each_issue(made: World) -> None:
    application = Application(made, Options())
    home = made.repository("made", "up")
    assert home is not None
    ids = [issue.node_id for issue in made.shelves[home.id].issues.values()]
    cheap = ask(application, PAGE, repository=home.node_id, first=100, field="CREATED_AT")["data"]["rateLimit"]
    assert cheap == {"cost": 1, "nodeCount": 100}
    # 149 units are one point, 150 are two.
    every = (ids * 10)[:50]
    assert ask(application, LISTS, ids0=every, ids1=every, ids2=every[1:], id3=ids[0])["data"]["rateLimit"] == {
        "cost": 2
    }
    assert ask(application, LISTS, ids0=every, ids1=every, ids2=every[2:], id3=ids[0])["data"]["rateLimit"] == {
        "cost": 1
    }


def test_what_is_not_there_is_null_at_its_place_under_an_alias(application: Application, world: World) -> None:
    answer = lists(application, issue_id(world), "I_gone")
    assert errors(answer) == [("NOT_FOUND", [f"a{index}", 1]) for index in range(3)]
    assert [row and row["id"] for row in answer["data"]["a0"]] == [issue_id(world), None]


def test_a_page_too_large_loses_its_issues_each_with_an_error(made: World) -> None:
    application = Application(made, Options(faults=(Fault(name="resource_limits", size=4),)))
    home = made.repository("made", "up")
    assert home is not None
    answer = ask(application, PAGE, repository=home.node_id, first=5, field="CREATED_AT")
    assert [edge["node"] for edge in answer["data"]["node"]["issues"]["edges"]] == [None] * 5
    assert errors(answer)[4] == ("RESOURCE_LIMITS_EXCEEDED", ["node", "issues", "edges", 4, "node"])


def spoilt(made: World, name: str, **fields: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return a page and the lists of its issues with a fault, and the lists without."""
    home = made.repository("made", "up")
    assert home is not None
    ids = [made.shelves[home.id].issues[number].node_id for number in (13, 26, 39)]
    application = Application(made, Options(faults=(Fault(name=name, **fields),)))
    return (
        page(application, home.node_id),
        lists(application, *ids)["data"],
        lists(Application(made, Options()), *ids)["data"],
    )


def test_places_and_rows_can_be_null(made: World) -> None:
    found, spoiled, _ = spoilt(made, "null_edge", size=1.0)
    assert set(found["edges"]) == {None}
    assert set(spoiled["a0"][0]["comments"]["nodes"]) == {None}
    assert set(spoiled["a1"][1]["labels"]["nodes"]) == {None}
    assert set(spoiled["a2"][2]["assignees"]["nodes"]) == {None}


def test_places_and_rows_can_be_doubled(made: World) -> None:
    found, spoiled, _ = spoilt(made, "double")
    for rows in (found["edges"], spoiled["a0"][0]["comments"]["nodes"], spoiled["a1"][1]["labels"]["nodes"]):
        assert rows[0] == rows[1]
    assert spoiled["a2"][2]["assignees"]["nodes"][0] == spoiled["a2"][2]["assignees"]["nodes"][1]


@pytest.mark.parametrize("name", ["wrong_cursors", "newest_unread", "huge_number"])
def test_faults_of_pages_strike_pages_of_issues(made: World, name: str) -> None:
    found, _, _ = spoilt(made, name)
    first = found["edges"][0]
    assert {
        "wrong_cursors": first["cursor"] == found["edges"][-1]["cursor"],
        "newest_unread": first["node"] is None,
        "huge_number": first["node"] is not None and first["node"]["number"] == 2**31 - 1,
    }[name]


@pytest.mark.parametrize("name", ["no_cursor", "old_cursor", "empty_page"])
def test_lists_of_issues_can_lead_nowhere(made: World, name: str) -> None:
    found, spoiled, _ = spoilt(made, name, cursor="x" if name == "old_cursor" else None)
    lists = [found, spoiled["a0"][0]["comments"], spoiled["a1"][1]["labels"], spoiled["a2"][2]["assignees"]]
    assert {each["pageInfo"]["hasNextPage"] for each in lists} == {True}
    assert [bool(each.get("nodes", each.get("edges"))) for each in lists] == [name != "empty_page"] * len(lists)


def test_the_lists_of_issues_can_shrink(made: World) -> None:
    _, spoiled, whole = spoilt(made, "shrink", size=3)
    assert whole["a0"][0]["comments"]["totalCount"] > 100
    assert [(len(row["nodes"]), row["totalCount"]) for row in (spoiled["a0"][0]["comments"], spoiled["a1"][1]["labels"])
            ] == [(3, 3), (3, 3)]  # fmt: skip


def test_ids_of_issues_comments_and_assignees_can_be_missing(made: World) -> None:
    found, spoiled, _ = spoilt(made, "missing_id", size=1.0)
    assert {edge["node"]["fullDatabaseId"] for edge in found["edges"]} == {None}
    assert {row["fullDatabaseId"] for row in spoiled["a0"][0]["comments"]["nodes"]} == {None}
    assert {row["databaseId"] for row in spoiled["a2"][2]["assignees"]["nodes"]} == {None}


def test_bodies_and_descriptions_can_hold_what_databases_refuse(made: World) -> None:
    found, spoiled, _ = spoilt(made, "nul_in_body", size=1.0)
    assert all("\0" in edge["node"]["body"] for edge in found["edges"])
    assert all("\0" in row["body"] for row in spoiled["a0"][0]["comments"]["nodes"])
    described = [row["description"] for row in spoiled["a1"][1]["labels"]["nodes"] if row["description"] is not None]
    assert described
    assert all("\0" in text for text in described)


def test_labels_and_milestones_can_be_null_with_an_error(made: World) -> None:
    found, spoiled, _ = spoilt(made, "null_with_error", size=1.0)
    assert {edge["node"]["milestone"] for edge in found["edges"]} == {None}
    assert [row["labels"] for row in spoiled["a1"]] == [None] * 3


def test_more_issues_can_be_counted_than_listed(made: World) -> None:
    found, _, _ = spoilt(made, "phantoms", size=2)
    assert found["totalCount"] == len(found["edges"]) + 2


def test_rest_lists_issues_with_everything_but_their_comments(application: Application) -> None:
    rows = json.loads(get(application, "/repos/here/full/issues", state="all").body)
    issue = rows[0]
    assert ([row["login"] for row in issue["assignees"]], issue["assignee"]["login"]) == (
        ["robot[bot]", "ann", "zoe"], "robot[bot]",
    )  # fmt: skip
    assert (issue["state_reason"], issue["closed_by"]["login"], issue["comments"]) == ("completed", "robot[bot]", 2)
    assert (issue["milestone"]["title"], issue["milestone"]["state"], issue["milestone"]["due_on"]) == (
        "2.0", "closed", "2020-01-30T00:00:00Z",
    )  # fmt: skip
    assert [(row["name"], row["default"]) for row in issue["labels"]] == [("bug", False), ("Area", True)]
    assert [row["assignees"] for row in rows[1:]] == [[]] * 5


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_rest_leads_on_by_cursor_past_the_numbered_pages(world: World, direction: str) -> None:
    application, path = Application(world, Options(longest_numbered=2)), "/repos/here/full/issues"
    query = {"state": "all", "sort": "created", "direction": direction, "per_page": "1"}
    assert get(application, path, "t", {}, page="3", **query).status == 422
    numbers, more = [], dict(query)
    while more:
        response = get(application, path, "t", {}, **more)
        numbers += [row["number"] for row in json.loads(response.body)]
        led = re.search(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        more = dict(parse_qsl(urlsplit(led[1]).query)) if led else {}
    assert numbers == [1, 2, 3, 4, 5, 6][:: 1 if direction == "asc" else -1]
