"""Show what our queries cost: by our prices, and by what GitHub says of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from gh_backfill.clients import dry_run
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.prices import Memory
from gh_backfill.errors import BackfillError, GitHubError
from gh_backfill.policy.query_prices import Prices
from gh_backfill.policy.samples import ABOVE, SAMPLES
from gh_backfill.settings import Settings
from gh_backfill.tasks import connect

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Priced:
    """What a query of ours costs: its units by the list, the points we expect, and those that GitHub tells, or None."""

    token: str
    query: str
    units: int
    expected: int
    told: int | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return asdict(self)


def tables(settings: Settings) -> list[Priced]:
    """Return, for each token, samples of our queries with what they cost by our prices and by GitHub's word.

    Raises ConfigurationError without a token; without a database, our prices are those of the list.
    """
    found: list[Priced] = []
    for token, graphql in connect.each_github(settings):
        with graphql:
            found += table(graphql, _learned(settings, graphql), token=token)
    return found


def _learned(settings: Settings, graphql: GraphQL) -> Prices:
    try:
        with connect.database(settings, writing=False) as db:
            return Memory(db, graphql).recall()
    except BackfillError as error:
        log.info("the prices that were learned are not known: %s", error)
        return Prices()


def table(graphql: GraphQL, prices: Prices, *, token: str = "") -> Iterator[Priced]:
    """Yield samples of our queries with what they cost by our prices and by GitHub's word."""
    refused = False
    for sample in (*SAMPLES, *ABOVE):
        told: int | None = None
        if not refused:
            try:
                told = dry_run.price(graphql, sample)
            except GitHubError as error:
                log.info("GitHub does not tell the price of a query: %s", error)
                refused = True
        yield Priced(
            token=token,
            query=sample.name,
            units=sample.counted.units,
            expected=prices.points(sample.counted),
            told=told,
        )
