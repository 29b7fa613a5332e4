"""The address of a database: understood before anything else judges it, each mistake told by its own cause.

No message repeats any of it: the password stands in it, and an unescaped one may have been read as host or port.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import psycopg2
from psycopg2.extensions import parse_dsn

EXPECTED = "postgresql://USER@HOST:5432/NAME, with :PASSWORD after USER,"
ESCAPE = "special characters of the password must be percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F, % is %25)"
CLEAR_TEXT = frozenset({"disable", "allow", "prefer"})
_SCHEMA = "schema"
# Parameters of other programs, as their makers' pages print them: Prisma, Supabase, Vercel, node-postgres, pgx, JDBC.
_FOREIGN = frozenset(
    """
    pgbouncer connection_limit pool_timeout socket_timeout sslaccept sslidentity statement_cache_size supa workaround
    statement_cache_mode prepared_statements prepareThreshold pool_max_conns pool_min_conns max_pool_size min_pool_size
    pool_size pool_mode currentSchema uselibpqcompat default_query_exec_mode binary_parameters prefer_simple_protocol
    single_use_connections
    """.split()  # noqa: SIM905 (a list of names is read more easily like this)
)
_DEFAULTS = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
# The usual mistakes of pasting; the first that fits is told.
_MISTAKES: tuple[tuple[str, str], ...] = (
    (r"^$", f"is empty; {EXPECTED} is expected"),
    (r"^[\"'`]", "stands in quotation marks: leave them out"),
    (r"^https?://", f"is the address of a web server; {EXPECTED} is expected (in Supabase: Connect, pooler)"),
    (r"^(jdbc:|postgres(ql)?\+)", f"begins with the name of a driver: leave that out, as in {EXPECTED}"),
    (r"^\w+\s*=", f"has the form name=value; {EXPECTED} is expected"),
    (r"^(?!postgres(ql)?://)", f"is no connection string of PostgreSQL; {EXPECTED} is expected"),
    (r"[\s\x00-\x1f\x7f]", "has a space or a line break within it: a space of the password is %20"),
    (
        r"\[[^\]@/]*password[^\]@/]*\]",
        "still holds the placeholder for the password: put yours there, without brackets",
    ),
    (r"%(?![0-9a-f]{2})", f"has a % that begins no code of two digits; {ESCAPE}"),
)
_LOCAL = re.compile(r"|localhost|127(\.\d+){3}|::1|/.*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """An address that libpq understands.

    `schema` is where our tables lie (None: wherever search_path leads), `dropped` are the parameters of other programs.
    """

    base: str
    parameters: tuple[str, ...]
    given: Mapping[str, str]
    schema: str | None
    dropped: tuple[str, ...]

    @property
    def url(self) -> str:
        """Return it as a URL, without what was dropped; the schema travels along."""
        every = [*self.parameters, *([f"{_SCHEMA}={self.schema}"] if self.schema else [])]
        return self.base + ("?" + "&".join(every) if every else "")

    @property
    def is_local(self) -> bool:
        """Say whether the server is on this machine (loopback or a socket)."""
        hosts = self.given.get("hostaddr") or self.given.get("host") or os.environ.get("PGHOST", "")
        return all(_LOCAL.fullmatch(host) for host in hosts.split(","))

    @property
    def arguments(self) -> dict[str, str]:
        """Return what libpq is to be told, with TLS required beyond this machine where nothing else was said."""
        secure = {} if self.is_local or "PGSSLMODE" in os.environ else {"sslmode": "require"}
        return {**_DEFAULTS, **secure, **self.given}

    @property
    def in_clear_text(self) -> bool:
        """Say whether rows and password may travel unencrypted beyond this machine."""
        mode = self.given.get("sslmode") or os.environ.get("PGSSLMODE", "require")
        return not self.is_local and mode in CLEAR_TEXT

    def within(self, schema: str | None) -> Address:
        """Return it with the schema in which our tables lie; None leaves that to the role's search_path."""
        return replace(self, schema=schema)


def understood(text: str) -> Address:
    """Return the address; raises ValueError with what is wrong with it, in words that fit after the setting's name."""
    text = text.strip()
    _look_at(text)
    account = re.match(r"\w+://([^@/]*@)?", text)  # libpq takes a question mark in the password for a part of it
    start = account.end() if account else 0
    base, _, query = text[start:].partition("?")
    base = text[:start] + base
    pairs = [pair for pair in query.split("&") if pair]
    if any("=" not in pair for pair in pairs):
        raise ValueError(f"has a parameter without a value after its question mark; {ESCAPE}")
    ours = tuple(pair for pair in pairs if _name(pair) not in _FOREIGN | {_SCHEMA})
    schemas = [pair.partition("=")[2] for pair in pairs if _name(pair) == _SCHEMA]
    return Address(
        base=base,
        parameters=ours,
        given=_parsed(base, ours),
        schema=schemas[-1] if schemas else None,
        dropped=tuple(dict.fromkeys(_name(pair) for pair in pairs if _name(pair) in _FOREIGN)),
    )


def _look_at(text: str) -> None:
    for pattern, what in _MISTAKES:
        if re.search(pattern, text, re.IGNORECASE):
            raise ValueError(what)


def _parsed(base: str, parameters: tuple[str, ...]) -> dict[str, str]:
    url = base + ("?" + "&".join(parameters) if parameters else "")
    try:
        given = parse_dsn(url)
    except (psycopg2.ProgrammingError, ValueError) as error:
        unknown = [_name(pair) for pair in parameters if f'"{_name(pair)}"' in str(error)]
        if unknown and "@" not in "".join(parameters) and re.fullmatch(r"\w+", unknown[0]):
            raise ValueError(f"has a parameter that PostgreSQL does not know: leave {unknown[0]} out") from None
        raise ValueError(f"cannot be read; {EXPECTED} is expected: {ESCAPE}") from None
    if "@" in given.get("host", "") or "@" in given.get("dbname", ""):
        raise ValueError(f"has more than one @; {ESCAPE}")
    ports = [port for port in given.get("port", "").split(",") if port]
    if not all(re.fullmatch(r"\d{1,5}", port) and 0 < int(port) < 65536 for port in ports):
        raise ValueError(f"has a port that is no number from 1 to 65535; {EXPECTED} is expected: {ESCAPE}")
    return {name: str(value) for name, value in given.items()}


def _name(pair: str) -> str:
    return pair.partition("=")[0]
