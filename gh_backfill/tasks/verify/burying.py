"""Give items a tombstone that GitHub has no more, after two direct questions; none while their repository is away."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gh_backfill.clients import proofs
from gh_backfill.models.github import NodeId, NotFound
from gh_backfill.policy.verify.differences import End, What
from gh_backfill.policy.verify.numbers import SAID_OFTEN_ENOUGH, KnownAs, NumberIs
from gh_backfill.store import backfills
from gh_backfill.store import verify as rows
from gh_backfill.store.persist import persistently
from gh_backfill.store.verify import ItemToProve, Tombstone
from gh_backfill.tasks.verify.findings import Findings
from gh_backfill.tasks.verify.numbering import ask_numbers
from gh_backfill.tasks.verify.proving import Means, note_absent


def bury(means: Means, found: Findings) -> None:
    """Give a tombstone to each item that GitHub does not find, or shows in another repository.

    Its number says why: it leads to where the item was transferred, to a discussion, or nowhere.  Raises RateLimited
    where the points end.
    """
    moved = [each for each in found.items.values() if each.key in found.moved and _is(each, What.MOVED)]
    gone = _confirmed(means, found, [each for each in found.items.values() if _is(each, What.GONE)])
    if gone:
        means.check()
        ask_numbers(means, found, sorted({each.number for each in gone}))
    stones = [
        Tombstone(kind=each.kind, github_id=each.github_id, reason=NumberIs.TRANSFERRED, target=found.moved[each.key])
        for each in moved
    ]
    stones += (_tombstone(found, each) for each in gone)
    for kind in found.kinds:
        ours = [each for each in stones if each.kind == kind]
        if ours:
            persistently(partial(_store, means, found, kind, ours), means.sleep)
    _note(means, found, stones)


def _confirmed(means: Means, found: Findings, items: Sequence[ItemToProve]) -> list[ItemToProve]:
    """Return the items that GitHub did not find twice: this is the second time, unless it was another look's first."""
    once = [each for each in items if found.absent.get(each.key, 0) < SAID_OFTEN_ENOUGH and each.node_id is not None]
    if once:
        means.check()
        answers = proofs.still_there(means.graphql, found.node_id, [NodeId(each.node_id or "") for each in once])
        absent = [each for each, answer in zip(once, answers, strict=True) if isinstance(answer, NotFound)]
        found.absent |= note_absent(means, found, [(each.kind, each.github_id, each.number) for each in absent])
    return [each for each in items if found.absent.get(each.key, 0) >= SAID_OFTEN_ENOUGH]


def _tombstone(found: Findings, item: ItemToProve) -> Tombstone:
    """Say why an item is gone, by what GitHub shows under its number now."""
    known = found.numbers.get(item.number)
    match known:
        case KnownAs(what=NumberIs.TRANSFERRED, target=target):
            return Tombstone(kind=item.kind, github_id=item.github_id, reason=NumberIs.TRANSFERRED, target=target)
        case KnownAs(what=NumberIs.DISCUSSION):
            target = f"{found.repository.full_name}#{item.number}"
            return Tombstone(kind=item.kind, github_id=item.github_id, reason=NumberIs.CONVERTED, target=target)
        case _:
            return Tombstone(kind=item.kind, github_id=item.github_id, reason=NumberIs.DELETED)


def _store(means: Means, found: Findings, kind: str, stones: Sequence[Tombstone]) -> None:
    with means.db.transaction() as tx:
        backfills.lock(tx, found.repository.id, kind)
        rows.bury(tx, found.repository.id, kind, stones, means.now())


def _note(means: Means, found: Findings, stones: Sequence[Tombstone]) -> None:
    for each in stones:
        item = found.items.pop((each.kind, each.github_id))
        why = f"it has a tombstone: {each.reason}{f' to {each.target}' if each.target else ''}"
        found.mended += (one.ended(End.MENDED, why) for one in item.differences if one.open)
        if each.reason is not NumberIs.DELETED or item.number not in found.numbers:
            found.numbers[item.number] = KnownAs(
                what=each.reason, target=each.target, asked_at=means.now(), times=SAID_OFTEN_ENOUGH
            )


def _is(item: ItemToProve, what: What) -> bool:
    return any(each.open and each.what is what for each in item.differences)
