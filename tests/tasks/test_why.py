"""One sentence says why a repository is, or is not, being captured now, and what would change it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import Goal
from gh_backfill.policy.selection import Thresholds
from gh_backfill.simulator import changes
from gh_backfill.store.backfill_events import Actor
from gh_backfill.tasks import operate, track
from gh_backfill.tasks.untrack import untrack
from gh_backfill.tasks.verify import sweep
from gh_backfill.tasks.why import Explanation, why
from tests.claims import claim
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.test_sync import synced

ANA = Actor(who="ana")
NOT = "it is not being captured now: "
HERE = "0 of 180 pull requests are here"


def explained(house: House, *names: str, limit: int = 12) -> list[Explanation]:
    return why(house.db, names, datetime.now(UTC), thresholds=Thresholds(), limit=limit)


def told(house: House, name: str = ENGINE, *, limit: int = 12) -> str:
    (found,) = explained(house, name, limit=limit)
    return found.text


def change(house: House, columns: str) -> None:
    with house.db.transaction() as tx:
        tx.run(f"update progressive_backfill_state set {columns}")  # noqa: S608  (of a test)


def test_what_waits_for_the_next_plan(house: House) -> None:
    house.track(ENGINE)
    assert told(house) == f"{NOT}its backfill waits for a worker, and the next plan takes it; {HERE}"


def test_what_github_does_not_show_any_more(house: House) -> None:
    house.track(SMALL)
    changes.delete_repository(house.github.world, SMALL)
    house.capture(SMALL)
    assert house.state(SMALL)["status"] == "failed"
    said = told(house, SMALL)
    assert said.startswith(f"{NOT}it failed: GitHub does not show this repository any more")
    assert "the next plan takes it if GitHub shows it again; 0 of 12 pull requests are here" in said


def test_what_a_worker_has_in_hand(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        (row,) = tx.rows("select id from repositories")
        assert claim(tx, str(row["id"]), worker="somebody")
    (found,) = explained(house, ENGINE)
    assert found.capturing
    assert found.text.startswith("it is being captured now: somebody reads page 1, and its claim holds until ")


def test_what_a_person_paused_for_good_or_for_a_time(house: House) -> None:
    house.track(ENGINE)
    operate.pause(house.db, [ENGINE], reason="release day", until=None, actor=ANA)
    assert told(house) == f"{NOT}paused by ana: release day; gh-backfill resume {ENGINE} lets it go on; {HERE}"
    until = datetime.now(UTC) + timedelta(hours=1)
    operate.pause(house.db, [ENGINE], reason=None, until=until, actor=ANA)
    assert told(house) == (
        f"{NOT}paused by ana: no reason given, goes on at {until:%Y-%m-%d %H:%M} UTC; gh-backfill resume {ENGINE} lets "
        f"it go on now; {HERE}"
    )


def test_what_was_cancelled_says_once_who_did_it_and_what_takes_it_up(house: House) -> None:
    house.track(ENGINE)
    operate.cancel(house.db, [ENGINE], actor=ANA)
    assert told(house) == f"{NOT}cancelled by ana; gh-backfill resume {ENGINE} takes it up again; {HERE}"


@pytest.mark.parametrize("delete_rows", [False, True])
def test_what_was_untracked_is_taken_by_no_plan(house: House, delete_rows: bool) -> None:
    house.track(ENGINE)
    untrack(house.db, [ENGINE], delete_rows=delete_rows, actor=ANA)
    assert told(house).endswith(f"; gh-backfill track {ENGINE} takes it up again; {HERE}")


def test_what_failed_and_what_paused_by_itself(house: House) -> None:
    house.track(ENGINE)
    change(house, "status = 'failed', last_error = 'it broke'")
    assert told(house).startswith(f"{NOT}it failed: it broke; when the cause is gone, gh-backfill resume {ENGINE} ")
    soon = "clock_timestamp() + interval '1 hour'"
    change(house, f"status = 'paused', pause_reason = 'rate_limit', resume_at = {soon}")
    assert told(house).startswith(f"{NOT}GraphQL rate limit too low, goes on at ")


def test_what_is_complete_but_for_its_gaps_is_told_as_complete(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    change(house, "gaps = 4, processed_prs = 8")
    said = told(house, SMALL)
    assert said.startswith(f"{NOT}it is complete but for 4 that GitHub counts and does not list; gh-backfill capture ")
    assert "8 of 12 pull requests are here" in said


def test_what_is_small_complete_or_at_its_goal(house: House) -> None:
    house.track(SMALL, goal=Goal(max_items=5))
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set only_newest = false")
    assert told(house, SMALL) == (
        f"{NOT}it has 12 pull requests, and plans take those with more than 100; "
        f"gh-backfill capture {SMALL} captures it all the same; 5 of 12 pull requests are here"
    )
    track.track(house.db, house.graphql(), [SMALL], backfill=Goal(), larger=True)
    house.capture(SMALL)
    assert told(house, SMALL) == (
        f"{NOT}it is complete; gh-backfill sync {SMALL} reads what changed since; 12 of 12 pull requests are here"
    )
    house.track(ENGINE, goal=Goal(max_items=20))
    house.capture()
    assert told(house) == (
        f"{NOT}its goal is reached, the newest 20; gh-backfill track {ENGINE} --max-prs all goes on to the rest; "
        "20 of 180 pull requests are here"
    )
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set goal_max_items = null")
        tx.run("update progressive_backfill_state set processed_prs = 150")
    assert "plans take what is below 80 %" in told(house)


def test_what_was_synced_says_as_of_when_and_when_it_is_due_again(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    assert "synced" not in told(house, SMALL)
    synced(house)
    row = house.only("select last_success_at, next_due_at from repository_syncs")
    last, due = row["last_success_at"], row["next_due_at"]
    assert told(house, SMALL).endswith(
        f"; synced as of {last:%Y-%m-%d %H:%M} UTC, due again at {due:%Y-%m-%d %H:%M} UTC"
    )


def test_what_is_due_or_proven_or_differs_says_so(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    synced(house)
    with house.db.transaction() as tx:
        tx.run("update repository_syncs set next_due_at = '2026-01-02 03:04Z'")
        tx.run(
            "insert into progressive_capture_jobs (job_type, repository_id, processor_type, status) "
            "select 'sync', id, 'inngest', 'pending' from repositories where full_name = %(name)s",
            name=SMALL,
        )
    assert "due since 2026-01-02 03:04 UTC, 1 job to sync it waits" in told(house, SMALL)
    with house.db.transaction() as tx:
        tx.run("delete from pull_requests where number = 4")
    list(sweep.verifications(house.db, house.graphql(), house.run, [SMALL]))
    assert f"gh-backfill verify {SMALL} --repair" in told(house, SMALL)
    assert "1 difference found, quality " in told(house, SMALL)
    list(sweep.verifications(house.db, house.graphql(), house.run, [SMALL], repair=True))
    proven = house.only("select proven_at from verifications")["proven_at"]
    assert told(house, SMALL).endswith(f"; proven {proven:%Y-%m-%d %H:%M} UTC")


def test_what_stands_behind_others(house: House) -> None:
    house.track(ENGINE, SMALL)
    texts = [told(house, name, limit=1) for name in (ENGINE, SMALL)]
    assert sum("1 other before it and a plan takes 1; it waits for a later one" in text for text in texts) == 1


def test_names_that_are_not_here(house: House) -> None:
    house.track(ENGINE)
    assert [each.failed for each in explained(house, ENGINE, "octo/nowhere")] == [False, True]
    with pytest.raises(ConfigurationError, match="octo/nowhere"):
        explained(house, "octo/nowhere")
