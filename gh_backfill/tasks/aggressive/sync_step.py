"""The first step of an aggressive backfill: all kinds of items, complete, whoever captures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.prices import Memory
from gh_backfill.engine.registry import ordered
from gh_backfill.errors import BackfillError, Denied, PartlyFailed, Unreachable
from gh_backfill.models.github import NotFound
from gh_backfill.models.work import Goal, TrackedRepository
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import StepStatus
from gh_backfill.policy.goals import covers
from gh_backfill.policy.ledger import PASSING, ErrorType, error_type
from gh_backfill.policy.markdown import counted
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.profiles import OLD
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.after import switched_on

# In seconds: so often it is looked whether another worker is done.
LOOK_AGAIN = 15.0
# What an error ended that passes by itself is tried again after so long.
AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class StepEnd:
    """How a step ended: completed, skipped, failed with its `error`, or pending: it goes on, not before `resume_at`."""

    status: StepStatus
    told: str
    points: int = 0
    resume_at: datetime | None = None
    error: BackfillError | None = None


def ended_by(error: BackfillError, now: datetime, *, cause: ErrorType | None = None) -> StepEnd:
    """Return the end of a step that an error ended: it goes on by itself where such errors pass."""
    passes = (cause or error_type(error)) in PASSING
    status = StepStatus.PENDING if passes else StepStatus.FAILED
    return StepEnd(status=status, told=str(error), resume_at=now + AGAIN if passes else None, error=error)


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureWays:
    """What the data sync works with."""

    db: Database
    graphql: GraphQL
    run: Run
    lists: RestPages | None = None
    memory: Memory | None = None
    listen: Callable[[Progress], None] = lambda progress: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = lambda seconds: None
    limits: Limits = field(default_factory=Limits)
    profiles_old: timedelta = OLD


def sync_step(
    ways: CaptureWays, backfill: AggressiveBackfill, until: datetime | None, goes_on: Callable[[], bool]
) -> StepEnd:
    """Capture every kind of the repository to its end, or to the end of the time range, at most until then.

    It is tracked with all of them from now on.  Where another worker is at it, its end is waited for.  Once it is not
    to go on, it ends as after a signal.  Raises what a capture raises.
    """
    ways, points = replace(ways, listen=_heeding(ways.listen, goes_on)), 0
    _switch_on(ways, backfill)
    while goes_on():
        found = capture.find(ways.db, backfill.repository_id)
        captured = _captured(ways, found, backfill, until)
        points += captured.spent.points
        end = _end(captured, points, ways.now())
        wait = _wait(ways, captured)
        if end is not None or wait is None:
            return end or _goes_on(captured, points)
        if until is not None and ways.now() + timedelta(seconds=wait) >= until:
            return _goes_on(captured, points)
        ways.sleep(wait)
    raise KeyboardInterrupt


def _heeding(listen: Callable[[Progress], None], goes_on: Callable[[], bool]) -> Callable[[Progress], None]:
    def heed(progress: Progress) -> None:
        listen(progress)
        if not goes_on():
            raise KeyboardInterrupt

    return heed


def _switch_on(ways: CaptureWays, backfill: AggressiveBackfill) -> None:
    """Track the repository with all its kinds, where it is not: later syncs bring them, too."""
    found = capture.find(ways.db, backfill.repository_id)
    if found.tracked_at is not None and set(backfill.kinds) <= set(switched_on(found)):
        return
    asked = track.ask(ways.graphql, [found.full_name], name_of=lambda github_id: NotFound())
    track.raise_failures(asked)
    track.register(ways.db, asked, kinds=ordered({*switched_on(found), *backfill.kinds}))


def _captured(
    ways: CaptureWays, found: TrackedRepository, backfill: AggressiveBackfill, until: datetime | None
) -> Captured:
    goal = Goal(since=backfill.since)
    deep, recent = _split(ways, backfill, goal)
    limits = replace(ways.limits, deadline=until)

    def of(kinds: Sequence[str], within: Limits) -> Captured:
        return capture.run(
            ways.db,
            ways.graphql,
            ways.run,
            found.full_name,
            within,
            goal=goal,
            kinds=kinds,
            lists=ways.lists,
            listen=ways.listen,
            now=ways.now,
            sleep=ways.sleep,
            found=found,
            memory=ways.memory,
            profiles_old=ways.profiles_old,
        )

    done = [of([kind], replace(limits, down_to=backfill.since)) for kind in recent]
    done = [replace(each, outcome=CaptureOutcome.COMPLETED) if each.down else each for each in done]
    done += [of(deep, limits)] if deep else []
    return reduce(Captured.then, done)


def _split(ways: CaptureWays, backfill: AggressiveBackfill, goal: Goal) -> tuple[list[str], list[str]]:
    """Return the kinds that are captured, and those of which only the time range is read.

    These have a larger goal than that, and are on their way to it: a plan goes on with it.
    """
    if goal.since is None:
        return list(backfill.kinds), []
    with ways.db.reading() as tx:
        known = {each.kind: each for each in store.checked_kinds(tx, backfill.repository_id)}
    recent = [
        kind
        for kind in backfill.kinds
        if kind in known and not known[kind].over and known[kind].aim != goal and covers(known[kind].aim, goal)
    ]
    return [kind for kind in backfill.kinds if kind not in recent], recent


def _end(captured: Captured, points: int, now: datetime) -> StepEnd | None:
    """Return the end of the step; None where it may go on."""
    match captured.outcome:
        case CaptureOutcome.COMPLETED:
            changed = captured.counts.inserted + captured.counts.updated
            rows = f"{changed:,} of {captured.counts.total:,} rows new or changed"
            told = f"{counted(captured.items, captured.item)} read, {rows}, {counted(points, 'point')}"
            return StepEnd(status=StepStatus.COMPLETED, told=told, points=points)
        case CaptureOutcome.INTERRUPTED:
            raise KeyboardInterrupt
        case CaptureOutcome.FAILED:
            error = _error(captured)
            return replace(ended_by(error, now, cause=captured.error_type), points=points, told=captured.told)
        case CaptureOutcome.STOPPED | CaptureOutcome.PAUSED if captured.resume_at is None:
            held = captured.outcome is CaptureOutcome.PAUSED  # by a person: nothing goes on by itself
            return _held(captured, points) if held else _goes_on(captured, points)
        case _:
            return None


def _held(captured: Captured, points: int) -> StepEnd:
    return StepEnd(status=StepStatus.FAILED, told=captured.told, points=points, error=PartlyFailed(captured.told))


def _error(captured: Captured) -> BackfillError:
    if captured.partly:
        return PartlyFailed(captured.told)
    kinds = {ErrorType.DENIED: Denied, ErrorType.NETWORK: Unreachable}
    return kinds.get(captured.error_type or ErrorType.UNEXPECTED, PartlyFailed)(captured.told)


def _wait(ways: CaptureWays, captured: Captured) -> float | None:
    """Return the seconds after which it is tried again; None where nobody knows."""
    if captured.outcome is CaptureOutcome.BUSY:
        return LOOK_AGAIN
    if captured.resume_at is None:
        return None
    return max(1.0, (captured.resume_at - ways.now()).total_seconds())


def _goes_on(captured: Captured, points: int) -> StepEnd:
    return StepEnd(status=StepStatus.PENDING, told=captured.told, points=points, resume_at=captured.resume_at)
