"""The month's costs as pages show them: the sums of `costs`, worked out at most once a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from gh_backfill.policy.report.costs import CostRates, Month
from gh_backfill.settings import Settings
from gh_backfill.store import reports
from gh_backfill.store.db import Transaction
from gh_backfill.tasks.report.costs import is_priced, prices

# A month has many jobs, and its sums move slowly: all viewers of a minute share them.
KEPT = timedelta(minutes=1)


class KeptMonth:
    """The costs of the month for one database; from several threads it is asked for once too often, and no worse."""

    def __init__(self, settings: Settings | None = None) -> None:
        """Take prices and budget from the settings; raises ConfigurationError for what is no price."""
        self._prices = CostRates() if settings is None else prices(settings)
        self._budget = None if settings is None else settings.monthly_budget
        self._priced = settings is not None and is_priced(settings)
        self._known: Month | None = None

    def month(self, tx: Transaction, now: datetime) -> Month:
        """Return what the month of `now` has cost, as of at most a minute ago."""
        known = self._known
        if known is None or not known.at <= now < known.at + KEPT or known.at.month != now.month:
            known = reports.month(tx, self._prices, now, budget=self._budget, priced=self._priced)
            self._known = known
        return known
