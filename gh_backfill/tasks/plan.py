"""Decide what the matrix captures: refresh GitHub's counts, choose, open backfills, write the planned jobs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gh_backfill import hidden
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.recover import recover
from gh_backfill.errors import ConfigurationError, Denied
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.lifecycle import BackfillEvent
from gh_backfill.policy.names import names_in
from gh_backfill.policy.parts import PER_PART
from gh_backfill.policy.selection import (
    LARGEST_MATRIX,
    OPEN,
    PlanReason,
    Thresholds,
    Verdict,
    choose,
)
from gh_backfill.store import backfill_events, backfills, jobs, openings, privacy, recovery, repositories
from gh_backfill.store.backfill_events import ITSELF, Actor
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.jobs import Run
from gh_backfill.store.openings import Standing
from gh_backfill.tasks.ready import let_go_on
from gh_backfill.tasks.refresh import Refreshed, refresh
from gh_backfill.tasks.schedule import hours_of
from gh_backfill.tasks.split import Split, identities, splits

# A capture can wait this long for points within the time that a workflow gives it.
PATIENCE = timedelta(minutes=10)
GONE = "GitHub does not show this repository any more"


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Nothing is captured before `until`, for the captures would only wait; `text` says it all."""

    until: datetime
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a plan decided.  `unknown` are names that were asked for and are not here, each with its reason; `gone`
    is what GitHub lost.

    `unsure` says, by our id, why GitHub told nothing of a repository: it is planned by what is stored.  `waits` is set
    where there are no points for anything.  `first` says of names that a dry run found at GitHub what would become of
    them.  `parts` are those of a split walk, by our id of the repository: each has a job of its own.
    """

    verdicts: tuple[Verdict, ...]
    unknown: Mapping[str, str]
    gone: tuple[TrackedRepository, ...]
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)
    unsure: Mapping[str, str] = field(default_factory=dict)
    waits: Waits | None = None
    first: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> list[TrackedRepository]:
        """Return the repositories to capture, in order."""
        return [verdict.repository for verdict in self.verdicts if verdict.chosen]

    @property
    def waiting(self) -> list[TrackedRepository]:
        """Return the repositories that would be captured if there were points."""
        return [verdict.repository for verdict in self.verdicts if verdict.why is PlanReason.NO_POINTS]

    @property
    def entries(self) -> list[tuple[Verdict, int | None]]:
        """Return the jobs, each a chosen repository and its part, None for all of it."""
        every = [(each, part) for each in self.verdicts if each.chosen for part in self._parts_of(each)]
        return every[:LARGEST_MATRIX]

    def matrix(self, runners: Sequence[str] = ()) -> dict[str, list[dict[str, str]]]:
        """Return the job matrix for Actions, on these runners in turn; a private repository is shown by its id only."""
        return {"include": on_runners([_entry(each.repository, part) for each, part in self.entries], runners)}

    def _parts_of(self, verdict: Verdict) -> Sequence[int | None]:
        return self.parts.get(verdict.repository.id) or (None,)


def on_runners(entries: Sequence[dict[str, str]], runners: Sequence[str]) -> list[dict[str, str]]:
    """Give each entry of a matrix the label of a runner, in turn; without any the workflow chooses."""
    if not runners:
        return list(entries)
    return [{**entry, "runner": runners[place % len(runners)]} for place, entry in enumerate(entries)]


def _entry(repository: TrackedRepository, part: int | None) -> dict[str, str]:
    name = repository.id if repository.is_private else repository.full_name
    if part is None:
        return {"repository_id": repository.id, "name": name}
    return {"repository_id": repository.id, "name": f"{name} part {part}", "part": str(part)}


def parse_ids(text: str) -> list[str]:
    """Read the input `repository_ids`: a JSON array, or names as people paste them.  Empty means none were given."""
    text = text.strip()
    if not text.startswith("["):
        return names_in(text)
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):  # too long a number, or nested without end, too
        given = None
    if not isinstance(given, list) or not all(isinstance(each, str | int) for each in given):
        raise ConfigurationError(f'repository ids must be a JSON array such as ["owner/name", 123], not {text[:80]}')
    return [str(each) for each in given]


def plan(
    db: Database,
    graphql: GraphQL,
    run: Run,
    now: datetime,
    *,
    asked: Sequence[str] = (),
    thresholds: Thresholds,
    limit: int,
    per_part: int = PER_PART,
    patience: timedelta | None = PATIENCE,
    dry_run: bool = False,
    recovering: bool = False,
    actor: Actor = ITSELF,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    refused: Mapping[str, str] | None = None,
    off_peak: str | None = None,
) -> Plan:
    """Make the plan, and unless it is a dry run write it: totals, opened backfills, and one pending job for each entry.

    A walk over more than `per_part` pull requests is split where several identities are at hand.  Without points it is
    made of the stored counts, if captures can wait so long (`patience`; None: for ever), and else chooses nothing.
    `recovering` returns what is stuck for retry before anything is chosen.  `refused` are names that were asked for
    beside those, and could not be tracked, each with what is said of it.  What nobody asked for waits for its hours;
    `off_peak` are those that are set for large batches.
    Raises ConfigurationError if nothing of what was asked for is here, and GitHubError if GitHub answers nothing; then
    nothing is written but, where it refuses the credential, a failed job that says so.
    """
    relevant, unknown = _candidates(db, asked, kinds)
    ids = frozenset(each.id for each in relevant) if asked else frozenset()
    if recovering and recover(db, sorted(ids) or None):
        relevant, unknown = _candidates(db, asked, kinds)
    try:
        fresh = refresh(graphql, relevant)
    except Denied as error:
        if not dry_run:
            with db.transaction() as tx:
                jobs.plan_failed(tx, run, [(None, str(error))], error_type=ErrorType.DENIED)
        raise
    for each in fresh.gone:  # it may be private by now
        hidden.repository(each.full_name, each.id, is_private=True)
    hours = hours_of(db, [each.off_peak for each in fresh.known], off_peak)
    verdicts = choose(fresh.known, now, thresholds=thresholds, limit=limit, asked=ids, unsure=fresh.unsure, hours=hours)
    untracked = {name: f"{name} is not tracked here" for name in unknown} | dict(refused or {})
    made = Plan(verdicts=tuple(verdicts), unknown=untracked, gone=tuple(fresh.gone), unsure=fresh.unsure)
    made = _without_points(made, fresh, now, patience)
    large = [each for each in made.chosen if each.free_parts or (each.total or 0) > per_part]
    several = identities(graphql) if large else 1
    found, undecided = splits(graphql, large, per_part=per_part, identities=several)
    made = _not_chosen(made, undecided, PlanReason.NOT_SPLIT)
    if dry_run:
        return replace(made, parts=_parts(made, {id_: len(each.ranges) for id_, each in found.items()}, several))
    with db.transaction() as tx:
        # Backfills are locked before any row of data, as everywhere.
        closing = [each.id for each in (*made.chosen, *made.gone)]
        locked = openings.lock(tx, closing, fresh.fresh)
        if locked.moved:
            repositories.store(tx, fresh.fresh)
        else:
            repositories.store_as_named(tx, fresh.fresh)
        others = {each.repository.id for each in made.verdicts if each.chosen and each.why is PlanReason.OTHERS}
        opening = [each for each in made.chosen if each.id not in others and PULL_REQUESTS in each.kinds]
        again = {each.repository.id for each in made.verdicts if each.why is PlanReason.AGAIN}
        going = [each.id for each in opening if _let_go_on(tx, each, locked.standings.get(each.id), again)]
        recovery.set_going(tx, going, PULL_REQUESTS)
        return _write(tx, made, found, several, run, now, actor, asked=ids)


def _let_go_on(tx: Transaction, each: TrackedRepository, standing: Standing | None, again: Collection[str]) -> bool:
    """Let a backfill go on; what is to be read again begins at the top, complete as it is."""
    return let_go_on(tx, each, standing, each.lasting_aim if each.id in again else None)


def _candidates(
    db: Database, asked: Sequence[str], kinds: Sequence[str]
) -> tuple[list[TrackedRepository], tuple[str, ...]]:
    """Return the repositories to choose from, and the names that were asked for and are not here."""
    with db.reading() as tx:
        candidates = repositories.candidates(tx, asked=asked, kinds=kinds)
    if not asked:
        return candidates, ()
    known = repositories.named(asked, candidates)
    unknown = tuple(name for name, found in known.items() if found is None)
    if len(unknown) == len(known):
        raise ConfigurationError(f"not tracked here: {', '.join(unknown)}; run gh-backfill track owner/name first")
    ids = {found.id for found in known.values() if found is not None}
    return [each for each in candidates if each.id in ids], unknown


def _without_points(made: Plan, fresh: Refreshed, now: datetime, patience: timedelta | None) -> Plan:
    """Choose nothing where GitHub lets nothing through for longer than captures can wait."""
    limited = fresh.limited
    if limited is None or patience is None or limited.resume_at <= now + patience:
        return made
    text = (
        f"{PlanReason.NO_POINTS}: {limited}; goes on with the first plan after {limited.resume_at:%Y-%m-%d %H:%M} UTC"
    )
    made = replace(made, waits=Waits(until=limited.resume_at, text=text))
    return _not_chosen(made, [each.id for each in made.chosen], PlanReason.NO_POINTS)


def _not_chosen(made: Plan, ids: Collection[str], why: PlanReason) -> Plan:
    """Leave out some of the chosen, and say why."""
    verdicts = [
        replace(each, chosen=False, why=why) if each.chosen and each.repository.id in ids else each
        for each in made.verdicts
    ]
    return replace(made, verdicts=tuple(verdicts))


def _parts(made: Plan, split: Mapping[str, int], identities: int) -> dict[str, Sequence[int]]:
    """Return the parts that get a job: of a walk that is split now, or was before and several may go on with."""
    parts = {each.id: each.free_parts[:identities] for each in made.chosen if identities > 1}
    return {id_: each for id_, each in parts.items() if each} | {id_: range(1, many + 1) for id_, many in split.items()}


def _write(
    tx: Transaction,
    made: Plan,
    found: Mapping[str, Split],
    identities: int,
    run: Run,
    now: datetime,
    actor: Actor,
    *,
    asked: Collection[str],
) -> Plan:
    split = {
        id_: len(each.ranges) for id_, each in found.items() if backfills.split(tx, id_, each.ranges, began=each.began)
    }
    made = replace(made, parts=_parts(made, split, identities))
    for repository in made.gone:
        privacy.hide_later(tx, repository.id)
        openings.gone(tx, repository.id, error=GONE)
    jobs.plan(tx, run, [(each.repository.id, each.why, part) for each, part in made.entries])
    events = {each.repository.id: str(each.why) for each, _ in made.entries}
    backfill_events.record(tx, BackfillEvent.PLANNED, events, replace(actor, run_key=run.key))
    jobs.plan_unknown(tx, run, made.unknown)
    news = [each.id for each in made.gone if each.status in OPEN or each.id in asked]
    jobs.plan_failed(tx, run, [(id_, GONE) for id_ in news], error_type=ErrorType.GONE)
    if made.waits is not None:
        jobs.plan_waiting(tx, run, [each.id for each in made.waiting], made.waits.text)
    backfills.mark_planned(tx, [repository.id for repository in made.chosen], now)
    return made
