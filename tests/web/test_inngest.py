"""Inngest's functions over their signed HTTP endpoint: nothing is lost or doubled, whatever is repeated or dies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from gh_backfill import settings
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import processes
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import operate, track
from gh_backfill.tasks.inngest_client import client
from gh_backfill.tasks.inngest_progress import MOST_STEPS
from gh_backfill.tasks.inngest_steps import InngestSteps
from gh_backfill.web import inngest
from tests.claims import must_claim
from tests.comparison import compare
from tests.storm.expected_world import expected_world
from tests.web.house import open_house
from tests.web.inngest_executor import APP, EVENT_KEY, KEY, Events, Run, canonical, signature, taking_events

NAME = "octo/engine"
INITIAL, PULLS, ALL = "backfill-repository-initial", "capture-repository-sync-graphql", "github-repository-sync"
EVENTS = {
    INITIAL: "repository/backfill.initial",
    PULLS: "capture/repository.sync.graphql",
    ALL: "github/repository.sync",
}


@dataclass(kw_only=True)
class Place:
    """A database, a simulated GitHub, and our server with Inngest's functions, which a test may end and start anew."""

    db: Database
    database_url: str
    github: Simulator
    events: Events
    stack: ExitStack
    url: str = ""
    id: str = ""

    def serve(self, *, most_steps: int = MOST_STEPS) -> None:
        """Start the server; one that ran is a dead one's."""
        self.stack.close()
        environment = {
            "INNGEST_SIGNING_KEY": KEY,
            "INNGEST_EVENT_KEY": EVENT_KEY,
            "INNGEST_BASE_URL": self.events.url,
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": self.github.url,
            "GITHUB_GRAPHQL_URL": self.github.graphql_url,
        }
        read = settings.load(environment, dotenv=None)
        steps = InngestSteps(settings=read, database_url=self.database_url)
        self.stack.callback(steps.close, 5)
        functions = inngest.attaching(client(read), steps, most_steps=most_steps)
        house = open_house(self.database_url, functions=functions, environment=environment)
        self.url = self.stack.enter_context(house).url

    def graphql(self) -> GraphQL:
        return GraphQL(self.github.graphql_url, "tok")

    def track(self, *, goal: Goal | None = None, kinds: tuple[str, ...] | None = None) -> None:
        asked = track.ask(self.graphql(), [NAME], name_of=lambda _: pytest.fail("no id was given"))
        opening = None if goal is None else track.lasting(goal, given=goal != Goal())
        (done,) = track.register(self.db, asked, opening=opening, kinds=kinds)
        self.id = str(done.repository_id)

    def run(self, function: str = INITIAL, **data: object) -> Run:
        """Return a run of a function for the repository, as an event begins it."""
        given = {"repositoryId": self.id, "owner": "octo", "name": "engine", "requestId": uuid4().hex, **data}
        return Run(url=self.url, function=function, event=EVENTS[function], data=given, run_id=uuid4().hex)

    def rows(self, statement: str, **params: object) -> list[Row]:
        with self.db.reading() as tx:
            return tx.rows(statement, **params)

    def jobs(self) -> list[Row]:
        return self.rows("select * from progressive_capture_jobs order by created_at")

    def is_whole(self) -> bool:
        with self.db.reading() as tx:
            return not compare(tx, expected_world(self.github.world, NAME, moved=True), stood_still=False)


@pytest.fixture
def place(db: Database, database_url: str) -> Iterator[Place]:
    with running(load(recipes=[f"{NAME}:27"])) as github, taking_events() as events, ExitStack() as stack:
        made = Place(db=db, database_url=database_url, github=github, events=events, stack=stack)
        made.serve()
        yield made


def waiting_job(place: Place) -> str:
    """Write a job as a tick does that hands it to Inngest."""
    with place.db.transaction() as tx:
        row = tx.row(
            "insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, run_key) values "
            "('progressive_backfill', %(id)s, 'inngest', 'pending', 'dispatch-1') returning id",
            id=place.id,
        )
    assert row is not None
    return str(row["id"])


