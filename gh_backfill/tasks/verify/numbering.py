"""Ask GitHub what the numbers of a repository are, and hold its own counts against that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gh_backfill.clients import proofs
from gh_backfill.clients.proofs import ShownNumber
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.policy.verify import numbers as policy
from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.policy.verify.numbers import KnownAs, NumberIs
from gh_backfill.store import verify as rows
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.verify.findings import Findings
from gh_backfill.tasks.verify.proving import Means, look

COUNTS_MORE = "the numbers are all known, and GitHub's count stays as it is"


def prove_numbers(means: Means, found: Findings) -> None:
    """Ask what the numbers are that have no row.  Raises RateLimited where the points end."""
    asking = policy.to_ask(found.highest, found.numbers, found.here(), found.captured, means.now())
    found.unasked = frozenset(asking)
    for part in _parts(asking):
        means.check()
        ask_numbers(means, found, part)
        found.unasked -= frozenset(part)
    doubtful = [number for number in asking if not found.numbers[number].believed]
    for part in _parts(doubtful):
        means.check()
        ask_numbers(means, found, part)


def ask_numbers(means: Means, found: Findings, numbers: Sequence[int]) -> None:
    """Ask what numbers are and note it."""
    now = means.now()
    answers = proofs.numbers(means.graphql, found.node_id, numbers)
    told = {
        number: known_as(found.node_id, number, answer, now).after(found.numbers.get(number))
        for number, answer in answers.items()
    }
    found.numbers |= told
    if means.writes:
        persistently(lambda: _save_numbers(means, found, told), means.sleep)


def prove_totals(means: Means, found: Findings) -> None:
    """Hold GitHub's own counts against what the numbers say.

    Where it counts more, the numbers behind the highest are looked at, too, for an issue that came from elsewhere is
    older than its number; and then it is asked a second time.
    """
    wrong = _wrong_totals(found)
    if not wrong:
        return
    means.check()
    if any(counted > there for _, counted, there in wrong):
        _look_beyond(means, found)
    home = look(means, found.repository, found.node_id)
    agree = {kind for kind, counted, _ in wrong if home.totals.get(kind) == counted}
    found.totals = home.totals
    found.total_differences = tuple(
        _total(kind, counted, there, kind in agree) for kind, counted, there in _wrong_totals(found)
    )


def _total(kind: str, counted: int, there: int, agree: bool) -> Difference:
    detail = f"GitHub counts {counted}, and its numbers are {there}"
    difference = Difference(kind=kind, number=None, what=What.TOTAL, detail=detail)
    return difference.ended(End.EXPLAINED, COUNTS_MORE) if agree else difference


def _wrong_totals(found: Findings) -> list[tuple[str, int, int]]:
    if found.unasked:
        return []
    there = {kind: found.count(kind) for kind in found.kinds}
    return [(kind, found.totals[kind], many) for kind, many in there.items() if found.totals[kind] != many]


def _look_beyond(means: Means, found: Findings) -> None:
    beyond = range(found.highest + 1, found.highest + 1 + policy.BEYOND)
    before = dict(found.numbers)
    ask_numbers(replace(means, writes=False), found, beyond)
    sorts = {NumberIs.PULL_REQUEST, NumberIs.ISSUE, *found.captured}
    real = [number for number in beyond if found.numbers[number].what in sorts]
    if not real:
        found.numbers = before
        return
    found.highest = max(real)
    found.numbers = {number: known for number, known in found.numbers.items() if number <= found.highest}
    if means.writes:
        persistently(
            lambda: _save_numbers(means, found, {n: found.numbers[n] for n in beyond if n <= found.highest}),
            means.sleep,
        )


def known_as(home: NodeId, number: int, answer: Named[ShownNumber], now: datetime) -> KnownAs:
    """Return what a number is by GitHub's answer: what it shows in another place was transferred there."""
    match answer:
        case ShownNumber(repository=repository) if repository != home:
            target = f"{answer.full_name}#{answer.number}"
            return KnownAs(what=NumberIs.TRANSFERRED, target=target, asked_at=now)
        case ShownNumber() if answer.number != number:
            return KnownAs(what=NumberIs.TRANSFERRED, target=f"{answer.full_name}#{answer.number}", asked_at=now)
        case ShownNumber(what=what):
            return KnownAs(what=what, asked_at=now)
        case NotFound():
            return KnownAs(what=NumberIs.DELETED, asked_at=now)
        case Unknown():
            return KnownAs(what=NumberIs.UNREADABLE, asked_at=now)


def _save_numbers(means: Means, found: Findings, told: dict[int, KnownAs]) -> None:
    with means.db.transaction() as tx:
        rows.save_numbers(tx, found.repository.id, told)


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    size = proofs.NUMBERS_A_QUERY
    return (numbers[start : start + size] for start in range(0, len(numbers), size))
