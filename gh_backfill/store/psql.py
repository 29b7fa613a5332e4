"""PostgreSQL's own terminal, which comes along with the embedded server."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gh_backfill.database_address import understood
from gh_backfill.store import programs
from gh_backfill.store.address import connection_arguments

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
}


def run(url: str, arguments: Sequence[str], say: Callable[[str], None] | None = None) -> int:
    """Run psql on a database and return its exit code; `say` takes what it prints, line by line, in its stead.

    The connection goes by the environment: arguments, and a password among them, can be read by everybody here.
    """
    given = connection_arguments(url)
    environment = {variable: given[name] for name, variable in _VARIABLES.items() if name in given}
    schema = understood(url).schema
    if schema is not None:  # a start-up option, which PgBouncer refuses: SET would stay in somebody else's session
        environment["PGOPTIONS"] = f"{os.environ.get('PGOPTIONS', '')} -c search_path={schema}".strip()
    program = programs.folders()[max(programs.folders())] / "psql"
    command, variables = [str(program), *arguments], os.environ | environment
    if say is None:
        with _left_to_psql():
            return subprocess.run(command, env=variables, check=False).returncode  # noqa: S603
    with subprocess.Popen(  # noqa: S603
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    ) as process:
        for line in process.stdout or ():
            say(line.rstrip("\n"))
    return process.returncode


@contextmanager
def _left_to_psql() -> Iterator[None]:
    """Leave Ctrl-C to psql, where it ends a query or a line and not the session; we only wait for its end."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # a handler is not inherited, ignoring would be
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
