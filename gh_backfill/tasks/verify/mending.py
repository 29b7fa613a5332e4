"""Read again what differs, and nothing else, and store it the way that a capture does."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from gh_backfill.clients import proofs
from gh_backfill.engine.by_number import read_by_number
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.refused import sift
from gh_backfill.engine.registry import KINDS
from gh_backfill.models.discussions import CompleteDiscussion
from gh_backfill.models.github import NodeId, NotFound, Unreadable
from gh_backfill.models.issues import CompleteIssue
from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.policy.items import CompleteItem, Slot
from gh_backfill.policy.verify.compare import StoredItem, differences, facts_of, listed_of
from gh_backfill.policy.verify.differences import Difference, What, after_repair
from gh_backfill.policy.verify.numbers import SAID_OFTEN_ENOUGH
from gh_backfill.store import backfills, people, quarantine
from gh_backfill.store import verify as rows
from gh_backfill.store.persist import persistently
from gh_backfill.store.verify import ItemToProve, Key, Proof, StoredPart
from gh_backfill.tasks.verify.findings import Findings
from gh_backfill.tasks.verify.proving import Means, note_absent, save

log = logging.getLogger(__name__)

# Each step is read and stored by itself: an error loses one at most.
STEP = 50
READ_AGAIN = frozenset(
    {What.MISSING, What.STALE, What.DAMAGED, What.COUNT, What.IMPOSSIBLE, What.AUTHOR, What.DUPLICATE}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """An item to be read again: its number at GitHub, and the row that it has here, if any."""

    number: int
    key: Key | None


def mend(means: Means, found: Findings) -> None:
    """Read again every item that has an open difference, and store it.

    Raises RateLimited where the points end; what was mended until then stays mended.
    """
    for name in found.kinds:
        kind, wanted = KINDS[name], _wanted(found, name)
        for start in range(0, len(wanted), STEP):
            means.check()
            _step(means, found, kind, wanted[start : start + STEP])


def _wanted(found: Findings, kind: str) -> list[_Wanted]:
    wanted = [
        _Wanted(number=found.renumbered.get(key, item.number), key=key)
        for key, item in found.items.items()
        if item.kind == kind and any(each.open and each.what in READ_AGAIN for each in item.differences)
    ]
    if found.under_way(kind):
        return sorted(wanted, key=lambda each: each.number)
    missing = {each.number for each in found.differences() if each.open and each.what is What.MISSING}
    wanted += (
        _Wanted(number=number, key=None) for number, of in found.missing().items() if of == kind and number in missing
    )
    return sorted(wanted, key=lambda each: each.number)


def _step(means: Means, found: Findings, kind: Kind, wanted: Sequence[_Wanted]) -> None:
    slots, chunk = read_by_number(means.graphql, kind, found.node_id, sorted({each.number for each in wanted}))
    read = [slot for slot in slots.values() if isinstance(slot, Slot)]
    lost = [each for slot in read for each in slot.unreadable if slot.item is None or each.kind == kind.queries.item]
    persistently(partial(_own_numbers, means, found, kind, chunk), means.sleep)
    sifted = sift(means.db, kind, found.repository, chunk)
    persistently(partial(_store, means, found, kind, sifted.kept, [*lost, *sifted.refused]), means.sleep)
    _bury_parts(means, found, kind, [item for item in sifted.kept if not item.unreadable])
    _prove_again(means, found, kind, wanted, sifted.kept)


def _own_numbers(means: Means, found: Findings, kind: Kind, chunk: Sequence[CompleteItem]) -> None:
    """Let each number belong to one row, with GitHub's id, and take back dates that are later than GitHub's."""
    with means.db.transaction() as tx:
        backfills.lock(tx, found.repository.id, kind.name)
        kind.own_numbers(tx, found.repository, chunk)
        rows.trust(tx, found.repository.id, kind.name, [_dated(item) for item in chunk])
        rows.trust(tx, found.repository.id, "comments", [each for item in chunk for each in _dated_comments(item)])


def _store(means: Means, found: Findings, kind: Kind, kept: Sequence[CompleteItem], lost: Sequence[Unreadable]) -> None:
    with means.db.transaction() as tx:
        people.store_people(tx, kind.people(kept))
    with means.db.transaction() as tx:
        backfills.lock(tx, found.repository.id, kind.name)
        quarantine.resolve(tx, found.repository.id, [item.number for item in kept], kind=kind.name)
        written = kind.write(tx, found.repository, kept, lost)
        backfills.count_new(tx, found.repository.id, written.new, kind.name)


def _bury_parts(means: Means, found: Findings, kind: Kind, items: Sequence[CompleteItem]) -> None:
    """Give a tombstone to what is stored of items and not listed any more, once GitHub said twice that it is not there.

    Of a part whose id is not known here, which an older version stored, a whole list without it says so.
    """
    unlisted = _unlisted(means, found, kind, items)
    if not unlisted:
        return
    whole = {item.number for item in items if item.gap is None}
    nameless = [each for each in unlisted if each.node_id is None and each.number in whole]
    times = note_absent(means, found, [(each.kind, each.github_id, each.number) for each in nameless])
    asking = [each for each in unlisted if each.node_id is not None]
    for _ in range(SAID_OFTEN_ENOUGH):
        asking = [each for each in asking if times.get(each.key, 0) < SAID_OFTEN_ENOUGH]
        if not asking:
            break
        means.check()
        asking = _still_absent(means, found, asking)
        times |= note_absent(means, found, [(each.kind, each.github_id, each.number) for each in asking])
    gone = [each for each in unlisted if times.get(each.key, 0) >= SAID_OFTEN_ENOUGH]
    persistently(partial(_store_tombstones, means, found, kind, gone), means.sleep)


def _still_absent(means: Means, found: Findings, parts: Sequence[StoredPart]) -> list[StoredPart]:
    """Ask for parts directly; returns those that GitHub does not find, and forgets what was said of those it does."""
    answers = proofs.still_there(means.graphql, found.node_id, [NodeId(each.node_id or "") for each in parts])
    told = list(zip(parts, answers, strict=True))
    there = [each.key for each, answer in told if isinstance(answer, str)]
    if there:
        with means.db.transaction() as tx:
            rows.forget_absences(tx, found.repository.id, there)
    return [each for each, answer in told if isinstance(answer, NotFound)]


def _store_tombstones(means: Means, found: Findings, kind: Kind, gone: Sequence[StoredPart]) -> None:
    with means.db.transaction() as tx:
        backfills.lock(tx, found.repository.id, kind.name)
        rows.bury_parts(tx, found.repository.id, gone, means.now())


def _unlisted(means: Means, found: Findings, kind: Kind, items: Sequence[CompleteItem]) -> list[StoredPart]:
    listed = {key for item in items for key in _listed_keys(item)}
    with means.db.reading() as tx:
        stored = rows.parts_of(tx, found.repository.id, kind.name, [_github_id(item) for item in items])
    return [each for each in stored if each.key not in listed]


def _prove_again(
    means: Means, found: Findings, kind: Kind, wanted: Sequence[_Wanted], read: Sequence[CompleteItem]
) -> None:
    """Hold what was read against its rows once more, and note how each difference ended."""
    by_number = {item.number: item for item in read}
    ids = [_github_id(item) for item in read]
    old = [each.key[1] for each in wanted if each.key is not None]
    with means.db.reading() as tx:
        stored = rows.stored_items(tx, found.repository.id, kind.name, {*ids, *old})
    told = []
    for each in wanted:
        before = _before(found, kind, each)
        if each.key is not None and each.key[1] not in stored:  # a row that was the same item twice has gone
            found.mended += after_repair(before, [])
            found.forget([each.key])
            before = []
        item = by_number.get(each.number)
        if item is not None and _github_id(item) in stored:
            told.append(_proof_of(found, kind, item, stored[_github_id(item)].number, before, _left(item, stored)))
    save(means, found, told)


def _left(item: CompleteItem, stored: Mapping[int, StoredItem]) -> list[Difference]:
    facts = facts_of(item)
    assert facts is not None
    return differences(stored[_github_id(item)], facts, listed_of(item))


def _proof_of(
    found: Findings,
    kind: Kind,
    item: CompleteItem,
    number: int,
    before: Sequence[Difference],
    left: Sequence[Difference],
) -> Proof:
    github_id, facts = _github_id(item), facts_of(item)
    assert facts is not None
    key = kind.name, github_id
    node_id = NodeId(str(facts.fields["node_id"]))
    found.items[key] = ItemToProve(
        kind=kind.name, github_id=github_id, node_id=node_id, number=number, proved_at=None, differences=()
    )
    return Proof(
        kind=kind.name,
        github_id=github_id,
        number=number,
        differences=tuple(after_repair(before, left)),
        counts=facts.counts,
        shown=True,
    )


def _before(found: Findings, kind: Kind, wanted: _Wanted) -> list[Difference]:
    if wanted.key is None:
        return [Difference(kind=kind.name, number=wanted.number, what=What.MISSING, detail="there is no row of it")]
    return [each for each in found.items[wanted.key].differences if each.open]


def _github_id(item: CompleteItem) -> int:
    return _dated(item)[1]


def _dated(item: CompleteItem) -> tuple[str, int, datetime]:
    match item:
        case CompletePullRequest(pull_request=shown):
            return "pull_requests", shown.github_id, shown.updated_at
        case CompleteIssue(issue=issue):
            return "issues", issue.github_id, issue.updated_at
        case CompleteDiscussion(discussion=discussion):
            return "discussions", discussion.github_id, discussion.updated_at
    raise TypeError(f"{type(item).__name__} has no proof")


def _dated_comments(item: CompleteItem) -> list[tuple[str, int, datetime]]:
    match item:
        case CompletePullRequest():
            return [
                *(("issue_comment", each.github_id, each.updated_at) for each in item.comments),
                *(("review_comment", each.github_id, each.updated_at) for each in item.review_comments),
            ]
        case CompleteIssue():
            return [("issue_comment", each.github_id, each.updated_at) for each in item.comments]
        case CompleteDiscussion():
            return [("discussion_comment", each.github_id, each.updated_at) for each in item.comments]
    return []


def _listed_keys(item: CompleteItem) -> list[Key]:
    keys: list[Key] = [(kind, github_id) for kind, github_id, _ in _dated_comments(item)]
    if isinstance(item, CompletePullRequest):
        keys += (("reviews", each.github_id) for each in item.reviews)
    return keys
