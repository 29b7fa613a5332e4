"""Profiles of the people of repositories, brought by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from gh_backfill.clients.profiles import ProfileReader
from gh_backfill.engine.outcome import Captured, CaptureOutcome
from gh_backfill.engine.profiles import ProfileReading, ProfilesRead
from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS, TrackedRepository
from gh_backfill.policy import query_prices
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.store import profiles, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD, ProfileStanding
from gh_backfill.tasks import after
from gh_backfill.tasks.beside import BesideRun
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfilesFound:
    """What became of the profiles of one repository's people, or, where nothing was asked, what would."""

    repository: TrackedRepository
    standing: ProfileStanding
    points: int = 0
    read: ProfilesRead = field(default_factory=ProfilesRead)
    captured: Captured | None = None

    @property
    def text(self) -> str:
        """Say it in a line."""
        people, known = self.standing
        if self.captured is None:
            left = people - known
            points = -(-left // MOST_IDS) * query_prices.points(0)
            return (
                f"{known:,} of {counted(people, 'contributor')} are known; would ask for {counted(left, 'profile')}, "
                f"about {counted(points, 'point')}; dry run: nothing was written"
            )
        read = self.read
        said = [f"{known:,} of {counted(people, 'contributor')} are known", f"{counted(read.brought, 'profile')} read"]
        said += [f"GitHub shows no account for {read.absent:,}"] if read.absent else []
        said += [f"nothing was said of {read.untold:,} ({read.reason})"] if read.untold else []
        said += [counted(self.points, "point")]
        if self.captured.outcome is not CaptureOutcome.COMPLETED:
            said.append(self.captured.reason)
        return "; ".join(said)

    def as_json(self) -> dict[str, object]:
        """Return it as others read it."""
        return {
            "repository": self.repository.full_name,
            "repository_id": self.repository.id,
            "people": self.standing.people,
            "known": self.standing.known,
            "read": self.read.brought,
            "not_shown": self.read.absent,
            "not_told": self.read.untold,
            "points": self.points,
            "outcome": None if self.captured is None else self.captured.outcome,
            "reason": None if self.captured is None else self.captured.reason,
        }


def outlook(
    db: Database,
    names: Sequence[str],
    *,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    older_than: timedelta = OLD,
) -> list[ProfilesFound]:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    return [
        ProfilesFound(repository=each, standing=_standing(db, each, older_than))
        for each in _named(db, names, default_kinds)
    ]


def run(
    run: BesideRun,
    names: Sequence[str],
    *,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    older_than: timedelta = OLD,
) -> list[ProfilesFound]:
    """Read the profiles of the people of these repositories, or of all that have contributors switched on.

    Each person once, whatever the number of repositories; `default_kinds` are switched on where nothing else was said.
    What fails for one repository is told, and ends the asking.
    """
    found = persistently(lambda: _named(run.db, names, default_kinds), run.sleep)
    reader, left = ProfileReader(graphql=run.graphql), [each.id for each in found]

    def begin(record: Record, repository: TrackedRepository) -> ProfileReading:
        reading = after.profiles(record, repository, run.limits, older_than, record.tell)
        left.remove(repository.id)
        reading.reader, reading.beside = reader, tuple(left)
        return reading

    def tell(repository: TrackedRepository, reading: ProfileReading, captured: Captured) -> ProfilesFound:
        return ProfilesFound(
            repository=repository,
            standing=persistently(partial(_standing, run.db, repository, older_than), run.sleep),
            points=run.graphql.spent.points,
            read=reading.told,
            captured=captured,
        )

    return run.each(found, begin, tell)


def _standing(db: Database, repository: TrackedRepository, older_than: timedelta) -> ProfileStanding:
    with db.reading() as tx:
        return profiles.standing(tx, repository.id, older_than=older_than)


def _named(db: Database, names: Sequence[str], kinds: Sequence[str]) -> list[TrackedRepository]:
    if names:
        return list({each.id: each for each in (find(db, name) for name in names)}.values())
    with db.reading() as tx:
        return [
            each
            for each in repositories.candidates(tx, kinds=kinds)
            if CONTRIBUTORS in each.after and each.tracked_at is not None
        ]
