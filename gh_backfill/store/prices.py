"""The charges of an identity beside the price list, remembered with its budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from gh_backfill.policy import governor
from gh_backfill.policy.query_prices import Prices
from gh_backfill.policy.surcharges import NONE, Charge, Counted
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Transaction

_SQL = sql("prices")
OLD = timedelta(days=7)


def recall(tx: Transaction, identities: Sequence[str]) -> Prices:
    """Return what is known of the prices of these identities together."""
    known = Prices()
    for row in tx.rows(_SQL["recall"], identities=tuple(identities)):
        known = _prices(row["prices"]).after(known, Prices())
    return known


def remember(tx: Transaction, identities: Sequence[str], prices: Prices, *, begun_with: Prices) -> None:
    """Add to what is known of each identity what was learned since `begun_with` was recalled."""
    for identity in sorted(identities):
        row = tx.row(_SQL["recall_for_update"], identity=identity)
        known = _prices(row["prices"]) if row and row["prices"] else Prices()
        learned = prices.after(known, begun_with)
        as_listed = learned.believed == NONE and not learned.surprises
        values = None if as_listed else _as_json(learned)
        tx.rows(_SQL["remember"], identity=identity, start=governor.START, prices=values)


def begin_asking(db: Database, identity: str) -> bool:
    """Say whether GitHub is to be asked for its prices now; whoever is told so asks, and nobody else for a week."""
    return bool(db.statement(_SQL["begin_asking"], identity=identity, start=governor.START, old=OLD))


def _prices(values: dict[str, Any]) -> Prices:
    return Prices.remembered(
        [_charge(each) for each in values["charged"]],
        [_charge(each) for each in values["told"]],
        surprises=values["surprises"],
        lost=values["lost"],
    )


def _charge(values: Sequence[int]) -> Charge:
    units, ids, aliases, pull_requests, counts, listed, points = values
    counted = Counted(units=units, ids=ids, aliases=aliases, pull_requests=pull_requests, counts=counts, listed=listed)
    return Charge(counted=counted, points=points)


def _as_json(prices: Prices) -> dict[str, object]:
    return {
        "charged": [_values(each) for each in prices.charged],
        "told": [_values(each) for each in prices.told],
        "surprises": prices.surprises,
        "lost": round(prices.lost, 3),
    }


def _values(charge: Charge) -> list[int]:
    of = charge.counted
    return [of.units, of.ids, of.aliases, of.pull_requests, of.counts, of.listed, charge.points]
