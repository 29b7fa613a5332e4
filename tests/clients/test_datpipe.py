"""What gh-datpipe is asked, and what is said in the guide's words where it does not do that."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from gh_backfill import hidden, settings
from gh_backfill.clients.datpipe import Datpipe, DatpipeJob
from gh_backfill.errors import (
    ConfigurationError,
    DatpipeAway,
    DatpipeDenied,
    DatpipeError,
    DatpipeFailed,
    DatpipeUnknown,
)
from gh_backfill.tasks.events.handed import datpipe
from tests.datpipe_service import KEY, Answer, Service, serving

NAME = "octo/star"
NOW = datetime(2026, 11, 28, 0, 30, tzinfo=UTC)
GOOD = {"job_id": "j-1", "status": "queued"}


@dataclass
class Way:
    """The client with a clock that stands, and its pauses."""

    service: Service
    slept: list[float] = field(default_factory=list)

    def client(self, **more: str) -> Datpipe:
        made = datpipe(settings.load(self.service.settings(**more), dotenv=None))
        return replace(made, sleep=self.slept.append, now=lambda: NOW, seconds=5.0)

    def trigger(self) -> DatpipeJob:
        return self.client().trigger(NAME, 90)


@pytest.fixture
def way() -> Iterator[Way]:
    with serving() as service:
        yield Way(service)


def test_a_trigger_sends_the_repository_and_the_days_with_the_key_and_returns_the_job(way: Way) -> None:
    job = way.trigger()
    (asked,) = way.service.asked
    assert (asked.method, asked.path, asked.key) == ("POST", "/api/backfill/trigger", KEY)
    assert asked.body == {"repository": NAME, "days": 90}
    assert (job.id, job.status, job.expected) == ("job-1", "queued", "2026-11-28T01:00:00Z")
    assert job.status_url == f"{way.service.url}/api/backfill/status/job-1"


def test_status_and_cancel_ask_about_the_job(way: Way) -> None:
    way.trigger()
    way.service.jobs["job-1"] |= {"status": "running", "progress": 40, "message": "page 4"}
    client = way.client()
    assert client.status("job-1") == DatpipeJob(id="job-1", status="running", progress=40, message="page 4")
    assert client.cancel("job-1").status == "cancelled"
    assert [(each.method, each.path) for each in way.service.asked[1:]] == [
        ("GET", "/api/backfill/status/job-1"),
        ("POST", "/api/backfill/cancel/job-1"),
    ]


def test_paths_may_be_set_and_an_id_cannot_leave_them(way: Way) -> None:
    way.service.fail(200, GOOD | {"job_id": "a:b"}, times=2)
    client = way.client(GH_DATPIPE_STATUS_PATH="/jobs/{job_id}/state", GH_DATPIPE_CANCEL_PATH="/stop/{job_id}")
    client.status("a:b")
    client.cancel("a:b")
    assert [each.path for each in way.service.asked] == ["/jobs/a%3Ab/state", "/stop/a%3Ab"]


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("/elsewhere/1", "/elsewhere/1"),
        ("{url}/more/1?x=2", "/more/1?x=2"),
        ("http://127.0.0.1:1/1", "/api/backfill/status/j-1"),
        ("https://evil.test/1", "/api/backfill/status/j-1"),
        ("//evil.test/1", "/api/backfill/status/j-1"),
        ("http://[::1/1", "/api/backfill/status/j-1"),
    ],
)
def test_where_the_status_is_told_to_be_is_asked_only_on_the_services_own_server(
    way: Way, told: str, asked: str
) -> None:
    way.service.fail(202, GOOD | {"status_url": told.format(url=way.service.url)})
    job = way.trigger()
    way.service.fail(200, GOOD)
    way.client().status(job.id, job.status_url)
    assert [each.path for each in way.service.asked[1:]] == [asked]


@pytest.mark.parametrize(
    ("status", "body", "error", "begins", "says"),
    [
        (401, {"message": f"bad {KEY}"}, DatpipeDenied, "Service unavailable: ", "replace it"),
        (403, {}, DatpipeDenied, "Service unavailable: ", "does not accept GH_DATPIPE_KEY"),
        (404, {"message": "no such"}, DatpipeUnknown, "Repository not found: ", "check its name"),
        (404, b"<html>", DatpipeUnknown, "Repository not found: ", "check GH_DATPIPE_API_URL"),
        (400, {"message": "Invalid repository format"}, DatpipeUnknown, "Repository not found: ", "Invalid repository"),
        (400, {"message": "days"}, DatpipeUnknown, "Failed to trigger backfill: ", "check what is asked for"),
        (405, {"error": "Method not allowed"}, DatpipeDenied, "Failed to trigger backfill: ", "GH_DATPIPE_API_URL"),
        (500, {"message": "Unknown error"}, DatpipeFailed, "Failed to trigger backfill: ", "Unknown error; look into"),
        (502, b"<html>", DatpipeFailed, "Failed to trigger backfill: ", "logs of gh-datpipe"),
        (504, [1], DatpipeFailed, "Failed to trigger backfill: ", "status 504"),
        (200, b"<html>hello</html>", DatpipeFailed, "Failed to trigger backfill: ", "check GH_DATPIPE_API_URL"),
        (200, b"", DatpipeFailed, "Failed to trigger backfill: ", "none of gh-datpipe"),
        (202, {"status": "queued"}, DatpipeFailed, "Failed to trigger backfill: ", "no id of a job"),
        (202, {"job_id": "../x y", "status": "queued"}, DatpipeFailed, "Failed to trigger backfill: ", "no id of"),
        (202, {"job_id": "j-1", "status": 7}, DatpipeFailed, "Failed to trigger backfill: ", "no status of a job"),
        (202, GOOD | {"repository": "a/b"}, DatpipeFailed, "Failed to trigger backfill: ", "another repository"),
        (202, b"[" * 100_000, DatpipeFailed, "Failed to trigger backfill: ", "none of gh-datpipe"),
        (202, b" " * (2**20 + 1), DatpipeFailed, "Failed to trigger backfill: ", "logs of gh-datpipe"),
    ],
)
def test_an_answer_that_is_no_job_is_told_in_the_guides_words_and_not_asked_for_again(
    way: Way, status: int, body: object, error: type[DatpipeError], begins: str, says: str
) -> None:
    way.service.fail(status, body)
    with pytest.raises(error) as told:
        way.trigger()
    text = str(told.value)
    assert text.startswith(begins)
    assert says in text
    assert KEY not in text
    assert "\n" not in text
    assert (len(way.service.asked), way.slept) == (1, []), "it may have begun: a second request would be a second job"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(status=202, body=json.dumps(GOOD).encode(), cut=True), "the answer was cut off"),
        (Answer(status=202, body=json.dumps(GOOD).encode(), slow=True), "no whole answer within"),
    ],
    ids=["cut", "slow"],
)
def test_an_answer_that_does_not_arrive_as_a_whole_may_have_begun_a_job(way: Way, answer: Answer, says: str) -> None:
    way.service.answers.append(answer)
    with pytest.raises(DatpipeFailed, match=r"^Failed to trigger backfill: .*whether it has begun") as told:
        replace(way.client(), seconds=0.5).trigger(NAME, 90)
    assert says in str(told.value)
    assert len(way.service.asked) == 1


def test_a_redirect_is_not_followed_for_it_would_be_shown_the_key(way: Way) -> None:
    with serving() as elsewhere:
        way.service.fail(307, Location=f"{elsewhere.url}/api/backfill/trigger")
        with pytest.raises(DatpipeDenied, match=r"leads to 127.0.0.1, which is not shown the key: check GH_DATPIPE"):
            way.trigger()
        assert elsewhere.asked == []


def test_an_error_that_names_its_job_keeps_the_id(way: Way) -> None:
    way.service.fail(500, {"error": "Unknown error", "job_id": "j-7"})
    with pytest.raises(DatpipeFailed, match=r"Unknown error \(its job j-7\)") as told:
        way.trigger()
    assert told.value.job_id == "j-7"


def test_a_limit_is_waited_for_as_long_as_it_asks(way: Way) -> None:
    way.service.fail(429, {"message": "slow down"}, Retry_After="7")
    way.service.fail(503)
    assert way.trigger().id == "job-1"
    assert way.slept == [7.0, 4.0]


def test_a_long_limit_is_told_with_its_end(way: Way) -> None:
    way.service.fail(429, Retry_After="600")
    with pytest.raises(DatpipeAway, match=r"^Failed to trigger backfill: .* until 2026-11-28 00:40:00 UTC") as told:
        way.trigger()
    assert (told.value.shared, way.slept, len(way.service.asked)) == (True, [], 1)


@pytest.mark.parametrize(("status", "begins"), [(429, "Failed to trigger backfill: "), (503, "Service unavailable: ")])
def test_who_serves_nobody_four_times_is_away(way: Way, status: int, begins: str) -> None:
    way.service.fail(status, b"<html>", times=4)
    with pytest.raises(DatpipeAway) as told:
        way.trigger()
    assert str(told.value).startswith(begins)
    assert (way.slept, len(way.service.asked)) == ([2.0, 4.0, 8.0], 4)


def test_nobody_there_is_told(way: Way) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(DatpipeAway, match=r"^Service unavailable: gh-datpipe can't be reached: no connection"):
        way.client(GH_DATPIPE_API_URL=address).trigger(NAME, 90)
    assert len(way.slept) == 3


@pytest.mark.parametrize(
    ("ask", "begins"),
    [
        (lambda client: client.status("j-9"), "Failed to get job status: "),
        (lambda client: client.cancel("j-9"), "Failed to cancel job: "),
    ],
    ids=["status", "cancel"],
)
def test_a_job_that_is_not_known_is_told(way: Way, ask: Callable[[Datpipe], object], begins: str) -> None:
    with pytest.raises(DatpipeUnknown) as told:
        ask(way.client())
    assert str(told.value).startswith(begins)
    assert "Job j-9 not found): hand it over again" in str(told.value)
    way.service.fail(200, GOOD)
    with pytest.raises(DatpipeFailed, match="the answer tells no"):
        ask(way.client())


def test_what_a_proxy_of_the_machine_would_see_is_no_matter_on_loopback(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert way.trigger().id == "job-1"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GH_DATPIPE_API_URL", "http://datpipe.test", "use https"),
        ("GH_DATPIPE_API_URL", "https://user:pw@datpipe.test", "without user"),
        ("GH_DATPIPE_API_URL", "https://datpipe.test/?key=1", "without user, query"),
        ("GH_DATPIPE_API_URL", "datpipe", "must be an address"),
        ("GH_DATPIPE_KEY", "two words", "paste it again"),
        ("GH_DATPIPE_STATUS_PATH", "/status", "must be a path such as"),
        ("GH_DATPIPE_CANCEL_PATH", "//evil.test/{job_id}", "must be a path such as"),
        ("GH_DATPIPE_CANCEL_PATH", "@evil.test/{job_id}", "must be a path such as"),
    ],
)
def test_settings_that_would_lead_astray_are_refused_without_their_value(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} .*{says}") as told:
        settings.load({name: value}, dotenv=None)
    assert value not in str(told.value) or name.endswith("PATH")


def test_the_address_is_the_guides_where_nothing_else_is_said() -> None:
    given = settings.load({"GH_DATPIPE_KEY": KEY}, dotenv=None)
    assert datpipe(given).url == "https://gh-datapipe.fly.dev"
    with pytest.raises(ConfigurationError, match=r"^Service unavailable: GH_DATPIPE_KEY is missing"):
        datpipe(settings.load({}, dotenv=None))


def test_the_key_is_a_secret_of_this_process() -> None:
    read = settings.load({"GH_DATPIPE_KEY": KEY}, dotenv=None)
    assert KEY in hidden.secrets()
    assert KEY not in repr(read)
    assert KEY not in repr(datpipe(read))


def test_a_file_of_the_folder_does_not_choose_where_the_environments_key_goes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    dotenv = tmp_path_factory.mktemp("folder") / ".env"
    dotenv.write_text("GH_DATPIPE_API_URL=https://evil.test\n")
    with pytest.raises(ConfigurationError, match=r"GH_DATPIPE_API_URL of the .env here would send GH_DATPIPE_KEY"):
        settings.load({"GH_DATPIPE_KEY": KEY}, dotenv=dotenv)
    dotenv.write_text(f"GH_DATPIPE_API_URL=https://own.test/\nGH_DATPIPE_KEY={KEY}\n")
    assert datpipe(settings.load({}, dotenv=dotenv)).url == "https://own.test"
