"""The monitor: how things are, what needs somebody, what runs and waits, the day, budgets, processors, costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from gh_backfill.settings import Settings
from gh_backfill.tasks.pages import monitor
from gh_backfill.tasks.pages.activity import BudgetRow
from gh_backfill.tasks.pages.costs import KeptMonth
from gh_backfill.tasks.pages.monitor import Monitor
from gh_backfill.web.page import Ask, WebPage
from gh_backfill.web.pages.columns import columns

PLACE = "/monitor"
TOPICS = ("monitor",)


def page(ask: Ask) -> WebPage:
    """Show the monitor as its address asks for it."""
    kept = ask.context.month or KeptMonth(ask.context.settings)
    runner, where = ask.context.runner, issues_at(ask.context.settings)
    here = runner is not None and runner.possible
    return shown(monitor.monitor(ask.db, dict(ask.query), ask.now, costs=kept.month, here=here, issues_at=where))


def issues_at(settings: Settings) -> str | None:
    """Return the address of the repository whose issues alerts open; None: of the one that has the runs."""
    return None if settings.alert_repository is None else f"{settings.server_url}/{settings.alert_repository}"


def shown(found: Monitor) -> WebPage:
    """Return the page of a monitor that was read."""
    return WebPage(
        template="monitor.html",
        data={
            "page": found,
            "list": found.backfills,
            "columns": columns(found.asked),
            "day": [(f"{each.at:%H:%M}", each.items) for each in found.day.half_hours],
            "budgets": series(found.budgets),
            "month": month(found),
            "back": f"{PLACE}{found.asked.address()}",
        },
        json=found.as_json(),
        topics=TOPICS,
        place=PLACE,
    )


def series(budgets: Sequence[BudgetRow]) -> tuple[list[str], dict[str, list[int | None]]]:
    """Return the times at which budgets were looked at, and how many points each had left at them."""
    times = sorted({each.at for row in budgets for each in row.samples})
    found = {}
    for row in budgets:
        known = {each.at: each.remaining for each in row.samples}
        found[row.identity] = [known.get(at) for at in times]
    return [f"{at.astimezone(UTC):%H:%M}" for at in times], found


def month(found: Monitor) -> tuple[list[str], dict[str, list[int]]]:
    """Return the last 30 days, and how many repositories were complete and still open at the end of each."""
    labels = [f"{each.day:%d %b}" for each in found.days]
    complete = [each.complete for each in found.days]
    return labels, {"complete": complete, "open": [each.all - each.complete for each in found.days]}
