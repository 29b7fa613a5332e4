"""A stored budget that is wrong is corrected by GitHub's own word, which costs nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill import settings
from gh_backfill.clients import rate_limit
from gh_backfill.errors import Denied, GitHubError
from gh_backfill.simulator.faults import Fault
from gh_backfill.tasks import connect
from gh_backfill.tasks.check import check
from tests.forged import serving, whole
from tests.tasks.conftest import SMALL, House

HELD = """insert into api_budgets (identity, resource, budget_limit, remaining, reset_at, not_before, slowdowns)
          values (%(who)s, 'graphql', 5000, 0, now() + interval '50 minutes', now() + interval '50 minutes', 3)"""
STANDS = "select remaining, not_before <= now() as free from api_budgets where resource = 'graphql'"


def environment(house: House, url: str | None = None) -> settings.Settings:
    given = {"GITHUB_TOKEN": "ghs_tok", "GITHUB_API_URL": url or house.github.url, "DATABASE_URL": house.url}
    return settings.load(given, dotenv=None)


def hold(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run(HELD, who="installation:unnamed@127.0.0.1")


def test_what_one_wrong_answer_stored_is_corrected_and_costs_nothing(house: House) -> None:
    house.track(SMALL)
    spent = house.github.stats.as_json()["tokens"].get("ghs_tok", {}).get("points", 0)
    hold(house)
    assert connect.correct_budgets(environment(house), house.db) == ["installation:unnamed@127.0.0.1"]
    assert house.only(STANDS) == {"remaining": 5_000, "free": True}
    assert house.github.stats.as_json()["tokens"]["ghs_tok"].get("points", 0) == spent


def test_the_check_corrects_it_too(house: House) -> None:
    hold(house)
    assert all(found.ok for found in check(environment(house), datetime.now(UTC)))
    assert house.only(STANDS)["free"]


@pytest.mark.parametrize(
    "body", [{}, [], {"resources": []}, {"resources": {"graphql": {"limit": -5, "remaining": 10**20, "reset": "soon"}}}]
)
def test_nonsense_corrects_nothing(house: House, body: object) -> None:
    hold(house)
    with serving(lambda forged, seen: whole(body)) as forged:
        connect.correct_budgets(environment(house, forged.url), house.db)
    assert house.only(STANDS) == {"remaining": 0, "free": False}


def test_where_github_refuses_nothing_is_corrected_and_nothing_fails(house: House) -> None:
    hold(house)
    house.github.faults.add(Fault(name="bad_credentials"))
    assert connect.correct_budgets(environment(house), house.db) == []
    assert not house.only(STANDS)["free"]
    with pytest.raises(Denied):
        rate_limit.ask(house.github.url, "tok")


def test_a_reset_at_the_end_of_time_is_brought_within_65_minutes(house: House) -> None:
    told = {"limit": 5_000, "remaining": 0, "reset": 4_102_444_800}
    with serving(lambda forged, seen: whole({"resources": {"graphql": told}})) as forged:
        found = rate_limit.ask(forged.url, "tok")["graphql"]
    assert found.reset_at <= datetime.now(UTC) + timedelta(minutes=65)


def test_a_server_without_limits_says_so(house: House) -> None:
    answer = whole({"message": "Rate limiting is not enabled."}, "404 Not Found")
    with serving(lambda forged, seen: answer) as forged, pytest.raises(GitHubError):
        rate_limit.ask(forged.url, "tok")
