"""Say, and tell, when plans take repositories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy import off_peak as rules
from gh_backfill.policy.off_peak import Hours, Learned
from gh_backfill.store import schedules
from gh_backfill.store.db import Database
from gh_backfill.store.schedules import Timetable
from gh_backfill.tasks.operate import ids_of

MOST_DAYS = 3660


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleWish:
    """What is to be written; None leaves what was said before, `none` takes it back."""

    off_peak: str | None = None
    every_days: str | None = None

    @classmethod
    def of(cls, off_peak: str | None, every_days: str | None) -> ScheduleWish:
        """Read the options; empty means not given.  Raises ConfigurationError for what can't be read."""
        hours = rules.checked(off_peak, given_as="--off-peak") if off_peak and off_peak.strip() else None
        days = (every_days or "").strip().lower() or None
        if days not in (None, rules.NONE) and not (days.isdecimal() and 1 <= int(days) <= MOST_DAYS):
            raise ConfigurationError(
                f"--every-days must be a number of days, 1 to {MOST_DAYS}, or none, not {days[:40]}"
            )
        return cls(off_peak=hours, every_days=days)

    def __bool__(self) -> bool:
        """Say whether anything is to be written."""
        return self.off_peak is not None or self.every_days is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldSchedule:
    """When plans take one repository."""

    timetable: Timetable
    text: str

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        it = self.timetable
        return {
            "repository_id": it.id,
            "full_name": it.full_name,
            "off_peak": it.off_peak,
            "every_days": it.every_days,
            "completed_at": it.completed_at and it.completed_at.isoformat(),
            "text": self.text,
        }


def schedule(
    db: Database, names: Sequence[str], wish: ScheduleWish, now: datetime, *, usual: str | None, dry_run: bool = False
) -> list[ToldSchedule]:
    """Write what is wished of the named repositories, and tell how they stand; without names, all that have a schedule.

    `usual` is what is set for all.  Raises ConfigurationError for a name that is not tracked here: nothing is written.
    """
    ids = _ids(db, names) if names else None
    if wish and ids is None:
        raise ConfigurationError("name the repositories whose schedule is to change")
    if wish and ids is not None and not dry_run:
        clears = ["every_days"] if wish.every_days == rules.NONE else []
        with db.transaction() as tx:
            schedules.save(
                tx,
                ids,
                off_peak=wish.off_peak,
                every_days=None if wish.every_days in (None, rules.NONE) else int(wish.every_days),
                clears=clears,
            )
    with db.reading() as tx:
        found, learned = schedules.timetables(tx, ids), schedules.learned(tx)
    return [ToldSchedule(timetable=each, text=_text(each, usual, learned, now)) for each in found]


def hours_of(db: Database, wishes: Sequence[str | None], usual: str | None) -> Hours:
    """Return the hours that a plan honours; what others use is looked up where somebody wants the quiet ones."""
    if rules.LEARNED not in (*wishes, usual):
        return Hours(usual=usual)
    with db.reading() as tx:
        return Hours(usual=usual, learned=schedules.learned(tx))


def _ids(db: Database, names: Sequence[str]) -> list[str]:
    known = ids_of(db, names)
    if lost := [name for name, found in known.items() if found is None]:
        raise ConfigurationError(f"not tracked here: {', '.join(lost)}; run gh-backfill track owner/name first")
    with db.reading() as tx:
        tracked = {each.id for each in schedules.timetables(tx, [each for each in known.values() if each])}
    if lost := [name for name, found in known.items() if found not in tracked]:
        raise ConfigurationError(f"not tracked any more: {', '.join(lost)}; gh-backfill track takes it up again")
    return [each for each in known.values() if each]


def _text(each: Timetable, usual: str | None, learned: Learned, now: datetime) -> str:
    told = [_hours(each, usual, learned, now)]
    if each.every_days is not None:
        days = f"its history is read again every {each.every_days} days"
        if each.completed_at is None:
            told.append(f"{days} once it is complete")
        else:
            due = each.completed_at + timedelta(days=each.every_days)
            told.append(f"{days}, next from {max(due, now):%Y-%m-%d} on")
    return "; ".join(told)


def _hours(each: Timetable, usual: str | None, learned: Learned, now: datetime) -> str:
    if each.off_peak is None:
        words = "at any hour" if usual in (None, rules.NONE) else f"at any hour, large batches {_named(usual, learned)}"
        return f"plans take it {words}"
    if each.off_peak == rules.NONE:
        return "plans take it at any hour, whatever is set for all"
    opens = Hours(usual=usual, learned=learned).waits_until(each.off_peak, rules.LARGE, now)
    open_now = "now is such a time" if opens is None else f"next at {opens:%Y-%m-%d %H:%M} UTC"
    return f"plans take it {_named(each.off_peak, learned)}: {open_now}"


def _named(wish: str | None, learned: Learned) -> str:
    return f"in its quiet hours ({learned.words})" if wish == rules.LEARNED else f"in the hours {wish} UTC"
