"""The costs of a month, and whether scheduled work may go on."""

from __future__ import annotations

from datetime import datetime

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.report.costs import CostRates, Month
from gh_backfill.policy.report.figures import Json
from gh_backfill.policy.report.savings import explained
from gh_backfill.settings import Settings
from gh_backfill.store import reports
from gh_backfill.store.db import Database


def prices(settings: Settings) -> CostRates:
    """Return the price table; raises ConfigurationError for what is no price."""
    try:
        return CostRates.of(settings.prices)
    except ValueError as error:
        raise ConfigurationError(f"GH_BACKFILL_PRICES: {error}") from None


def month(db: Database, settings: Settings, now: datetime) -> Month:
    """Return what this month has cost so far."""
    with db.reading() as tx:
        return reports.month(tx, prices(settings), now, budget=settings.monthly_budget, priced=is_priced(settings))


def is_priced(settings: Settings) -> bool:
    """Say whether somebody gave the price of a runner's minute, which then counts in a public repository, too."""
    return "actions_minute" in settings.prices


def waits(db: Database, settings: Settings, now: datetime) -> str | None:
    """Say why scheduled work waits for the next month; None if it may go on, as what a person starts always may."""
    if settings.monthly_budget is None or settings.event != "schedule":
        return None
    found = month(db, settings, now)
    if not found.exhausted:
        return None
    return (
        f"${found.total:.2f} of this month's ${found.budget:.2f} are spent: scheduled work waits for the next month "
        "(raise GH_BACKFILL_MONTHLY_BUDGET, or start the workflow by hand)"
    )


def as_json(found: Month) -> Json:
    """Return a month as JSON-ready values, but for its times."""
    return {
        "since": found.since,
        "at": found.at,
        "total": found.total,
        "by_processor": dict(found.by_processor),
        "embeddings": found.embeddings,
        "minutes": {work.processor: work.minutes for work in found.works},
        "overhead_minutes": found.overhead_minutes,
        "jobs": {work.processor: work.jobs for work in found.works},
        "projected": found.projected,
        "inngest_only": found.inngest_only,
        "saving": found.saving,
        "saving_percent": found.saving_percent,
        "budget": found.budget,
        "used_percent": found.used_percent,
        "explained": explained(found),
    }
