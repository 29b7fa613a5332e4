"""The causes of what PostgreSQL refuses: a line on who may not do what, and the statement or setting that mends it.

Whatever psycopg2 raises has its cause here; a code that is not listed is an error of the store like any other.  The
texts repeat the server's first line only: its detail shows rows, and those may belong to private repositories.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg2

from gh_backfill.errors import (
    RowRefused,
    RowTooLarge,
    StoreConflict,
    StoreDenied,
    StoreError,
    StoreLocked,
    StoreReadOnly,
    StoreSlow,
    StoreUnavailable,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Who asks which database."""

    user: str
    database: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cause:
    """An error of ours and its text, in which `{said}` is the server's own line."""

    error: type[StoreError]
    text: str


_COLLIDED = _Cause(error=StoreConflict, text="the database transaction collided with another one: {said}")
_AWAY = _Cause(error=StoreUnavailable, text="the database does not answer: {said}")
_REFUSED = _Cause(error=RowRefused, text="the database refuses a row: {said}")
_OUTDATED = _Cause(
    error=StoreDenied,
    text="the database lacks what this version works with: {said}; run gh-backfill migrate (and see that "
    "GH_BACKFILL_SCHEMA, or the search_path of role {user}, leads to the schema with the tables); if that says that "
    "the database is up to date, somebody has removed it: restore it from a backup",
)
_NO_DATABASE = _Cause(
    error=StoreDenied,
    text="there is no database {database}: correct DATABASE_URL, or create it: "
    "create database {database} encoding 'UTF8' template template0",
)
_CROWDED = _Cause(
    error=StoreUnavailable,
    text="no connection to the database is free for role {user} ({said}): use the address of a pooler, capture with "
    "fewer jobs at once, or raise the limit: alter role {user} connection limit -1",
)
_NOT_ADMITTED = _Cause(
    error=StoreDenied,
    text="the server does not let role {user} into database {database} ({said}): correct DATABASE_URL, or admit it in "
    "the server's pg_hba.conf",
)
_PASSWORD = _Cause(
    error=StoreDenied,
    text="the database does not accept the password of role {user}: correct DATABASE_URL, or set another one: "
    "alter role {user} password '…'",
)
_NO_CONNECT = _Cause(
    error=StoreDenied,
    text="role {user} may not connect to database {database}: grant connect on database {database} to {user}",
)
_READ_ONLY = _Cause(
    error=StoreReadOnly,
    text="the database takes no writes ({said}): where it is a standby, DATABASE_URL must name the primary; where it "
    "was made read-only, as Supabase does when the disk is nearly full, make room and then run: "
    "set session characteristics as transaction read write; "
    "alter database {database} set default_transaction_read_only = off",
)
_TOO_SLOW = _Cause(
    error=StoreSlow,
    text="the database ended a statement at its time limit ({said}): alter role {user} set statement_timeout = '5min'",
)
# At a limit of milliseconds PostgreSQL itself says "due to user request" now and then.
_CANCELLED = _Cause(
    error=StoreConflict,
    text="somebody, or a time limit, cancelled a statement of the database ({said}): if it happens again, look at the "
    "limit: alter role {user} set statement_timeout = '5min'",
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html: a whole code, or a class by its first two characters.
_BY_CODE: Mapping[str, _Cause] = {
    "08": _AWAY,
    "22": _REFUSED,
    "23": _REFUSED,
    "P0001": _REFUSED,  # a trigger of the host raised it
    "54": _Cause(error=RowTooLarge, text="the database refuses a row for its size: {said}"),
    "25006": _READ_ONLY,
    "25P03": _AWAY,  # idle in a transaction for too long
    "28": _NOT_ADMITTED,
    "28P01": _PASSWORD,
    "3D000": _NO_DATABASE,
    "3F000": _OUTDATED,
    "40001": _COLLIDED,
    "40P01": _COLLIDED,
    "55P03": _Cause(error=StoreLocked, text="others hold a lock on what is to be written: {said}"),
    "42P01": _OUTDATED,
    "42703": _OUTDATED,
    "42704": _OUTDATED,
    "42883": _OUTDATED,
    "53": _Cause(error=StoreUnavailable, text="the database is at the limit of what it has: {said}"),
    "53100": _Cause(
        error=StoreUnavailable,
        text="the disk of database {database} is full ({said}): make room there; what was committed is kept, and the "
        "next run goes on from it",
    ),
    # It may be one huge row: whatever passes alone is stored, and what does not is kept apart and tried again.
    "53200": _Cause(
        error=RowRefused,
        text="the database is out of memory ({said}): try again, with a smaller --chunk-size or fewer jobs at once",
    ),
    "53300": _CROWDED,
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
    "57P04": _NO_DATABASE,
    "57P05": _AWAY,
}

# A connection that is refused comes without a code (libpq keeps it to itself), in the server's words.
_AT_CONNECTION: tuple[tuple[str, _Cause], ...] = (
    (r"password authentication failed|no password supplied|SASL authentication failed|wrong password", _PASSWORD),
    (
        r'role "[^"]*" does not exist|no such user|tenant or user not found',
        _Cause(
            error=StoreDenied,
            text="the database knows no role {user}: correct DATABASE_URL (at Supabase's pooler the role is "
            "postgres.<project>), or create it: create role {user} login password '…'",
        ),
    ),
    (
        r"is not permitted to log in",
        _Cause(error=StoreDenied, text="role {user} may not log in: alter role {user} login"),
    ),
    (r"permission denied for database", _NO_CONNECT),
    (r'database "[^"]*" does not exist|no such database', _NO_DATABASE),
    (r"too many (clients|connections)|connection slots|max_client_conn|max ?client", _CROWDED),
    (r"pg_hba\.conf|authentication failed", _NOT_ADMITTED),
    (
        r"server does not support SSL",
        _Cause(
            error=StoreDenied,
            text="the database server speaks no TLS, which is required beyond this machine: switch it on there, or say "
            "that clear text is meant: sslmode=disable in DATABASE_URL and GH_BACKFILL_ALLOW_INSECURE=1",
        ),
    ),
    (
        r"certificate|invalid \w+ value|invalid port|unsupported startup parameter|connection option|service file",
        _Cause(
            error=StoreDenied,
            text="DATABASE_URL, or a PG… variable of the environment, does not fit the server: {said}",
        ),
    ),
    (
        r"could not translate host name",
        _Cause(
            error=StoreUnavailable,
            text="the host of DATABASE_URL is not found ({said}): the network is away, or the name is wrong; "
            "Supabase's db.<project> hosts need IPv6, its pooler's do not",
        ),
    ),
)

# How PostgreSQL says that a right is missing, and the statement that gives it.
_RIGHTS: tuple[tuple[str, str], ...] = (
    (r"permission denied for schema (\S+)", "grant usage, create on schema {thing} to {user}"),
    (r"permission denied for database (\S+)", "grant connect, create on database {thing} to {user}"),
    (r"permission denied for function (\S+)", "grant execute on function {thing} to {user}"),
    (
        r"permission denied for \w+(?: \w+)? (\S+)",
        "grant select, insert, update on {thing} to {user} (docs/writer_role.sql; to read: gh-backfill grant-reader)",
    ),
    (
        r"must be (?:the )?owner of (?:table|relation|view) (\S+)",
        "alter table {thing} owner to {user}, or do it as the owner",
    ),
    (r"must be (?:the )?owner of (.+)", "do it as the owner of {thing}"),
    (
        r"row-level security policy for table \"?([^\"]+)",
        "a policy on {thing} has to admit {user}, as docs/writer_role.sql makes them",
    ),
)


def of_statement(error: psycopg2.Error, session: Session) -> StoreError:
    """Return our error for what a statement ended in."""
    said = _said(error)
    code = error.pgcode or ""
    if not code and _is_loss(error):
        return _AWAY.error(_filled(_AWAY, said, session))
    if code == "42501":
        return StoreDenied(_right(said, session))
    if code == "57014":  # a person can cancel a statement, too: it is tried again
        cause = _TOO_SLOW if "timeout" in said else _CANCELLED
        return cause.error(_filled(cause, said, session))
    known = _BY_CODE.get(code) or _BY_CODE.get(code[:2])
    if known is None and isinstance(error, psycopg2.DataError | psycopg2.IntegrityError):
        known = _REFUSED
    if known is None:
        return StoreError(f"the database refuses a statement ({code or type(error).__name__}): {said}")
    return known.error(_filled(known, said, session))


def of_connection(error: psycopg2.Error, session: Session) -> StoreError:
    """Return our error for a connection that was not made."""
    said = _said(error)
    for words, cause in _AT_CONNECTION:
        if re.search(words, said, re.IGNORECASE):
            return cause.error(_filled(cause, said, session))
    return StoreUnavailable(_filled(_AWAY, said, session))


def identifier(name: str, *, always: bool = False) -> str:
    """Return a name as SQL wants it, in quotes where it needs them, or always."""
    plain = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not always
    return name if plain else '"' + name.replace('"', '""') + '"'


def _is_loss(error: psycopg2.Error) -> bool:
    """Tell whether an error without a code is about the connection: a killed backend comes as a bare DatabaseError."""
    return not isinstance(error, psycopg2.ProgrammingError | psycopg2.DataError | psycopg2.NotSupportedError)


def _right(said: str, session: Session) -> str:
    for words, mend in _RIGHTS:
        found = re.search(words, said)
        if found:
            return f"role {session.user} may not do this: {said}: {_with(mend, session, thing=found.group(1))}"
    return f"role {session.user} may not do this: {said}: the owner of the database has to grant it"


def _filled(cause: _Cause, said: str, session: Session) -> str:
    return _with(cause.text, session, said=said)


def _with(text: str, session: Session, **words: str) -> str:
    return text.format(user=identifier(session.user), database=identifier(session.database), **words)


def _said(error: psycopg2.Error) -> str:
    return " ".join((error.diag.message_primary or str(error) or type(error).__name__).split())
