"""What a person decides about a repository is judged for each kind of its items, and told for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import Captured, Limits
from gh_backfill.policy.lifecycle import BackfillEvent
from gh_backfill.policy.selection import Thresholds
from gh_backfill.store import backfill_events, recovery
from gh_backfill.tasks import capture, operate, track
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.why import why
from tests.tasks.conftest import ENGINE, House

BOTH, ISSUES = ("pull_requests", "issues"), ("issues",)
Operate = Callable[[House], Sequence[Operated]]


def pause(house: House) -> Sequence[Operated]:
    return operate.pause(house.db, [ENGINE], reason="release day", until=None)


def cancel(house: House) -> Sequence[Operated]:
    return operate.cancel(house.db, [ENGINE])


def resume(house: House) -> Sequence[Operated]:
    return operate.resume(house.db, [ENGINE])


def retry(house: House) -> Sequence[Operated]:
    return operate.retry(house.db, [ENGINE])


def begun(house: House, kinds: Sequence[str] = BOTH) -> str:
    """Track a repository, and let each of its kinds begin."""
    found = track.ask(house.graphql(), [ENGINE], name_of=lambda number: ENGINE)
    (done,) = track.register(house.db, found, kinds=kinds)
    assert done.repository_id is not None
    for kind in kinds:
        captured(house, (kind,), Limits(chunk_size=5, max_chunks=1))
    return done.repository_id


def captured(house: House, kinds: Sequence[str], limits: Limits) -> Captured:
    return capture.run(
        *(house.db, house.graphql(), house.run, ENGINE, limits),
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def change(house: House, kind: str, columns: str) -> None:
    with house.db.transaction() as tx:
        tx.run(f"update backfills set {columns} where kind = %(kind)s", kind=kind)  # noqa: S608  (of a test)


def stand(house: House) -> dict[str, str]:
    return {row["kind"]: row["status"] for row in house.rows("select kind, status from backfills")}


def told(house: House) -> str:
    (found,) = why(house.db, [ENGINE], datetime.now(UTC), thresholds=Thresholds(), limit=12)
    return found.text


def test_issues_alone_are_paused_resumed_and_cancelled_though_there_is_no_backfill_of_pull_requests(
    house: House,
) -> None:
    begun(house, ISSUES)
    (paused,) = pause(house)
    assert (paused.changed, paused.status, stand(house)) == (True, "paused", {"issues": "paused"})
    (resumed,) = resume(house)
    assert (resumed.result, stand(house)) == ("goes on (was paused by gh-backfill: release day)", {"issues": "active"})
    (cancelled,) = cancel(house)
    assert cancelled.result.startswith("cancelled, what is here stays (5 issues)")
    assert captured(house, ISSUES, Limits()).items == 0
    (again,) = retry(house)
    assert (again.changed, stand(house)) == (True, {"issues": "active"})


def test_what_is_complete_of_one_kind_does_not_keep_the_other_one_from_a_pause(house: House) -> None:
    begun(house)
    captured(house, ("pull_requests",), Limits())
    (done,) = pause(house)
    assert done.result == (
        "pull requests: nothing to pause: the backfill is completed; "
        f"gh-backfill untrack {ENGINE} ends its syncs; "
        f"issues: paused (release day), goes on with gh-backfill resume {ENGINE}"
    )
    assert stand(house) == {"pull_requests": "completed", "issues": "paused"}
    assert [(each.kind, each.changed, each.status) for each in done.kinds] == [
        ("pull_requests", False, "completed"),
        ("issues", True, "paused"),
    ]


def test_a_retry_lets_the_kind_go_on_that_failed_and_leaves_the_paused_one(house: House) -> None:
    begun(house)
    change(house, "issues", "status = 'failed', last_error = 'broken'")
    change(house, "pull_requests", "status = 'paused', pause_reason = 'too_many_errors'")
    (done,) = retry(house)
    assert (done.changed, done.failed) == (True, False)
    assert "issues: goes on (was failed: broken)" in done.result
    assert "pull requests: the backfill is paused: gh-backfill resume" in done.result
    assert stand(house) == {"pull_requests": "paused", "issues": "active"}
    (again,) = retry(house)
    assert (again.changed, again.failed) == (False, True)


def test_an_event_says_of_which_kind_it_is(house: House) -> None:
    id_ = begun(house)
    change(house, "pull_requests", "status = 'completed', completed_at = now()")
    pause(house)
    with house.db.transaction(read_only=True) as tx:
        events = [each for each in backfill_events.last(tx, [id_]) if each.event is BackfillEvent.PAUSED]
    assert [each.kind for each in events] == ["issues"]


def test_a_dry_run_says_it_for_each_kind_and_changes_none(house: House) -> None:
    begun(house)
    (done,) = operate.cancel(house.db, [ENGINE], dry_run=True)
    assert "pull requests: cancelled, what is here stays (5 pull requests)" in done.result
    assert "issues: cancelled, what is here stays (5 issues)" in done.result
    assert stand(house) == {"pull_requests": "active", "issues": "active"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("status = 'active'", "issues: waiting for a worker; 5 of 14 issues are here"),
        (
            "status = 'completed', completed_at = now()",
            f"issues: complete, gh-backfill sync {ENGINE} reads what changed since; 5 of 14 issues are here",
        ),
        (
            "status = 'failed', last_error = 'broken'",
            (
                f"issues: it failed: broken; when the cause is gone, gh-backfill resume {ENGINE} lets it go on; "
                "5 of 14 issues are here"
            ),
        ),
        (
            "status = 'paused', pause_reason = 'credential_refused', resume_at = '2026-03-01 12:00+00'",
            (
                "issues: GitHub refuses the credential, goes on at 2026-03-01 12:00 UTC; "
                f"gh-backfill resume {ENGINE} lets it go on now; 5 of 14 issues are here"
            ),
        ),
    ],
)
@pytest.mark.parametrize("kinds", [BOTH, ISSUES])
def test_why_says_how_the_issues_stand(house: House, kinds: Sequence[str], columns: str, said: str) -> None:
    begun(house, kinds)
    change(house, "issues", columns)
    assert told(house).endswith(said)
    assert ("pull requests are here" in told(house)) is (kinds == BOTH)


def test_a_repository_without_any_backfill_is_told_so_once(house: House) -> None:
    track.register(house.db, track.ask(house.graphql(), [ENGINE], name_of=lambda number: ENGINE))
    (done,) = pause(house)
    assert done.result == "nothing to pause: it has no backfill"
    with house.db.transaction(read_only=True) as tx:
        assert [each.kind for each in recovery.states(tx, str(done.repository_id))] == ["pull_requests"]
