"""Hold items and numbers of a repository against GitHub's word, a hundred and more a query, and note what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gh_backfill.clients import proofs
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.proofs import Home, ShownItem
from gh_backfill.errors import Gone, RateLimited, Unreachable
from gh_backfill.models.discussions import Discussion
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.models.issues import Issue
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.policy.verify.compare import (
    Facts,
    StoredItem,
    differences,
    facts_of_discussion,
    facts_of_issue,
    facts_of_pull_request,
)
from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.store import verify as rows
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.verify import ItemToProve, Key, Proof
from gh_backfill.tasks.verify.findings import Findings

NOT_FOUND = "GitHub does not find it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What a verification works with.

    It may spend so many `points` (None: as many as there are), and work `until` a time; it `writes`, or only looks.  A
    proof that is younger than `as_old_as` is good enough (None: none is).
    """

    db: Database
    graphql: GraphQL
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    points: int | None = None
    writes: bool = True
    spent_before: int = 0
    as_old_as: timedelta | None = None
    until: datetime | None = None

    def why_not_now(self) -> str | None:
        """Say why nothing more may be asked; None where it may."""
        if self.points is not None and self.graphql.spent.points - self.spent_before >= self.points:
            return "its share of the points is spent"
        if self.until is not None and self.now() >= self.until:
            return "its time is up"
        wait = self.graphql.attempts.must_wait(1)
        return None if wait is None else wait.reason

    def check(self) -> None:
        """Raise RateLimited where nothing more may be asked."""
        if (reason := self.why_not_now()) is not None:
            wait = self.graphql.attempts.must_wait(1)
            raise RateLimited(reason, resume_at=self.now() + timedelta(hours=1) if wait is None else wait.until)


def look(means: Means, repository: TrackedRepository, node_id: NodeId) -> Home:
    """Return the repository as it is now.

    Raises Gone where GitHub does not show it, or where its name leads to another one: then nothing of it is touched.
    """
    named, home = proofs.home(means.graphql, node_id, repository.owner, repository.name)
    if isinstance(named, str) and named != node_id:
        raise Gone(
            f"{repository.full_name} is the name of another repository at GitHub now: nothing was verified or written; "
            f"gh-backfill plan follows a new name, and gh-backfill track takes up the other repository"
        )
    match home:
        case NotFound():
            raise Gone(
                f"GitHub does not show {repository.full_name} (deleted, made private, or not for this token): "
                "nothing of it is said to be gone"
            )
        case Unknown(reason=reason):
            raise Unreachable(f"GitHub did not say what {repository.full_name} is: {reason}")
        case Home():
            return home


def prove_items(means: Means, found: Findings) -> None:
    """Hold every item whose proof is too old against GitHub, those first whose proof is oldest.

    Raises RateLimited where the points end; what was proven until then is stored.
    """
    for part in _parts([each for each in found.items.values() if _is_due(means, each) and each.node_id is not None]):
        means.check()
        answers = proofs.items(
            means.graphql, found.node_id, [(each.kind, each.node_id) for each in part if each.node_id is not None]
        )
        stored = _stored(means, found, part)
        told = [_proof(found, each, stored.get(each.key), answer) for each, answer in zip(part, answers, strict=True)]
        save(means, found, [proof for proof in told if proof is not None])
        absent = [
            (each.kind, each.github_id, each.number)
            for each, answer in zip(part, answers, strict=True)
            if isinstance(answer, NotFound) and each.key in found.items
        ]
        found.absent |= note_absent(means, found, absent)
    nameless = [each for each in found.items.values() if each.node_id is None]
    save(means, found, [_nameless(each) for each in nameless])


def save(means: Means, found: Findings, told: Sequence[Proof]) -> None:
    """Note proofs, in the database too where something may be written."""
    now = means.now()
    for each in told:
        item = found.items[each.kind, each.github_id]
        found.mended += (one for one in each.differences if one.end is End.MENDED)
        left = tuple(one for one in each.differences if one.end is not End.MENDED)
        found.items[item.key] = replace(item, proved_at=now, differences=left)
    if means.writes and told:

        def store() -> None:
            with means.db.transaction() as tx:
                rows.save_proofs(tx, found.repository.id, told, now)

        persistently(store, means.sleep)


