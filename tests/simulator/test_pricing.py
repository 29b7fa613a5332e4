"""Prices: the published and measured figures."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.options import DryRun, Options
from gh_backfill.simulator.pricing import Charges, Price, Rounding, price
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, post

_ITEM = "a(first: 100) {x} b(first: 100) {x} c(first: 100) {x} d(first: 100) {x} e(first: 100) {x} f(first: 20) {x}"
_PAGE = "{ repository { pullRequests(first: %d) { nodes { " + _ITEM + " } } } }"
_DOCS = """{ viewer { repositories(first: 50) { edges { repository: node {
  pullRequests(first: 20) { edges { pull: node { title comments(first: 10) { edges { comment: node { x } } } } } }
  issues(first: 20) { totalCount edges { issue: node { title comments(first: 10) { edges { comment: node { x } } } } } }
} } } followers(first: 10) { edges { follower: node { login } } } } }"""
_NESTED = "{ viewer { repositories(first: %d) { nodes { issues(first: %d) { nodes { labels(first: %d) { x } } } } } } }"
_LIST = """{ repository { pullRequests(first: 50) { nodes {
  commits(first: 100) { nodes { commit { authors(first: 100) { x } } } } } } } }"""
_IDS = ", ".join(f'"{number}"' for number in range(81))


def of(text: str, rounding: Rounding = Rounding.HALF_UP, *, charge_counts: bool = False, **variables: object) -> Price:
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return price(document, variables, operation, rounding=rounding, charges=Charges(counts=charge_counts))


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        pytest.param(_NESTED % (100, 50, 60), 51, id="the example of the documentation"),
        pytest.param(_PAGE % 100, 6, id="a page of 100 with six connections"),
        pytest.param(_PAGE % 50, 3, id="a page of 50"),
        pytest.param(_PAGE % 25, 2, id="a page of 25"),
        pytest.param(_PAGE % 24, 1, id="a page of 24"),
        pytest.param(_PAGE % 16, 1, id="a page of 16"),
        pytest.param("{ rateLimit { cost } }", 1, id="nothing but the rate limit"),
        pytest.param("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", 1, id="a hundred ids"),
        pytest.param("{ nodes(ids: [" + _IDS + "]) { " + _ITEM + " } }", 5, id="81 ids with six connections"),
        pytest.param("{" + " ".join(f"a{n}: node(id: 1) {{ {_ITEM} }}" for n in range(81)) + "}", 5, id="81 aliases"),
        pytest.param(_NESTED % (30, 100, 100), 30, id="3,031 units"),
        pytest.param(_LIST, 51, id="a list with the authors of commits"),
    ],
)
def test_cost_is_what_was_published_or_measured(text: str, cost: int) -> None:
    assert of(text, ids=[str(number) for number in range(100)]).cost == cost


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        pytest.param(
            "{ viewer { repositories(first: 50) { nodes { issues(first: 10) { x } } } } }", 550, id="short example"
        ),
        pytest.param(_DOCS, 22_060, id="the longer example of the documentation"),
        pytest.param(_PAGE % 100, 52_100, id="a page of 100 with six connections"),
        pytest.param("{ rateLimit { cost } }", 0, id="nothing but the rate limit"),
        pytest.param("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", 100, id="a hundred ids"),
        pytest.param("{ nodes(ids: [" + _IDS + "]) { " + _ITEM + " } }", 42_201, id="81 ids with six connections"),
        pytest.param(
            "{" + " ".join(f"a{n}: node(id: 1) {{ {_ITEM} }}" for n in range(81)) + "}", 42_120, id="81 aliases"
        ),
        pytest.param(_LIST, 505_050, id="a list with the authors of commits"),
    ],
)
def test_node_count_is_what_was_published_or_measured(text: str, nodes: int) -> None:
    assert of(text, ids=[str(number) for number in range(100)]).nodes == nodes


def test_3_031_units_are_counted_as_such() -> None:
    assert of(_NESTED % (30, 100, 100)).units == 3_031


@pytest.mark.parametrize(("size", "cost"), [(74, 1), (75, 2)])
def test_our_page_costs_one_point_up_to_74_pull_requests(size: int, cost: int) -> None:
    text = """query($n: Int!) { node(id: 1) { pullRequests(first: $n) { nodes {
      reviews(first: 100) { x } comments(first: 100) { x } } } } }"""
    assert of(text, n=size).cost == cost


def test_a_count_is_free_unless_told_otherwise() -> None:
    text = (
        "{ repository { pullRequests(first: 100) { nodes { reviewThreads { totalCount } commits { totalCount } } } } }"
    )
    assert of(text).units == 1
    assert of(text, charge_counts=True).units == 201


@pytest.mark.parametrize(
    ("text", "free", "charged"),
    [
        ("{ repository { issues { totalCount } } }", 0, 1),
        ("{ repository { issues(first: 5) { totalCount } } }", 1, 1),
        ("{ repository { a: issues { totalCount } b: issues { totalCount totalCount } } }", 0, 2),
        ('{ nodes(ids: ["x", "y", "z"]) { reviews(first: 9) { nodes { comments { totalCount } } } } }', 3, 30),
        ("{ node(id: 1) { issues { ...C } } } fragment C on X { totalCount }", 0, 1),
        ("{ node(id: 1) { issues { ... on X { totalCount } } } }", 0, 1),
        ("{ node(id: 1) { issues { totalCount @skip(if: true) } } }", 0, 0),
        ("{ node(id: 1) { owner { login } } }", 0, 0),
    ],
)
def test_where_counts_are_charged_each_costs_a_request_for_each_parent(text: str, free: int, charged: int) -> None:
    assert (of(text).units, of(text, charge_counts=True).units) == (free, charged)


def test_a_github_that_charges_counts_charges_our_page_for_every_review_there_may_be(world: World) -> None:
    query = """{ rateLimit { cost } repository(owner: "here", name: "full") { pullRequests(first: 74) { nodes {
      reviews(first: 9) { nodes { comments { totalCount } } } comments(first: 9) { totalCount }
      reviewThreads { totalCount } commits { totalCount } } } } }"""
    costs = [
        ask(Application(world, Options(charges=Charges(counts=charging))), query)["data"]["rateLimit"]["cost"]
        for charging in (False, True)
    ]
    assert costs == [1, 10]  # 1 + 4 * 74 requests, and one for each of the 74 * 9 reviews there may be


@pytest.mark.parametrize(
    ("charges", "units", "cost"),
    [
        (Charges(), 148, 1),
        (Charges(ids=True), 149, 1),
        (Charges(aliases=True), 150, 2),
        (Charges(ids=True, aliases=True), 151, 2),
        (Charges(percent=10), 148, 2),
        (Charges(percent=1), 148, 1),
    ],
)
def test_what_is_charged_beside_the_list_is_charged_once_for_each(charges: Charges, units: int, cost: int) -> None:
    text = """query($ids: [ID!]!) { nodes(ids: $ids) { comments(first: 9) { x } }
      a0: node(id: 1) { reviews(first: 9) { nodes { inner: x } } } a1: node(id: 1) { threads(first: 47) { x } } }"""
    document = parse(text)
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    found = price(document, {"ids": [str(number) for number in range(146)]}, operation, charges=charges)
    assert (found.units, found.cost) == (units, cost)


@pytest.mark.parametrize(
    ("dry_run", "told", "charged"),
    [(DryRun.HONEST, 2, 0), (DryRun.WRONG, 1, 0), (DryRun.CHARGED, 2, 1), (DryRun.REFUSED, None, 0)],
)
def test_a_dry_run_is_answered_as_configured(world: World, dry_run: DryRun, told: int | None, charged: int) -> None:
    application = Application(world, Options(charges=Charges(percent=10), dry_run=dry_run))
    query = """{ price: rateLimit(dryRun: true) { cost } repository(owner: "no", name: "where") {
      pullRequests(first: 74) { nodes { reviews(first: 1) { totalCount } comments(first: 1) { totalCount } } } } }"""
    answer = ask(application, query)
    cost = answer["data"]["price"]["cost"] if "data" in answer else None
    used = ask(application, "{ rateLimit { used } }")["data"]["rateLimit"]["used"] - 1
    assert (cost, used) == (told, charged)


def test_half_a_point_is_rounded_as_configured() -> None:
    text = "{ repository { a: pullRequests(first: 83) { nodes { x(first: 1) {y} z(first: 1) {y} w(first: 1) {y} } } } }"
    assert of(text).units == 250
    assert (of(text).cost, of(text, Rounding.HALF_EVEN).cost) == (3, 2)


def test_the_same_field_in_two_fragments_is_counted_once() -> None:
    text = """{ node(id: 1) { ...A ...B } }
      fragment A on X { issues(first: 5) { x } } fragment B on X { issues(first: 5) { y } }"""
    assert of(text).units == 1


def test_what_is_skipped_is_not_counted() -> None:
    text = """query($on: Boolean!) { viewer {
      a: issues(first: 5) @include(if: $on) { x } b: issues(first: 5) @skip(if: $on) { x } } }"""
    assert of(text, on=True).units == 1
    assert of("{ viewer { issues(first: 5) @skip(if: true) { x } } }").units == 0


def test_a_connection_past_half_a_million_nodes_is_named() -> None:
    refusal = of("{ a(first: 100) { b(first: 100) { checkRuns(first: 100) { x } } } }").refusals
    text = (
        "By the time this query traverses to the checkRuns connection, it is requesting up to 1,000,000 possible nodes"
    )
    assert refusal == [
        {"type": "MAX_NODE_LIMIT_EXCEEDED", "message": f"{text} which exceeds the maximum limit of 500,000."}
    ]


def test_a_sum_past_half_a_million_nodes_is_refused_as_a_whole() -> None:
    text = "This query requests up to 505,050 possible nodes which exceeds the maximum limit of 500,000."
    assert of(_LIST).refusals == [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": text}]


def test_101_ids_are_refused_without_data(application: Application) -> None:
    answer = ask(application, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["x"] * 101)
    text = "You may not provide more than 100 node ids; you provided 101."
    assert answer == {"errors": [{"type": "ARGUMENT_LIMIT", "path": ["nodes"], "message": text}]}


def test_a_dry_run_tells_the_price_and_charges_nothing(application: Application) -> None:
    query = """{ rateLimit(dryRun: true) { cost nodeCount used remaining }
      repository(owner: "no", name: "where") { pullRequests { nodes { id } } } }"""
    answer = ask(application, query)
    assert answer["data"]["rateLimit"] == {"cost": 1, "nodeCount": 0, "used": 0, "remaining": 5000}
    assert errors(answer) == []


def test_the_answer_and_its_headers_tell_the_same_price(world: World) -> None:
    application = Application(world, Options(graphql_limit=1_000))
    query = """{ rateLimit { cost limit remaining used nodeCount } repository(owner: "here", name: "full") {
      pullRequests(first: 100) { nodes {
        reviews(first: 9) { totalCount } comments(first: 9) { totalCount } } } } }"""
    response = post(application, query)
    assert ask(application, query)["data"]["rateLimit"] == {
        "cost": 2,
        "limit": 1000,
        "remaining": 996,
        "used": 4,
        "nodeCount": 1_900,
    }
    assert (response.headers["X-RateLimit-Used"], response.headers["X-RateLimit-Remaining"]) == ("2", "998")
