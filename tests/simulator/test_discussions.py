"""Discussions: how they are made, listed, priced and moved."""

from __future__ import annotations

from typing import Any

import pytest

from gh_backfill.simulator import changes, departures, discussing
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import ClosedDiscussions, Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask

RECIPE = "made/up:14:discussions=250"
PAGE = """query Page($repository: ID!, $first: Int!, $after: String, $field: DiscussionOrderField!) {
  rateLimit { cost nodeCount }
  node(id: $repository) { ... on Repository { hasDiscussionsEnabled
    discussions(first: $first, after: $after, orderBy: {field: $field, direction: DESC}) {
      totalCount pageInfo { hasNextPage endCursor }
      edges { cursor node { number createdAt updatedAt isAnswered answer { id isAnswer } url
        category { name isAnswerable } comments { totalCount } } } } } } }"""
LISTS = """query Lists($ids: [ID!]!, $below: [ID!]!) {
  rateLimit { cost }
  a: nodes(ids: $ids) { ... on Discussion { id
    comments(first: 100) { totalCount nodes { id deletedAt body replyTo { id } replies { totalCount } } } } }
  b: nodes(ids: $below) { ... on DiscussionComment { id
    replies(first: 100) { totalCount pageInfo { hasNextPage } nodes { url replyTo { id } discussion { number } } } } }
}"""


@pytest.fixture
def world() -> World:
    return load(recipes=[RECIPE])


def rows(world: World) -> list[DiscussionRow]:
    (home,) = world.repositories.values()
    return list(world.shelves[home.id].discussions.values())


def page(world: World, options: Options | None = None, **more: Any) -> dict[str, Any]:
    (home,) = world.repositories.values()
    variables = {"repository": home.node_id, "first": 100, "field": "CREATED_AT", **more}
    return dict(ask(Application(world, options or Options()), PAGE, **variables)["data"])


def test_the_same_words_make_the_same_discussions_and_leave_everything_else_as_it_was(world: World) -> None:
    again, without = load(recipes=[RECIPE]), load(recipes=["made/up:14"])
    assert [repr(row) for row in rows(world)] == [repr(row) for row in rows(again)]
    (mine,), (other,) = world.shelves.values(), without.shelves.values()
    assert [repr(issue) for issue in mine.issues.values()] == [repr(issue) for issue in other.issues.values()]
    assert rows(without) == []


def test_a_page_costs_a_point_and_leads_to_the_next_newest_first(world: World) -> None:
    seen: list[int] = []
    after = None
    while True:
        told = page(world, after=after)
        assert told["rateLimit"]["cost"] == 1
        found = told["node"]["discussions"]
        assert found["totalCount"] == 250
        seen += [edge["node"]["number"] for edge in found["edges"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert seen == sorted((row.number for row in rows(world)), reverse=True)


def test_only_what_can_have_an_answer_says_whether_it_has_one(world: World) -> None:
    told = [edge["node"] for edge in page(world)["node"]["discussions"]["edges"]]
    assert {each["isAnswered"] for each in told} == {None, True, False}
    assert all((each["isAnswered"] is None) != each["category"]["isAnswerable"] for each in told)
    assert all((each["answer"] is not None) == (each["isAnswered"] is True) for each in told)


def test_comments_are_those_that_are_no_replies_and_each_list_costs_a_unit(world: World) -> None:
    first, second, fifth = (rows(world)[place] for place in (0, 1, 4))
    asked = second.replies(None)[0]
    ids = [first.node_id, second.node_id, fifth.node_id]
    told = ask(Application(world, Options()), LISTS, ids=ids, below=[asked.node_id])["data"]
    assert told["rateLimit"]["cost"] == 1
    assert len(told["a"][0]["comments"]["nodes"]) == 100
    assert told["a"][0]["comments"]["totalCount"] == 130
    assert all(each["replyTo"] is None for found in told["a"] for each in found["comments"]["nodes"])
    deleted = told["a"][2]["comments"]["nodes"][0]
    assert (deleted["deletedAt"] is not None, deleted["body"], deleted["replies"]["totalCount"]) == (True, "", 2)
    (below,) = told["b"]
    assert (below["replies"]["totalCount"], below["replies"]["pageInfo"]["hasNextPage"]) == (120, True)
    at = f"https://github.com/made/up/discussions/{second.number}#discussioncomment-"
    assert all(each["url"].startswith(at) for each in below["replies"]["nodes"])
    assert {each["replyTo"]["id"] for each in below["replies"]["nodes"]} == {asked.node_id}


@pytest.mark.parametrize("moves", [True, False])
def test_a_reply_moves_its_discussion_or_does_not(world: World, moves: bool) -> None:
    row = rows(world)[7]
    said = discussing.say(world, "made/up", row.number, author="ada", moves=moves)
    discussing.say(world, "made/up", row.number, author="bob", reply_to=said.id, moves=moves)
    newest = page(world, field="UPDATED_AT")["node"]["discussions"]["edges"][0]["node"]["number"]
    assert (newest == row.number) == moves


def test_what_is_disabled_is_empty_or_has_what_was_there_before(world: World) -> None:
    discussing.allow_discussions(world, "made/up", allowed=False)
    totals = {
        closed: page(world, Options(closed_discussions=closed))["node"]["discussions"]["totalCount"]
        for closed in ClosedDiscussions
    }
    assert totals == {ClosedDiscussions.EMPTY: 0, ClosedDiscussions.LISTED: 250}


def test_an_issue_that_becomes_a_discussion_takes_its_comments_along(world: World) -> None:
    changes.comment(world, "made/up", 13, author="ada", body="It stays")
    made = departures.convert_issue(world, "made/up", 13)
    assert [row.body for row in made.comments][-1] == "It stays"
    newest = page(world, field="UPDATED_AT")["node"]["discussions"]["edges"][0]["node"]
    assert (newest["number"], newest["comments"]["totalCount"]) == (13, len(made.comments))
