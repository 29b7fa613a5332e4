"""The rolling sweep: whose turn it is, oldest proof first, within its share of the points."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.models.work import TrackedRepository
from gh_backfill.simulator import changes
from gh_backfill.store.db import Database
from gh_backfill.tasks.verify import proving, sweep
from gh_backfill.tasks.verify.verify import Verified
from tests.tasks.conftest import SMALL, House
from tests.tasks.pages.worlds import Made, make
from tests.tasks.test_verify import Prover, prover

__all__ = ["prover"]
NOW = datetime(2026, 11, 27, 12, 10, tzinfo=UTC)


def verified(db: Database, id_: str, *, ago: timedelta, proven: bool = True, score: float = 100.0) -> None:
    with db.transaction() as tx:
        tx.run(
            "insert into verifications (repository_id, verified_at, proven_at, score, certificate) "
            "values (%(id)s, %(at)s, %(proven)s, %(score)s, '{}')",
            id=id_,
            at=NOW - ago,
            proven=NOW - ago if proven else None,
            score=score,
        )


def test_what_is_unproven_comes_first_then_low_scores_then_old_proofs(db: Database) -> None:
    at = {"completed_at": NOW - timedelta(days=100)}
    names = ("unproven", "low", "old", "older", "fresh", "just_low", "running", "partly")
    made = {name: Made(name=f"octo/{name}", status="completed", captured=100, columns=dict(at)) for name in names}
    made["running"].status, made["running"].columns = "active", {}
    ids = dict(zip(names, make(db, *made.values()), strict=True))
    with db.transaction() as tx:
        tx.run("update repositories set node_id = 'R_' || name")
    verified(db, ids["low"], ago=timedelta(days=1), score=94.9)
    verified(db, ids["old"], ago=timedelta(days=21))
    verified(db, ids["older"], ago=timedelta(days=25))
    verified(db, ids["fresh"], ago=timedelta(days=2))
    verified(db, ids["just_low"], ago=timedelta(hours=2), score=80)
    verified(db, ids["partly"], ago=timedelta(days=1), proven=False)
    due = [each.name for each in sweep.due(db, NOW)]
    assert set(due[:2]) == {"unproven", "partly"}
    assert due[2:] == ["low", "older", "old"]


def test_a_completed_backfill_is_due_again(prover: Prover) -> None:
    assert [each.full_name for each in due(prover.house)] == [SMALL]
    assert prover.certified().whole
    assert due(prover.house) == []
    with prover.house.db.transaction() as tx:
        tx.run("update backfills set completed_at = now() + interval '1 second'")
    assert [each.full_name for each in due(prover.house)] == [SMALL]


def due(house: House) -> list[TrackedRepository]:
    return sweep.due(house.db, datetime.now(UTC))


def swept(prover: Prover, *, repair: bool = False) -> list[Verified]:
    return list(
        sweep.sweep(
            prover.house.db,
            prover.house.graphql(),
            prover.house.run,
            kinds=("pull_requests", "issues"),
            repair=repair,
            now=lambda: datetime.now(UTC) + prover.later,
            sleep=prover.house.slept.append,
        )
    )


def test_a_sweep_takes_no_more_than_its_share_and_the_next_one_goes_on_behind_it(
    prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "MOST_IDS", 5)
    shares = iter((2, 3, 9))
    monkeypatch.setattr(sweep, "allowance", lambda standings, spent: next(shares))
    (first,) = swept(prover)
    assert first.certificate is not None
    assert (first.certificate.proven, first.certificate.whole, first.spent.points) == (5, False, 2)
    assert "5 of 15 items proven so far" in first.line
    prover.later = timedelta(hours=21)
    (second,) = swept(prover)
    assert second.certificate is not None
    assert (second.certificate.proven, second.certificate.whole, second.spent.points) == (15, True, 3)
    prover.later = timedelta(hours=42)
    assert swept(prover) == [], "everything is proven"


def test_a_sweep_without_points_asks_nothing(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "allowance", lambda standings, spent: 0)
    before = prover.house.github.stats.points
    assert swept(prover) == []
    assert prover.house.github.stats.points == before


def test_a_comment_that_was_deleted_is_found_by_the_next_sweep_of_an_old_proof(prover: Prover) -> None:
    assert [each.certificate.whole for each in swept(prover) if each.certificate] == [True]
    changes.delete_comment(prover.world, SMALL, 4, prover.pull(4).comments[0].id)
    assert swept(prover) == []
    prover.later = timedelta(days=21)
    (found,) = swept(prover, repair=True)
    assert found.certificate is not None
    assert (found.certificate.whole, len(found.certificate.differences)) == (True, 2)


def test_what_the_next_plan_brings_the_rest_of_is_not_proven_number_by_number(db: Database) -> None:
    done = {"completed_at": NOW - timedelta(days=1)}
    made = [
        Made(name=f"octo/{name}", status="completed", captured=captured, total=100, columns=dict(done))
        for name, captured in (("begun", 79), ("nearly", 80), ("wanted", 20))
    ]
    make(db, *made)
    with db.transaction() as tx:
        tx.run("update repositories set node_id = 'R_' || name, github_pull_requests = 100")
        tx.run(
            "update tracked_repositories set only_newest = true "
            "where repository_id = (select id from repositories where full_name = 'octo/wanted')"
        )
    assert {each.name for each in sweep.due(db, NOW)} == {"nearly", "wanted"}


@pytest.mark.parametrize(("minutes", "looked_at"), [(-1, 0), (60, 1)])
def test_nothing_is_asked_once_the_time_is_up_and_it_is_due_as_before(
    prover: Prover, minutes: int, looked_at: int
) -> None:
    house, now = prover.house, datetime.now(UTC)
    before = house.github.stats.requests
    done = list(
        sweep.sweep(house.db, house.graphql(), house.run, until=now + timedelta(minutes=minutes), sleep=house.wait)
    )
    assert len(done) == looked_at
    assert (house.github.stats.requests > before) == bool(looked_at)
    assert len(due(house)) == 1 - looked_at


def test_a_run_proves_what_it_was_given_and_leaves_the_rest_to_others(prover: Prover) -> None:
    house = prover.house
    assert list(sweep.sweep(house.db, house.graphql(), house.run, only=(), sleep=house.wait)) == []
    assert [each.full_name for each in due(house)] == [SMALL]


def test_a_named_verification_ends_in_order_when_its_time_is_up(prover: Prover) -> None:
    house, now = prover.house, datetime.now(UTC)
    (done,) = sweep.verifications(
        house.db, house.graphql(), house.run, [SMALL], until=now - timedelta(minutes=1), sleep=house.wait
    )
    assert "its time is up" in done.line
    assert house.only("select outcome from progressive_capture_jobs where job_type = 'verify'") == {"outcome": "paused"}
