"""Verification in the database: what is here to be held against GitHub, proofs, numbers, tombstones, certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gh_backfill.models.github import NodeId
from gh_backfill.policy.selection import Thresholds
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.compare import Facts, StoredItem
from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.policy.verify.numbers import KnownAs, NumberIs
from gh_backfill.policy.verify.score import ENOUGH
from gh_backfill.resources import sql
from gh_backfill.store.batches import parts
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.verify_columns import FIELDS, HELD, NOTED

_SQL = {**sql("verify"), **sql("verify_discussions")}
Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemToProve:
    """An item that is here, when it was held against GitHub last, and what differed then."""

    kind: str
    github_id: int
    node_id: NodeId | None
    number: int
    proved_at: datetime | None
    differences: tuple[Difference, ...]

    @property
    def key(self) -> Key:
        """Return its kind and GitHub's id."""
        return self.kind, self.github_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What came of holding one item against GitHub; `shown` says that GitHub has it."""

    kind: str
    github_id: int
    number: int
    differences: tuple[Difference, ...]
    counts: Mapping[str, int]
    shown: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredPart:
    """A part of an item that has a row: a review or a comment."""

    kind: str
    github_id: int
    node_id: NodeId | None
    number: int

    @property
    def key(self) -> Key:
        """Return its kind and GitHub's id."""
        return self.kind, self.github_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Tombstone:
    """Why an item is gone, and where it went."""

    kind: str
    github_id: int
    reason: NumberIs
    target: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """The last verification of a repository, with its certificate as JSON-ready values."""

    verified_at: datetime
    proven_at: datetime | None
    score: float
    open: int
    certificate: Mapping[str, Any]

    @property
    def line(self) -> str:
        """Return the certificate in a line."""
        return str(self.certificate["line"])


@dataclass(frozen=True, kw_only=True, slots=True)
class VerificationDue:
    """A repository whose turn it is to be verified, and why."""

    id: str
    why: str


def items_to_prove(tx: Transaction, repository_id: str, kinds: Sequence[str]) -> list[ItemToProve]:
    """Return every item of these kinds, what was never proven first, then by the age of its proof."""
    rows = tx.rows(_SQL["items_to_prove"], repository_id=repository_id, kinds=tuple(kinds))
    return [ItemToProve(**{**row, "differences": _differences(row["differences"])}) for row in rows]


def stored_items(tx: Transaction, repository_id: str, kind: str, github_ids: Iterable[int]) -> dict[int, StoredItem]:
    """Return items of a kind with what belongs to them, by GitHub's ids; those that are no more are not among them."""
    of = {"repository_id": repository_id, "github_ids": tuple(github_ids)}
    return {row["github_id"]: _stored(kind, row) for row in tx.rows(_SQL[f"rows_of_{kind}"], **of)}


def save_proofs(tx: Transaction, repository_id: str, proofs: Sequence[Proof], now: datetime) -> None:
    """Store what came of holding items against GitHub; what was mended is no difference any more."""
    rows = [
        {
            "kind": each.kind,
            "github_id": each.github_id,
            "number": each.number,
            "counts": dict(each.counts),
            "differences": [one.as_json() for one in each.differences if one.end is not End.MENDED],
            "shown": each.shown,
        }
        for each in {(one.kind, one.github_id): one for one in proofs}.values()
    ]
    for part in parts(rows):
        tx.run(_SQL["save_proofs"], repository_id=repository_id, rows=part.json, now=now)


def forget_proofs(tx: Transaction, repository_id: str) -> None:
    """Forget the proofs of rows that are no items any more."""
    tx.run(_SQL["forget_proofs"], repository_id=repository_id)


def forget_all(tx: Transaction, repository_id: str) -> None:
    """Forget what was proven of a repository whose rows are deleted."""
    tx.run(_SQL["forget_all"], repository_id=repository_id)


def known_numbers(tx: Transaction, repository_id: str) -> dict[int, KnownAs]:
    """Return what is known of numbers: of those with tombstones, and by GitHub's word on the others."""
    of = {"repository_id": repository_id}
    audited = tx.rows(_SQL["known_numbers"], **of)
    known = {row.pop("number"): KnownAs(**{**row, "what": NumberIs(row["what"])}) for row in audited}
    for row in tx.rows(_SQL["gone_numbers"], **of):
        known.setdefault(
            row["number"],
            KnownAs(
                what=NumberIs(row["reason"] or NumberIs.DELETED), asked_at=row["gone_at"], target=row["target"], times=2
            ),
        )
    return known


def bounds(tx: Transaction, repository_id: str) -> tuple[int, int | None]:
    """Return the highest number that is here, and the lowest of a pull request."""
    row = tx.row(_SQL["highest_number"], repository_id=repository_id)
    return (0, None) if row is None else (int(row["highest"]), row["lowest"])


def save_numbers(tx: Transaction, repository_id: str, numbers: Mapping[int, KnownAs]) -> None:
    """Store what numbers are."""
    rows: list[Row] = [
        {
            "number": number,
            "what": known.what,
            "target": known.target,
            "times": known.times,
            "asked_at": known.asked_at,
        }
        for number, known in numbers.items()
    ]
    for part in parts(rows):
        tx.run(_SQL["save_numbers"], repository_id=repository_id, rows=part.json)


