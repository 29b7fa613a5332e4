"""The dry run of an aggressive backfill: what it would do, take and cost, by what GitHub counts; nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.registry import items_of
from gh_backfill.models.github import Repository
from gh_backfill.models.work import CONTRIBUTORS, PULL_REQUESTS, words_of
from gh_backfill.policy import estimate, governor
from gh_backfill.policy.aggressive import outlook as policy
from gh_backfill.policy.aggressive.outlook import CostLine, EmbeddingsOutlook, Lack, SizeClass
from gh_backfill.policy.aggressive.steps import TITLES, AggressiveStep
from gh_backfill.policy.estimate import Estimate, RemainingWork, duration
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.report.costs import CostRates
from gh_backfill.store import aggregation, repositories
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from gh_backfill.tasks.aggressive.asking import AggressiveWish
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.given_names import NameOf


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveOutlook:
    """What an aggressive backfill would do to a repository; `new` says that nobody tracks it yet."""

    name: str
    wish: AggressiveWish
    since: datetime | None
    new: bool
    lacks: tuple[Lack, ...]
    sync: Estimate
    limit: int
    embeddings: EmbeddingsOutlook | None
    workspaces: tuple[str, ...]
    size: SizeClass
    costs: tuple[CostLine, ...]

    @property
    def lines(self) -> list[str]:
        """Return it for people, line by line."""
        tracked = "; it is tracked first" if self.new and AggressiveStep.SYNC in self.wish.steps else ""
        told = [f"{self.name}: {counted(len(self.wish.steps), 'step')}{tracked}"]
        for number, step in enumerate(self.wish.steps, 1):
            told += [f"  {number}. {TITLES[step]}: {self._of(step)}"]
        told += [f"  Time by the guide's table: {self.size.text}"]
        told += [f"  Time by our own estimate: {policy.own_time(self._seconds, self.embeddings)}"]
        told += ["  Costs:", *(f"    {each.text}" for each in self.costs)]
        return [*told, f"    Total: {policy.total(self.costs)}"]

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        vectors = self.embeddings
        return {
            "repository": self.name,
            "steps": list(self.wish.steps),
            "kinds": list(self.wish.all_kinds),
            "since": self.since,
            "tracked": not self.new,
            "items": {each.words: {"total": each.total, "here": each.here, "left": each.left} for each in self.lacks},
            "points": self.sync.points,
            "seconds": self._seconds,
            "size": self.size.name,
            "guide_minutes": list(self.size.total),
            "embeddings": None
            if vectors is None
            else {"items": vectors.items, "tokens": vectors.tokens, "seconds": vectors.seconds, "off": vectors.off},
            "workspaces": list(self.workspaces),
            "costs": {each.name: each.rounded for each in self.costs},
        }

    @property
    def _seconds(self) -> float:
        return self.sync.seconds if AggressiveStep.SYNC in self.wish.steps else 0.0

    def _of(self, step: AggressiveStep) -> str:
        match step:
            case AggressiveStep.SYNC:
                return self._of_sync()
            case AggressiveStep.EMBEDDINGS:
                return self._of_embeddings()
            case AggressiveStep.WORKSPACE:
                return f"of {', '.join(self.workspaces)}" if self.workspaces else "it is in no workspace"

    def _of_sync(self) -> str:
        most = "at most " if self.since is not None else "about "
        wait = f", {duration(self.sync.waiting)} of it waiting for points" if self.sync.waiting >= 1 else ""
        span = f"; created since {self.since:%Y-%m-%d}" if self.since is not None else ""
        items = ", ".join(each.text for each in self.lacks)
        people = "; the profiles of its contributors" if CONTRIBUTORS in self.wish.all_kinds else ""
        return f"{items}{span}{people}; {most}{counted(self.sync.points, 'point')}, {duration(self.sync.seconds)}{wait}"

    def _of_embeddings(self) -> str:
        vectors = self.embeddings
        assert vectors is not None, "the step is wanted"
        if vectors.off is not None:
            return vectors.off
        return f"{counted(vectors.items, 'item')} by {vectors.provider}, about {vectors.tokens:,} tokens"


def outlook(
    db: Database | None,
    graphql: GraphQL,
    name: str,
    wish: AggressiveWish,
    *,
    name_of: NameOf,
    embeddings: Callable[[str | None, int], EmbeddingsOutlook],
    now: datetime,
    rates: CostRates,
    in_public: bool = False,
) -> AggressiveOutlook:
    """Ask GitHub what there is of a repository (a point) and say what all steps would take.

    `embeddings` says what those of a repository (by our id, None: it is not here) would take, with so many items that
    are still to come.  Without a database nothing is here; where others read it (`in_public`), a private workspace is
    named by its id.  Raises as `track.ask` and `track.raise_failures` do.
    """
    asked = track.ask(graphql, [name], name_of=name_of)
    track.raise_failures(asked)
    found = asked[0].repository
    assert found is not None, "what did not fail was found"
    repository_id, new = (None, True) if db is None else _known(db, found)
    lacks = _lacks(db, repository_id, found, wish)
    standing = governor.unknown("", now) if db is None else budget(db, now=now)
    pulls = next((each.left for each in lacks if each.words == words_of(PULL_REQUESTS)), 0)
    others = sum(policy.points_of(each.left) for each in lacks if each.words != words_of(PULL_REQUESTS))
    left = sum(each.left for each in lacks)
    others += len(lacks) * policy.POINTS_AT_THE_END
    people = policy.points_of_people(left) if CONTRIBUTORS in wish.all_kinds else 0
    sync = estimate.estimate(RemainingWork(left=pulls), standing)
    works = [estimate.begun(sync) if pulls else sync, _others(others + people)]
    sync = estimate.side_by_side(works, standing, lanes=1)
    left = left if AggressiveStep.SYNC in wish.steps else 0
    vectors = embeddings(repository_id, left) if AggressiveStep.EMBEDDINGS in wish.steps else None
    seconds = sync.seconds if AggressiveStep.SYNC in wish.steps else 0.0
    return AggressiveOutlook(
        name=found.full_name,
        wish=wish,
        since=wish.since(now),
        new=new,
        lacks=tuple(lacks),
        sync=sync,
        limit=standing.limit,
        embeddings=vectors,
        workspaces=() if db is None or repository_id is None else _workspaces(db, repository_id, in_public=in_public),
        size=policy.size_class(found.pull_requests),
        costs=policy.costs(
            points=sync.points if AggressiveStep.SYNC in wish.steps else 0,
            limit=standing.limit,
            embeddings=vectors,
            rates=rates,
            seconds=seconds + (vectors.seconds if vectors is not None else 0.0),
        ),
    )


def _others(points: int) -> Estimate:
    seconds = points * policy.SECONDS_A_POINT
    return Estimate(pull_requests=0, points=points, seconds=seconds, waiting=0.0, measured=False)


def _known(db: Database, found: Repository) -> tuple[str | None, bool]:
    key = str(found.github_id)
    with db.reading() as tx:
        here = repositories.find(tx, [key])[key]
        known = [] if here is None else repositories.candidates(tx, asked=[here.id])
    tracked = any(each.tracked_at is not None for each in known)
    return None if here is None else here.id, not tracked


def _lacks(db: Database | None, repository_id: str | None, found: Repository, wish: AggressiveWish) -> list[Lack]:
    here: dict[str, store.CheckedKind] = {}
    if db is not None and repository_id is not None:
        with db.reading() as tx:
            here = {each.kind: each for each in store.checked_kinds(tx, repository_id)}
    totals = {PULL_REQUESTS: found.pull_requests, **found.others}
    return [
        Lack(
            words=words_of(kind),
            total=totals.get(kind),
            here=here[kind].rows if kind in here else 0,
            complete=kind in here and here[kind].over and totals.get(kind, 0) <= here[kind].rows + here[kind].known,
        )
        for kind in items_of(wish.all_kinds)
    ]


def _workspaces(db: Database, repository_id: str, *, in_public: bool) -> tuple[str, ...]:
    with db.reading() as tx:
        found = aggregation.to_aggregate(tx, repository_id=repository_id)
    return tuple(each.id if in_public and each.is_private else each.slug for each in found)
