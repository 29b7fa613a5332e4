"""Write people: each account once, by its id; each login with its present owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gh_backfill.errors import StoreConflict
from gh_backfill.models.github import Person
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement, Transaction
from gh_backfill.store.transaction import Note

_SQL = sql("people")


def once_each(everybody: Iterable[Person]) -> list[Person]:
    """Return each id and each login once; of two readings the later one counts."""
    by_id = {person.github_id: person for person in everybody}
    by_login = {person.login: person.github_id for person in by_id.values()}
    return [
        person if by_login[person.login] == person.github_id else _stand_in(person)
        for _, person in sorted(by_id.items())
    ]


def store_people(tx: Transaction, people: Sequence[Person]) -> None:
    """Write new logins and faces of known accounts, so that the login of each is its own, also where it was copied to.

    In a transaction of its own before the chunk: a change of the unique login locks rows that other jobs refer to.
    `changed_people` tells whether there is anything to write.
    """
    statement, rows = changed_people(people)
    if not tx.rows(statement, **rows):
        return
    changed = tx.rows(_SQL["free_logins"], **rows) + tx.rows(_SQL["update_people"], **rows)
    tx.run(_SQL["follow_logins"], ids=tuple(sorted({row["id"] for row in changed})))


def changed_people(people: Sequence[Person]) -> Statement:
    """Return the statement that finds those of these accounts that `store_people` would write."""
    return _SQL["changed_people"], {"people": _people_rows(people)}


def insert_new(tx: Transaction, people: Sequence[Person]) -> Note:
    """Write the accounts that are not here yet; `refuse_unknown` takes the note when it is read."""
    rows = _people_rows(people)
    tx.later(_SQL["insert_new_people"], people=rows)
    return tx.noted(_SQL["unknown_people"], people=rows)


def refuse_unknown(note: Note) -> None:
    """Raise StoreConflict where another worker was faster with a login."""
    if note.told:
        raise StoreConflict("another worker stored an account with the same login: the transaction is replayed")


def _stand_in(person: Person) -> Person:
    return replace(person, login=f"{person.login}~{person.github_id}")


def _people_rows(people: Sequence[Person]) -> list[Row]:
    return [
        {
            "github_id": person.github_id,
            "username": person.login,
            "display_name": person.name,
            "avatar_url": person.avatar_url,
            "is_bot": person.is_bot,
            "node_id": person.node_id,
        }
        for person in people
    ]
