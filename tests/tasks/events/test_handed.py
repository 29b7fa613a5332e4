"""Repositories are handed over to gh-datpipe one after the other, each with one end in the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from gh_backfill import settings
from gh_backfill.errors import (
    BackfillError,
    ConfigurationError,
    DatpipeAway,
    DatpipeDenied,
    DatpipeFailed,
    DatpipeUnknown,
    PartlyFailed,
)
from gh_backfill.policy.events.handed import HandedState, state_of
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Row
from gh_backfill.tasks.events import handed, told
from gh_backfill.tasks.events.told import HandedOver
from tests.datpipe_service import Service, serving
from tests.tasks.conftest import House

NOW = datetime(2026, 11, 28, 0, 30, tzinfo=UTC)
NAMES = ("octo/one", "octo/three", "octo/two")


@dataclass
class Desk:
    """Three repositories, a service, and a clock that does not wait."""

    house: House
    service: Service
    slept: list[float] = field(default_factory=list)
    time_left: bool = True

    def way(self) -> handed.Service:
        client = handed.datpipe(settings.load(self.service.settings(), dotenv=None))
        return handed.Service(
            db=self.house.db,
            datpipe=replace(client, sleep=lambda _: None, now=lambda: NOW),
            run=self.house.run,
            now=lambda: NOW,
            sleep=self.slept.append,
            goes_on=lambda: self.time_left,
        )

    def hand_over(self, *names: str, days: int = 90) -> list[HandedOver]:
        return list(self.way().hand_over(names or NAMES, days))

    def ledger(self) -> dict[str, list[Row]]:
        with self.house.db.reading() as tx:
            rows = tx.rows(
                "select r.full_name, j.job_type, j.status, j.outcome, j.error, j.error_type, j.time_range_days as days,"
                " j.metadata -> 'datpipe' as told, j.metadata ->> 'reason' as reason,"
                " j.completed_at is not null as over"
                " from progressive_capture_jobs j join repositories r on r.id = j.repository_id order by j.created_at"
            )
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row["full_name"], []).append(row)
        return found

    def alter(self, name: str, *, is_private: bool | None) -> None:
        with self.house.db.transaction() as tx:
            tx.run(
                "update repositories set is_private = %(private)s where full_name = %(name)s",
                private=is_private,
                name=name,
            )


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    world = load(recipes=[f"{name}:3" for name in NAMES])
    with running(world) as github, serving() as service:
        mine = replace(house, github=github)
        mine.track(*NAMES)
        yield Desk(mine, service)


def ends(done: Sequence[HandedOver]) -> dict[str, HandedState]:
    return {each.name: each.state for each in done}


def error_of(done: Sequence[HandedOver]) -> BackfillError:
    with pytest.raises(BackfillError) as raised:
        told.raise_failures(done)
    return raised.value


def test_each_is_handed_over_alone_a_second_after_the_one_before(desk: Desk) -> None:
    done = desk.hand_over(days=30)
    assert desk.service.handed() == list(NAMES)
    assert [each.body["days"] for each in desk.service.asked] == [30, 30, 30]
    assert desk.slept == [1.0, 1.0]
    assert ends(done) == dict.fromkeys(NAMES, HandedState.WAITING)
    assert done[0].text == "job job-1 of gh-datpipe: queued, expected 2026-11-28T01:00:00Z"
    told.raise_failures(done)


def test_the_ledger_has_one_end_of_each_and_keeps_the_services_job(desk: Desk) -> None:
    desk.hand_over()
    (row,) = desk.ledger()["octo/one"]
    assert (row["job_type"], row["status"], row["outcome"], row["days"]) == ("events", "completed", "stopped", 90)
    assert (row["error"], row["error_type"]) == ("gh-datpipe has it as job job-1: queued", None)
    assert row["reason"] == "handed to gh-datpipe"
    assert row["told"] == {
        "job_id": "job-1",
        "status": "queued",
        "status_url": f"{desk.service.url}/api/backfill/status/job-1",
        "told_at": "2026-11-28T00:30:00+00:00",
    }


def test_one_that_fails_does_not_stop_the_others_and_can_be_handed_over_alone(desk: Desk) -> None:
    desk.service.answers.append(None)
    desk.service.fail(500, {"message": "Unknown error"})
    done = desk.hand_over()
    assert ends(done) == {
        "octo/one": HandedState.WAITING,
        "octo/three": HandedState.FAILED,
        "octo/two": HandedState.WAITING,
    }
    error = error_of(done)
    assert (type(error), error.exit_code) == (DatpipeFailed, 4)
    assert str(error).startswith("Failed to trigger backfill: gh-datpipe answers with status 500: Unknown error")
    assert str(error).endswith("(1 repository failed: octo/three)")
    (row,) = desk.ledger()["octo/three"]
    assert (row["status"], row["outcome"], row["error_type"], row["told"]) == ("failed", "failed", "network", None)
    again = desk.hand_over("octo/three")
    assert ends(again) == {"octo/three": HandedState.WAITING}
    assert [row["outcome"] for row in desk.ledger()["octo/three"]] == ["failed", "stopped"]


def test_a_service_that_knows_nothing_of_one_leaves_exit_code_3(desk: Desk) -> None:
    desk.service.fail(404, {"message": "gone"})
    error = error_of(desk.hand_over())
    assert (type(error), error.exit_code) == (DatpipeUnknown, 3)
    desk.service.fail(404)
    desk.service.fail(500)
    assert type(error_of(desk.hand_over())) is PartlyFailed


@pytest.mark.parametrize(
    ("status", "times", "error", "begins"),
    [
        (401, 1, DatpipeDenied, "Service unavailable: "),
        (503, 4, DatpipeAway, "Service unavailable: "),
        (429, 4, DatpipeAway, "Failed to trigger backfill: "),
    ],
)
def test_what_every_repository_would_meet_ends_the_rest(
    desk: Desk, status: int, times: int, error: type[BackfillError], begins: str
) -> None:
    desk.service.fail(status, times=times)
    done = desk.hand_over()
    assert set(desk.service.handed()) == {"octo/one"}
    assert [each.text.startswith("not begun: ") for each in done] == [False, True, True]
    raised = error_of(done)
    assert (type(raised), str(raised).startswith(begins)) == (error, True)
    assert list(desk.ledger()) == ["octo/one"], "what was not begun has no job"


def test_a_job_that_the_service_lost_in_an_error_is_remembered_and_can_be_asked_about(desk: Desk) -> None:
    desk.service.jobs["j-7"] = {"id": "j-7", "status": "running", "progress": 5}
    desk.service.fail(500, {"error": "Unknown error", "job_id": "j-7"})
    assert ends(desk.hand_over("octo/one")) == {"octo/one": HandedState.FAILED}
    (asked,) = desk.way().ask(["octo/one"])
    assert (asked.state, asked.text) == (HandedState.PROCESSING, "job j-7 of gh-datpipe: running, 5 %")


@pytest.mark.parametrize(
    ("word", "state", "status", "outcome", "error"),
    [
        ("queued", "waiting", "completed", "stopped", "job job-1 of gh-datpipe: queued, 60 %, said"),
        ("reticulating", "processing", "completed", "stopped", "job job-1 of gh-datpipe: reticulating, 60 %, said"),
        ("Completed", "completed", "completed", "completed", None),
        ("failed", "failed", "failed", "failed", "job job-1 of gh-datpipe: failed, 60 %, said"),
        ("canceled", "cancelled", "cancelled", "cancelled", "job job-1 of gh-datpipe: canceled, 60 %, said"),
    ],
)
def test_the_last_word_of_a_job_is_the_services(
    desk: Desk, word: str, state: str, status: str, outcome: str, error: str | None
) -> None:
    desk.hand_over("octo/one")
    desk.service.jobs["job-1"] |= {"status": word, "progress": 60, "message": "said"}
    (done,) = desk.way().ask(["octo/one"])
    assert done.state == state == state_of(word)
    (row,) = desk.ledger()["octo/one"]
    assert (row["status"], row["outcome"], row["error"]) == (status, outcome, error)
    assert (row["told"]["status"], row["told"]["job_id"], row["over"]) == (word, "job-1", True)
    assert row["told"]["status_url"].endswith("/job-1"), "what was told before stays"
    if state == "failed":
        assert type(error_of([done])) is PartlyFailed
    else:
        told.raise_failures([done])


def test_a_job_can_be_ended_also_of_what_is_private_by_now(desk: Desk) -> None:
    desk.hand_over("octo/one")
    desk.alter("octo/one", is_private=True)
    (done,) = desk.way().cancel(["octo/one"])
    assert (done.state, desk.service.jobs["job-1"]["status"]) == (HandedState.CANCELLED, "cancelled")
    (row,) = desk.ledger()["octo/one"]
    assert (row["status"], row["outcome"]) == ("cancelled", "cancelled")


def test_what_was_never_handed_over_has_no_job(desk: Desk) -> None:
    done = [*desk.way().ask(["octo/one", "octo/two"])]
    error = error_of(done)
    assert (type(error), error.exit_code, desk.service.asked) == (ConfigurationError, 2, [])
    assert str(error).startswith("Repository not found: octo/one was never handed over")


@pytest.mark.parametrize("private", [True, None])
def test_what_is_not_known_to_be_public_is_never_named_to_the_service(desk: Desk, private: bool | None) -> None:
    desk.alter("octo/three", is_private=private)
    done = desk.hand_over()
    assert sorted(desk.service.handed()) == ["octo/one", "octo/two"]
    (lost,) = [each for each in done if each.failed]
    assert lost.text.startswith("Service unavailable: octo/three is not known to be public")
    assert type(error_of(done)) is PartlyFailed
    assert list(desk.ledger()) == ["octo/one", "octo/two"]
    assert "octo/three is not known to be public" in handed.outlook(desk.house.db, ["octo/three"], 90)[0].text


def test_a_name_that_is_none_or_not_here_is_told_and_the_others_go_on(desk: Desk) -> None:
    done = desk.hand_over("octo", "octo/nowhere", "octo/two")
    assert [each.state for each in done] == [HandedState.FAILED, HandedState.FAILED, HandedState.WAITING]
    assert all(each.text.startswith("Repository not found: ") for each in done[:2])
    assert "gh-backfill track owner/name" in done[1].text
    assert error_of(done).exit_code == 3
    assert error_of(done[:2]).exit_code == 2


def test_nothing_more_is_handed_over_when_the_time_is_over(desk: Desk) -> None:
    going = desk.way().hand_over(NAMES, 90)
    first = next(going)
    desk.time_left = False
    rest = list(going)
    assert (first.state, [each.text for each in rest]) == (HandedState.WAITING, ["not begun: the time is over"] * 2)
    assert desk.service.handed() == ["octo/one"]
    told.raise_failures([first, *rest])


def test_an_interrupt_ends_the_job_in_hand(desk: Desk) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    desk.service.fail(503)
    way = desk.way()
    going = replace(way, datpipe=replace(way.datpipe, sleep=stop)).hand_over(NAMES, 90)
    with pytest.raises(KeyboardInterrupt):
        list(going)
    (row,) = desk.ledger()["octo/one"]
    assert (row["status"], row["outcome"], row["error_type"]) == ("cancelled", "cancelled", "cancelled")
    assert list(desk.ledger()) == ["octo/one"]


def test_a_dry_run_sends_and_writes_nothing(desk: Desk) -> None:
    desk.hand_over("octo/one")
    before = (len(desk.service.asked), desk.ledger())
    texts = [each.text for each in handed.outlook(desk.house.db, ["octo/one", "octo/two", "octo/no"], 30)]
    assert texts == [
        "octo/no: Repository not found: octo/no is not tracked here: run gh-backfill track owner/name first",
        "octo/one: 30 days for gh-datpipe, which has job job-1 of it (queued)",
        "octo/two: 30 days for gh-datpipe, which has no job of it",
    ]
    assert (len(desk.service.asked), desk.ledger()) == before
