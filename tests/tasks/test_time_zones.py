"""A day and a month are UTC's, and half open, wherever the machine and the database are."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gh_backfill.policy.report.costs import CostRates
from gh_backfill.store import reports
from gh_backfill.store.db import Database
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import SMALL, House

ROOT = Path(__file__).parents[2]
# The first of all zones, and one whose clocks change, on the other side of UTC.
ZONES = ("Pacific/Kiritimati", "America/New_York")
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_every_decision_is_the_same_in_another_time_zone(zone: str) -> None:
    about_time = [
        path for path in sorted((ROOT / "tests" / "policy").rglob("test_*.py")) if "datetime" in path.read_text()
    ]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *map(str, about_time)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"TZ": zone}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-3_000:]


@pytest.mark.parametrize("zone", ZONES)
def test_times_are_stored_as_they_are_whatever_the_zone_of_worker_and_database(house: House, zone: str) -> None:
    _move(house, zone)
    house.track(SMALL)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(ROOT),
        "TZ": zone,
        "DATABASE_URL": house.url,
        "GITHUB_TOKEN": "tok",
        "GITHUB_API_URL": house.github.url,
    }
    command = [sys.executable, "-m", "gh_backfill", "capture", SMALL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    with house.db.transaction(read_only=True) as tx:
        differences = compare(tx, expected_world(house.github.world, SMALL))
    assert not differences, differences


@pytest.mark.parametrize("zone", ["UTC", *ZONES])
@pytest.mark.parametrize(
    ("since", "until"),
    [
        (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)),
        (datetime(2028, 2, 1, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)),
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
    ],
    ids=["before the new year", "after it", "a leap year", "clocks go forward", "clocks go back"],
)
def test_a_month_has_its_first_moment_and_not_that_of_the_next(
    house: House, zone: str, since: datetime, until: datetime
) -> None:
    _move(house, zone)
    house.track(SMALL)
    with house.db.transaction() as tx:
        for moment in (since - MOMENT, since, until - MOMENT, until):
            tx.run(
                """insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, created_at,
                                                         started_at, completed_at)
                   select 'progressive_backfill', id, 'local', 'completed', %(at)s, %(at)s, %(at)s from repositories""",
                at=moment,
            )
    for now in (since, since + timedelta(days=14), until - MOMENT):
        with house.db.transaction(read_only=True) as tx:
            found = reports.month(tx, CostRates(), now, budget=None)
        assert (found.since, [work.jobs for work in found.works]) == (since, [2])


def _move(house: House, zone: str) -> None:
    """Let the database live in another zone, from the next connection on."""
    name = urlsplit(house.url).path.lstrip("/")
    with Database(house.url) as db, db.transaction() as tx:
        tx.run(f"alter database {name} set timezone = '{zone}'")
    house.db.close()
