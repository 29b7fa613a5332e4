"""Know what GitHub charges for our queries: from what it charged before, and by asking it before the first page."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from gh_backfill.clients import dry_run
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import GitHubError, StoreError
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import Prices
from gh_backfill.policy.samples import Sample, next_sample
from gh_backfill.store import prices as store
from gh_backfill.store.db import Database

log = logging.getLogger(__name__)


class Memory:
    """The prices of the identities of one client.  What can't be read or written is forgotten: it is learned again."""

    def __init__(self, db: Database, graphql: GraphQL) -> None:
        self._db, self._graphql = db, graphql
        self._identities: Sequence[str] = ()
        self._known: Prices | None = None

    @property
    def known(self) -> Prices:
        """Return what is known: read once, and again where that failed."""
        return self.recall() if self._known is None else self._known

    def recall(self) -> Prices:
        """Read and return what is known."""
        try:
            self._identities = list(self._graphql.credentials.by_identity())
            with self._db.reading() as tx:
                self._known = store.recall(tx, self._identities)
        except (GitHubError, StoreError) as error:
            log.info("what queries cost before is not known: %s", error)
        return self._known or Prices()

    def keep(self, prices: Prices, *, whatever: bool = False) -> None:
        """Remember what was learned, if it changes what is planned with, or `whatever` was learned at the end."""
        known = self.known
        changed = (prices.believed, prices.surprises) != (known.believed, known.surprises)
        if not self._identities or not (changed or (whatever and prices.surprises and prices != known)):
            return
        try:
            with self._db.transaction() as tx:
                store.remember(tx, self._identities, prices, begun_with=known)
        except StoreError as error:
            log.info("what queries cost could not be stored: %s", error)
            return
        self._known = prices


def ask_once_a_week(db: Database, graphql: GraphQL) -> Memory:
    """Let GitHub price our queries, unless it was asked lately for this identity; returns what is known by then."""
    memory = Memory(db, graphql)
    known = memory.recall()
    try:
        if graphql.attempts.must_wait(1) is not None:
            return memory  # the capture will wait, too, or end, and the ledger of its job says so
        identities = list(graphql.credentials.by_identity())
        due = [each for each in sorted(identities) if store.begin_asking(db, each)]
    except (GitHubError, StoreError) as error:
        log.info("GitHub is not asked for its prices: %s", error)
        return memory
    if due:
        memory.keep(informed(graphql, known))
    return memory


def informed(graphql: GraphQL, prices: Prices) -> Prices:
    """Return the prices that agree with what GitHub says of samples of our queries, as far as it says anything."""
    asked: list[Sample] = []
    while (sample := next_sample(prices, asked)) is not None:
        left = graphql.budget
        try:
            told = dry_run.price(graphql, sample)
        except GitHubError as error:
            log.info("GitHub does not tell the price of a query, so it is learned from what is charged: %s", error)
            break
        asked.append(sample)
        prices = prices.informed(sample.counted, told)
        if left and graphql.budget and graphql.budget.remaining < left.remaining:
            log.info("GitHub seems to charge for telling a price: it is asked no further")
            break
    if asked:
        log.info("GitHub told the prices of %s: %s", counted(len(asked), "query"), prices.believed)
    return prices
