"""Real databases for the tests: one server per test process, one clone of a template per test.

The server's data lie in memory where there is room: remove `/dev/shm/gh_backfill-tests-*` after a run that was killed.
Set `GH_BACKFILL_TEST_DATABASE_URL` to use a server of your own (as a superuser; databases are made and dropped there).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from gh_backfill import hidden
from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.store.embedded import embedded
from tests import turns

# Machines differ: how long an example takes is no matter of a test; and our examples clean up after themselves.  An
# ordinary run draws the same ones each time, so that what turns red is what was changed; one of all looks for new ones.
UNCHECKED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("no clock", deadline=None, suppress_health_check=UNCHECKED, derandomize=not turns.WHOLE)
settings.load_profile("no clock")

# Whoever runs the tests in the background may let them ignore ctrl-C or a closed terminal; so would every process that
# a test starts.
for each, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(each) is signal.SIG_IGN:
        signal.signal(each, usual)

SHARED = Path(__file__).parents[1].parent / "shared"
EXISTING_SCHEMA = SHARED / "reference" / "existing_app_schema.sql"
_ROOM = 8 << 30  # bytes
VARIANTS = {"default": "", "without vector": "set fixture.vector = 'off'", "two states": "set fixture.pr_state = 'two'"}

# Tests that take ten seconds or more by themselves, the longest first, so that none of them runs alone at the end.
LONG = (
    "test_the_workflow_captures_the_corpus",
    "test_names_are_pasted_checked_added_and_their_bars_move",
    "test_a_run_explains_itself_and_its_issue",
    "test_nothing_that_a_program_sends_makes_it_stumble",
    "test_the_demo_moves_and_has_its_picture_taken",
    "test_where_nothing_is_set_up_a_demo_moves",
    "test_cancel_cancels_and_it_is_taken_up_again",
    "test_of_a_bulk_exactly_what_is_broken_for_good_fails",
    "test_names_that_nobody_tracks_get_their_newest",
    "test_what_failed_says_why_and_is_tried_again",
    "test_two_hundred_listeners_cost_no_more_looks",
    "test_a_lost_connection_is_told_and_recovers",
    "test_the_setup_makes_the_database_ready",
    "test_after_kills_cuts_and_faults",
    "test_half_of_each_history_foretells",
    "test_a_pull_request_with_more_text_than_one_jsonb_holds",
    "test_a_capture_stays_near_the_floor",
    "test_the_demo_captures_invented_repositories",
    "test_no_command_takes_more_round_trips",
    "test_whatever_ends_a_run_its_chunks_are_free",
    "test_all_rows_of_real_repositories_are_the_same",
    "test_the_issues_of_the_corpus_come_whole",
    "test_a_database_that_restarts_is_waited_for_by_the_run",
    "test_after_the_demo_every_command_means_its_database",
    "test_the_simulated_world_has_the_issues",
    "test_the_corpus_has_as_many_rows",
    "test_a_cancelled_step_gives_its_chunk_back",
    "test_the_scheduled_run_returns_what_lost_its_worker",
    "test_a_killed_worker_is_followed_at_once",
    "test_a_retry_of_what_the_database_refuses",
    "test_notes_in_the_summary_show_neither_hosts",
    "test_every_decision_is_the_same_in_another_time_zone",
    "test_a_capture_costs_no_more_points",
    "test_no_fault_of_github_names_a_private_repository",
    "test_a_strange_value_anywhere",
    "test_a_table_that_others_hold_is_waited_for",
    "test_an_issue_finds_the_pull_request",
)


# Says to the processes of one run that nobody named files or tests: it is the whole suite.
_WHOLE_SUITE = "GH_BACKFILL_TESTS_SUITE"


def pytest_configure(config: pytest.Config) -> None:
    """Learn whether the whole suite is run."""
    if not hasattr(config, "workerinput"):
        named = config.args_source is pytest.Config.ArgsSource.ARGS or config.option.keyword or config.option.lf
        os.environ[_WHOLE_SUITE] = "" if named else "yes"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what waits for another day; let the long tests begin first, in their order; the others keep theirs."""
    if os.environ.get(_WHOLE_SUITE):
        _leave_out(config, items)
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if item.name.startswith(name)), len(LONG)))


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests of long files in turns."""
    seen: Counter[str] = Counter()
    places: list[tuple[str, int]] = []
    for item in items:
        file = item.nodeid.partition("::")[0]
        places.append((file, seen[file]))
        seen[file] += 1
    others = turns.left_out(places)
    config.hook.pytest_deselected(items=[item for item, place in zip(items, places, strict=True) if place in others])
    items[:] = [item for item, place in zip(items, places, strict=True) if place not in others]


# Files of which one process runs all tests: it fetches the recordings, or reads the corpus, and the others need not.
# (A mark would say the same, but xdist 3.8 does not see its groups under pytest 9.2: pytest-dev/pytest-xdist#1386.)
TOGETHER = ("tests/simulator/test_recordings.py", "tests/test_corpus.py")


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out tests one by one in their order, but those of some files together."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneByOne:
    """Choose how several processes share the tests."""
    return OneByOne(config, log)


def pytest_report_header() -> str:
    """Tell which part of the large tables is taken."""
    return turns.told()


@dataclass(kw_only=True)
class Server:
    """A PostgreSQL server to make databases on; a template is made when it is first asked for."""

    url: str
    templates: dict[str, str] = field(default_factory=dict)

    def url_of(self, name: str) -> str:
        """Return the URL of one of its databases."""
        return urlsplit(self.url)._replace(path=f"/{name}").geturl()

    def make(self, template: str = "template1") -> str:
        """Make a database from a template and return its name."""
        name = f"gh_backfill_test_{uuid4().hex}"
        # To copy files takes a third of the time that it takes to write them to the log.
        self._run(f'create database "{name}" template "{template}" strategy file_copy')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        self._run(f'drop database "{name}" with (force)')

    def migrated(self) -> str:
        """Return the template of an empty database brought up to date."""
        if "migrated" not in self.templates:
            name = self.templates["migrated"] = self.make()
            self._migrate(name)
        return self.templates["migrated"]

    def existing(self, variant: str) -> str:
        """Return the template of a host application's database, as it was before us."""
        if variant not in self.templates:
            name = self.templates[variant] = self.make()
            statements = f"{VARIANTS[variant]};\n{EXISTING_SCHEMA.read_text(encoding='utf-8')}"
            self._run(statements, name)
        return self.templates[variant]

    def existing_migrated(self, variant: str) -> str:
        """Return the template of a host application's database brought up to date."""
        key = f"{variant}, migrated"
        if key not in self.templates:
            name = self.templates[key] = self.make(self.existing(variant))
            self._migrate(name)
        return self.templates[key]

    def _migrate(self, name: str) -> None:
        with Database(self.url_of(name)) as db:
            migrations.apply(db)

    def _run(self, statements: str, database: str | None = None) -> None:
        connection = psycopg2.connect(self.url if database is None else self.url_of(database))
        try:
            connection.autocommit = True  # neither CREATE DATABASE nor DROP DATABASE works in a transaction
            connection.cursor().execute(statements)
        finally:
            connection.close()


