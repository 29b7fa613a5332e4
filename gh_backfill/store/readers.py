"""Roles that only read: row level security shows them nothing, and says nothing, until a policy admits them."""

from __future__ import annotations

from gh_backfill.errors import ConfigurationError
from gh_backfill.resources import sql
from gh_backfill.store import causes, marks
from gh_backfill.store.db import Transaction

_SQL = sql("readers")
# Supabase's own roles: its policies decide what they see.
GUESTS = frozenset({"anon", "authenticated", "service_role", "authenticator", "public"})


def readable(tx: Transaction, role: str) -> list[str]:
    """Return the tables and views that a role may be let read; raises ConfigurationError for one that is not to."""
    if role.lower() in GUESTS:
        raise ConfigurationError(f"{role} is one of Supabase's roles, whose policies decide what it sees: name another")
    if not tx.rows(_SQL["role_exists"], role=role):
        name = causes.identifier(role)
        raise ConfigurationError(f"there is no role {name}: create it first: create role {name} login password '…'")
    return [row["name"] for row in tx.rows(_SQL["relations"], names=_names())]


def grant(tx: Transaction, role: str) -> list[str]:
    """Let a role read all rows of all tables and views, and return their names.  Repeatable."""
    names = readable(tx, role)
    tx.run(_SQL["grant"], role=role, names=tuple(names))
    return names


def blind(tx: Transaction) -> dict[str, list[str]]:
    """Return roles that may select and yet see no row, each with the tables where that is so."""
    found: dict[str, list[str]] = {}
    for row in tx.rows(_SQL["blind"], names=_names(), guests=tuple(sorted(GUESTS))):
        found.setdefault(row["role"], []).append(row["table"])
    return found


def _names() -> tuple[str, ...]:
    return tuple(sorted({*marks.TABLES, *marks.VIEWS}))
