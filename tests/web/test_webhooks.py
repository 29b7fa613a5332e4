"""The receiver of webhooks: nothing unsigned, nothing twice, and the right rows."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.webhook_out import signature
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.models.work import Goal
from gh_backfill.policy.events.of_webhooks import is_event
from gh_backfill.policy.webhooks import meaning
from gh_backfill.simulator import changes
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store import jobs, webhooks
from gh_backfill.store.db import Database, Row
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import capture, track
from gh_backfill.tasks.webhooks.hear import hear
from gh_backfill.web.limits import DoorLimits as Room
from gh_backfill.web.serving import Server, address, bind
from gh_backfill.web.webhooks import Receiver, verified
from tests.web.receiver import SECRET, started

SMALL = "octo/small"


def given(body: bytes, event: str = "ping", delivery: str = "one") -> dict[str, str]:
    """Return the headers of a delivery."""
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": signature(SECRET, body),
        "Content-Type": "application/json",
    }


@dataclass(frozen=True, kw_only=True)
class Door:
    """The application on a port of this machine, the database behind it, and a simulated GitHub."""

    url: str
    db: Database
    github: Simulator

    def post(self, event: str, payload: object, delivery: str = "one", **headers: str) -> httpx.Response:
        return self.raw(json.dumps(payload).encode(), event, delivery, **headers)

    def raw(self, body: bytes, event: str = "ping", delivery: str = "one", **headers: str) -> httpx.Response:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(self.url, content=body, headers={**given(body, event, delivery), **more}, timeout=30)

    def rows(self, statement: str) -> list[Row]:
        with self.db.transaction(read_only=True) as tx:
            return tx.rows(statement)

    def graphql(self) -> GraphQL:
        return GraphQL(self.github.graphql_url, "tok")

    def track(self) -> int:
        """Track the small repository and capture all of it; returns GitHub's id of it."""
        track.track(self.db, self.graphql(), [SMALL], backfill=Goal())
        here = Run(key="first", run_id=None, attempt=1, processor="local")
        done = capture.run(self.db, self.graphql(), here, SMALL, Limits(), listen=lambda progress: None)
        assert done.outcome is CaptureOutcome.COMPLETED
        return int(self.rows("select github_id from repositories")[0]["github_id"])


@pytest.fixture
def door(db: Database, database_url: str) -> Iterator[Door]:
    receiver = Receiver(SECRET, database_url)
    listening = bind("127.0.0.1", 0)
    url = address(listening)
    server = Server(receiver)
    thread = threading.Thread(target=server.serve_at, args=(listening,), daemon=True)
    thread.start()
    server.ready.wait(30)
    with running(load(recipes=[f"{SMALL}:12"])) as github:
        yield Door(url=url, db=db, github=github)
    server.should_exit = True
    thread.join()


def planned(door: Door, *, status: str = "processing", attempt: int = 1, run_id: int = 7) -> None:
    run = Run(key=f"{run_id}/{attempt}", run_id=run_id, attempt=attempt, processor="github_actions")
    with door.db.transaction() as tx:
        (row,) = tx.rows("select id from repositories")
        jobs.plan(tx, run, [(row["id"], "asked", None)])
        if status == "processing":
            jobs.start(tx, run, row["id"])


def workflow_job(conclusion: str | None, *, attempt: int = 1, name: str = f"capture {SMALL}") -> dict[str, Any]:
    return {
        "action": "completed",
        "workflow_job": {
            "id": 1,
            "run_id": 7,
            "run_attempt": attempt,
            "name": name,
            "status": "completed",
            "conclusion": conclusion,
            "started_at": "2026-03-01T12:00:00Z",
            "completed_at": "2026-03-01T12:01:30Z",
        },
    }


def workflow_run(conclusion: str | None, *, attempt: int = 1, status: str = "completed") -> dict[str, Any]:
    run: dict[str, Any] = {"id": 7, "run_attempt": attempt, "status": status, "conclusion": conclusion}
    run |= {"updated_at": None, "html_url": "https://github.example/o/n/actions/runs/7", "run_number": 42}
    return {"action": "completed", "workflow_run": run}


def ledger(door: Door) -> list[tuple[str, str | None]]:
    rows = door.rows(
        "select status, outcome from progressive_capture_jobs where run_key <> 'first' order by created_at"
    )
    return [(row["status"], row["outcome"]) for row in rows]


