"""Two processes take from one queue: each repository is captured once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from tests.test_cli import settings_of

SIZES = {f"octo/{name}": 20 + 5 * place for place, name in enumerate("abcdefgh")}


def until_two_wait(database_url: str) -> None:
    """Wait until two sessions wait for a lock."""
    with Database(database_url) as looking:
        for _ in range(300):
            with looking.reading() as tx:
                waiting = tx.rows(
                    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                )
            if len(waiting) == 2:
                return
            time.sleep(0.1)


def test_two_processes_over_one_queue_capture_each_repository_once(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    recipes = [f"{name}:{many}" for name, many in SIZES.items()]
    with running(load(recipes=recipes), Options(latency=0.1)) as github:
        environment = settings_of(database_url, github, tmp_path)
        del environment["GH_BACKFILL_RUN_KEY"]
        command = [sys.executable, "-m", "gh_backfill"]
        subprocess.run([*command, "track", *SIZES], env=environment, check=True, capture_output=True)
        # Both have read the queue, and want the same one, when they may begin.
        with db.transaction() as tx:
            tx.rows("select id from repositories for update")
            tx.rows("select id from backfills for update")
            several = [
                subprocess.Popen(
                    [*command, "work", "--workers", "3"],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                for _ in range(2)
            ]
            until_two_wait(database_url)
        said = [each.communicate(timeout=120)[0] for each in several]
    assert [each.returncode for each in several] == [0, 0], said
    with db.reading() as tx:
        here = tx.rows("""select full_name as name, initial_backfill_status as status,
                                 (select count(*) from pull_requests p where p.repository_id = r.id) as here
                          from repositories r""")
        captures = tx.rows("""select r.full_name as name, count(*) as jobs, sum(j.items) as items,
                                     min(j.outcome) as outcome, max(j.error) as error
                              from progressive_capture_jobs j
                              join repositories r on r.id = j.repository_id
                              group by r.full_name""")
        walked = tx.rows("select sum(cardinality(pr_numbers)) as items from backfill_chunks where status = 'completed'")
    assert {row["name"]: (row["status"], row["here"]) for row in here} == {
        name: ("completed", many) for name, many in SIZES.items()
    }
    assert {row["name"]: (row["jobs"], row["items"], row["outcome"], row["error"]) for row in captures} == {
        name: (1, many, "completed", None) for name, many in SIZES.items()
    }, said
    assert walked == [{"items": sum(SIZES.values())}]
