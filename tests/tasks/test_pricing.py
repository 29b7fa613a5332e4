"""Prices are asked for before the first page, learned from charges, and known to the next process."""

from __future__ import annotations

import pytest
import responses

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import prices
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.prices import Memory
from gh_backfill.policy.query_prices import Prices
from gh_backfill.policy.samples import SAMPLES
from gh_backfill.policy.surcharges import NONE, Surcharges
from gh_backfill.simulator.options import DryRun, Options
from gh_backfill.simulator.pricing import Charges
from gh_backfill.tasks import price_table
from tests.tasks.conftest import ENGINE, House

IDS = Charges(ids=True)
TEN_PERCENT = Charges(percent=10)


def asked(house: House) -> int:
    """Return how many dry runs there were."""
    tokens = house.github.stats.as_json()["tokens"]
    return int(tokens.get("tok", {"operations": {}})["operations"].get("Prices", 0))


def surprises(house: House) -> int:
    """Capture the history anew, and return how many points more than one each its queries cost."""
    with house.db.transaction() as tx:
        tx.run("truncate repositories cascade")
    house.track(ENGINE)
    before = asked(house)
    house.github.stats.reset()
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    stats = house.github.stats
    assert asked(house) in (0, before)
    return stats.points - stats.requests


@pytest.mark.parametrize("options", [Options(charges=IDS), Options(charges=TEN_PERCENT)])
def test_the_next_process_begins_with_the_prices_that_this_one_learned(house: House) -> None:
    assert 1 <= surprises(house) <= 2
    assert surprises(house) == 0


def test_where_all_is_as_listed_nothing_is_remembered(house: House) -> None:
    assert surprises(house) == 0
    assert house.rows("select prices from api_budgets where prices is not null") == []


@pytest.mark.parametrize("options", [Options(charges=IDS)])
def test_what_a_process_learned_is_remembered_also_if_it_is_killed_after_the_chunk(house: House) -> None:
    house.track(ENGINE)

    def killed(progress: object) -> None:
        if house.github.stats.points > house.github.stats.requests:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        house.capture(listen=killed)
    assert Memory(house.db, house.graphql()).recall().surprises == 1


@pytest.mark.parametrize(
    "options",
    [
        Options(charges=charges)
        for charges in (IDS, TEN_PERCENT, Charges(aliases=True), Charges(counts=True), Charges(ids=True, aliases=True))
    ],
)
def test_where_github_tells_its_prices_no_charge_is_a_surprise_and_asking_costs_nothing(house: House) -> None:
    prices.ask_once_a_week(house.db, house.graphql())
    assert house.github.stats.points == 0
    assert 1 < asked(house) <= 12
    surprises(house)
    assert Memory(house.db, house.graphql()).recall().surprises == 0


def test_where_all_is_as_listed_one_question_is_enough_for_a_week(house: House) -> None:
    for _ in range(3):
        prices.ask_once_a_week(house.db, house.graphql())
    assert asked(house) == 1
    with house.db.transaction() as tx:
        tx.run("update api_budgets set prices_asked_at = now() - interval '8 days'")
    prices.ask_once_a_week(house.db, house.graphql())
    assert asked(house) == 2


@pytest.mark.parametrize("options", [Options(dry_run=DryRun.REFUSED, charges=IDS)])
def test_a_refusal_costs_one_request_a_week_and_prices_are_learned_by_paying(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for _ in range(3):
            prices.ask_once_a_week(house.db, house.graphql())
    assert (house.github.stats.requests, house.github.stats.points) == (1, 0)
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert surprises(house) == 1


@pytest.mark.parametrize("options", [Options(dry_run=DryRun.WRONG, charges=IDS)])
def test_a_dry_run_that_is_wrong_is_believed_until_a_charge_contradicts_it(house: House) -> None:
    prices.ask_once_a_week(house.db, house.graphql())
    assert surprises(house) == 1
    assert surprises(house) == 0


@pytest.mark.parametrize("options", [Options(dry_run=DryRun.CHARGED, charges=TEN_PERCENT)])
def test_where_a_dry_run_is_charged_two_points_are_lost_and_no_more(house: House) -> None:
    prices.ask_once_a_week(house.db, house.graphql())
    assert house.github.stats.points == 2


@responses.activate
@pytest.mark.parametrize("price", ['{"cost": 0}', '{"cost": "7"}', '{"cost": true}', '{"cost": -3}', "null", "[]", "7"])
def test_a_dry_run_that_says_nothing_sensible_changes_nothing(price: str) -> None:
    responses.post("https://api.github.com/graphql", body=f'{{"data": {{"price": {price}}}}}')
    graphql = GraphQL("https://api.github.com/graphql", "tok", sleep=lambda seconds: None)
    assert prices.informed(graphql, Prices()) == Prices()
    assert len(responses.calls) == 1


def test_rivals_add_to_what_is_known_instead_of_replacing_it(house: House) -> None:
    one, other = (Memory(house.db, house.graphql()) for _ in range(2))
    page, follow_ups = SAMPLES[1].counted, SAMPLES[2].counted
    first, second = one.recall(), other.recall()
    one.keep(first.learned(page, 1).learned(follow_ups, 2))
    other.keep(second.learned(SAMPLES[3].counted, 2))
    both = Memory(house.db, house.graphql()).recall()
    assert {charge.points for charge in both.charged} == {1, 2}
    assert len(both.charged) == 3
    assert both.believed not in (NONE, Surcharges(query=1))


def test_the_table_shows_ours_beside_githubs(house: House) -> None:
    shown = list(price_table.table(house.graphql(), Prices()))
    assert [(each.expected, each.told) for each in shown] == [(1, 1)] * 4 + [(2, 2), (1, 1), (40, 40)]
    assert house.github.stats.points == 0