def test_the_signature_that_github_published_is_accepted() -> None:
    published = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verified(hmac.new(SECRET.encode(), b"Hello, World!", hashlib.sha256), published)
    assert signature(SECRET, b"Hello, World!") == published


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=75",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "sha1=" + hmac.new(SECRET.encode(), b"Hello, World!", hashlib.sha1).hexdigest(),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e18",
        "sha256=" + "\xe4" * 64,
    ],
)
def test_any_other_signature_is_refused(door: Door, header: str | None) -> None:
    given = {} if header is None else {b"X-Hub-Signature-256": header.encode("latin-1")}
    known = {b"X-GitHub-Event": b"ping", b"X-GitHub-Delivery": b"one"}
    assert httpx.post(door.url, content=b"Hello, World!", headers={**known, **given}).status_code == 401


def test_an_unsigned_delivery_is_refused_before_it_is_read(door: Door) -> None:
    answer = door.raw(b"this is no JSON", X_Hub_Signature_256="sha256=00")
    assert answer.status_code == 401
    assert door.rows("select * from webhook_deliveries") == []


def test_a_signed_ping_is_answered(door: Door) -> None:
    answer = door.post("ping", {"zen": "Keep it logically awesome.", "hook_id": 1})
    assert (answer.status_code, answer.json()) == (200, {"result": "pong"})


def test_what_is_signed_and_no_json_is_a_bad_request(door: Door) -> None:
    assert door.raw(b"nonsense").status_code == 400
    assert door.raw(b"[1]").status_code == 400
    assert door.post("workflow_job", {"action": "completed"}).status_code == 400


def test_a_form_is_read_as_github_sends_it_by_default(door: Door) -> None:
    body = urlencode({"payload": json.dumps({"zen": "x"})}).encode()
    answer = door.raw(body, Content_Type="application/x-www-form-urlencoded")
    assert answer.json() == {"result": "pong"}


def test_a_body_larger_than_github_sends_is_refused_also_where_its_length_is_not_told(door: Door) -> None:
    body = b" " * (Room().largest_body + 1)
    piece = len(body) // 20
    pieces = iter([body[place : place + piece] for place in range(0, len(body), piece)])
    for content in (body, pieces):
        answer = httpx.post(door.url, content=content, headers=given(body), timeout=30)
        assert (answer.status_code, answer.json()) == (413, {"result": "a body larger than GitHub's can be"})


@pytest.mark.parametrize(
    ("conclusion", "status", "outcome"),
    [
        ("failure", "failed", "died"),
        ("timed_out", "failed", "died"),
        ("cancelled", "cancelled", "cancelled"),
        ("neutral", "failed", "died"),
        ("stale", "failed", "died"),
        ("action_required", "failed", "died"),
        ("success", "failed", "died"),
        (None, "processing", None),
    ],
)
def test_a_job_that_ended_without_a_word_is_closed_by_its_conclusion(
    door: Door, conclusion: str | None, status: str, outcome: str | None
) -> None:
    door.track()
    planned(door)
    assert door.post("workflow_job", workflow_job(conclusion)).status_code == 200
    assert ledger(door) == [(status, outcome)]


def test_a_skipped_job_never_started(door: Door) -> None:
    door.track()
    planned(door, status="pending")
    door.post("workflow_job", workflow_job("skipped"))
    assert ledger(door) == [("skipped", "never_started")]


def test_a_run_closes_what_its_attempt_left_open_and_nothing_else(door: Door) -> None:
    door.track()
    planned(door, attempt=1)
    planned(door, attempt=2)
    planned(door, run_id=8)
    door.post("workflow_run", workflow_run("cancelled"))
    assert ledger(door) == [("cancelled", "cancelled"), ("processing", None), ("processing", None)]


def test_a_conclusion_counts_whatever_the_status_says_and_without_one_nothing_is_over(door: Door) -> None:
    door.track()
    planned(door)
    door.post("workflow_run", workflow_run(None), "one")
    assert ledger(door) == [("processing", None)]
    door.post("workflow_run", workflow_run("failure", status="queued"), "two")
    assert ledger(door) == [("failed", "died")]


