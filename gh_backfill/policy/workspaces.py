"""Names of workspaces, and when their events are fetched again."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.errors import ConfigurationError

# The owner of a workspace where no application has users: the same on every installation.
LOCAL_OWNER = "00000000-0000-4000-8000-000000000001"
# Where no application sets a limit, a workspace has as many as one statement answers for.
LOCAL_LIMIT = 1_000
_SLUG = re.compile(r"[a-z0-9-]{3,50}")
_NAME = range(3, 101)


class Every(StrEnum):
    """How often the events of a workspace are fetched anew."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


def slug_of(text: str) -> str:
    """Return the slug that was given; raises ConfigurationError for what can't be one."""
    slug = text.strip().lower()
    if _SLUG.fullmatch(slug) is None:
        raise ConfigurationError(f"a slug has 3 to 50 of a-z, 0-9 and -, as web-frameworks, not {text.strip()[:60]!r}")
    return slug


def name_of(text: str | None, slug: str) -> str:
    """Return the name that was given, or that of a slug: `web-frameworks` is Web frameworks."""
    name = " ".join((text or "").split()) or slug.replace("-", " ").strip().capitalize() or slug
    if len(name) not in _NAME:
        raise ConfigurationError(f"the name of a workspace has 3 to 100 characters, not {len(name)}: say --name")
    return name


def following(every: Every, begins: datetime, now: datetime) -> datetime:
    """Return when something that began is due next: after now, at its own hour; of a shorter month its last day."""
    step = 0
    following = begins
    while following <= now:
        step += 1
        following = _later(every, begins, step)
    return following


def _later(every: Every, due: datetime, step: int) -> datetime:
    if every is not Every.MONTHLY:
        return due + step * timedelta(days=1 if every is Every.DAILY else 7)
    year, month = divmod(due.year * 12 + due.month - 1 + step, 12)
    day = min(due.day, calendar.monthrange(year, month + 1)[1])
    return due.replace(year=year, month=month + 1, day=day)
