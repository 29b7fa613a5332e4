"""The schedules of repositories: their hours and their returns, and what others use of the budget at which hour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.policy.off_peak import Learned, learn
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("schedules")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timetable:
    """What was said of one repository; `completed_at` is when its history was last complete, if it is now."""

    id: str
    full_name: str
    is_private: bool
    off_peak: str | None
    every_days: int | None
    status: str | None
    completed_at: datetime | None


def save(
    tx: Transaction,
    repository_ids: Sequence[str],
    *,
    off_peak: str | None = None,
    every_days: int | None = None,
    clears: Collection[str] = (),
) -> int:
    """Write what was said of tracked repositories, and return of how many; `clears` are columns to be empty again."""
    params = {"off_peak": off_peak, "every_days": every_days, "clears": tuple(clears)}
    return len(tx.rows(_SQL["set_schedule"], ids=tuple(repository_ids), **params))


def timetables(tx: Transaction, repository_ids: Sequence[str] | None = None) -> list[Timetable]:
    """Return what was said of these repositories, or of all of which anything was said."""
    ids = None if repository_ids is None else tuple(repository_ids)
    return [Timetable(**row) for row in tx.rows(_SQL["schedules"], ids=ids)]


def learned(tx: Transaction) -> Learned:
    """Return the hours in which others use least of our budgets, as far as the samples of the last days tell."""
    shares: defaultdict[int, list[float]] = defaultdict(list)
    for row in tx.rows(_SQL["others_use"]):
        shares[row["hour"].astimezone(UTC).hour].append(float(row["share"]))
    return learn(shares)