def test_a_job_that_said_how_it_ended_is_not_changed(door: Door) -> None:
    door.track()
    planned(door)
    with door.db.transaction() as tx:
        tx.run("update progressive_capture_jobs set status = 'completed', outcome = 'stopped' where outcome is null")
    door.post("workflow_run", workflow_run("failure"))
    assert ledger(door) == [("completed", "stopped")]
    (row,) = door.rows("select metadata from progressive_capture_jobs where workflow_run_id = 7")
    assert {key: row["metadata"][key] for key in ("workflow_url", "conclusion", "run_number", "workflow_run_id")} == {
        "workflow_url": "https://github.example/o/n/actions/runs/7",
        "conclusion": "failure",
        "run_number": 42,
        "workflow_run_id": 7,
    }


def test_the_time_of_the_runner_is_noted(door: Door) -> None:
    door.track()
    planned(door)
    door.post("workflow_job", workflow_job("failure"))
    assert door.rows("select runner_seconds from progressive_capture_jobs where run_key = '7/1'") == [
        {"runner_seconds": 90}
    ]


def pull_request(github_id: int, number: int = 3) -> dict[str, Any]:
    return {
        "action": "edited",
        "pull_request": {"number": number},
        "repository": {"id": github_id},
        "sender": {"login": "ada", "id": 1},
    }


def test_the_same_delivery_again_changes_nothing(door: Door) -> None:
    github_id = door.track()
    assert door.post("pull_request", pull_request(github_id), "same").json() == {"result": "noted"}
    assert door.post("pull_request", pull_request(github_id), "same").json() == {"result": "taken before"}
    assert door.rows("select times from webhook_pending") == [{"times": 1}]


def test_a_delivery_that_failed_is_taken_when_it_comes_again(door: Door) -> None:
    github_id = door.track()
    with door.db.transaction() as tx:
        tx.run("alter table webhook_pending rename to elsewhere")
    assert door.post("pull_request", pull_request(github_id), "same").status_code >= 500
    assert door.rows("select status from webhook_deliveries") == [{"status": "failed"}]
    with door.db.transaction() as tx:
        tx.run("alter table elsewhere rename to webhook_pending")
    assert door.post("pull_request", pull_request(github_id), "same").json() == {"result": "noted"}
    assert door.rows("select status, attempts from webhook_deliveries") == [{"status": "done", "attempts": 2}]


def test_a_delivery_that_was_ignored_is_judged_anew_when_it_comes_again(door: Door) -> None:
    github_id = door.track()
    set_tracking(door, on=False)
    untracked = {"result": "the repository is not tracked here"}
    assert door.post("pull_request", pull_request(github_id), "same").json() == untracked
    assert door.post("pull_request", pull_request(github_id), "same").json() == untracked
    set_tracking(door, on=True)
    assert door.post("pull_request", pull_request(github_id), "same").json() == {"result": "noted"}
    assert door.post("pull_request", pull_request(github_id), "same").json() == {"result": "taken before"}
    assert door.rows("select identity, times from webhook_pending") == [{"identity": "3", "times": 1}]
    assert door.rows("select status, attempts from webhook_deliveries") == [{"status": "done", "attempts": 3}]


def set_tracking(door: Door, *, on: bool) -> None:
    with door.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = %(on)s", on=on)


def test_an_announced_pull_request_waits_for_longer_than_a_month_as_long_as_its_repository_is_tracked(
    door: Door,
) -> None:
    door.post("pull_request", pull_request(door.track()))
    with door.db.transaction() as tx:
        tx.run("update webhook_pending set first_at = now() - interval '31 days', last_at = now() - interval '31 days'")
        tx.run("insert into webhook_pending (repository_github_id, kind, identity, event, last_at) "
               "values (999, 'capture', '1', 'pull_request', now() - interval '31 days')")  # fmt: skip
    assert forgotten(door) == 1  # of a repository that is not here
    assert door.rows("select identity from webhook_pending") == [{"identity": "3"}]
    set_tracking(door, on=False)
    assert forgotten(door) == 1
    assert door.rows("select identity from webhook_pending") == []


def forgotten(door: Door) -> int:
    with door.db.transaction() as tx:
        return webhooks.forget(tx)


def test_what_is_not_tracked_is_not_remembered(door: Door) -> None:
    assert door.post("pull_request", pull_request(999)).json() == {"result": "the repository is not tracked here"}
    assert door.rows("select * from webhook_pending") == []


