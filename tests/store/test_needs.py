"""The needs that are declared are those of the statements: PostgreSQL itself says of each which rights it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest

from gh_backfill.errors import StoreDenied
from gh_backfill.resources import PACKAGE, sql
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.needs import TO_DELETE, TO_WRITE

# The ledger of the migrations is made and written by a command that looks for itself, and proofs are no product.
# What reads the tables that only an application has can't be planned without them: tests/tasks/test_workspaces.py does.
# Statements about a snapshot have no plan.
NOT_OURS = {"application", "migrations", "proofs", "access", "preflight", "locks", "readers", "snapshots"}
WITNESS = "witness_of_needs"
# A parameter without a value has no type; where PostgreSQL can't guess it, it is an interval.
INTERVALS = ("margin", "older_than", "alive", "lease", "old", "rested", "same_clock", "recent", "near")
PAUSES = ("least", "most")


class Statements:
    """All statements of the product, and a role whose rights are withdrawn one by one while they are planned."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        names = sorted({path.stem for path in (PACKAGE / "store" / "sql").glob("*.sql")} - NOT_OURS)
        every = {f"{name}.{section}": text for name in names for section, text in sql(name).items()}
        tx.run(f"create role {WITNESS}; grant select on all tables in schema public to {WITNESS}")
        tx.run(f"grant execute on function gh_backfill_events_month(date) to {WITNESS}")
        self.writing = {name: text for name, text in every.items() if self.refused(text)}
        for table, need in TO_WRITE.items():
            columns = ", ".join(sorted(need.columns | need.optional))
            tx.run(f"grant insert ({columns}) on {table} to {WITNESS}")
            if need.updated:
                tx.run(f"grant update ({columns}) on {table} to {WITNESS}")
        for table, need in (*TO_WRITE.items(), *TO_DELETE.items()):
            if need.deleted:
                tx.run(f"grant delete on {table} to {WITNESS}")

    def refused(self, text: str, without: str = "") -> bool:
        """Say whether a statement is refused; `without` takes a right away first."""
        intervals = (*INTERVALS, *PAUSES) if "slowdowns" in text else INTERVALS
        given = {name: timedelta(1) if name in intervals else None for name in re.findall(r"%\((\w+)\)s", text)}
        self._tx.run(f"savepoint before; {without}; set local role {WITNESS}")
        try:
            counted = "with given as (select 1 as rows) " if "from given" in text else ""
            self._tx.run(f"explain {counted}{text}", **given)
        except StoreDenied as error:
            if "permission denied" not in str(error.__cause__):
                raise
            return True
        finally:
            self._tx.run("rollback to before; release before")
        return False

    def refused_without(self, right: str, table: str, column: str = "") -> set[str]:
        """Return the statements that take a right to a table, or to a column, which they name."""
        without = f"revoke {right}{f' ({column})' if column else ''} on {table} from {WITNESS}"
        named = {name: text for name, text in self.writing.items() if table in text and column in text}
        return {name for name, text in named.items() if self.refused(text, without)}


@pytest.fixture
def statements(db: Database) -> Iterator[Statements]:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), db.transaction() as tx:
        yield Statements(tx)
        raise Undone


def test_no_statement_takes_a_right_that_is_not_declared(statements: Statements) -> None:
    assert len(statements.writing) > 60
    assert {name for name, text in statements.writing.items() if statements.refused(text)} == set()


def test_every_right_that_is_declared_is_taken_by_a_statement(statements: Statements) -> None:
    for table, need in TO_WRITE.items():
        if need.by_trigger:
            continue
        inserting = statements.refused_without("insert", table)
        assert inserting, table
        assert bool(statements.refused_without("update", table)) == need.updated, table
        for column in need.columns | need.optional:
            sent = statements.refused_without("insert", table, column)
            assert (sent == inserting) == (column in (need.always or ())), f"{table}.{column}"
            assert sent or statements.refused_without("update", table, column), f"{table}.{column}"


def test_every_right_to_delete_is_taken_by_a_statement(statements: Statements) -> None:
    declared: Mapping[str, set[str]] = {
        table: statements.refused_without("delete", table) for table in {*TO_WRITE, *TO_DELETE}
    }
    assert {table for table, deleting in declared.items() if deleting} == {
        table for table, need in (*TO_WRITE.items(), *TO_DELETE.items()) if need.deleted
    }
    untracking = {
        table for table, deleting in declared.items() if any(each.startswith("untracking.") for each in deleting)
    }
    assert untracking == set(TO_DELETE)