def note_absences(tx: Transaction, repository_id: str, absent: Iterable[tuple[str, int, int]]) -> dict[Key, int]:
    """Note that GitHub did not find things, each (kind, id, number); returns how often it has said so by now."""
    rows = [{"kind": kind, "github_id": id_, "number": number} for kind, id_, number in dict.fromkeys(absent)]
    if not rows:
        return {}
    told = tx.rows(_SQL["note_absences"], repository_id=repository_id, rows=rows)
    return {(row["kind"], row["github_id"]): row["times"] for row in told}


def forget_absences(tx: Transaction, repository_id: str, found: Iterable[Key]) -> None:
    """Forget that GitHub did not find things that it has found."""
    rows = [{"kind": kind, "github_id": github_id} for kind, github_id in found]
    if rows:
        tx.run(_SQL["forget_absences"], repository_id=repository_id, rows=rows)


def parts_of(tx: Transaction, repository_id: str, kind: str, github_ids: Iterable[int]) -> list[StoredPart]:
    """Return the parts of some items that have rows."""
    of = {"repository_id": repository_id, "github_ids": tuple(github_ids)}
    return [StoredPart(**row) for row in tx.rows(_SQL[f"parts_of_{kind}"], **of)]


def bury(tx: Transaction, repository_id: str, kind: str, tombstones: Sequence[Tombstone], now: datetime) -> None:
    """Give items of a kind their tombstones; their backfill, which is locked, counts them no more."""
    rows = [{"github_id": each.github_id, "reason": each.reason, "target": each.target} for each in tombstones]
    if rows:
        tx.run(_SQL[f"bury_{kind}"], repository_id=repository_id, rows=rows, now=now)
        forget_absences(tx, repository_id, [(kind, each.github_id) for each in tombstones])


def bury_parts(tx: Transaction, repository_id: str, gone: Sequence[StoredPart], now: datetime) -> None:
    """Give reviews and comments their tombstones."""
    rows = [{"kind": each.kind, "github_id": each.github_id} for each in gone]
    if rows:
        tx.run(_SQL["bury_parts"], repository_id=repository_id, rows=rows, now=now)


def trust(tx: Transaction, repository_id: str, table: str, told: Iterable[tuple[str, int, datetime]]) -> None:
    """Take back dates of change that are later than GitHub's, each (kind, id, date), so that a reading gets in."""
    rows = [{"kind": kind, "github_id": id_, "updated_at": updated_at} for kind, id_, updated_at in told]
    for part in parts(rows):
        tx.run(_SQL[f"trust_{table}"], repository_id=repository_id, rows=part.json)


def save_verification(tx: Transaction, repository_id: str, certificate: Certificate, now: datetime) -> None:
    """Store the certificate of a repository."""
    tx.run(
        _SQL["save_verification"],
        repository_id=repository_id,
        now=now,
        proven_at=certificate.proven_at,
        score=certificate.score.percent,
        open=len(certificate.open),
        certificate=certificate.as_json(),
    )


def recount(tx: Transaction, repository_id: str) -> None:
    """Let backfills that are complete, and locked, count the rows that are here."""
    tx.run(_SQL["recount"], repository_id=repository_id)


def verification(tx: Transaction, repository_id: str) -> Verification | None:
    """Return the last verification of a repository."""
    row = tx.row(_SQL["verification"], repository_id=repository_id)
    return None if row is None else Verification(**row)


def due(tx: Transaction, now: datetime, *, old: timedelta, rested: timedelta) -> list[VerificationDue]:
    """Return whose turn it is: proofs that are `old`, and low scores that `rested`; the most urgent first."""
    judged = {"enough": ENOUGH, "below_percent": Thresholds().below_percent}
    rows = tx.rows(_SQL["verifications_due"], now=now, old=old, rested=rested, **judged)
    return [VerificationDue(id=str(row["id"]), why=row["why"]) for row in rows]


def spent_lately(tx: Transaction, now: datetime) -> int:
    """Return the points that verifications took in the last hour."""
    row = tx.row(_SQL["spent_lately"], now=now)
    return 0 if row is None else int(row["points"])


def _stored(kind: str, row: Row) -> StoredItem:
    known = _differences(row["differences"])
    return StoredItem(
        kind=kind,
        github_id=row["github_id"],
        number=row["number"],
        node_id=row["node_id"],
        facts=Facts(
            updated_at=row["updated_at"],
            fields={name: row[name] for name in FIELDS[kind]},
            counts={name: row[column] for name, column in HELD[kind].items()},
        ),
        noted={name: row[column] for name, column in NOTED[kind].items() if row[column] is not None},
        authorless=row["authorless"],
        quarantined=row["quarantined"],
        gap=row["gap"],
        explained=frozenset(each.detail for each in known if each.end is End.EXPLAINED),
    )


def _differences(told: Sequence[Mapping[str, Any]]) -> tuple[Difference, ...]:
    return tuple(Difference(**{**each, "what": What(each["what"]), "end": End(each["end"])}) for each in told)