def test_of_stars_forks_issues_and_comments_is_kept_who_what_and_when(door: Door) -> None:
    github_id = door.track()
    common = {"repository": {"id": github_id}, "sender": {"login": "ada", "id": 1}}
    at = "2026-03-01T00:00:00Z"
    door.post("star", {"action": "created", "starred_at": at, **common}, "1")
    door.post("fork", {"forkee": {"id": 5, "created_at": at}, **common}, "2")
    issue = {"number": 9, "id": 90, "title": "Secret", "created_at": at, "updated_at": "2026-03-02T00:00:00Z"}
    door.post("issues", {"action": "opened", "issue": issue, **common}, "3")
    said = door.post("issues", {"action": "labeled", "issue": issue, **common}, "4")
    assert said.json() == {"result": "issues labeled is no event for us"}
    comment = {"id": 77, "body": "Secret", "created_at": at}
    door.post("issue_comment", {"action": "created", "issue": issue, "comment": comment, **common}, "5")
    rows = door.rows("select kind, identity, payload ->> 'at' as at from webhook_pending order by identity")
    assert [(row["kind"], row["identity"], row["at"]) for row in rows] == [
        ("event", "fork 5", at),
        ("event", "issue_comment created 77", at),
        ("event", "issues opened 90", at),
        ("event", "star 1 1", at),
    ]
    assert "Secret" not in str(door.rows("select payload from webhook_pending"))


def test_a_star_its_removal_and_the_star_again_are_three_rows_with_githubs_times(door: Door) -> None:
    github_id = door.track()
    told = [("created", "12:00:00Z"), ("deleted", "12:00:01Z"), ("created", "12:00:02Z"), ("deleted", "12:00:03Z")]
    for place, (action, clock) in reversed(list(enumerate(told))):  # deliveries overtake one another
        at = f"2026-03-01T{clock}"
        payload = {
            "action": action,
            "starred_at": at if action == "created" else None,
            "repository": {"id": github_id, "updated_at": at},
            "sender": {"login": "ada", "id": 1},
        }
        door.post("star", payload, f"delivery {place}".replace(" ", "-"))
    rows = door.rows("select payload ->> 'action' as action from webhook_pending order by payload ->> 'at'")
    assert [row["action"] for row in rows] == ["created", "deleted", "created", "deleted"]


def test_of_what_no_event_can_be_made_of_the_newest_is_kept_and_nothing_for_longer_than_a_month(door: Door) -> None:
    github_id = door.track()
    with door.db.transaction() as tx:
        tx.run(
            "insert into webhook_pending (repository_github_id, kind, identity, event, last_at, reason) "
            "select %(id)s, 'event', 'star ' || n, 'star', now() - n * interval '1 minute', 'its time is none' "
            "from generate_series(1, 50) n "
            "union all select %(id)s, 'event', 'waits ' || n, 'star', now() - interval '1 hour', null "
            "from generate_series(1, 5) n "
            "union all select %(id)s, 'event', 'old', 'fork', now() - interval '31 days', null "
            "union all select %(id)s, 'capture', '7', 'pull_request', now(), null",
            id=github_id,
        )
    with door.db.transaction() as tx:
        assert webhooks.forget(tx, most_unusable=3) == 48
    left = door.rows("select identity from webhook_pending order by last_at desc, identity")
    assert [row["identity"] for row in left] == [
        "7",
        "star 1",
        "star 2",
        "star 3",
        *(f"waits {n}" for n in range(1, 6)),
    ]


def test_the_command_makes_events_of_what_is_delivered_within_a_minute_and_without_a_token(
    door: Door, database_url: str, tmp_path: Path
) -> None:
    github_id = door.track()
    payload = {
        "action": "created",
        "starred_at": "2026-03-01T12:00:00Z",
        "repository": {"id": github_id, "private": False},
        "sender": {"login": "ada", "id": 1},
    }
    door.post("star", payload)
    with started(database_url, tmp_path, "--port", "0", awaited="events of webhooks: 1 new") as process:
        assert process.seen.wait(60), process.log
        assert process.stop() == 0
    assert door.rows("select actor_login, source from github_events_cache") == [
        {"actor_login": "ada", "source": "webhook"}
    ]
    assert door.rows("select * from webhook_pending") == []
    assert "Traceback" not in process.log