def hasten(url: str) -> None:
    """Let a server that is thrown away afterwards not wait for its disk."""
    hasty = psycopg2.connect(url)
    hasty.autocommit = True
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        hasty.cursor().execute(f"alter system set {setting} = off")
    hasty.cursor().execute("select pg_reload_conf()")
    hasty.close()


def _in_memory() -> str | None:
    """Return a folder in memory with room for a server of each test process, or nothing where there is none."""
    memory = Path("/dev/shm")  # noqa: S108  (a folder with a random name is made there)
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM
    return str(memory) if roomy else None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a server for this test process, unless one is given."""
    given = os.environ.get("GH_BACKFILL_TEST_DATABASE_URL")
    if given:
        server = Server(url=given)
        yield server
        for name in server.templates.values():
            server.drop(name)
        return
    with (
        tempfile.TemporaryDirectory(prefix="gh_backfill-tests-", dir=_in_memory()) as folder,
        embedded(Path(folder)) as url,
    ):
        hasten(url)
        yield Server(url=url)


@pytest.fixture(autouse=True)
def _nothing_hidden() -> None:
    """Begin as a new process does, which has read no name and no secret yet."""
    hidden.forget()


@pytest.fixture
def database_url(server: Server) -> Iterator[str]:
    """Give a fresh database with our tables, empty."""
    yield from _clone(server, server.migrated())


@pytest.fixture
def empty_database_url(server: Server) -> Iterator[str]:
    """Give a database without a single table."""
    yield from _clone(server, "template1")


@pytest.fixture
def existing_database_url(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the database of a host application, brought up to date.

    A test picks its variant: `@pytest.mark.parametrize("existing_database_url", VARIANTS, indirect=True)`.
    """
    variant = _variant(request)
    yield from _clone(server, server.existing_migrated(variant))


@pytest.fixture
def unmigrated_database_url(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the database of a host application as it was before us; variants as above."""
    variant = _variant(request)
    yield from _clone(server, server.existing(variant))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """Give a `Database` on `database_url`."""
    with Database(database_url) as database:
        yield database


def _variant(request: pytest.FixtureRequest) -> str:
    if not EXISTING_SCHEMA.exists():
        pytest.skip(f"the host application's schema is not at {EXISTING_SCHEMA}")
    variant: str = getattr(request, "param", "default")
    return variant


def _clone(server: Server, template: str) -> Iterator[str]:
    name = server.make(template)
    yield server.url_of(name)
    server.drop(name)
