"""Faults: each does what its description says, and strikes when it is told to."""

from __future__ import annotations

import json

import pytest

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.messages import Delivery
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, get, post, send

_QUERY = """query Page { repository(owner: "here", name: "full") { pullRequests(first: 5) { totalCount nodes {
  id fullDatabaseId body author { login }
  comments(first: 9) { totalCount pageInfo { hasNextPage } nodes { id fullDatabaseId body } } } } } }"""


def with_fault(world: World, name: str, **fields: object) -> Application:
    return Application(world, Options(faults=(Fault.of({"name": name, **fields}),)))


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("502_json", 502, "Something went wrong while executing your query on "),
        ("502_html", 502, "<center>nginx</center>"),
        ("504", 504, "We couldn't respond to your request in time."),
        ("200_timeout", 200, "Something went wrong while executing your query on "),
        ("secondary_a", 403, "secondary rate limit"),
        ("secondary_b", 403, "secondary rate limit"),
        ("secondary_c", 403, "secondary rate limit"),
        ("rate_limited", 200, '"type":"RATE_LIMITED"'),
        ("rate_limit", 200, '"code":"graphql_rate_limit"'),
        ("bad_credentials", 401, "Bad credentials"),
        ("forbidden", 403, "Resource not accessible by integration"),
        ("blocked", 451, "Repository access blocked"),
    ],
)
def test_a_fault_answers_instead_of_github_and_charges_nothing(world: World, name: str, status: int, text: str) -> None:
    application = with_fault(world, name)
    response = post(application, _QUERY)
    assert response.status == status
    assert text in response.body.decode()
    assert application.ledger.standing("t", "graphql").used == 0


@pytest.mark.parametrize("name", ["502_json", "502_html", "504"])
def test_answers_from_in_front_of_github_know_no_limits(world: World, name: str) -> None:
    assert "X-RateLimit-Limit" not in post(with_fault(world, name), _QUERY).headers


def test_a_truncated_answer_is_no_json(world: World) -> None:
    response = post(with_fault(world, "truncated"), _QUERY)
    assert response.status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.body)


@pytest.mark.parametrize(("name", "delivery"), [("reset", Delivery.RESET), ("stall", Delivery.STALLED)])
def test_a_lost_answer_was_charged(world: World, name: str, delivery: Delivery) -> None:
    application = with_fault(world, name)
    assert post(application, _QUERY).delivery is delivery
    assert application.ledger.standing("t", "graphql").used == 1


def test_a_page_too_large_loses_its_pull_requests_each_with_an_error(world: World) -> None:
    application = with_fault(world, "resource_limits", size=4)
    answer = ask(application, _QUERY)
    assert answer["data"]["repository"]["pullRequests"]["nodes"] == [None] * 5
    path = ["repository", "pullRequests", "nodes"]
    assert errors(answer) == [("RESOURCE_LIMITS_EXCEEDED", [*path, index]) for index in range(5)]
    assert errors(ask(application, _QUERY.replace("first: 5", "first: 4"))) == []


def test_nulls_under_load_come_with_an_error_at_their_path(world: World) -> None:
    answer = ask(with_fault(world, "null_with_error", size=1.0), _QUERY)
    node = answer["data"]["repository"]["pullRequests"]["nodes"][1]
    assert (node["author"], node["body"]) == (None, None)
    path = ["repository", "pullRequests", "nodes", 1]
    assert ("RESOURCE_LIMITS_EXCEEDED", [*path, "author"]) in errors(answer)
    assert ("RESOURCE_LIMITS_EXCEEDED", [*path, "body"]) in errors(answer)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("node_unread", "RESOURCE_LIMITS_EXCEEDED"), ("node_forbidden", "FORBIDDEN"), ("node_untyped", None)],
)
def test_what_is_named_can_be_null_with_an_error_at_it(world: World, name: str, kind: str | None) -> None:
    query = 'query { rateLimit { cost } a: repository(owner: "here", name: "full") { id } b: node(id: "R_x") { id } }'
    answer = ask(with_fault(world, name), query)
    assert (answer["data"]["a"], answer["data"]["rateLimit"]) == (None, {"cost": 1})
    complaints = [(error.get("type"), error["path"]) for error in answer["errors"]]
    assert sorted(complaints, key=str) == sorted([("NOT_FOUND", ["b"]), (kind, ["a"])], key=str)


