"""The quarantine: what GitHub gave and could not be read or stored, until it can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gh_backfill.models.github import Unreadable
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.resources import sql
from gh_backfill.store.batches import parts, shortened
from gh_backfill.store.db import Row, Transaction

_SQL = sql("quarantine")


def put(tx: Transaction, repository_id: str, lost: Sequence[Unreadable], *, kind: str = PULL_REQUESTS) -> int:
    """Put what belongs to items of a kind into the quarantine, each thing once; returns how many things that are."""
    rows = {
        (each.kind, each.identity): {
            "kind": each.kind,
            "identity": each.identity,
            "github_id": each.github_id,
            "number": each.number,
            "reason": each.reason,
            "payload": shortened(each.payload),
        }
        for each in lost
    }
    for part in parts(rows.values()):
        tx.run(_SQL["quarantine"], repository_id=repository_id, item_kind=kind, rows=part.json)
    return len(rows)


def waiting(
    tx: Transaction, repository_id: str, *, most_attempts: int, kind: str = PULL_REQUESTS
) -> tuple[list[str], list[int]]:
    """Return the places of the list of which nobody knows the number, by their names, and numbers.

    The numbers are what `quarantined_numbers` returns; all of it takes one round trip.
    """
    of = {"repository_id": repository_id, "item_kind": kind}
    places, items = tx.together(
        (_SQL["open_places"], of), (_SQL["open_quarantine"], {**of, "most_attempts": most_attempts})
    )
    least_first = sorted(items, key=lambda row: (row["attempts"], row["number"] or 0))
    return [row["identity"] for row in places], _numbers(least_first)


def quarantined_numbers(
    tx: Transaction, repository_id: str, *, most_attempts: int, kind: str = PULL_REQUESTS
) -> list[int]:
    """Return the numbers of items of which something waits in the quarantine, tried less often than that.

    Those that were tried least come first.
    """
    return _numbers(
        tx.rows(_SQL["open_quarantine"], repository_id=repository_id, item_kind=kind, most_attempts=most_attempts)
    )


def number_places(
    tx: Transaction, repository_id: str, numbers: Mapping[str, int], *, kind: str = PULL_REQUESTS
) -> None:
    """Note which items, by their numbers, are at places that are in the quarantine, by their names."""
    rows = [{"place": place, "number": number} for place, number in numbers.items()]
    tx.run(_SQL["number_places"], repository_id=repository_id, item_kind=kind, rows=rows)


def count_attempt(tx: Transaction, repository_id: str, numbers: Sequence[int], *, kind: str = PULL_REQUESTS) -> int:
    """Note that items in the quarantine were tried again in vain; returns how many entries that were.

    Entries that `put` has renewed in this transaction have been counted.
    """
    return tx.run(_SQL["count_attempt"], repository_id=repository_id, item_kind=kind, numbers=tuple(numbers))


def resolve(tx: Transaction, repository_id: str, numbers: Sequence[int], *, kind: str = PULL_REQUESTS) -> list[str]:
    """Close the quarantine of items that were read; returns the ids of the entries.

    What `put` puts there again afterwards is open again: `closed` tells how many are not.
    """
    rows = tx.rows(_SQL["resolve_quarantine"], repository_id=repository_id, item_kind=kind, numbers=tuple(numbers))
    return [str(row["id"]) for row in rows]


def closed(tx: Transaction, entries: Sequence[str]) -> int:
    """Return how many of these entries of the quarantine are closed."""
    row = tx.row(_SQL["closed_entries"], entries=tuple(entries))
    return int(row["entries"]) if row else 0


def plain_text(text: str) -> str:
    """Return text that can be kept in a quarantine whatever it holds: what is no proper text is written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _numbers(rows: Sequence[Row]) -> list[int]:
    return list(dict.fromkeys(row["number"] for row in rows if row["number"] is not None))
