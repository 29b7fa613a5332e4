"""Files and commits of pull requests, brought by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.outcome import Captured, CaptureOutcome
from gh_backfill.models.work import COMMITS, FILES, TrackedRepository
from gh_backfill.policy import query_prices
from gh_backfill.policy.markdown import counted
from gh_backfill.store import diffs, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.diffs import DiffStanding
from gh_backfill.store.persist import persistently
from gh_backfill.tasks import after
from gh_backfill.tasks.beside import BesideRun
from gh_backfill.tasks.capture import find

BOTH = (FILES, COMMITS)


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffsFound:
    """What became of the lists of one repository's pull requests, or, where nothing was asked, what would."""

    repository: TrackedRepository
    of: tuple[str, ...]
    standing: DiffStanding
    points: int = 0
    captured: Captured | None = None

    @property
    def text(self) -> str:
        """Say it in a line."""
        lists, known = self.standing
        words = f"{known:,} of {counted(lists, 'list')} of {' and '.join(self.of)} are known"
        if self.captured is None:
            points = query_prices.lists_cost(lists - known, of=len(self.of))
            return f"{words}; would ask for {lists - known:,}, {counted(points, 'point')} or a little more; " + _DRY
        said = [words, f"{self.captured.items:,} read", counted(self.points, "point")]
        if self.captured.outcome is not CaptureOutcome.COMPLETED or self.captured.gaps:
            said.append(self.captured.reason)
        return "; ".join(said)

    def as_json(self) -> dict[str, object]:
        """Return it as others read it."""
        return {
            "repository": self.repository.full_name,
            "repository_id": self.repository.id,
            "lists": list(self.of),
            "total": self.standing.lists,
            "known": self.standing.known,
            "points": self.points,
            "outcome": None if self.captured is None else self.captured.outcome,
            "reason": None if self.captured is None else self.captured.reason,
        }


_DRY = "dry run: nothing was written"


def outlook(
    db: Database, names: Sequence[str], *, of: Sequence[str] = (), default_kinds: Sequence[str]
) -> list[DiffsFound]:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    return [
        DiffsFound(repository=each, of=lists, standing=_standing(db, each, lists))
        for each, lists in _named(db, names, of, default_kinds)
    ]


def run(
    run: BesideRun, names: Sequence[str], *, of: Sequence[str] = (), default_kinds: Sequence[str]
) -> list[DiffsFound]:
    """Read the lists of the pull requests of these repositories, or of all that have some switched on.

    What fails for one repository is told, and ends the asking.
    """
    named = persistently(lambda: _named(run.db, names, of, default_kinds), run.sleep)
    lists = {each.id: chosen for each, chosen in named}

    def tell(repository: TrackedRepository, _: DiffReading, captured: Captured) -> DiffsFound:
        wanted = lists[repository.id]
        standing = persistently(partial(_standing, run.db, repository, wanted), run.sleep)
        points = run.graphql.spent.points
        return DiffsFound(repository=repository, of=wanted, standing=standing, points=points, captured=captured)

    return run.each(
        [each for each, _ in named],
        lambda record, each: after.diffs(record, each, lists[each.id], run.limits, record.tell),
        tell,
    )


def _standing(db: Database, repository: TrackedRepository, of: Sequence[str]) -> DiffStanding:
    with db.reading() as tx:
        return diffs.standing(tx, repository.id, of)


def _named(
    db: Database, names: Sequence[str], of: Sequence[str], kinds: Sequence[str]
) -> list[tuple[TrackedRepository, tuple[str, ...]]]:
    """Return repositories, each with its lists: those that are asked for, else those that it has, else both."""
    if names:
        found = list({each.id: each for each in (find(db, name) for name in names)}.values())
        return [(each, tuple(of) or after.lists_of(each.after) or BOTH) for each in found]
    with db.reading() as tx:
        candidates = repositories.candidates(tx, kinds=kinds)
    return [
        (each, tuple(of) or after.lists_of(each.after))
        for each in candidates
        if after.lists_of(each.after) and each.tracked_at is not None
    ]
