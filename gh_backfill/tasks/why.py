"""Say in one sentence why a repository is, or is not, being captured now, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models import TrackedRepository
from gh_backfill.policy import governor
from gh_backfill.policy.governor import Standing
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.selection import Thresholds, Verdict, choose
from gh_backfill.policy.selection import Why as Reason
from gh_backfill.policy.standing import why_it_stands
from gh_backfill.store import recovery, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.recovery import Holder, State
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.operate import ids_of

POINTS_OF_A_START = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why one repository is, or is not, being captured now."""

    given: str
    text: str
    repository_id: str | None = None
    capturing: bool = False
    failed: bool = False

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "given": self.given,
            "repository_id": self.repository_id,
            "capturing": self.capturing,
            "why": self.text,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """What decides about all repositories: the verdicts of a plan made now, its size, and the budget."""

    verdicts: Sequence[Verdict]
    thresholds: Thresholds
    limit: int
    budget: Standing
    now: datetime


def why(db: Database, names: Sequence[str], now: datetime, *, thresholds: Thresholds, limit: int) -> list[Explanation]:
    """Explain each name from the stored counts, without asking GitHub; raises ConfigurationError if none is here."""
    known = ids_of(db, names)
    with db.transaction(read_only=True) as tx:
        candidates = repositories.candidates(tx, asked=[found for found in known.values() if found])
        holders = {found: recovery.holder(tx, found) for found in known.values() if found}
        states = {found: recovery.state(tx, found) for found in known.values() if found}
    scene = Scene(
        verdicts=choose(candidates, now, thresholds=thresholds, limit=limit),
        thresholds=thresholds,
        limit=limit,
        budget=budget(db, now=now),
        now=now,
    )
    return [
        Explanation(given=name, text="not tracked here: gh-backfill track registers it", failed=True)
        if found is None
        else _explain(name, scene, states[found], holders[found])
        for name, found in known.items()
    ]


def _explain(name: str, scene: Scene, state: State, holder: Holder | None) -> Explanation:
    if holder is not None:
        text = (
            f"it is being captured now: {holder.worker} reads page {holder.chunk_number}, and its claim holds until "
            f"{holder.lease_until:%H:%M:%S} UTC; {_count(state)}"
        )
        return Explanation(given=name, repository_id=state.repository_id, text=text, capturing=True)
    place, verdict = next(
        (place, each) for place, each in enumerate(scene.verdicts, 1) if each.repository.id == state.repository_id
    )
    text = f"it is not being captured now: {_reason(scene, verdict, state, place)}"
    return Explanation(given=name, repository_id=state.repository_id, text=text)


def _reason(scene: Scene, verdict: Verdict, state: State, place: int) -> str:
    repository, name = verdict.repository, verdict.repository.full_name
    if verdict.chosen:
        return f"{_first(repository)}, and the next plan takes it{_points(scene)}; {_count(state)}"
    thresholds = scene.thresholds
    texts = {
        Reason.LATER: f"{place - 1} others come before it and a plan takes {scene.limit}; it waits for a later one, "
        f"or gh-backfill capture {name} begins at once; {_count(state)}",
        Reason.FAILED: f"it failed: {why_it_stands(state)}; when the cause is gone, gh-backfill resume {name} "
        "lets it go on",
        Reason.SMALL: f"it has {repository.total} pull requests, and plans take those with more than "
        f"{thresholds.more_than}; gh-backfill capture {name} captures it all the same",
        Reason.COMPLETE: f"{_count(state)}, and plans take what is below {thresholds.below_percent} %; "
        f"gh-backfill capture {name} reads what changed since",
        Reason.GOAL: f"its goal is reached, {_count(state)}; gh-backfill track {name} --backfill --max-prs N sets a "
        "larger one",
        Reason.UNKNOWN_TOTAL: f"GitHub has not said yet how many pull requests it has: gh-backfill track {name} asks",
    }
    stands = why_it_stands(state) or f"{verdict.why}"
    stopped = f"{stands}; gh-backfill resume {name} lets it go on now; {_count(state)}"
    return texts.get(verdict.why, stopped)


def _first(repository: TrackedRepository) -> str:
    match repository.status:
        case BackfillStatus.ACTIVE:
            return "its backfill waits for a worker"
        case BackfillStatus.PAUSED:
            return "its pause is over"
        case _:
            return "its history is missing"


def _points(scene: Scene) -> str:
    wait = governor.verdict(scene.budget, POINTS_OF_A_START)
    return "" if wait is None else f", once there are points again at {wait.until:%H:%M} UTC ({wait.reason})"


def _count(state: State) -> str:
    return f"{state.captured:,} of {'?' if state.total is None else f'{state.total:,}'} pull requests are here"