def test_the_command_fetches_what_was_announced_before_it_was_started(
    door: Door, database_url: str, tmp_path: Path
) -> None:
    github_id = door.track()
    changes.edit(door.github.world, SMALL, 3, title="Edited meanwhile")
    door.post("pull_request", pull_request(github_id))
    with door.db.transaction() as tx:
        tx.run("update webhook_pending set first_at = first_at - interval '1 minute'")
    more = {"GITHUB_TOKEN": "tok", "GITHUB_API_URL": door.github.url, "GITHUB_GRAPHQL_URL": door.github.graphql_url}
    with started(database_url, tmp_path, "--port", "0", awaited="fetched: 1", **more) as process:
        assert process.seen.wait(120), process.log
        assert process.stop() == 0
    assert door.rows("select title from pull_requests where number = 3") == [{"title": "Edited meanwhile"}]
    assert door.rows("select * from webhook_pending") == []
    jobs_of_it = door.rows("select job_type, status, points from progressive_capture_jobs where run_key <> 'first'")
    assert jobs_of_it == [{"job_type": "webhook", "status": "completed", "points": 1}]
    assert "Traceback" not in process.log


def test_a_conversation_below_a_pull_request_is_a_capture(door: Door) -> None:
    github_id = door.track()
    issue = {"number": 4, "pull_request": {"url": "x"}}
    common = {"repository": {"id": github_id}, "sender": {"login": "ada", "id": 1}}
    door.post("issue_comment", {"action": "created", "issue": issue, "comment": {"id": 1}, **common})
    assert door.rows("select kind, identity from webhook_pending order by kind") == [
        {"kind": "capture", "identity": "4"},
        {"kind": "event", "identity": "issue_comment created 1"},
    ]


OURS = {
    "ping",
    "workflow_run",
    "workflow_job",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "issue_comment",
    "issues",
    "star",
    "fork",
}


def test_every_published_example_is_understood(examples: dict[str, list[dict[str, Any]]]) -> None:
    assert examples.keys() >= OURS
    understood = {name: [type(meaning(name, each)).__name__ for each in given] for name, given in examples.items()}
    assert {name for name, found in understood.items() if name not in OURS and set(found) != {"Nothing"}} == set()
    assert sorted(understood["workflow_job"]) == ["JobEnded"] * 2 + ["Nothing"] * 6
    assert sorted(understood["workflow_run"]) == ["Nothing"] * 2 + ["RunEnded"] * 3
    moving = OURS - {"ping", "workflow_run", "workflow_job"}
    assert {kind for name in moving - {"issues", "issue_comment"} for kind in understood[name]} == {"Moved"}
    assert understood["issues"].count("Moved") == 4  # of all that may happen to one these are events: opened, closed


def test_every_published_example_is_taken_in_less_than_a_servers_error(
    door: Door, examples: dict[str, list[dict[str, Any]]]
) -> None:
    answers = {
        door.post(name, each, f"{name}-{number}").status_code
        for name in sorted(OURS)
        for number, each in enumerate(examples[name])
    }
    assert answers <= {200, 202}


def test_of_every_published_example_that_tells_of_an_event_one_is_made(
    door: Door, examples: dict[str, list[dict[str, Any]]]
) -> None:
    github_id = door.track()
    told: set[str] = set()
    for name in sorted(OURS - {"ping", "workflow_run", "workflow_job"}):
        for number, each in enumerate(examples[name]):
            door.post(name, {**each, "repository": {**each["repository"], "id": github_id}}, f"{name}-{number}")
            told |= {name} if is_event(name, each) else set()
    done = hear(door.db)
    assert (done.unusable, done.failed, done.known) == (0, (), 1)  # one of the stars is there twice
    types = {row["event_type"] for row in door.rows("select distinct event_type from github_events_cache")}
    assert types == {
        "WatchEvent",
        "StarRemovedEvent",
        "ForkEvent",
        "IssuesEvent",
        "IssueCommentEvent",
        "PullRequestEvent",
        "PullRequestReviewEvent",
        "PullRequestReviewCommentEvent",
    }
    assert told == {
        "star",
        "fork",
        "issues",
        "issue_comment",
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
    }