def test_a_shrunken_connection_looks_complete(world: World) -> None:
    answer = ask(with_fault(world, "shrink", size=1), _QUERY)
    pulls = answer["data"]["repository"]["pullRequests"]
    assert (len(pulls["nodes"]), pulls["totalCount"], errors(answer)) == (5, 5, [])
    comments = pulls["nodes"][0]["comments"]
    assert (len(comments["nodes"]), comments["totalCount"], comments["pageInfo"]["hasNextPage"]) == (1, 1, False)


@pytest.mark.parametrize(("name", "text"), [("nul_in_body", "\0"), ("lone_surrogate", "\ud83d")])
def test_bodies_can_hold_what_databases_refuse(world: World, name: str, text: str) -> None:
    nodes = ask(with_fault(world, name, size=1.0), _QUERY)["data"]["repository"]["pullRequests"]["nodes"]
    assert all(text in node["body"] for node in nodes)
    assert text in nodes[0]["comments"]["nodes"][0]["body"]


def test_ids_can_be_missing(world: World) -> None:
    answer = ask(with_fault(world, "missing_id", size=1.0), _QUERY)
    assert [node["fullDatabaseId"] for node in answer["data"]["repository"]["pullRequests"]["nodes"]] == [None] * 5
    assert errors(answer) == []


def test_a_second_reading_spoils_the_same_rows(world: World) -> None:
    application = with_fault(world, "missing_id", size=0.5)
    first, second = (ask(application, _QUERY)["data"] for _ in range(2))
    assert first == second
    ids = [node["fullDatabaseId"] for node in first["repository"]["pullRequests"]["nodes"]]
    assert None in ids
    assert ids != [None] * 5


def test_every_fault_has_a_description_and_exactly_one_effect() -> None:
    for name, effect in EFFECTS.items():
        assert effect.text, name
        assert [effect.instead, effect.data, effect.ends, effect.wire].count(None) == 3, name


def test_a_fault_strikes_as_often_as_told_and_then_no_more(world: World) -> None:
    application = with_fault(world, "504", count=2, skip=1)
    assert [post(application, _QUERY).status for _ in range(5)] == [200, 504, 504, 200, 200]


def test_a_fault_strikes_only_what_it_matches(world: World) -> None:
    application = with_fault(world, "504", match={"operation": "^Page$", "token": "^t$"})
    assert post(application, _QUERY).status == 504
    assert post(application, _QUERY, "other").status == 200
    assert post(application, "{ viewer { login } }").status == 200
    assert get(application, "/repos/here/full").status == 200


def test_the_same_seed_strikes_the_same_requests(world: World) -> None:
    def statuses(seed: int) -> list[int]:
        application = with_fault(world, "504", probability=0.5, seed=seed)
        return [post(application, _QUERY).status for _ in range(20)]

    assert statuses(1) == statuses(1)
    assert statuses(1) != statuses(2)
    assert set(statuses(1)) == {200, 504}


def test_faults_are_switched_while_the_simulator_runs(application: Application) -> None:
    assert send(application, "POST", "/_faults", {"name": "504", "count": 1}).status == 200
    assert [post(application, _QUERY).status for _ in range(2)] == [504, 200]
    send(application, "POST", "/_faults", [{"name": "504"}, {"name": "502_html"}])
    send(application, "POST", "/_faults", None)
    assert post(application, _QUERY).status == 200


@pytest.mark.parametrize("given", [{"name": "nonsense"}, {"nome": "504"}, {"name": "504", "probability": 2}, 5])
def test_what_is_no_fault_is_refused(application: Application, given: object) -> None:
    assert send(application, "POST", "/_faults", given).status == 400


def test_a_fault_that_strikes_every_tenth_request_strikes_so_for_ever(world: World) -> None:
    application = with_fault(world, "504", skip=2, every=10)
    statuses = [post(application, _QUERY).status for _ in range(100)]
    assert [place for place, status in enumerate(statuses) if status == 504] == list(range(2, 100, 10))
