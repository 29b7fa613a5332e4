"""The workflow that fetches the events of workspaces, unchanged, against a simulated GitHub."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.workspaces import Every
from gh_backfill.simulator import stars
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import track, workspaces
from tests.acceptance.act import copy_checkout, run_workflow

NAMES = ["octo/one", "octo/two"]


@contextmanager
def chat() -> Iterator[tuple[str, list[str]]]:
    """Give the address of a chat as apprise knows it, and what was said there."""
    said: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said.append(json.loads(body)["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}", said
    server.shutdown()
    server.server_close()


def test_the_daily_run_takes_the_workspace_whose_turn_has_come_and_says_so(tmp_path: Path, database_url: str) -> None:
    checkout = copy_checkout(tmp_path / "checkout", installs=True)
    now = datetime.now(UTC)
    options = Options(may_list_stars=lambda: True)
    with (
        running(load(recipes=[f"{name}:1" for name in NAMES]), options) as github,
        Database(database_url) as db,
        chat() as (address, said),
    ):
        for name in NAMES:
            for number in range(12):
                at = now - timedelta(days=5 * number, minutes=1)
                stars.star(github.world, name, by=f"fan{number}", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        track.track(db, GraphQL(github.graphql_url, "tok"), NAMES, backfill=None)
        workspaces.create(db, "octos", name=None, description=None, owner=None, private=False)
        workspaces.add(db, "octos", [each for each in workspaces.known(db, NAMES).values() if each])
        workspaces.schedule(db, "octos", Every.WEEKLY, days=30, now=now)
        done = run_workflow(
            checkout,
            "backfill-events.yml",
            event="schedule",
            env={"GITHUB_API_URL": github.url, "GITHUB_GRAPHQL_URL": github.graphql_url},
            secrets={"DATABASE_URL": database_url, "BACKFILL_TOKEN": "tok", "NOTIFY_URLS": address},
        )
        assert (done.exit_code, done.jobs) == (0, {"events": "success"}), done.text
        assert "octo/one" in done.summaries["events"]
        with db.transaction(read_only=True) as tx:
            stored = tx.rows(
                "select repository_name as name, count(*) as n from github_events_cache "
                "where created_at > now() - interval '30 days' group by 1 order by 1"
            )
            jobs = tx.rows("select processor_type, outcome from progressive_capture_jobs where job_type = 'events'")
        # 30 days have a star on each fifth one, beginning now.
        assert stored == [{"name": "one", "n": 6}, {"name": "two", "n": 6}]
        assert jobs == 2 * [{"processor_type": "github_actions", "outcome": "completed"}]
        assert "octos: 2 of 2 repositories, 30 days" in said
        (found,) = workspaces.listed(db)
        assert found.next_due_at is not None
        assert found.next_due_at > now + timedelta(days=6)
