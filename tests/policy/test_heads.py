"""Whether a repository changed since its checkpoints, by its newest updates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gh_backfill.models.heads import Head, Newest, Updates
from gh_backfill.policy.heads import Changed, Unchanged, judge, since

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CHECKPOINT = NOW - timedelta(minutes=30)


def newest(*minutes_ago: float, total: int | None = None) -> Newest:
    heads = tuple(
        Head(number=number, updated_at=NOW - timedelta(minutes=ago)) for number, ago in enumerate(minutes_ago, 1)
    )
    return Newest(heads=heads, total=len(heads) if total is None else total)


def updates(**kinds: Newest) -> Updates:
    return Updates(full_name="octo/engine", is_private=False, at=NOW, newest=kinds)


def test_what_is_stored_as_it_is_is_unchanged_up_to_githubs_time_of_the_answer() -> None:
    told = updates(pull_requests=newest(5, 35, 50, total=100))
    assert [each.number for each in since(told.newest["pull_requests"], CHECKPOINT)] == [1, 2]
    assert judge(told, {"pull_requests": CHECKPOINT}, {}) == Unchanged(at=NOW)


def test_the_margin_begins_at_its_very_second() -> None:
    told = newest(40, 40.02)
    assert [each.number for each in since(told, CHECKPOINT)] == [1]


def test_what_is_missing_is_counted_for_each_kind() -> None:
    told = updates(pull_requests=newest(5, 6, 60, total=100), issues=newest(7, 60, total=100))
    checkpoints = {"pull_requests": CHECKPOINT, "issues": CHECKPOINT}
    changed = judge(told, checkpoints, {"pull_requests": told.newest["pull_requests"].heads[:2]})
    assert changed == Changed(items={"pull_requests": 2})
    assert changed.words == "2"


def test_where_all_that_was_asked_for_is_new_there_may_be_more() -> None:
    told = updates(pull_requests=newest(1, 2, 3, total=100))
    judged = judge(told, {"pull_requests": CHECKPOINT}, {"pull_requests": told.newest["pull_requests"].heads})
    assert judged == Changed(items={"pull_requests": 3}, many=True)
    assert judged.words == "3 or more"
    # Also where a webhook brought them all: what comes after them is not known.
    assert isinstance(judge(told, {"pull_requests": CHECKPOINT}, {}), Changed)


def test_a_list_that_is_known_to_its_end_has_no_more() -> None:
    assert judge(updates(pull_requests=newest(1, 2)), {"pull_requests": CHECKPOINT}, {}) == Unchanged(at=NOW)
    assert judge(updates(issues=newest()), {"issues": CHECKPOINT}, {}) == Unchanged(at=NOW)


def test_a_kind_that_was_never_read_to_its_end_counts_as_changed() -> None:
    told = updates(pull_requests=newest(60), issues=newest(60))
    judged = judge(told, {"pull_requests": CHECKPOINT}, {})
    assert judged == Changed(items={"issues": 0}, many=True)
