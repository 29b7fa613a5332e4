"""The webhook with the whole report, and the notifications with a digest."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from gh_backfill import settings
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.selection import Thresholds
from gh_backfill.settings import Settings
from gh_backfill.tasks.plan import plan
from gh_backfill.tasks.report.notifications import deliver, notify
from gh_backfill.tasks.report.publish import markdown, outputs
from gh_backfill.tasks.report.report import Report, ReportOptions, report
from tests.tasks.conftest import SMALL, House

SECRET = "It's a Secret to Everybody"


@dataclass(kw_only=True)
class Receiver:
    """A receiver on this machine that answers as told and remembers what it was sent."""

    url: str
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            there.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(there.statuses.pop(0) if there.statuses else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    there = Receiver(url=f"http://127.0.0.1:{server.server_address[1]}/in")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


def reported(house: House, key: str = "run-1") -> Report:
    plan(house.db, house.graphql(), house.run, datetime.now(UTC), asked=[SMALL], thresholds=Thresholds(), limit=12)
    house.capture(SMALL)
    return report(house.db, key)


def environment(**given: str) -> Settings:
    return settings.load(given, dotenv=None)


def outgoing(receiver: Receiver) -> Settings:
    return environment(REPORT_WEBHOOK_URL=receiver.url, WEBHOOK_SECRET=SECRET)


def test_the_report_is_posted_signed_over_its_raw_body(house: House, receiver: Receiver) -> None:
    house.track(SMALL)
    made = reported(house)
    assert deliver(house.db, outgoing(receiver), made) == []
    ((headers, body),) = receiver.received
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-hub-signature-256"] == f"sha256={signature}"
    assert made.kept is not None
    assert headers["x-github-delivery"] == made.kept.delivery_id
    assert headers["x-github-event"] == "backfill_report"
    assert json.loads(body)["pull_requests"] == 12
    assert house.only("select delivered_at from backfill_reports")["delivered_at"] is not None


def test_trouble_of_the_receiver_is_tried_again_with_the_same_id(house: House, receiver: Receiver) -> None:
    house.track(SMALL)
    made = reported(house)
    receiver.statuses = [503, 429]
    slept: list[float] = []
    assert deliver(house.db, outgoing(receiver), made, sleep=slept.append) == []
    assert slept == [2.0, 4.0]
    assert len({headers["x-github-delivery"] for headers, _ in receiver.received}) == 1


def test_a_receiver_that_refuses_is_not_asked_again_and_the_note_has_no_address(
    house: House, receiver: Receiver
) -> None:
    house.track(SMALL)
    made = reported(house)
    receiver.statuses = [401, 200]
    (note,) = deliver(house.db, outgoing(receiver), made)
    assert note == "the report did not arrive at REPORT_WEBHOOK_URL: the receiver answered with status 401"
    assert len(receiver.received) == 1
    assert house.only("select delivered_at from backfill_reports")["delivered_at"] is None


def test_a_receiver_that_is_not_there_is_a_note(house: House) -> None:
    house.track(SMALL)
    made = reported(house)
    nowhere = environment(REPORT_WEBHOOK_URL="http://127.0.0.1:1/in", WEBHOOK_SECRET=SECRET)
    (note,) = deliver(house.db, nowhere, made, sleep=lambda seconds: None)
    assert "no connection" in note
    assert "127.0.0.1" not in note


def test_an_unsigned_report_is_not_posted(house: House, receiver: Receiver) -> None:
    house.track(SMALL)
    (note,) = deliver(house.db, environment(REPORT_WEBHOOK_URL=receiver.url), reported(house))
    assert "WEBHOOK_SECRET" in note
    assert receiver.received == []


def test_each_figure_is_the_same_in_summary_outputs_webhook_notification_and_database(
    house: House, receiver: Receiver
) -> None:
    house.track(SMALL)
    made = reported(house)
    deliver(house.db, outgoing(receiver), made)
    sent: list[str] = []

    def send(urls: str, title: str, text: str, *, failure: bool) -> bool:
        sent.append(text)
        return True

    notify(house.db, environment(NOTIFY_URLS="json://127.0.0.1:1"), datetime.now(UTC), None, send=send)
    posted = json.loads(receiver.received[0][1])
    kept = house.only("select report, error_summary from backfill_reports")
    totals = made.totals()
    for name, value in totals.items():
        assert posted[name] == value, name
        assert kept["report"][name] == value, name
        assert outputs(made)[name] == str(value), name
    assert json.loads(outputs(made)["error_summary"]) == kept["error_summary"] == posted["errors"]
    figures = f"{totals['pull_requests']} pull requests"
    assert figures in markdown(made)
    assert sent[0].startswith(f"{figures} for {totals['points']} points")
    (job,) = house.rows("select items, points, chunks, cost, error_summary from progressive_capture_jobs")
    assert (job["items"], job["points"]) == (totals["pull_requests"], totals["points"])
    assert job["error_summary"] == made.jobs[0].error_summary()


def test_several_runs_are_told_in_one_digest_and_each_run_once(house: House) -> None:
    house.track(SMALL)
    now = datetime.now(UTC)
    sent: list[tuple[str, str]] = []

    def send(urls: str, title: str, text: str, **given: Any) -> bool:
        sent.append((title, text))
        return True

    chats = environment(NOTIFY_URLS="json://127.0.0.1:1", GH_BACKFILL_NOTIFY_MINUTES="60")
    reported(house)
    notify(house.db, chats, now, None, send=send)
    for number in (2, 3):
        house.run = type(house.run)(key=f"run-{number}", run_id=None, attempt=1, processor="local")
        reported(house, f"run-{number}")
        notify(house.db, chats, now + timedelta(minutes=number), None, send=send)
    assert len(sent) == 1
    notify(house.db, chats, now + timedelta(minutes=60), None, send=send)
    notify(house.db, chats, now + timedelta(minutes=180), None, send=send)
    assert [title for title, _ in sent] == ["Backfill: 1 job done", "Backfill: 2 jobs done"]
    assert "in 2 runs" in sent[1][1]


def test_what_is_newly_critical_is_told_at_once_and_what_was_told_waits(house: House) -> None:
    house.track(SMALL)
    now = datetime.now(UTC)
    sent: list[str] = []

    def send(urls: str, title: str, text: str, **given: Any) -> bool:
        sent.append(title)
        return True

    def run(number: int, *, plan_fails: bool) -> None:
        result = "failure" if plan_fails else "success"
        options = ReportOptions(run=(number, 1), plan_result=result, plan_error="no rights", scheduled=True)
        report(house.db, str(number), options=options, now=now)
        notify(house.db, chats, now + timedelta(minutes=number), None, send=send)

    chats = environment(NOTIFY_URLS="json://127.0.0.1:1", GH_BACKFILL_NOTIFY_MINUTES="60")
    reported(house)
    notify(house.db, chats, now, None, send=send)
    run(1, plan_fails=False)
    assert len(sent) == 1
    run(2, plan_fails=True)
    assert len(sent) == 2
    run(3, plan_fails=True)
    assert len(sent) == 2


def test_a_notification_that_did_not_arrive_is_told_with_the_next_one(house: House) -> None:
    house.track(SMALL)
    reported(house)
    chats = environment(NOTIFY_URLS="json://127.0.0.1:1")
    (note,) = notify(house.db, chats, datetime.now(UTC), None, send=lambda *given, **more: False)
    assert "NOTIFY_URLS" in note
    assert house.only("select notified_at from backfill_reports")["notified_at"] is None


def test_apprise_delivers_the_digest(house: House, receiver: Receiver) -> None:
    house.track(SMALL)
    reported(house)
    chats = environment(NOTIFY_URLS=receiver.url.replace("http://", "json://"))
    assert notify(house.db, chats, datetime.now(UTC), None) == []
    ((_, body),) = receiver.received
    message = json.loads(body)
    assert message["title"] == "Backfill: 1 job done"
    assert message["message"].startswith("12 pull requests")


def test_a_private_repository_is_its_id_everywhere(house: House, receiver: Receiver) -> None:
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("update repositories set is_private = true")
    plan_row = house.only("select id from repositories")
    with house.db.transaction() as tx:
        tx.run(
            """insert into progressive_capture_jobs
                (job_type, repository_id, status, outcome, error_type, error, run_key)
            values ('progressive_backfill', %(id)s, 'failed', 'failed', 'gone', %(error)s, 'run-1')""",
            id=plan_row["id"],
            error="GitHub does not show Octo/Small; postgresql://u:p@db.example.com/x",
        )
    made = report(house.db, "run-1")
    deliver(house.db, outgoing(receiver), made)
    everything = markdown(made) + json.dumps(outputs(made)) + receiver.received[0][1].decode()
    everything += str([alert.text for alert in made.alerts]) + str(house.rows("select * from backfill_reports"))
    assert "small" not in everything.lower()
    assert "db.example.com" not in everything
    assert plan_row["id"] in everything
    assert [job.status for job in made.failed] == [JobStatus.FAILED]