def test_an_initial_backfill_comes_whole_a_chunk_a_step_and_each_step_returns_counts(place: Place) -> None:
    place.track()
    run = place.run(maxPRs=200, userId="u-1")
    ended = run.to_the_end()
    assert (ended.status, ended.body["items"], ended.body["goes_on"]) == (200, 27, False)
    assert run.done == ["get-repository", *(f"fetch-chunk-{n}" for n in range(len(run.done) - 1))]
    assert place.is_whole()
    assert all(len(canonical(each)) < 400 for each in run.outputs)
    (job,) = place.jobs()
    told = {name: job[name] for name in ("processor_type", "status", "outcome", "run_key", "items", "job_type")}
    assert told == {
        "processor_type": "inngest",
        "status": "completed",
        "outcome": "completed",
        "run_key": f"inngest-{run.run_id}",
        "items": 27,
        "job_type": "progressive_backfill",
    }
    assert job["chunks"] == sum(each["did"]["chunks"] for each in run.outputs[1:])
    assert job["points"] == sum(each["did"]["points"] for each in run.outputs[1:])


def test_only_the_newest_are_fetched_where_so_many_are_asked_for(place: Place) -> None:
    place.track()
    assert place.run(maxPRs=20).to_the_end().body["items"] == 20
    assert place.rows("select count(*) as n from pull_requests") == [{"n": 20}]


