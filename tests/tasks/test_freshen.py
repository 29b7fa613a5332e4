"""What webhooks announced is fetched by its number, and lost by nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.engine.outcome import Limits
from gh_backfill.errors import BadCredentials, Unreachable
from gh_backfill.models.work import Goal
from gh_backfill.simulator import changes
from gh_backfill.simulator.faults import Fault
from gh_backfill.store import budgets
from gh_backfill.store.db import Database, Row, Transaction
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import connect, operate
from gh_backfill.tasks.webhooks.freshen import Freshened, Freshener
from gh_backfill.tasks.webhooks.receive import receive
from tests.tasks.conftest import ENGINE, SMALL, House

RUN = Run(key="web", run_id=None, attempt=1, processor="local")
BY_NUMBER = "PullRequestOf"


@dataclass(kw_only=True)
class Ear:
    """Hears announcements and looks at them a minute later each time."""

    house: House
    passed: timedelta = timedelta(0)
    sent: int = 0
    graphql: GraphQL = field(init=False)

    def __post_init__(self) -> None:
        self.graphql = self.house.graphql()

    def announce(self, name: str, *numbers: int) -> None:
        (known,) = self.house.rows("select github_id from repositories where full_name = %(name)s", name=name)
        for number in numbers:
            self.sent += 1
            payload = {
                "action": "edited",
                "pull_request": {"number": number},
                "repository": {"id": known["github_id"]},
                "sender": {"login": "ada", "id": 1},
            }
            assert receive(self.house.db, f"delivery-{self.sent}", "pull_request", payload) == "noted"

    def look(self, *, later: timedelta = timedelta(minutes=1), db: Database | None = None) -> Freshened:
        self.passed += later
        freshener = Freshener(
            db=db or self.house.db,
            graphql=self.graphql,
            run=RUN,
            now=lambda: datetime.now(UTC) + self.passed,
            sleep=self.house.slept.append,
        )
        return freshener.look()

    def announced(self) -> list[int]:
        rows = self.house.rows("select identity from webhook_pending where kind = 'capture' order by 1")
        return sorted(int(row["identity"]) for row in rows)

    def ledger(self) -> list[Row]:
        return self.house.rows(
            "select r.full_name as name, j.job_type, j.metadata ->> 'reason' as reason, j.status, j.outcome, j.points, "
            "j.items, j.error "
            "from progressive_capture_jobs j join repositories r on r.id = j.repository_id "
            "where j.run_key = 'web' order by j.created_at, r.full_name"
        )

    def title(self, name: str, number: int) -> str | None:
        rows = self.house.rows(
            "select p.title from pull_requests p join repositories r on r.id = p.repository_id "
            "where r.full_name = %(name)s and p.number = %(number)s",
            name=name,
            number=number,
        )
        return rows[0]["title"] if rows else None


@pytest.fixture
def ear(house: House) -> Ear:
    house.track(SMALL, ENGINE)
    house.capture(SMALL)
    return Ear(house=house)


def backfills(house: House) -> list[Row]:
    return house.rows(
        "select b.status, b.held, b.total_prs, s.stream, s.status as stream_status, s.goal_max_items, s.cursor, "
        "s.watermark, s.items_done from progressive_backfill_state b join backfill_streams s "
        "on s.backfill_state_id = b.id order by b.repository_id, s.stream"
    )


def test_what_moved_in_several_repositories_is_fetched_for_one_point_and_the_ledger_says_so(ear: Ear) -> None:
    for number in (2, 3):
        changes.edit(ear.house.github.world, SMALL, number, title=f"Edited {number}")
    changes.edit(ear.house.github.world, ENGINE, 170, title="Edited 170")
    ear.announce(SMALL, 2, 3, 3)
    ear.announce(ENGINE, 170)
    before = ear.house.github.stats.points
    assert ear.look() == Freshened(stored=3)
    assert ear.house.github.stats.points - before <= 2  # the page, and its review comments
    assert [ear.title(SMALL, 2), ear.title(SMALL, 3), ear.title(ENGINE, 170)] == ["Edited 2", "Edited 3", "Edited 170"]
    assert ear.announced() == []
    rows = ear.ledger()
    assert [(row["name"], row["job_type"], row["status"], row["outcome"], row["items"]) for row in rows] == [
        (ENGINE, "webhook", "completed", "completed", 1),
        (SMALL, "webhook", "completed", "completed", 2),
    ]
    assert {row["reason"] for row in rows} == {"announced by a webhook"}
    assert sum(row["points"] for row in rows) == ear.house.github.stats.points - before


def test_nothing_is_fetched_before_half_a_minute_has_gathered_what_moves_together(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    assert ear.look(later=timedelta(seconds=20)) == Freshened()
    assert ear.announced() == [3]
    assert ear.look(later=timedelta(seconds=20)) == Freshened(stored=1)


def test_reviews_and_comments_of_a_moved_pull_request_come_with_it(ear: Ear) -> None:
    changes.comment(ear.house.github.world, SMALL, 3, author="eve", body="By a webhook")
    ear.announce(SMALL, 3)
    ear.look()
    assert ear.house.rows("select 1 from comments where body = 'By a webhook'")


@pytest.mark.parametrize("state", ["active", "limited", "paused", "held", "failed", "completed", "none"])
def test_whatever_the_state_of_the_backfill_the_pull_request_is_fetched_and_the_state_stays(
    house: House, state: str
) -> None:
    house.track(ENGINE, goal=Goal(max_items=10) if state == "limited" else None)
    if state != "none":
        house.capture(ENGINE, limits=Limits(max_chunks=1) if state != "completed" else None)
    match state:
        case "held":
            operate.pause(house.db, [ENGINE], reason=None, until=None)
        case "paused" | "failed":
            with house.db.transaction() as tx:
                tx.run("update progressive_backfill_state set status = %(state)s", state=state)
        case "none":
            with house.db.transaction() as tx:
                tx.run("delete from backfill_streams")
                tx.run("delete from progressive_backfill_state")
    ear = Ear(house=house)
    before, stored = backfills(house), house.count("pull_requests")
    known = ear.title(ENGINE, 2) is not None
    changes.edit(house.github.world, ENGINE, 2, title="Moved")
    ear.announce(ENGINE, 2)
    assert ear.look() == Freshened(stored=1)
    assert ear.title(ENGINE, 2) == "Moved"
    assert backfills(house) == before
    assert house.count("pull_requests") == stored + (not known)
    if before:
        assert house.state()["processed_prs"] == house.count("pull_requests")


def test_a_pull_request_newer_than_all_that_is_stored_is_stored_too(ear: Ear) -> None:
    number = changes.open_pull_request(ear.house.github.world, SMALL, author="eve", title="Brand new").number
    ear.announce(SMALL, number)
    assert ear.look() == Freshened(stored=1)
    assert ear.title(SMALL, number) == "Brand new"
    assert (
        ear.house.only("select github_pull_requests as n from repositories where full_name = 'octo/small'")["n"] == 13
    )


def test_a_walk_that_goes_on_afterwards_counts_every_pull_request_once(house: House) -> None:
    house.track(ENGINE)
    house.capture(ENGINE, limits=Limits(max_chunks=1))
    ear = Ear(house=house)
    ear.announce(ENGINE, 1, 2, 3)
    ear.look()
    house.capture(ENGINE)
    assert (house.state()["processed_prs"], house.count("pull_requests")) == (180, 180)


class Dies(Exception):
    """Stands for whatever ends the process."""


class CutOff(Database):
    """A database whose process dies before it can commit once more."""

    commits = 0

    def _commit(self, tx: Transaction, opening: Any) -> None:
        if self.commits == 0:
            raise Dies
        self.commits -= 1
        super()._commit(tx, opening)


@pytest.mark.parametrize("commits", range(4))  # the look, the ledger's line, people, and all the rest
def test_what_is_interrupted_at_whatever_moment_stays_announced_and_is_fetched_the_next_time(
    ear: Ear, commits: int
) -> None:
    title = ear.title(SMALL, 3)
    changes.edit(ear.house.github.world, SMALL, 3, title="Moved")
    ear.announce(SMALL, 3)
    with pytest.raises(Dies), CutOff(ear.house.url) as db:
        db.commits = commits
        ear.look(db=db)
    assert (ear.announced(), ear.title(SMALL, 3)) == ([3], title)
    assert ear.look() == Freshened(stored=1)
    assert (ear.announced(), ear.title(SMALL, 3)) == ([], "Moved")


class Meanwhile(GraphQL):
    """A client during whose first answer something happens."""

    happens: Callable[[], None] | None = None

    def execute(
        self, document: str, variables: Mapping[str, object], *, points: int = 1, divisible: bool = False
    ) -> Answer:
        answer = super().execute(document, variables, points=points, divisible=divisible)
        if self.happens is not None:
            happens, self.happens = self.happens, None
            happens()
        return answer


def test_what_is_announced_again_while_it_is_fetched_stays_and_is_fetched_again(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    graphql = Meanwhile(ear.house.github.graphql_url, "tok", sleep=ear.house.slept.append)

    def moves_again() -> None:
        changes.edit(ear.house.github.world, SMALL, 3, title="Moved again")
        ear.announce(SMALL, 3)

    graphql.happens = moves_again
    ear.graphql = graphql
    assert ear.look() == Freshened(stored=1)
    assert ear.announced() == [3]
    assert ear.look() == Freshened(stored=1)
    assert (ear.title(SMALL, 3), ear.announced()) == ("Moved again", [])


def test_a_pull_request_that_github_does_not_have_is_believed_gone_the_second_time_and_its_row_stays(ear: Ear) -> None:
    changes.delete(ear.house.github.world, SMALL, 3)
    ear.announce(SMALL, 3)
    assert ear.look() == Freshened(failed=1)
    assert ear.announced() == [3]
    assert ear.look(later=timedelta(minutes=3)) == Freshened(gone=1)
    assert ear.announced() == []
    assert ear.title(SMALL, 3) is not None


def test_a_null_without_githubs_own_word_is_unknown_and_neither_gone_nor_stored(ear: Ear) -> None:
    title = ear.title(SMALL, 3)
    ear.announce(SMALL, 3)
    ear.house.github.faults.add(Fault(name="null_with_error", size=1.0, match={"operation": BY_NUMBER}))
    for _ in range(4):
        assert ear.look(later=timedelta(minutes=20)) == Freshened(failed=1)
    assert ear.announced() == [3]
    assert ear.look(later=timedelta(minutes=20)) == Freshened(set_aside=1)
    assert ear.announced() == []
    assert ear.title(SMALL, 3) == title
    row = ear.house.only("select kind, number, reason from backfill_quarantine where resolved_at is null")
    assert (row["kind"], row["number"]) == ("pull_request", 3)
    assert row["reason"]


def test_a_repository_that_github_does_not_show_stops_no_other_and_keeps_its_announcement_and_flags(ear: Ear) -> None:
    changes.edit(ear.house.github.world, ENGINE, 170, title="Moved")
    changes.delete_repository(ear.house.github.world, SMALL)
    ear.announce(SMALL, 3)
    ear.announce(ENGINE, 170)
    assert ear.look() == Freshened(stored=1, failed=1)
    assert ear.title(ENGINE, 170) == "Moved"
    assert ear.announced() == [3]
    failed = next(row for row in ear.ledger() if row["name"] == SMALL)
    assert (failed["status"], failed["outcome"]) == ("failed", "failed")
    assert "does not show octo/small" in failed["error"]
    assert not ear.house.only("select is_private from repositories where full_name = 'octo/small'")["is_private"]


def test_a_new_announcement_of_what_failed_is_tried_at_once(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    ear.house.github.faults.add(Fault(name="null_with_error", size=1.0, count=1, match={"operation": BY_NUMBER}))
    assert ear.look() == Freshened(failed=1)
    assert ear.look(later=timedelta(seconds=5)) == Freshened()
    ear.announce(SMALL, 3)
    assert ear.look(later=timedelta(seconds=5)) == Freshened(stored=1)


def test_what_is_too_much_together_is_asked_for_in_halves(ear: Ear) -> None:
    ear.announce(ENGINE, *range(1, 9))
    ear.house.github.faults.add(Fault(name="504", count=2, match={"operation": BY_NUMBER}))
    assert ear.look() == Freshened(stored=8)
    assert ear.announced() == []


def test_a_spent_budget_makes_nobody_wait_in_place_and_the_next_look_goes_on(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    ear.house.github.faults.add(Fault(name="rate_limited", count=1, match={"operation": BY_NUMBER}))
    waits = ear.look()
    assert (waits.stored, waits.waiting_until is not None) == (0, True)
    assert ear.house.slept == []
    assert ear.announced() == [3]
    (row,) = ear.ledger()
    assert (row["status"], row["outcome"]) == ("completed", "paused")
    asked = ear.house.github.stats.requests
    assert ear.look().waiting_until is not None
    assert ear.house.github.stats.requests == asked
    assert len(ear.ledger()) == 1


def test_a_reservation_is_made_in_the_budget_that_all_jobs_share(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    with connect.sharing(ear.graphql, ear.house.db):
        ear.look()
    identity = next(iter(ear.graphql.credentials.by_identity()))
    (standing,) = budgets.standings(ear.house.db, [identity], "graphql")
    assert ear.graphql.budget is not None
    assert standing.left == ear.graphql.budget.remaining


@pytest.mark.parametrize(("fault", "error"), [("bad_credentials", BadCredentials), ("reset", Unreachable)])
def test_what_is_the_fault_of_the_token_or_the_network_is_charged_to_no_pull_request(
    ear: Ear, fault: str, error: type[Exception]
) -> None:
    ear.announce(SMALL, 3)
    ear.house.github.faults.add(Fault(name=fault))
    with pytest.raises(error):
        ear.look()
    row = ear.house.only("select attempts, reason from webhook_pending")
    assert (row["attempts"], row["reason"]) == (0, None)
    (job,) = ear.ledger()
    assert (job["status"], job["outcome"]) == ("failed", "failed")


def test_what_the_database_refuses_is_quarantined_and_its_neighbours_are_stored(ear: Ear) -> None:
    changes.edit(ear.house.github.world, SMALL, 3, title="Refused")
    changes.edit(ear.house.github.world, SMALL, 4, title="Moved")
    with ear.house.db.transaction() as tx:
        tx.run("alter table pull_requests add constraint picky check (title <> 'Refused')")
    ear.announce(SMALL, 3, 4)
    ear.look()
    assert ear.title(SMALL, 4) == "Moved"
    reasons = ear.house.rows("select number, reason from backfill_quarantine")
    assert [row["number"] for row in reasons] == [3]
    assert "picky" in json.dumps(reasons, default=str)


def test_a_repository_that_was_renamed_is_followed(ear: Ear) -> None:
    changes.rename_repository(ear.house.github.world, SMALL, name="other")
    ear.announce(SMALL, 3)
    ear.look()
    assert ear.house.rows("select 1 from repositories where full_name = 'octo/other'")


def test_a_repository_registered_by_another_application_gets_its_node_id(ear: Ear) -> None:
    with ear.house.db.transaction() as tx:
        tx.run("update repositories set node_id = null where full_name = 'octo/small'")
    changes.edit(ear.house.github.world, SMALL, 3, title="Moved")
    ear.announce(SMALL, 3)
    assert ear.look() == Freshened(stored=1)
    assert ear.title(SMALL, 3) == "Moved"
    assert ear.house.only("select node_id from repositories where full_name = 'octo/small'")["node_id"]


def test_a_repository_that_is_not_tracked_any_more_is_left_alone(ear: Ear) -> None:
    ear.announce(SMALL, 3)
    with ear.house.db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = false")
    assert ear.look() == Freshened()


def test_more_than_one_query_can_hold_is_fetched_in_several(ear: Ear) -> None:
    world = ear.house.github.world
    engine = world.repository("octo", "engine")
    assert engine is not None
    ear.announce(ENGINE, *[outline.number for outline in world.shelves[engine.id].outlines()][:100])
    assert ear.look() == Freshened(stored=100)
    assert ear.announced() == []
