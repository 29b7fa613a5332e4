"""One budget row for all jobs of an identity: never more is granted than is there, and what GitHub says counts."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.engine.gate import HeadStarts
from gh_backfill.models.github import Budget
from gh_backfill.policy import governor, waits
from gh_backfill.policy.governor import BudgetState, Cause, RateLimitReport
from gh_backfill.store import budgets
from gh_backfill.store.budgets import Reserved
from gh_backfill.store.db import Database, Row
from tests import servers
from tests.conftest import Server

WHO = "user:1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESET = NOW + timedelta(minutes=30)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def wanted(points: int = 1, seconds: float = 0.03, who: str = WHO) -> Reserved:
    return Reserved(identity=who, request=uuid.uuid4().hex, points=points, seconds=seconds)


def reserve(
    db: Database, points: int = 1, *, seconds: float = 0.03, now: datetime = NOW
) -> tuple[Reserved, BudgetState]:
    """Reserve what must be granted."""
    asked = wanted(points, seconds)
    granted, standing = budgets.reserve(db, asked, now=now)
    assert granted, governor.verdict(standing, points)
    return asked, standing


def refused(db: Database, points: int = 1, *, now: datetime = NOW) -> governor.Wait:
    """Ask for what must not be granted, and return what to wait for."""
    granted, standing = budgets.reserve(db, wanted(points), now=now)
    assert not granted
    wait = governor.verdict(standing, points)
    assert wait is not None
    return wait


def told(
    remaining: int | None, *, limit: int = 100, reset_at: datetime = RESET, seconds: float = 0.03, **more: object
) -> RateLimitReport:
    budget = None if remaining is None else Budget(limit=limit, remaining=remaining, reset_at=reset_at)
    return RateLimitReport(seconds=seconds, budget=budget, answered=budget is not None, **more)  # type: ignore[arg-type]


def learned(db: Database, remaining: int, *, limit: int = 100, reset_at: datetime = RESET) -> None:
    """Let one request tell how the budget stands."""
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(remaining, limit=limit, reset_at=reset_at), now=NOW)


def left(db: Database, now: datetime = NOW) -> int:
    (standing,) = budgets.standings(db, [WHO], now=now)
    return standing.left


def row(db: Database) -> Row:
    with db.transaction(read_only=True) as tx:
        found = tx.row("select * from api_budgets where identity = %(who)s", who=WHO)
    assert found is not None
    return found


def test_an_identity_that_nothing_is_known_of_begins_with_the_least_limit_there_is(db: Database) -> None:
    _, standing = reserve(db, 3)
    assert (standing.limit, standing.left, standing.reset_at) == (1_000, 1_000, None)
    assert left(db) == 997


@pytest.mark.parametrize("limit", [60, 1_000, 5_000])
def test_the_last_tenth_of_the_limit_is_never_granted(db: Database, limit: int) -> None:
    kept = limit // 10
    learned(db, kept + 3, limit=limit)
    reserve(db, 3)
    wait = refused(db)
    assert (wait.cause, wait.until) == (Cause.POINTS, RESET + governor.MARGIN)
    assert f"{kept} of {limit} points left, {kept} are kept in reserve" in wait.reason


def test_what_is_reserved_counts_as_spent_until_it_is_settled(db: Database) -> None:
    learned(db, 30)
    asked, _ = reserve(db, 15)
    assert left(db) == 15
    refused(db, 6)
    budgets.settle(db, asked, told(29), now=NOW)
    assert left(db) == 29


def test_a_reservation_of_a_job_that_died_is_free_after_90_seconds(db: Database) -> None:
    learned(db, 30)
    reserve(db, 20)
    refused(db, now=NOW + 89 * SECOND)
    reserve(db, 20, now=NOW + 90 * SECOND)
    assert len(row(db)["reserved"]) == 1


def test_after_the_reset_the_whole_limit_counts_less_what_is_under_way(db: Database) -> None:
    learned(db, 10)
    refused(db, now=RESET)
    later = RESET + governor.MARGIN
    _, standing = reserve(db, 40, now=later)
    assert standing.left == 100
    refused(db, 51, now=later)
    reserve(db, 50, now=later + SECOND)


def test_answers_that_overtake_each_other_leave_the_smaller_remainder(db: Database) -> None:
    learned(db, 50)
    first, _ = reserve(db)
    second, _ = reserve(db)
    budgets.settle(db, second, told(48), now=NOW)
    budgets.settle(db, first, told(49), now=NOW)
    assert left(db) == 48


def test_a_late_answer_of_an_older_window_is_ignored(db: Database) -> None:
    learned(db, 12)
    late, _ = reserve(db, 1)
    after = RESET + 10 * SECOND
    asked, _ = reserve(db, now=after)
    budgets.settle(db, asked, told(99, reset_at=RESET + timedelta(hours=1)), now=after)
    budgets.settle(db, late, told(11), now=after)
    assert (left(db, after), row(db)["reserved"]) == (99, {})


def test_a_new_window_counts_from_its_first_answer(db: Database) -> None:
    learned(db, 10)
    after = RESET + 10 * SECOND
    asked, _ = reserve(db, now=after)
    budgets.settle(db, asked, told(93, reset_at=RESET + timedelta(hours=1)), now=after)
    assert left(db, after) == 93


def test_a_changed_limit_is_believed(db: Database) -> None:
    learned(db, 100)
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(4_999, limit=5_000), now=NOW)
    assert (row(db)["budget_limit"], left(db)) == (5_000, 4_999)


def test_without_headers_the_points_stay_reserved_until_they_expire(db: Database) -> None:
    learned(db, 50)
    asked, _ = reserve(db, 5)
    budgets.settle(db, asked, told(None), now=NOW)
    assert (left(db), left(db, NOW + 91 * SECOND)) == (45, 50)


def test_a_retry_after_seen_by_one_holds_for_all_until_it_is_over(db: Database) -> None:
    learned(db, 90)
    until = NOW + 20 * SECOND
    asked, _ = reserve(db)
    assert budgets.settle(db, asked, told(89, resume_at=until), now=NOW) == until
    wait = refused(db, now=until - SECOND)
    assert (wait.cause, wait.until, wait.seconds) == (Cause.TOLD, until, 1.0)
    reserve(db, now=until)


def test_a_shorter_wait_never_replaces_a_longer_one(db: Database) -> None:
    long, short = NOW + 60 * SECOND, NOW + 5 * SECOND
    first, _ = reserve(db)
    second, _ = reserve(db)
    budgets.settle(db, first, told(50, resume_at=long), now=NOW)
    assert budgets.settle(db, second, told(49, resume_at=short), now=NOW) == long


def test_a_wait_without_a_time_doubles_while_it_repeats_and_begins_again_after_an_answer(db: Database) -> None:
    moment, waits = NOW, []
    for _ in range(3):
        asked, _ = reserve(db, now=moment)
        until = budgets.settle(db, asked, told(50, resume_at=moment + MINUTE, guessed=True), now=moment)
        assert until is not None
        waits.append(until - moment)
        moment = until
    assert waits == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    asked, _ = reserve(db, now=moment)
    budgets.settle(db, asked, RateLimitReport(seconds=0.1, budget=None, answered=True), now=moment)
    assert row(db)["slowdowns"] == 0


def test_requests_refused_together_make_the_wait_grow_once(db: Database) -> None:
    together = [reserve(db)[0] for _ in range(5)]
    waits = {budgets.settle(db, asked, told(50, resume_at=NOW + MINUTE, guessed=True), now=NOW) for asked in together}
    assert (waits, row(db)["slowdowns"]) == ({NOW + MINUTE}, 1)


def test_the_seconds_of_all_jobs_fill_one_bucket_that_leaks(db: Database) -> None:
    worked_long(db)
    reserve(db, seconds=1.0)
    reserve(db, seconds=1.0)
    wait = refused(db)
    assert wait.cause is Cause.TIME
    assert wait.seconds == pytest.approx((2.0 - governor.SLACK) / governor.DRAIN)
    reserve(db, now=wait.until + timedelta(milliseconds=1))


def worked_long(db: Database) -> None:
    """Leave an identity that has just used up what idleness had saved."""
    budgets.ensure(db, WHO)
    with db.transaction() as tx:
        tx.run("update api_budgets set busy = 0, busy_credit = 0, busy_at = %(now)s", now=NOW)


def test_after_idleness_five_captures_begin_at_once_and_the_seconds_are_paid_back(db: Database) -> None:
    for _ in range(5):
        reserve(db, seconds=1.5)
    reserve(db, seconds=1.5)
    reserve(db, seconds=1.5)
    wait = refused(db)
    assert wait.cause is Cause.TIME
    assert wait.seconds == pytest.approx((7 * 1.5 - governor.SLACK) / governor.DRAIN)


def test_what_took_longer_than_was_thought_was_no_idleness(db: Database) -> None:
    worked_long(db)
    asked, _ = reserve(db, seconds=1.0)
    budgets.settle(db, asked, told(90, seconds=9.0), now=NOW + 9 * SECOND)
    assert row(db)["busy_credit"] == 0


@given(
    turns=st.lists(st.tuples(st.sampled_from([0, 1, 5, 9, 20]), st.sampled_from([2, 20, 62])), min_size=2, max_size=3),
    length=st.sampled_from([0.5, 1.0]),
)
@settings(max_examples=8)
def test_no_minute_holds_more_than_a_minute_of_githubs_time_whenever_jobs_idle_and_come_back(
    db: Database, turns: list[tuple[int, int]], length: float
) -> None:
    with db.transaction() as tx:
        tx.run("truncate api_budgets")
    moment, sent = NOW, list[datetime]()
    for idle, asking in turns:
        moment += idle * SECOND
        end = moment + asking * SECOND
        while moment < end:  # everybody asks whenever something may be granted
            if budgets.reserve(db, wanted(points=0, seconds=length), now=moment)[0]:
                sent.append(moment)
                assert sum(each > moment - MINUTE for each in sent) * length <= 60
            else:
                moment += SECOND / 2


def test_a_request_is_settled_with_the_seconds_it_took(db: Database) -> None:
    asked, _ = reserve(db, seconds=1.0)
    budgets.settle(db, asked, told(50, seconds=3.0), now=NOW)
    assert row(db)["busy"] == pytest.approx(3.0)


def sent_in(length: timedelta, db: Database, seconds: float, jobs: int) -> int:
    """Let jobs ask as fast as they are let; returns how many requests were sent in that time."""
    moment, running, sent = NOW, list[tuple[datetime, Reserved]](), 0
    while moment < NOW + length:
        for done in [each for each in running if each[0] <= moment]:
            running.remove(done)
            budgets.settle(db, done[1], told(900, limit=1_000, seconds=seconds), now=moment)
        events = [each[0] for each in running]
        if len(running) < jobs:
            asked = wanted(seconds=seconds)
            granted, standing = budgets.reserve(db, asked, now=moment)
            if granted:
                running.append((moment + timedelta(seconds=seconds), asked))
                sent += 1
                continue
            wait = governor.verdict(standing, 1)
            assert wait is not None
            events.append(wait.until + timedelta(milliseconds=1))
        moment = min(events)
    return sent


def test_a_minute_holds_no_more_than_a_minute_of_githubs_time_however_many_jobs_ask(db: Database) -> None:
    assert 55 <= sent_in(MINUTE, db, 1.0, jobs=5) <= 60


@pytest.mark.parametrize("length", [0.4, 2.0, 9.0])
def test_a_question_that_somebody_waits_for_is_let_in_next_while_captures_ask_without_a_pause(
    db: Database, length: float
) -> None:
    eager, question = governor.slack_beside(length), governor.SLACK + governor.HEAD_START
    moment, sent = NOW, list[tuple[datetime, float]]()

    def let_in(seconds: float, slack: float) -> bool:
        granted, _ = budgets.reserve(db, wanted(points=0, seconds=seconds), slack=slack, now=moment)
        if granted:
            sent.append((moment, seconds))
            minute = sum(each for at, each in sent if at > moment - MINUTE)
            assert minute <= 60 + governor.HEAD_START + length
        return granted

    for _ in range(20):
        asked = moment
        overtaken = 0
        while not let_in(0.2, question):
            overtaken += let_in(length, eager)
            moment += SECOND / 50
        assert overtaken == 0
        assert moment - asked < (governor.BURST + length) / governor.DRAIN * SECOND + SECOND
        while let_in(length, eager):
            pass


def test_captures_have_their_turns_while_somebody_asks_without_a_pause(db: Database) -> None:
    passed = [0.0]
    starts = HeadStarts(lambda: passed[0])
    pages = questions = 0
    while passed[0] < 120:
        moment = NOW + passed[0] * SECOND
        granted, before = budgets.reserve(db, wanted(points=0, seconds=0.6), slack=starts.slack(), now=moment)
        if granted:
            starts.take(before)
            questions += 1
        eager = governor.slack_beside(1.0)
        pages += budgets.reserve(db, wanted(points=0, seconds=1.0), slack=eager, now=moment)[0]
        passed[0] += 0.05
    assert pages > 60
    assert questions > 10


def test_one_serial_reader_is_hardly_held_up(db: Database) -> None:
    assert sent_in(MINUTE, db, 1.0, jobs=1) >= 57


def test_short_requests_are_held_to_2000_a_minute(db: Database) -> None:
    at_once, a_second = governor.SLACK / governor.LEAST_SECONDS + 1, governor.DRAIN / governor.LEAST_SECONDS
    assert at_once + 60 * a_second <= 2_000
    worked_long(db)
    assert 100 < sent_in(3 * SECOND, db, 0.001, jobs=50) <= at_once + 3 * a_second


def granted_to_five_jobs(url: str) -> int:
    """Let five jobs ask at once, 56 times each, and return how many points they were granted together."""
    start = threading.Barrier(5)

    def job(number: int) -> int:
        with Database(url) as own:
            start.wait()
            moments = [NOW + timedelta(seconds=number + 5 * turn) for turn in range(1, 15) for _ in range(4)]
            return sum(budgets.reserve(own, wanted(seconds=0.0), now=moment)[0] for moment in moments)

    with ThreadPoolExecutor(5) as pool:
        return sum(pool.map(job, range(5)))


def test_five_jobs_at_once_are_granted_exactly_what_is_there(db: Database, database_url: str) -> None:
    learned(db, 160, limit=400)
    assert granted_to_five_jobs(database_url) == 120
    assert len(row(db)["reserved"]) == 120


@pytest.mark.skipif(servers.PGBOUNCER is None, reason="pgbouncer is not installed")
def test_so_they_are_through_a_pooler_that_has_two_connections_for_all(
    db: Database, database_url: str, server: Server
) -> None:
    learned(db, 160, limit=400)
    with servers.pgbouncer(server.url, pool_size=2) as pooler:
        pooled = urlsplit(pooler)._replace(path=urlsplit(database_url).path).geturl()
        assert granted_to_five_jobs(pooled) == 120


def test_identities_do_not_share(db: Database) -> None:
    learned(db, 10)
    refused(db)
    assert budgets.reserve(db, wanted(who="user:2"), now=NOW)[0]


def test_the_database_and_the_policy_judge_alike(db: Database) -> None:
    learned(db, 13, limit=100)
    for points in (1, 3, 4, 5):
        asked = wanted(points, 0.0)
        granted, standing = budgets.reserve(db, asked, now=NOW + 60 * SECOND)
        assert granted == (governor.verdict(standing, points) is None)
        if granted:
            budgets.settle(db, asked, told(13), now=NOW)


@pytest.mark.parametrize("words", ["ghp_", "github_pat_"])
def test_no_row_ever_holds_a_token(db: Database, words: str) -> None:
    learned(db, 50)
    assert words not in str(row(db))


def test_only_the_wish_to_slow_down_waits_for_the_disk(db: Database) -> None:
    with db.transaction() as tx:
        tx.run("create table noted (setting text)")
        tx.run(
            "create function note() returns trigger language plpgsql as $$ begin "
            "insert into noted values (current_setting('synchronous_commit')); return new; end $$"
        )
        tx.run("create trigger note after update on api_budgets for each row execute function note()")
        (name,) = tx.rows("select quote_ident(current_database()) as name")
        tx.run(f"alter database {name['name']} set synchronous_commit = on")
    db.close()  # the next connection has it on
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(99), now=NOW)
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(None, resume_at=NOW + MINUTE), now=NOW)
    with db.transaction(read_only=True) as tx:
        assert [row["setting"] for row in tx.rows("select setting from noted")] == ["off", "off", "off", "on"]
        assert tx.row("show synchronous_commit") == {"synchronous_commit": "on"}


def test_a_wait_that_is_told_grows_while_it_repeats_and_never_ends_later_than_65_minutes_from_now(db: Database) -> None:
    moment, lengths = NOW, []
    for _ in range(14):
        asked, _ = reserve(db, now=moment)
        until = budgets.settle(db, asked, told(50, resume_at=moment + SECOND), now=moment)
        assert until is not None
        lengths.append((until - moment) // SECOND)
        moment = until
    assert lengths == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 2048, 2048]
    asked, _ = reserve(db, now=moment)
    until = budgets.settle(db, asked, told(50, resume_at=moment + timedelta(days=30)), now=moment)
    assert until == moment + waits.MOST


def test_a_wait_or_a_reset_stored_beyond_65_minutes_does_not_count_and_is_corrected_by_the_next_answer(
    db: Database,
) -> None:
    learned(db, 0)
    with db.transaction() as tx:
        tx.run("update api_budgets set reset_at = '2100-01-01', not_before = '2100-01-01'")
    asked, standing = reserve(db)
    assert standing.not_before is None
    budgets.settle(db, asked, told(90), now=NOW)
    assert (row(db)["reset_at"], row(db)["not_before"] <= NOW, left(db)) == (RESET, True, 90)


@pytest.mark.parametrize("ahead", [-3 * timedelta(hours=1), 10 * MINUTE])
def test_what_a_job_tells_whose_clock_is_off_is_written_on_the_clock_of_all(db: Database, ahead: timedelta) -> None:
    asked, _ = reserve(db)
    answer = told(0, reset_at=RESET + ahead, resume_at=NOW + ahead + MINUTE, at=NOW + ahead)
    assert budgets.settle(db, asked, answer, now=NOW) == NOW + MINUTE
    assert row(db)["reset_at"] == RESET


def test_what_github_says_when_it_is_asked_takes_the_place_of_what_is_stored(db: Database) -> None:
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(0, resume_at=NOW + 60 * MINUTE), now=NOW)
    fresh = Budget(limit=5_000, remaining=4_000, reset_at=RESET)
    budgets.correct(db, WHO, "graphql", fresh, at=NOW, now=NOW)
    _, standing = reserve(db)
    assert (standing.limit, standing.left, standing.not_before) == (5_000, 4_000, None)


def test_a_short_wait_stays_when_github_is_asked_for_the_budget_because_it_may_be_that_of_a_secondary_limit(
    db: Database,
) -> None:
    asked, _ = reserve(db)
    budgets.settle(db, asked, told(50, resume_at=NOW + MINUTE), now=NOW)
    budgets.correct(db, WHO, "graphql", Budget(limit=100, remaining=50, reset_at=RESET), at=NOW, now=NOW)
    assert refused(db).until == NOW + MINUTE


def test_the_database_and_the_policy_let_waits_grow_alike(db: Database) -> None:
    alone, moment = governor.unknown(WHO, NOW), NOW
    for guessed in (True, True, False, True, False, False):
        asked, _ = reserve(db, now=moment)
        answer = told(None, resume_at=moment + 2 * SECOND, guessed=guessed, at=moment)
        until = budgets.settle(db, asked, answer, now=moment)
        alone = governor.after_answer(governor.at(alone, moment), answer)
        assert alone.not_before == until
        assert until is not None
        moment = until
