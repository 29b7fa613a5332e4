"""The repositories that a plan opens or goes on with, in their order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.initial import LAST, place
from gh_backfill.policy.initial import OPEN as OPEN_INITIAL
from gh_backfill.policy.lifecycle import GIVEN_UP, BackfillStatus
from gh_backfill.policy.off_peak import ALWAYS, Hours, comes_again
from gh_backfill.policy.progress import within
from gh_backfill.policy.retries import PauseReason

# GitHub starts at most this many jobs of one matrix.
LARGEST_MATRIX = 256
OPEN = frozenset({BackfillStatus.ACTIVE, BackfillStatus.PAUSED})


class PlanReason(StrEnum):
    """Why a repository is, or is not, in the plan."""

    NEW = "history is missing"
    REST = "its newest are here, the rest follows"
    GOES_ON = "backfill goes on"
    RESUMES = "the pause is over"
    SHOWN_AGAIN = "GitHub shows it again"
    ASKED = "asked for"
    OTHERS = "other items than pull requests are missing"
    SMALL = "too few pull requests"
    COMPLETE = "complete enough"
    GOAL = "its goal is reached"
    PAUSED = "paused"
    HELD = "paused by a person: gh-backfill resume lets it go on"
    CANCELLED = "cancelled by a person: gh-backfill resume takes it up again"
    RUNNING = "another worker is at it"
    FAILED = "failed: a person must look"
    UNKNOWN_TOTAL = "GitHub did not say how many pull requests there are"
    REFUSED = "GitHub still refuses it, or did not say"
    NO_POINTS = "GraphQL rate limit too low"
    NOT_SPLIT = "GitHub did not say how to split it: the next plan tries again"
    LATER = "does not fit into this plan"
    AGAIN = "its turn has come again"
    OFF_PEAK = "waits for its hours"


# For these reasons a plan leaves the pull requests of a repository alone.  Its other kinds of items may be captured.
_ALONE = frozenset({PlanReason.SMALL, PlanReason.COMPLETE, PlanReason.GOAL, PlanReason.UNKNOWN_TOTAL})


@dataclass(frozen=True, kw_only=True, slots=True)
class Thresholds:
    """When a repository that has no open backfill needs one."""

    more_than: int = 100
    below_percent: int = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What becomes of one repository in this plan; `until` is when its hours begin, if it waits for them."""

    repository: TrackedRepository
    chosen: bool
    why: PlanReason
    until: datetime | None = None

    @property
    def words(self) -> str:
        """Say why, and until when that is so where it is known."""
        return self.why if self.until is None else f"{self.why} until {self.until:%Y-%m-%d %H:%M} UTC"


def choose(
    candidates: Sequence[TrackedRepository],
    now: datetime,
    *,
    thresholds: Thresholds,
    limit: int,
    asked: frozenset[str] = frozenset(),
    unsure: Collection[str] = (),
    hours: Hours = ALWAYS,
) -> list[Verdict]:
    """Judge every candidate; the chosen ones come first, in the order in which they are served.

    `asked` holds the ids of repositories that somebody named: only they are judged, and thresholds, limit and pauses do
    not count for them, but for a pause or an end that a person made.  Otherwise those come first whose initial backfill
    is open, small ones before large ones; then those never planned, the newest tracked before the others, and then
    those that have waited longest; at most `limit` are chosen, and the rest wait for the next plan.  What is not asked
    for, and whose initial backfill is done, waits for its `hours`.  `unsure` holds the
    ids of those of which GitHub said nothing: they are judged by what is stored, and go on after a refusal only when
    GitHub shows them.
    """
    if asked:
        judged = [_asked(repository, now) for repository in candidates if repository.id in asked]
        limit = LARGEST_MATRIX
    else:
        judged = [_judge(each, now, thresholds, shown=each.id not in unsure) for each in candidates]
        judged = [_in_its_hours(each, now, hours) for each in judged]
    chosen = sorted((verdict for verdict in judged if verdict.chosen), key=_waiting)
    size = min(limit, LARGEST_MATRIX)
    later = [Verdict(repository=verdict.repository, chosen=False, why=PlanReason.LATER) for verdict in chosen[size:]]
    return chosen[:size] + later + [verdict for verdict in judged if not verdict.chosen]


def needs_backfill(repository: TrackedRepository, thresholds: Thresholds) -> bool:
    """Say whether so much of what is wanted of a repository is missing that its history has to be walked.

    What GitHub counts and does not list would be missing again.
    """
    total = repository.total or 0
    there = repository.captured + repository.gaps
    return total > thresholds.more_than and lacks_much(there, within(total, repository.lasting_goal), thresholds)


def lacks_much(there: int, wanted: int, thresholds: Thresholds) -> bool:
    """Say whether too few of the items that are wanted are there for a walk to be left as it is."""
    return there * 100 < wanted * thresholds.below_percent


