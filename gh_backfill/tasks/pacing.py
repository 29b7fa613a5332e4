"""The brakes on all repositories: a low budget, and most of the month's money spent."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy import schedule
from gh_backfill.policy.schedule import Pace
from gh_backfill.settings import Settings
from gh_backfill.store import budgets
from gh_backfill.store.db import Database
from gh_backfill.tasks.report import costs


def pace(db: Database, graphql: GraphQL, settings: Settings, now: datetime | None = None) -> Pace:
    """Return it, by the budgets of the credentials that read, and by the monthly budget where there is one."""
    standings = budgets.standings(db, list(graphql.credentials.by_identity()))
    used = None
    if settings.monthly_budget is not None:
        used = costs.month(db, settings, now or datetime.now(UTC)).used_percent
    return schedule.pace(standings, used)
