"""The sums of jobs of long ago, by day: the ledger itself holds a quarter of a year."""

from __future__ import annotations

from datetime import datetime, timedelta

from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("job_sums")

KEPT_FOR = timedelta(days=90)
# Of each repository and type of job so many of the last stay, however old they are.
LAST_ONES = 10
# So many at once: whoever has years of them behind has them added up by the reports of some days.
AT_ONCE = 5_000


def sum_up(tx: Transaction, *, now: datetime | None = None, most: int = AT_ONCE) -> int:
    """Put jobs that ended long ago into the sums of their days, and return how many these were."""
    row = tx.row(_SQL["sum_up"], now=now, old=KEPT_FOR, kept=LAST_ONES, most=most)
    assert row is not None
    return int(row["jobs"])