def test_a_step_that_is_repeated_does_nothing_twice(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    run.call()  # its answer is lost, and the step is made again
    assert run.to_the_end().status == 200
    assert place.is_whole()
    (job,) = place.jobs()
    assert job["items"] == 27
    (row,) = place.rows("select count(*) as n, count(distinct pr_numbers) as d from backfill_chunks where pr_count > 0")
    assert row["n"] == row["d"]


def test_another_server_goes_on_where_one_died_between_two_steps(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    place.serve()
    run.url = place.url
    assert run.to_the_end().status == 200
    assert place.is_whole()
    assert len(place.jobs()) == 1


def test_the_chunk_of_a_server_that_died_in_a_step_is_taken_over_at_once(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    dead = processes.worker_name().rpartition(".")[0] + ".1"  # our number, and a process that was started long ago
    with place.db.transaction() as tx:
        must_claim(tx, place.id, worker=dead, processor="inngest")
    assert run.to_the_end().status == 200
    assert run.waits == []
    assert place.is_whole()


def test_a_chunk_that_another_worker_holds_is_waited_for_by_inngest(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    with place.db.transaction() as tx:
        must_claim(tx, place.id, worker="elsewhere", processor="github_actions")
    for _ in range(2):
        assert run.step() is None
    assert run.done[2:] == ["fetch-chunk-1", "wait-after-chunk-1"]
    assert datetime.fromisoformat(run.waits[0]) > datetime.now(UTC)


def test_a_wait_for_points_is_a_sleep_of_inngest_and_the_job_stays_open(place: Place) -> None:
    place.track()
    run = place.run()
    assert run.step() is None
    place.github.faults.add(Fault(name="rate_limited", count=1, match={"query": "pullRequests"}))
    for _ in range(2):
        assert run.step() is None
    assert run.done[1:] == ["fetch-chunk-0", "wait-after-chunk-0"]
    assert timedelta() < datetime.fromisoformat(run.waits[0]) - datetime.now(UTC) < timedelta(hours=1, minutes=5)
    (job,) = place.jobs()
    assert (job["status"], job["outcome"]) == ("processing", None)


def test_a_sync_brings_what_changed_of_all_kinds_and_notes_the_success_at_its_end(place: Place) -> None:
    place.track(goal=Goal(), kinds=("pull_requests", "issues"))
    assert place.run().to_the_end().status == 200
    changes.open_pull_request(place.github.world, NAME, author="newcomer")
    run = place.run(ALL)
    assert run.step() is None
    assert run.outputs[0]["kinds"] == ["pull_requests", "issues"]
    assert run.step() is None
    assert place.rows("select last_success_at from repository_syncs") == [{"last_success_at": None}]
    ended = run.to_the_end()
    assert (ended.status, ended.body["inserted"] > 0) == (200, True)
    assert place.is_whole()
    (row,) = place.rows("select last_success_at, rows_changed, last_error from repository_syncs")
    assert (row["last_success_at"] is not None, row["rows_changed"] > 0, row["last_error"]) == (True, True, None)
    assert [each["job_type"] for each in place.jobs()] == ["progressive_backfill", "sync"]


def test_profiles_of_people_are_the_last_step_of_a_backfill_and_of_a_sync(place: Place) -> None:
    unknown = "select 1 from contributors where not is_bot and github_id <> 10137 and profile_fetched_at is null"
    place.track(goal=Goal(), kinds=("pull_requests", "contributors"))
    run = place.run()
    assert run.to_the_end().status == 200
    assert run.outputs[0]["kinds"] == ["pull_requests", "contributors"]
    assert place.rows(unknown) == []
    changes.open_pull_request(place.github.world, NAME, author="newcomer")
    assert place.run(ALL).to_the_end().status == 200
    assert place.rows("select 1 from contributors where username = 'newcomer'") == [{"?column?": 1}]
    assert place.rows(unknown) == []
    (row,) = place.rows("select last_success_at, last_error from repository_syncs")
    assert (row["last_success_at"] is not None, row["last_error"]) == (True, None)


def test_a_sync_that_somebody_else_asks_for_within_twelve_hours_is_refused_for_good(place: Place) -> None:
    place.track(goal=Goal())
    place.run().to_the_end()
    assert place.run(PULLS, days=7, reason="automatic", priority="low").to_the_end().status == 200
    refused = place.run(PULLS, days=7, reason="automatic").to_the_end()
    assert not refused.again
    assert f"Repository {NAME} was synced 0 hours ago. Skipping to prevent excessive API usage." in refused.error
    assert [each["status"] for each in place.jobs()] == ["completed", "completed", "skipped"]
    assert place.run(PULLS, days=7, reason="manual").to_the_end().status == 200
    assert place.run(ALL).to_the_end().status == 200


def test_a_host_application_names_a_repository_in_one_word(place: Place) -> None:
    place.track(goal=Goal())
    run = place.run(PULLS)
    run.data = {"repositoryId": place.id, "repositoryName": NAME, "days": 0, "reason": "pr-list-view", "maxItems": 3}
    assert run.to_the_end().status == 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"repositoryId": "17"}, "the event repository/backfill.initial is malformed: repositoryId: "),
        ({"owner": None}, "the event repository/backfill.initial is malformed: owner: "),
        ({"maxPRs": 0}, "the event repository/backfill.initial is malformed: maxPRs: "),
        (
            {"repositoryId": "00000000-0000-4000-8000-000000000000"},
            "Repository not found: 00000000-0000-4000-8000-000000000000",
        ),
    ],
    ids=["no id", "no owner", "nothing wanted", "not here"],
)
def test_what_can_never_be_done_is_told_in_a_line_and_not_tried_again(
    place: Place, data: dict[str, object], said: str
) -> None:
    place.track()
    ended = place.run(INITIAL, **data).to_the_end()
    assert not ended.again
    assert ended.error.startswith(said)
    assert "\n" not in ended.error
    assert place.jobs() == []


def test_what_somebody_holds_ends_the_run_and_says_who(place: Place) -> None:
    place.track(goal=Goal())
    operate.pause(place.db, [NAME], reason="not now", until=None)
    ended = place.run().to_the_end()
    assert not ended.again
    assert "not now" in ended.error
    (job,) = place.jobs()
    assert (job["status"], job["outcome"]) == ("completed", "paused")


def test_what_may_pass_is_told_in_a_line_and_tried_again(place: Place) -> None:
    place.track()
    place.database_url = place.database_url.replace("postgres@", "nobody-of-that-name@")
    place.serve()
    ended = place.run().to_the_end()
    assert ended.again
    assert "\n" not in ended.error


def test_a_job_of_the_ledger_that_waits_for_a_run_is_done_by_it_once(place: Place) -> None:
    place.track()
    job = waiting_job(place)
    first, second = place.run(jobId=job), place.run(jobId=job)
    assert first.to_the_end().status == 200
    ended = second.to_the_end()
    assert (ended.status, ended.body["note"]) == (200, "its job is done already, or another run does it")
    (row,) = place.jobs()
    assert (str(row["id"]), row["run_key"], row["status"]) == (job, f"inngest-{first.run_id}", "completed")


