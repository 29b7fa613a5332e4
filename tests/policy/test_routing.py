"""Where a job goes: the customer's rules, the share that a hash decides, and what happens when a processor is down."""

from __future__ import annotations

from uuid import UUID

import pytest

from gh_backfill.policy.ledger import JobType, Processor
from gh_backfill.policy.routing import Routable, RoutingRule, among, bucket, decide, shares

ACTIONS, INNGEST = Processor.GITHUB_ACTIONS, Processor.INNGEST
BOTH = frozenset({ACTIONS, INNGEST})


def job(number: int = 0, **given: object) -> Routable:
    known: dict[str, object] = {"job_type": JobType.SYNC, "pull_requests": 50, "days": 30, "backfilling": False}
    return Routable(id=str(UUID(int=number)), **(known | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "processor", "rule"),
    [
        ({"job_type": JobType.BACKFILL}, ACTIONS, RoutingRule.PROGRESSIVE),
        ({"job_type": JobType.BACKFILL, "backfilling": True}, ACTIONS, RoutingRule.PROGRESSIVE),
        ({"pull_requests": 1_001, "days": 8}, ACTIONS, RoutingRule.LARGE),
        ({"pull_requests": 1_001, "days": 8, "backfilling": True}, ACTIONS, RoutingRule.LARGE),
        ({"backfilling": True, "days": 1}, INNGEST, RoutingRule.BACKFILLING),
        ({"backfilling": True, "days": 2}, None, RoutingRule.BACKFILLING),
        ({"backfilling": True, "days": 7, "pull_requests": 1_001}, None, RoutingRule.BACKFILLING),
    ],
)
def test_the_rules_come_in_the_customers_order(
    given: dict[str, object], processor: Processor | None, rule: RoutingRule
) -> None:
    route = decide(job(**given))  # type: ignore[arg-type]
    assert (route.processor, route.rule) == (processor, rule)
    assert route.reason


@pytest.mark.parametrize("given", [{"pull_requests": 1_000, "days": 90}, {"pull_requests": 5_000, "days": 7}])
def test_at_the_very_limits_a_job_is_not_large(given: dict[str, object]) -> None:
    assert decide(job(**given)).rule is RoutingRule.SHARE  # type: ignore[arg-type]


def test_the_hash_gives_a_quarter_to_actions_and_always_the_same_quarter() -> None:
    routes = [decide(job(number)) for number in range(2_000)]
    told = shares(routes)
    assert told.actions_percent is not None
    assert 20 <= told.actions_percent <= 30
    assert routes == [decide(job(number)) for number in range(2_000)]
    assert "of 2000 that the share decided" in told.text


@pytest.mark.parametrize(("percent", "expected"), [(0, 0), (100, 100)])
def test_the_share_is_a_setting(percent: int, expected: int) -> None:
    assert shares(decide(job(number), percent=percent) for number in range(50)).actions_percent == expected


def test_the_hash_of_an_id_does_not_depend_on_its_case() -> None:
    assert bucket("ABCDEF00-0000-4000-8000-00000000000A") == bucket("abcdef00-0000-4000-8000-00000000000a")


def test_a_processor_that_is_down_hands_over_to_the_other_and_both_down_means_waiting() -> None:
    route = decide(job(), percent=0)
    assert among(route, BOTH, {}) == route
    other = among(route, {ACTIONS}, {INNGEST: "there are no Inngest keys"})
    assert other is not None
    assert (other.processor, other.fallback, other.rule) == (ACTIONS, True, RoutingRule.SHARE)
    assert other.reason.endswith("; but there are no Inngest keys")
    assert among(route, set(), {}) is None


def test_what_is_skipped_needs_no_processor() -> None:
    route = decide(job(backfilling=True, days=30))
    assert among(route, set(), {}) == route


def test_the_shares_by_rule_stand_beside_the_share_of_the_hash() -> None:
    routes = [decide(job(1, job_type=JobType.BACKFILL)), decide(job(2, backfilling=True)), decide(job(3), percent=100)]
    told = shares(routes)
    assert (told.decided, told.actions_percent) == (1, 100.0)
    assert told.text == (
        "GitHub Actions got 100 % of 1 that the share decided; 1 to nobody (being backfilled), "
        "1 to github_actions (progressive backfill), 1 to github_actions (share)"
    )
    assert shares([]).actions_percent is None