def _asked(repository: TrackedRepository, now: datetime) -> Verdict:
    if _given_up(repository):
        return Verdict(repository=repository, chosen=False, why=PlanReason.CANCELLED)
    if repository.leased:
        return Verdict(repository=repository, chosen=False, why=PlanReason.RUNNING)
    if repository.held and not _pause_is_over(repository, now):
        return Verdict(repository=repository, chosen=False, why=PlanReason.HELD)
    return Verdict(repository=repository, chosen=True, why=PlanReason.ASKED)


def _in_its_hours(verdict: Verdict, now: datetime, hours: Hours) -> Verdict:
    """Let what is chosen wait for its hours; an initial backfill, for which somebody waits, does not."""
    repository = verdict.repository
    if not verdict.chosen or repository.initial in OPEN_INITIAL:
        return verdict
    # Of a history that is complete nothing is missing: all of it is walked again.
    size = repository.left or repository.total or 0
    until = hours.waits_until(repository.off_peak, size, now)
    if until is None:
        return verdict
    return Verdict(repository=repository, chosen=False, why=PlanReason.OFF_PEAK, until=until)


def _judge(repository: TrackedRepository, now: datetime, thresholds: Thresholds, *, shown: bool) -> Verdict:
    verdict = _of_pull_requests(repository, now, thresholds, shown=shown)
    lacking = any(lacks_much(each.there, each.total, thresholds) for each in repository.finished if not each.of_goal)
    if (repository.unfinished or lacking) and not verdict.chosen and verdict.why in _ALONE:
        return Verdict(repository=repository, chosen=True, why=PlanReason.OTHERS)
    return verdict


def _of_pull_requests(repository: TrackedRepository, now: datetime, thresholds: Thresholds, *, shown: bool) -> Verdict:
    """Judge a repository by its pull requests."""
    if PULL_REQUESTS not in repository.kinds:
        chosen, why = False, PlanReason.COMPLETE
    elif _given_up(repository):
        chosen, why = False, PlanReason.CANCELLED
    elif repository.status in OPEN:
        chosen, why = _opened(repository, now, shown=shown)
    elif repository.vanished and shown:
        chosen, why = True, PlanReason.SHOWN_AGAIN
    else:
        chosen, why = _needed(repository, thresholds, now)
    return Verdict(repository=repository, chosen=chosen, why=why)


def _opened(repository: TrackedRepository, now: datetime, *, shown: bool) -> tuple[bool, PlanReason]:
    if repository.leased:
        return False, PlanReason.RUNNING
    if repository.status == BackfillStatus.ACTIVE:
        return True, PlanReason.GOES_ON
    if _pause_is_over(repository, now):
        proven = shown or repository.pause_reason != PauseReason.REFUSED
        return (True, PlanReason.RESUMES) if proven else (False, PlanReason.REFUSED)
    return False, PlanReason.HELD if repository.held else PlanReason.PAUSED


def _given_up(repository: TrackedRepository) -> bool:
    """Say whether a person holds a backfill for good: it stays so whoever asks, until `resume` or `retry`."""
    return repository.held and repository.held_reason in GIVEN_UP


def _pause_is_over(repository: TrackedRepository, now: datetime) -> bool:
    """Say whether a pause has ended; one without a time, that no person made, was left by an older application."""
    return not repository.held if repository.resume_at is None else repository.resume_at <= now


def _needed(repository: TrackedRepository, thresholds: Thresholds, now: datetime) -> tuple[bool, PlanReason]:
    if repository.status == BackfillStatus.FAILED:
        return False, PlanReason.FAILED
    if repository.total is None:
        return False, PlanReason.UNKNOWN_TOTAL
    if repository.total <= thresholds.more_than and not all_here(repository):
        return False, PlanReason.SMALL
    if needs_backfill(repository, thresholds):
        begun = repository.goal is not None and repository.captured >= repository.goal
        return True, PlanReason.REST if begun else PlanReason.NEW
    if repository.status == BackfillStatus.COMPLETED and comes_again(
        repository.every_days, repository.completed_at, now
    ):
        return True, PlanReason.AGAIN
    limited = within(repository.total, repository.lasting_goal) < repository.total
    return False, PlanReason.GOAL if limited else PlanReason.COMPLETE


def all_here(repository: TrackedRepository) -> bool:
    """Say whether all that is wanted of a repository was captured: then it matters to nobody how few that is."""
    wanted = within(repository.total or 0, repository.lasting_goal)
    return repository.status == BackfillStatus.COMPLETED and repository.captured + repository.gaps >= wanted


def _waiting(verdict: Verdict) -> tuple[tuple[float, float], bool, float, float, str]:
    """Sort initial ones first, then those never planned (newest first), then by how long the last plan is ago."""
    repository = verdict.repository
    initial = (
        place(within(repository.total or 0, repository.goal), repository.pushed_at)
        if repository.initial in OPEN_INITIAL
        else LAST
    )
    tracked = repository.tracked_at.timestamp() if repository.tracked_at else 0.0
    planned = repository.planned_at.timestamp() if repository.planned_at else 0.0
    return initial, repository.planned_at is not None, planned, -tracked, repository.full_name.lower()