def note_absent(means: Means, found: Findings, absent: Sequence[tuple[str, int, int]]) -> dict[Key, int]:
    """Note that GitHub did not find things that it was asked for directly; returns how often that is so by now."""
    if not means.writes or not absent:
        return {}

    def note() -> dict[Key, int]:
        with means.db.transaction() as tx:
            return rows.note_absences(tx, found.repository.id, absent)

    return persistently(note, means.sleep)


def facts_of_shown(shown: ShownItem) -> Facts:
    """Return what GitHub says of an item."""
    match shown.item:
        case Issue():
            return facts_of_issue(shown.item)
        case Discussion():
            return facts_of_discussion(shown.item, shown.replies)
        case _:
            return facts_of_pull_request(shown.item)


def _proof(found: Findings, item: ItemToProve, stored: StoredItem | None, answer: Named[ShownItem]) -> Proof | None:
    """Return what came of one item; None where it is none any more."""
    if stored is None:
        found.forget([item.key])
        return None
    counts: dict[str, int] = {}
    wrong: list[Difference] = []
    match answer:
        case ShownItem() if answer.repository != found.node_id:
            found.moved[item.key] = f"{answer.full_name}#{answer.item.number}"
            detail = f"it is {found.moved[item.key]} now"
            wrong = [Difference(kind=item.kind, number=item.number, what=What.MOVED, detail=detail)]
        case ShownItem():
            facts = facts_of_shown(answer)
            found.renumbered[item.key] = answer.item.number
            counts = dict(facts.counts)
            wrong = [*differences(stored, facts), *_double(item, answer)]
        case NotFound():
            wrong = [Difference(kind=item.kind, number=item.number, what=What.GONE, detail=NOT_FOUND)]
        case Unknown(reason=reason):
            wrong = [Difference(kind=item.kind, number=item.number, what=What.UNREADABLE, detail=reason)]
    return Proof(
        kind=item.kind,
        github_id=item.github_id,
        number=item.number,
        differences=tuple(wrong),
        counts=counts,
        shown=isinstance(answer, ShownItem),
    )


def _double(item: ItemToProve, shown: ShownItem) -> list[Difference]:
    """Return that GitHub knows the item by another number than the row has: an older import stored it twice."""
    if shown.item.github_id == item.github_id:
        return []
    detail = "github_id: GitHub has another one of it"
    return [Difference(kind=item.kind, number=item.number, what=What.DUPLICATE, detail=detail)]


def _nameless(item: ItemToProve) -> Proof:
    """Return the proof of a row that an older import left without GitHub's id: it has to be read by its number."""
    wrong = Difference(kind=item.kind, number=item.number, what=What.DAMAGED, detail="node_id: is empty")
    return Proof(
        kind=item.kind, github_id=item.github_id, number=item.number, differences=(wrong,), counts={}, shown=False
    )


def _is_due(means: Means, item: ItemToProve) -> bool:
    if means.as_old_as is None or item.proved_at is None:
        return True
    return any(each.open for each in item.differences) or means.now() - item.proved_at >= means.as_old_as


def _stored(means: Means, found: Findings, part: Sequence[ItemToProve]) -> dict[tuple[str, int], StoredItem]:
    with means.db.reading() as tx:
        return {
            (kind, github_id): item
            for kind in found.kinds
            for github_id, item in rows.stored_items(
                tx, found.repository.id, kind, [each.github_id for each in part if each.kind == kind]
            ).items()
        }


def _parts(items: Sequence[ItemToProve]) -> Iterator[Sequence[ItemToProve]]:
    return (items[start : start + MOST_IDS] for start in range(0, len(items), MOST_IDS))