def test_a_cancelled_run_leaves_its_rows_and_its_job_says_so(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    stored = place.rows("select count(*) as n from pull_requests")
    name, data = "inngest/function.cancelled", {"function_id": f"{APP}-{INITIAL}", "run_id": run.run_id}
    note = Run(url=place.url, function="note-a-cancelled-run", event=name, data={**data}, run_id="c-1")
    assert note.to_the_end().status == 200
    (job,) = place.jobs()
    assert (job["status"], job["outcome"]) == ("cancelled", "cancelled")
    assert place.rows("select count(*) as n from pull_requests") == stored
    assert place.run().to_the_end().status == 200
    assert place.is_whole()


def test_a_run_that_has_had_its_steps_goes_on_as_another_one(place: Place) -> None:
    place.serve(most_steps=5)
    place.track()
    run = place.run()
    ended = run.to_the_end()
    assert ended.body["goes_on"] is True
    assert run.done == ["get-repository", "fetch-chunk-0", "fetch-chunk-1", "go-on"]
    (event,) = place.events.taken
    assert (event["name"], place.events.keys) == ("gh-backfill/run.goes_on", [EVENT_KEY])
    wait = Run(url=place.url, function="go-on-with-a-long-run", event=event["name"], data=event["data"], run_id="g-1")
    assert wait.to_the_end().status == 200
    assert wait.done == ["until-the-run-is-over", "send"]
    again = place.events.taken[1]
    assert again["data"]["requestId"] == f"after-{run.run_id}"
    place.serve()
    last = Run(url=place.url, function=INITIAL, event=again["name"], data=again["data"], run_id="r-2")
    assert last.to_the_end().status == 200
    assert place.is_whole()
    assert [each["outcome"] for each in place.jobs()] == ["stopped", "completed"]


def test_what_is_not_signed_by_inngest_is_refused(place: Place) -> None:
    place.track()
    run = place.run()
    assert run.call(key=None).status_code == 401
    assert run.call(key=KEY.replace("0123", "3210")).status_code == 401
    assert httpx.get(f"{place.url}/api/inngest").status_code == 401
    assert httpx.put(f"{place.url}/api/inngest").status_code == 401
    assert place.jobs() == []


def test_inngest_is_told_what_to_keep_to(place: Place) -> None:
    body = canonical({"url": f"{place.url}/api/inngest"})
    headers = {"x-inngest-signature": signature(body, KEY), "x-inngest-sync-kind": "in_band"}
    answer = httpx.put(f"{place.url}/api/inngest", content=body, headers=headers)
    assert answer.status_code == 200
    told = {each["id"]: each for each in answer.json()["functions"]}
    assert set(told) == {
        *(f"{APP}-{each}" for each in (INITIAL, PULLS, ALL, inngest.AGGRESSIVE)),
        f"{APP}-go-on-with-a-long-run",
        f"{APP}-note-a-cancelled-run",
    }
    names = {INITIAL: "Backfill a Repository's Newest Pull Requests", ALL: "Sync a Repository"}
    for function, event in EVENTS.items():
        each = told[f"{APP}-{function}"]
        each.pop("steps")
        assert each == {
            "id": f"{APP}-{function}",
            "name": names.get(function, "Sync Recent Repository PRs (GraphQL)"),
            "triggers": [{"event": event}],
            "concurrency": [{"key": "event.data.owner", "limit": 5}],
            "cancel": [{"event": "backfill/cancelled", "if": "event.data.repositoryId == async.data.repositoryId"}],
            "idempotency": "event.data.requestId",
            "singleton": {"key": "event.data.repositoryId", "mode": "skip"},
        }


def test_a_backfill_that_somebody_cancels_meanwhile_ends_its_run(place: Place) -> None:
    place.track()
    run = place.run()
    for _ in range(2):
        assert run.step() is None
    operate.cancel(place.db, [NAME])
    ended = run.to_the_end()
    assert not ended.again
    assert "cancelled" in ended.error
    assert place.rows("select count(*) as n from pull_requests") == [{"n": 25}]
