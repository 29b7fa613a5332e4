"""Budgets, their headers, and the two kinds of refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gh_backfill.simulator.app import Application
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.refusals import Exhausted, Secondary
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, get, post

_CHEAP = "{ viewer { login } }"
_FIVE = " ".join(f"a{number}: reviews(first: 1) {{ totalCount }}" for number in range(5))
_DEAR = f'{{ repository(owner: "here", name: "full") {{ pullRequests(first: 100) {{ nodes {{ {_FIVE} }} }} }} }}'


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def standing(headers: dict[str, str]) -> tuple[int, ...]:
    return tuple(int(headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Used", "Remaining"))


def test_a_query_dearer_than_what_is_left_is_refused_although_points_remain(world: World) -> None:
    application = Application(world, Options(graphql_limit=6))
    post(application, _CHEAP)
    post(application, _CHEAP)
    refused = post(application, _DEAR)
    assert (refused.status, standing(refused.headers)) == (200, (6, 2, 4))
    assert json.loads(refused.body)["errors"][0]["type"] == "RATE_LIMITED"
    assert "data" not in json.loads(refused.body)
    assert "data" in ask(application, _CHEAP)


def test_the_query_that_takes_the_last_points_is_answered(world: World) -> None:
    application = Application(world, Options(graphql_limit=1))
    last = post(application, _CHEAP)
    assert (standing(last.headers), "data" in json.loads(last.body)) == ((1, 1, 0), True)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Exhausted.RATE_LIMITED, {"type": "RATE_LIMITED"}),
        (Exhausted.RATE_LIMIT, {"type": "RATE_LIMIT", "code": "graphql_rate_limit"}),
    ],
)
def test_both_shapes_of_an_exhausted_budget(world: World, shape: Exhausted, expected: dict[str, str]) -> None:
    (error,) = ask(Application(world, Options(graphql_limit=0, exhausted=shape)), _CHEAP)["errors"]
    assert expected.items() <= error.items()
    assert "exceeded for user ID" in error["message"]
    assert "path" not in error


def test_the_budget_comes_back_whole_when_its_window_ends(world: World) -> None:
    clock = Clock()
    application = Application(world, Options(graphql_limit=2, clock=clock))
    reset = int(post(application, _CHEAP).headers["X-RateLimit-Reset"])
    assert reset == clock.now + 3_600
    clock.now += 1_800
    assert int(post(application, _CHEAP).headers["X-RateLimit-Reset"]) == reset
    clock.now = reset
    assert standing(post(application, _CHEAP).headers) == (2, 1, 1)


def test_graphql_and_rest_have_budgets_of_their_own(world: World) -> None:
    application = Application(world, Options(graphql_limit=0))
    assert "errors" in ask(application, _CHEAP)
    response = get(application, "/repos/here/full")
    assert (response.status, response.headers["X-RateLimit-Resource"], standing(response.headers)) == (
        200,
        "core",
        (5000, 1, 4999),
    )


def test_tokens_of_one_identity_share_its_budget(world: World) -> None:
    application = Application(world, Options(identities={"one": "ann", "two": "ann"}))
    post(application, _CHEAP, "one")
    assert standing(post(application, _CHEAP, "two").headers) == (5000, 2, 4998)
    assert standing(post(application, _CHEAP, "three").headers) == (5000, 1, 4999)


def test_an_identity_can_have_the_limit_of_an_actions_token(world: World) -> None:
    application = Application(world, Options(limits={"actions": 1_000}))
    assert standing(post(application, _CHEAP, "actions").headers) == (1000, 1, 999)


def test_rest_refuses_a_request_too_many_with_403(world: World) -> None:
    response = get(Application(world, Options(rest_limit=0)), "/repos/here/full")
    body = json.loads(response.body)
    assert (response.status, response.headers["X-RateLimit-Remaining"], body["status"]) == (403, "0", "403")
    assert body["message"].startswith("API rate limit exceeded for user ID ")


def test_without_a_token_rest_has_sixty_requests(application: Application) -> None:
    assert standing(get(application, "/repos/here/full", None).headers) == (60, 1, 59)


def test_asking_for_the_rate_limit_is_free(application: Application) -> None:
    post(application, _CHEAP)
    body = json.loads(get(application, "/rate_limit").body)
    assert (body["resources"]["graphql"]["used"], body["resources"]["core"]["used"], body["rate"]["limit"]) == (
        1,
        0,
        5000,
    )


@pytest.mark.parametrize(
    ("shape", "retry_after", "reset_in"),
    [(Secondary.RETRY_AFTER, "60", 3_600), (Secondary.RESET_SOON, None, 60), (Secondary.SILENT, None, 3_600)],
)
def test_the_three_shapes_of_a_secondary_limit(
    world: World, shape: Secondary, retry_after: str | None, reset_in: int
) -> None:
    clock = Clock()
    application = Application(world, Options(graphql_per_minute=1, secondary=shape, clock=clock))
    post(application, _CHEAP)
    response = post(application, _CHEAP)
    assert (response.status, response.headers.get("Retry-After")) == (403, retry_after)
    assert int(response.headers["X-RateLimit-Reset"]) == clock.now + reset_in
    assert "secondary rate limit" in json.loads(response.body)["message"]
    assert standing(response.headers) == (5000, 1, 4999)


def test_the_points_of_a_minute_come_back_after_it(world: World) -> None:
    clock = Clock()
    application = Application(world, Options(rest_per_minute=1, clock=clock))
    statuses = [get(application, "/repos/here/full").status for _ in range(2)]
    clock.now += 60
    assert [*statuses, get(application, "/repos/here/full").status] == [200, 403, 200]


def test_more_requests_at_once_than_allowed_are_refused(world: World) -> None:
    inner: list[int] = []

    def ask_meanwhile(_: float) -> None:
        inner.append(post(application, _CHEAP).status)

    options: dict[str, Any] = {"concurrency": 1, "latency": 1.0, "sleep": ask_meanwhile}
    application = Application(world, Options(**options))
    assert (post(application, _CHEAP).status, inner) == (200, [403])
    assert application.stats.as_json()["identities"]["t"]["peak_concurrency"] == 2


def test_the_budget_can_be_set_from_outside(application: Application) -> None:
    application.ledger.set("t", "graphql", remaining=0, resets_in=5)
    assert ask(application, _CHEAP)["errors"][0]["type"] == "RATE_LIMITED"


def test_requests_made_before_a_limit_is_over_are_counted(world: World) -> None:
    clock = Clock()
    application = Application(world, Options(graphql_limit=1, clock=clock))
    for _ in range(3):
        post(application, _CHEAP)
    clock.now += 3_600
    post(application, _CHEAP)
    tally = application.stats.as_json()["tokens"]["t"]
    assert (tally["refused"], tally["while_limited"], tally["points"]) == (2, 1, 2)


def test_an_answer_slower_than_ten_seconds_is_given_up(world: World) -> None:
    slept: list[float] = []
    response = post(Application(world, Options(latency=11.0, sleep=slept.append)), _CHEAP)
    assert (response.status, slept) == (502, [10.0])
    assert not [name for name in response.headers if name.lower().startswith("x-ratelimit")]
