"""Stuck chunks come back, late workers commit nothing, and the report of a recovery is counted from what changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.engine import processes
from gh_backfill.engine.outcome import CaptureOutcome, Limits
from gh_backfill.engine.recover import Recovered, recover
from gh_backfill.errors import StaleClaim
from gh_backfill.models.work import Claim
from gh_backfill.policy.ledger import JobOutcome as Ended
from gh_backfill.store import jobs, recovery
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from tests import claims
from tests.tasks.conftest import ENGINE, SMALL, House

OPEN = "select status, attempt, lease_until, retry_at from backfill_chunks where status in ('pending', 'processing')"


def claim(house: House, name: str = ENGINE) -> Claim:
    """Claim the next chunk as a worker does that is never heard of again."""
    with house.db.transaction() as tx:
        return claims.must_claim(tx, repository_id(house, name), worker="lost")


def repository_id(house: House, name: str = ENGINE) -> str:
    with house.db.another() as db, db.transaction(read_only=True) as tx:
        row = tx.row("select id from repositories where full_name = %(name)s", name=name)
    assert row is not None
    return str(row["id"])


def age(house: House, claimed: Claim, *, started: str, lease: str | None) -> None:
    """Let a chunk have been claimed, and its lease have ended, so long ago."""
    with house.db.transaction() as tx:
        tx.run(
            "update backfill_chunks set started_at = clock_timestamp() - %(started)s::interval, "
            "lease_until = clock_timestamp() - %(lease)s::interval where id = %(id)s",
            started=started,
            lease=lease,
            id=claimed.chunk_id,
        )


def job_row(house: House, *, started: str, outcome: str | None, status: str = "failed") -> None:
    """Write a job of the repository that began so long ago, and is over or not."""
    with house.db.transaction() as tx:
        tx.run(
            "insert into progressive_capture_jobs (job_type, repository_id, status, outcome, started_at, completed_at) "
            "values ('progressive_backfill', %(id)s, %(status)s, %(outcome)s, "
            "clock_timestamp() - %(started)s::interval, case when %(outcome)s is not null then clock_timestamp() end)",
            id=repository_id(house),
            status=status,
            outcome=outcome,
            started=started,
        )


def reasons(done: Recovered) -> list[tuple[str, int]]:
    return [(each.why, each.chunk_number) for each in done.returned]


def test_a_chunk_that_lost_its_lease_goes_back_with_its_attempt_and_the_next_claim_raises_it(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="6 minutes", lease="1 second")
    assert reasons(recover(house.db)) == [("lease lost", 1)]
    assert house.only(OPEN) == {"status": "pending", "attempt": 1, "lease_until": None, "retry_at": None}
    assert claim(house).attempt == 2


def dead_worker() -> str:
    """Return the name of a worker as its process has it, which has ended since."""
    command = [sys.executable, "-c", "from gh_backfill.engine.processes import worker_name; print(worker_name())"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def hold(house: House, worker: str) -> str:
    """Let a worker hold a chunk whose lease is good, in a job of its own; returns the id of the job."""
    claimed = claim(house)
    with house.db.transaction() as tx:
        tx.run(
            "update backfill_chunks set claimed_by = %(worker)s where id = %(id)s", worker=worker, id=claimed.chunk_id
        )
        return jobs.start(tx, house.run, repository_id(house), worker=worker)


def test_a_dead_process_of_this_machine_holds_nothing_whatever_its_lease(house: House) -> None:
    house.track(ENGINE)
    id_ = hold(house, dead_worker())
    assert recover(house.db, dry_run=True).buried == 0
    done = recover(house.db)
    assert (reasons(done), done.buried) == ([("worker gone", 1)], 1)
    assert house.only("select status, outcome from progressive_capture_jobs where id = %(id)s", id=id_) == {
        "status": "failed",
        "outcome": "died",
    }
    assert not recover(house.db)
    assert house.capture().outcome is CaptureOutcome.COMPLETED


@pytest.mark.parametrize(
    "change",
    [
        lambda name: name,  # alive
        lambda name: name.replace("@", "@0")[: len(name)],  # another machine's
        lambda name: name.split("@")[0],  # of a machine that does not tell
    ],
)
def test_a_worker_that_lives_or_of_which_nothing_can_be_known_keeps_its_chunk(
    house: House, change: Callable[[str], str]
) -> None:
    house.track(ENGINE)
    name = processes.worker_name() if change("@") == "@" else dead_worker()
    hold(house, change(name))
    assert recover(house.db) == Recovered()
    assert house.only(OPEN)["status"] == "processing"


def test_a_number_that_belongs_to_another_process_by_now_does_not_keep_a_chunk(house: House) -> None:
    house.track(ENGINE)
    name = processes.worker_name()
    hold(house, name.rpartition(".")[0] + ".1")
    assert reasons(recover(house.db)) == [("worker gone", 1)]


def test_a_chunk_whose_worker_renews_its_lease_is_left_to_it(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="50 days", lease="-4 minutes")
    assert recover(house.db) == Recovered()
    assert house.only(OPEN)["status"] == "processing"


@pytest.mark.parametrize(("minutes", "number"), [(29, 0), (31, 1)])
def test_a_chunk_without_a_lease_counts_as_lost_after_half_an_hour(house: House, minutes: int, number: int) -> None:
    house.track(ENGINE)
    age(house, claim(house), started=f"{minutes} minutes", lease=None)
    assert len(recover(house.db).returned) == number


def test_the_half_hour_may_be_another_time(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="3 minutes", lease=None)
    assert recover(house.db, older_than=timedelta(minutes=4)) == Recovered()
    assert reasons(recover(house.db, older_than=timedelta(minutes=2))) == [("no lease", 1)]


def test_a_chunk_goes_back_when_the_run_that_claimed_it_is_over(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="2 minutes", lease="-3 minutes")
    job_row(house, started="3 minutes", outcome=Ended.DIED)
    assert reasons(recover(house.db)) == [("run over", 1)]


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_a_chunk_stays_while_another_job_may_hold_it_though_a_host_application_failed_that_one(
    house: House, status: str
) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="2 minutes", lease="-3 minutes")
    job_row(house, started="3 minutes", outcome=Ended.DIED)
    job_row(house, started="20 minutes", outcome=None, status=status)
    assert recover(house.db) == Recovered()


def test_everything_in_processing_is_taken_when_somebody_asks_for_it(house: House) -> None:
    house.track(ENGINE, SMALL)
    claim(house, ENGINE)
    claim(house, SMALL)
    assert recover(house.db) == Recovered()
    assert [each.full_name for each in recover(house.db, everything=True).returned] == [ENGINE, SMALL]


def test_only_the_named_repositories_are_recovered(house: House) -> None:
    house.track(ENGINE, SMALL)
    for name in (ENGINE, SMALL):
        age(house, claim(house, name), started="6 minutes", lease="1 minute")
    assert [each.full_name for each in recover(house.db, [repository_id(house, SMALL)]).returned] == [SMALL]


def test_the_late_worker_of_a_recovered_chunk_commits_nothing_even_before_the_next_claim(house: House) -> None:
    house.track(ENGINE)
    late = claim(house)
    recover(house.db, everything=True)
    with pytest.raises(StaleClaim), house.db.transaction() as tx:
        claims.hold(tx, late)
    claim(house)
    with pytest.raises(StaleClaim), house.db.transaction() as tx:
        claims.hold(tx, late)


def test_a_capture_whose_chunk_is_recovered_under_it_stops_quietly_and_another_one_does_it_all(
    house: House, database_url: str
) -> None:
    house.track(ENGINE)
    taken: list[Recovered] = []

    def now() -> datetime:
        """Tell the time; the first time a chunk is being worked on, somebody takes it away."""
        if not taken:
            with Database(database_url) as other:
                done = recover(other, everything=True)
            taken.extend([done] if done.returned else [])
        return datetime.now(UTC)

    first = capture.run(
        house.db, house.graphql(), house.run, ENGINE, Limits(), listen=lambda _: None, now=now, sleep=house.wait
    )
    assert (len(taken), first.outcome, first.items) == (1, CaptureOutcome.BUSY, 0)
    assert house.count("pull_requests") == 0
    assert house.capture().outcome is CaptureOutcome.COMPLETED
    assert (house.count("pull_requests"), house.state()["processed_prs"]) == (180, 180)


def test_a_lease_that_is_renewed_after_the_look_keeps_the_chunk(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="6 minutes", lease="1 second")
    with house.db.transaction() as tx:
        (found,) = recovery.stuck(tx, None, everything=False, older_than=timedelta(minutes=30))
        tx.run("update backfill_chunks set lease_until = clock_timestamp() + interval '5 minutes'")
        assert not recovery.give_back(tx, found, error="late", everything=False)
        assert recovery.give_back(tx, found, error="asked for", everything=True)


def test_a_chunk_that_somebody_holds_locked_is_left_and_the_others_are_recovered(
    house: House, database_url: str
) -> None:
    house.track(ENGINE, SMALL)
    held = claim(house, ENGINE)
    for each in (held, claim(house, SMALL)):
        age(house, each, started="6 minutes", lease="1 minute")
    with Database(database_url) as other, other.transaction() as tx:
        claims.hold(tx, held)
        done = recover(house.db)
    assert ([each.full_name for each in done.returned], [each.full_name for each in done.left]) == ([SMALL], [ENGINE])


def test_a_dry_run_names_what_it_would_do_and_writes_nothing(house: House) -> None:
    house.track(ENGINE)
    age(house, claim(house), started="6 minutes", lease="1 minute")
    with house.db.transaction() as tx:
        (name,) = tx.rows("select current_database() as name")
        tx.run(f'alter database "{name["name"]}" set default_transaction_read_only = on')
    house.db.close()
    assert len(recover(house.db, dry_run=True).returned) == 1
    assert house.only(OPEN)["status"] == "processing"


def test_what_an_older_application_left_open_is_closed_however_old_it_is(house: House) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("""
            insert into backfill_chunks (repository_id, backfill_state_id, chunk_number, status, started_at, created_at)
            select repository_id, id, v.number, v.status, v.at, v.at
            from progressive_backfill_state, (values
                (901, 'processing', now() - interval '60 days'), (902, 'pending', now() - interval '2 hours'),
                (903, 'processing', now() - interval '5 minutes')) v (number, status, at)""")
    done = recover(house.db)
    assert [(each.chunk_number, each.why) for each in done.closed] == [
        (901, "older application"),
        (902, "older application"),
    ]
    closed = house.rows("select status, completed_at, error from backfill_chunks where chunk_number in (901, 902)")
    assert {(row["status"], row["completed_at"]) for row in closed} == {("skipped", None)}
    assert all("older application" in row["error"] for row in closed)
    assert recover(house.db) == Recovered()
    assert [each.chunk_number for each in recover(house.db, everything=True).closed] == [903]


def test_a_recovery_says_what_it_did_and_names_private_repositories_by_their_id(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.track(ENGINE)
    with house.db.transaction() as tx:
        tx.run("update repositories set is_private = true")
    age(house, claim(house), started="6 minutes", lease="1 minute")
    with caplog.at_level("INFO"):
        recover(house.db)
    assert f"{repository_id(house)}: chunk 1 goes back to be claimed again" in caplog.text
    assert ENGINE not in caplog.text
