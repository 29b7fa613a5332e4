"""Say in one sentence why a repository is, or is not, being captured now, and what would change it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS, TrackedRepository, words_of
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.lifecycle import UNTRACKED, BackfillStatus
from gh_backfill.policy.markdown import counted, percent
from gh_backfill.policy.progress import complete_words
from gh_backfill.policy.selection import OPEN, Thresholds, Verdict, all_here, choose
from gh_backfill.policy.selection import PlanReason as Reason
from gh_backfill.policy.standing import RESUME, what_stopped, why_it_stands
from gh_backfill.store import profiles, recovery, repositories, syncs, verify
from gh_backfill.store.db import Database
from gh_backfill.store.profiles import ProfileStanding
from gh_backfill.store.recovery import Holder, State
from gh_backfill.store.syncs import SyncTimes
from gh_backfill.store.verify import Verification
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.operate import ids_of
from gh_backfill.tasks.schedule import hours_of

POINTS_OF_A_START = 3
NOT_NOW = "it is not being captured now: "
SYNC = "gh-backfill sync"


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why one repository is, or is not, being captured now."""

    given: str
    text: str
    repository_id: str | None = None
    capturing: bool = False
    failed: bool = False

    def beside(self, more: str) -> Explanation:
        """Return it with what else is to be said."""
        return replace(self, text=f"{self.text}; {more}") if more else self

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "given": self.given,
            "repository_id": self.repository_id,
            "capturing": self.capturing,
            "why": self.text,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What decides about all repositories: the verdicts of a plan made now, its size, and the budget."""

    verdicts: Sequence[Verdict]
    thresholds: Thresholds
    limit: int
    budget: BudgetState
    now: datetime


def why(
    db: Database,
    names: Sequence[str],
    now: datetime,
    *,
    thresholds: Thresholds,
    limit: int,
    off_peak: str | None = None,
) -> list[Explanation]:
    """Explain each name from the stored counts, without asking GitHub; raises ConfigurationError if none is here."""
    known = ids_of(db, names)
    with db.reading() as tx:
        candidates = repositories.candidates(tx, asked=[found for found in known.values() if found])
        holders = {found: recovery.holder(tx, found) for found in known.values() if found}
        states = {found: recovery.states(tx, found) for found in known.values() if found}
        synced = {found: syncs.times(tx, found) for found in known.values() if found}
        people = {
            each.id: profiles.standing(tx, each.id)
            for each in candidates
            if CONTRIBUTORS in each.after and each.id in states
        }
        proven = {found: verify.verification(tx, found) for found in known.values() if found}
    hours = hours_of(db, [each.off_peak for each in candidates], off_peak)
    around = Circumstances(
        verdicts=choose(candidates, now, thresholds=thresholds, limit=limit, hours=hours),
        thresholds=thresholds,
        limit=limit,
        budget=budget(db, now=now),
        now=now,
    )
    return [
        Explanation(given=name, text="not tracked here: gh-backfill track registers it", failed=True)
        if found is None
        else _explain(name, around, states[found], holders[found])
        .beside(_of_sync(synced[found], now))
        .beside(_of_people(people.get(found)))
        .beside(_of_proof(name, proven[found]))
        for name, found in known.items()
    ]


def _explain(name: str, around: Circumstances, states: Sequence[State], holder: Holder | None) -> Explanation:
    """Explain a repository by its pull requests, if it has a backfill of theirs, and say how its other kinds stand."""
    first, *others = states
    if first.kind == PULL_REQUESTS or holder is not None:
        found = _of_first(name, around, first, holder)
    else:
        text = f"{NOT_NOW}{words_of(first.kind)}: {_of_other(first)}"
        found = Explanation(given=name, repository_id=first.repository_id, text=text)
    return replace(
        found, text="; ".join([found.text, *(f"{words_of(each.kind)}: {_of_other(each)}" for each in others)])
    )


def _of_other(state: State) -> str:
    """Say how the backfill of another kind than pull requests stands, and what lets it go on."""
    stopped = why_it_stands(state)
    if stopped is None:
        complete = f"complete, {SYNC} {state.full_name} reads what changed since"
        goes_on = complete if state.status is BackfillStatus.COMPLETED else "waiting for a worker"
        return f"{goes_on}; {_count(state)}"
    if state.status is BackfillStatus.FAILED:
        stopped = f"it failed: {stopped}; when the cause is gone, {RESUME} {state.full_name} lets it go on"
    elif RESUME not in stopped:
        stopped = f"{stopped}; {RESUME} {state.full_name} lets it go on now"
    return f"{stopped}; {_count(state)}"


def _of_sync(times: SyncTimes | None, now: datetime) -> str:
    """Say how fresh a repository was made and when it is due again; nothing where it was never synced."""
    if times is None:
        return ""
    at = times.last_success_at
    last = "no sync of it has come to its end yet" if at is None else f"synced as of {at:%Y-%m-%d %H:%M} UTC"
    odd = f" ({times.last_error})" if times.last_error else ""
    due = "due again at" if times.next_due_at > now else "due since"
    waits = f", {counted(times.waiting, 'job')} to sync it waits" if times.waiting else ""
    return f"{last}{odd}, {due} {times.next_due_at:%Y-%m-%d %H:%M} UTC{waits}"


def _of_people(found: ProfileStanding | None) -> str:
    """Say of how many contributors the profile is known; nothing where profiles are not captured."""
    if found is None:
        return ""
    return f"contributors: of {found.people:,} {found.known:,} are known"


def _of_proof(name: str, last: Verification | None) -> str:
    """Say when it was proven that everything is here; nothing where nobody looked yet."""
    if last is None:
        return ""
    if last.open or last.proven_at is None:
        found = f"{counted(last.open, 'difference')} found" if last.open else "not proven to the end yet"
        mends = f"; gh-backfill verify {name} --repair" if last.open else ""
        return f"{found}, quality {percent(last.score)} ({last.verified_at:%Y-%m-%d %H:%M} UTC){mends}"
    return f"proven {last.proven_at:%Y-%m-%d %H:%M} UTC"


def _of_first(name: str, around: Circumstances, state: State, holder: Holder | None) -> Explanation:
    if holder is not None:
        text = (
            f"it is being captured now: {holder.worker} reads page {holder.chunk_number}, and its claim holds until "
            f"{holder.lease_until:%H:%M:%S} UTC; {_count(state)}"
        )
        return Explanation(given=name, repository_id=state.repository_id, text=text, capturing=True)
    place, verdict = next(
        (place, each) for place, each in enumerate(around.verdicts, 1) if each.repository.id == state.repository_id
    )
    text = f"{NOT_NOW}{_reason(around, verdict, state, place)}"
    return Explanation(given=name, repository_id=state.repository_id, text=text)


def _reason(around: Circumstances, verdict: Verdict, state: State, place: int) -> str:
    repository, name = verdict.repository, verdict.repository.full_name
    untracked = state.given_up and state.held_reason == UNTRACKED
    if untracked or (repository.tracked_at is None and repository.status not in OPEN):
        stopped = what_stopped(state) or "it is not on the list of those that are tracked"
        return f"{stopped}; gh-backfill track {name} takes it up again; {_count(state)}"
    if repository.vanished and repository.status == BackfillStatus.FAILED:
        return f"it failed: {what_stopped(state)}; the next plan takes it if GitHub shows it again; {_count(state)}"
    if verdict.chosen:
        return f"{_first(repository)}, and the next plan takes it{_points(around)}; {_count(state)}"
    return _why_not(around, verdict, state, place)


def _why_not(around: Circumstances, verdict: Verdict, state: State, place: int) -> str:
    """Say why the next plan does not take it, and what would change that."""
    repository, name = verdict.repository, verdict.repository.full_name
    thresholds, capture, fresh = around.thresholds, f"gh-backfill capture {name}", f"{SYNC} {name}"
    texts = {
        Reason.LATER: f"{counted(place - 1, 'other')} before it and a plan takes {around.limit}; it waits for a later "
        f"one, or {capture} begins at once",
        Reason.SMALL: f"it has {counted(repository.total or 0, 'pull request')}, and plans take those with more than "
        f"{thresholds.more_than}; {capture} captures it all the same",
        Reason.COMPLETE: f"{_complete(repository, thresholds)}; {capture if repository.gaps else fresh} reads what "
        "changed since",
        Reason.GOAL: f"its goal is reached, {repository.aim.words}; gh-backfill track {name} "
        "--max-prs all goes on to the rest",
        Reason.UNKNOWN_TOTAL: f"GitHub has not said yet how many pull requests it has; gh-backfill track {name} asks",
        Reason.RUNNING: "another worker has just taken it",
        Reason.OFF_PEAK: f"it {verdict.words}; {capture} begins at once, and gh-backfill schedule {name} says more",
    }
    return f"{texts.get(verdict.why) or _stopped(verdict, state)}; {_count(state)}"


def _complete(repository: TrackedRepository, thresholds: Thresholds) -> str:
    if all_here(repository):
        gaps = min(repository.gaps, (repository.total or 0) - repository.captured)
        return f"it is {complete_words(gaps)}" if gaps > 0 else "it is complete"
    return f"plans take what is below {thresholds.below_percent} %"


def _stopped(verdict: Verdict, state: State) -> str:
    """Say what stopped it, and what lets it go on."""
    go_on = f"{RESUME} {verdict.repository.full_name}"
    if verdict.why is Reason.FAILED:
        return f"it failed: {what_stopped(state)}; when the cause is gone, {go_on} lets it go on"
    if state.given_up:
        return f"{what_stopped(state)}; {go_on} takes it up again"
    if state.resume_at is None:
        return f"{what_stopped(state)}; {go_on} lets it go on"
    return f"{why_it_stands(state)}; {go_on} lets it go on now"


def _first(repository: TrackedRepository) -> str:
    match repository.status:
        case BackfillStatus.ACTIVE:
            return "its backfill waits for a worker"
        case BackfillStatus.PAUSED:
            return "its pause is over"
        case BackfillStatus.COMPLETED if repository.goal is not None:
            return "its newest pull requests are here, and the rest follows (gh-backfill run brings it now)"
        case _:
            return "its history is missing"


def _points(around: Circumstances) -> str:
    wait = governor.verdict(around.budget, POINTS_OF_A_START)
    return "" if wait is None else f", once there are points again at {wait.until:%H:%M} UTC ({wait.reason})"


def _count(state: State) -> str:
    total = "?" if state.total is None else f"{state.total:,}"
    return f"{state.captured:,} of {total} {words_of(state.kind)} are here"
