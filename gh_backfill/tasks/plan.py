"""Decide what the matrix captures: refresh GitHub's counts, choose, open backfills, write the planned jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import ConfigurationError
from gh_backfill.models import Goal, Repository, TrackedRepository
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.parts import PER_PART
from gh_backfill.policy.selection import LARGEST_MATRIX, Thresholds, Verdict, choose, needs_backfill
from gh_backfill.store import backfills, jobs, recovery, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.split import Split, identities, splits


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a plan decided.  `unknown` are names that were asked for and are not here, `gone` what GitHub lost.

    `parts` are those of a split walk, by our id of the repository: each has a job of its own.
    """

    verdicts: tuple[Verdict, ...]
    unknown: tuple[str, ...]
    gone: tuple[TrackedRepository, ...]
    parts: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def chosen(self) -> list[TrackedRepository]:
        """Return the repositories to capture, in order."""
        return [verdict.repository for verdict in self.verdicts if verdict.chosen]

    @property
    def entries(self) -> list[tuple[Verdict, int | None]]:
        """Return the jobs, each a chosen repository and its part, None for all of it."""
        every = [(each, part) for each in self.verdicts if each.chosen for part in self._parts_of(each)]
        return every[:LARGEST_MATRIX]

    def matrix(self) -> dict[str, list[dict[str, str]]]:
        """Return the job matrix for Actions; a private repository is shown by its id only."""
        return {"include": [_entry(each.repository, part) for each, part in self.entries]}

    def _parts_of(self, verdict: Verdict) -> Sequence[int | None]:
        return self.parts.get(verdict.repository.id) or (None,)


def _entry(repository: TrackedRepository, part: int | None) -> dict[str, str]:
    name = repository.id if repository.is_private else repository.full_name
    if part is None:
        return {"repository_id": repository.id, "name": name}
    return {"repository_id": repository.id, "name": f"{name} part {part}", "part": str(part)}


def parse_ids(text: str) -> list[str]:
    """Read the input `repository_ids`: a JSON array, or a single name.  Empty means none were given."""
    text = text.strip()
    if not text:
        return []
    if not text.startswith("["):
        return [text]
    try:
        given = json.loads(text)
    except ValueError:
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
    dry_run: bool = False,
) -> Plan:
    """Make the plan, and unless it is a dry run write it: totals, opened backfills, and one pending job for each entry.

    A walk over more than `per_part` pull requests is split where several identities are at hand.  Raises
    ConfigurationError if nothing of what was asked for is here; then nothing is written.
    """
    with db.transaction(read_only=True) as tx:
        known = repositories.find(tx, asked)
        unknown = tuple(name for name, found in known.items() if found is None)
        if asked and len(unknown) == len(known):
            raise ConfigurationError(f"not tracked here: {', '.join(unknown)}; run gh-backfill track owner/name first")
        ids = frozenset(found.id for found in known.values() if found is not None)
        candidates = repositories.candidates(tx, asked=sorted(ids))
    relevant = [each for each in candidates if not ids or each.id in ids]
    refreshed, fresh, gone = _refresh(graphql, relevant)
    verdicts = tuple(choose(refreshed, now, thresholds=thresholds, limit=limit, asked=ids))
    made = Plan(verdicts=verdicts, unknown=unknown, gone=tuple(gone))
    large = [each for each in made.chosen if each.free_parts or (each.total or 0) > per_part]
    several = identities(graphql) if large else 1
    found = splits(graphql, large, per_part=per_part, identities=several)
    if dry_run:
        return replace(made, parts=_parts(made, {id_: len(each.ranges) for id_, each in found.items()}, several))
    with db.transaction() as tx:
        repositories.store(tx, fresh)
        return _write(tx, made, found, several, run, now)


def open_backfill(tx: Transaction, repository: TrackedRepository, goal: Goal | None = None) -> None:
    """Make sure that the repository's backfill is active.

    One that goes on, or failed, keeps its place.  One that is finished reads what changed since then, unless so much is
    missing that the walk has to begin again.  Only a larger `goal` changes the one that it has.  What somebody else
    opened meanwhile is left to go on.
    """
    total = repository.total or 0
    whole = not needs_backfill(repository, Thresholds(more_than=0))
    status = backfills.lock_status(tx, repository.id)
    if status is not None and goal is None:
        if status in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED):
            backfills.resume(tx, repository.id)
            return
        if status is BackfillStatus.FAILED and recovery.retry(tx, repository.id):
            return
        if status is BackfillStatus.COMPLETED and whole and backfills.catch_up(tx, repository.id, total=total):
            return
    backfills.open_backfill(tx, repository.id, total=total, goal=goal or Goal(max_items=repository.goal))


def _refresh(
    graphql: GraphQL, candidates: Sequence[TrackedRepository]
) -> tuple[list[TrackedRepository], list[Repository], list[TrackedRepository]]:
    """Ask GitHub for the present count and name of each; those it does not know any more are returned apart."""
    by_node = [each for each in candidates if each.node_id]
    by_name = [each for each in candidates if not each.node_id]
    answers = github.repositories_by_id(graphql, [each.node_id for each in by_node if each.node_id])
    answers += github.repositories_by_name(graphql, [(each.owner, each.name) for each in by_name])
    refreshed: list[TrackedRepository] = []
    fresh: list[Repository] = []
    gone: list[TrackedRepository] = []
    for candidate, answer in zip([*by_node, *by_name], answers, strict=True):
        if answer is None or answer.github_id != candidate.github_id:
            gone.append(candidate)
            continue
        fresh.append(answer)
        refreshed.append(
            replace(
                candidate,
                node_id=answer.node_id,
                owner=answer.owner,
                name=answer.name,
                is_private=answer.is_private,
                total=answer.pull_requests,
            )
        )
    return refreshed, fresh, gone


def _parts(made: Plan, split: Mapping[str, int], identities: int) -> dict[str, Sequence[int]]:
    """Return the parts that get a job: of a walk that is split now, or was before and several may go on with."""
    parts = {each.id: each.free_parts[:identities] for each in made.chosen if identities > 1}
    return {id_: each for id_, each in parts.items() if each} | {id_: range(1, many + 1) for id_, many in split.items()}


def _write(tx: Transaction, made: Plan, found: Mapping[str, Split], identities: int, run: Run, now: datetime) -> Plan:
    for repository in made.chosen:
        open_backfill(tx, repository)
    split = {
        id_: len(each.ranges) for id_, each in found.items() if backfills.split(tx, id_, each.ranges, began=each.began)
    }
    made = replace(made, parts=_parts(made, split, identities))
    for repository in made.gone:
        repositories.hide(tx, repository.id)
        backfills.fail(tx, repository.id, error="GitHub does not show this repository any more")
    jobs.plan(tx, run, [(each.repository.id, each.why, part) for each, part in made.entries])
    jobs.plan_failed(tx, run, [(None, f"{name} is not tracked here") for name in made.unknown])
    jobs.plan_failed(
        tx, run, [(each.id, "GitHub does not show this repository any more") for each in made.gone if each.status]
    )
    backfills.mark_planned(tx, [repository.id for repository in made.chosen], now)
    return made
