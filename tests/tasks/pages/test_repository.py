"""The page of one repository: what is here by number, and everything that happened to it, the latest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from gh_backfill.engine.outcome import Limits
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.shown import PageState
from gh_backfill.simulator import changes
from gh_backfill.store import pages, pages_repository, webhooks
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import untrack
from gh_backfill.tasks.outlook import outlook
from gh_backfill.tasks.pages.look import look
from gh_backfill.tasks.pages.repository import RepositoryPage, repository
from tests.tasks.conftest import ENGINE, SMALL, House
from tests.tasks.pages.worlds import Made, insert, jobs_parts, make
from tests.tasks.test_sync import synced

NOW = datetime(2026, 11, 27, 12, 10, tzinfo=UTC)


def page_of(db: Database, name: str, now: datetime = NOW, **query: str) -> RepositoryPage:
    """Return the page of a repository that is there."""
    found = repository(db, name, query, now)
    assert found is not None
    return found


def test_a_repository_that_the_database_does_not_have_has_no_page(db: Database) -> None:
    assert repository(db, "octo/nowhere", {}, NOW) is None


def test_the_page_has_the_figures_of_status_and_the_health_of_the_last_finished_run(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    page = page_of(house.db, SMALL.upper(), datetime.now(UTC))
    (state,) = outlook(house.db).states
    assert page.row is not None
    assert (page.row.captured, page.row.total, page.row.percent) == (state.captured, state.total, state.percent)
    assert page.shown.state is PageState.COMPLETED
    assert page.health.state is PageState.COMPLETED
    assert page.health.text.startswith("the last run completed")
    assert (page.about.tracked, page.about.tracked_by) == (True, "gh-backfill")
    assert [each.kind for each in page.kinds] == ["pull_requests"]
    assert page.kinds[0].fresh_at is not None


def test_what_was_untracked_and_is_tracked_again_is_tracked_since_then(house: House) -> None:
    house.track(SMALL)
    with house.db.transaction() as tx:
        tx.run("update tracked_repositories set created_at = created_at - interval '9 days'")
    untrack.untrack(house.db, [SMALL], delete_rows=False)
    house.track(SMALL)
    since = page_of(house.db, SMALL, datetime.now(UTC)).about.tracked_at
    assert since is not None
    assert datetime.now(UTC) - since < timedelta(days=1)


def test_coverage_tells_what_is_here_what_is_odd_and_what_is_not_read_yet(house: House) -> None:
    house.track(ENGINE)
    house.capture(ENGINE, limits=Limits(max_chunks=1))
    (lowest,) = house.rows(
        "select min(number) as n, max(number) as top, min(repository_id::text) as id from pull_requests"
    )
    with house.db.transaction() as tx:
        tx.run("update pull_requests set capture_gap = 'one review is missing' where number = %(n)s", n=lowest["top"])
        odd = {"repository_id": lowest["id"], "kind": "pull_request", "identity": "x", "reason": "no title"}
        insert(tx, "backfill_quarantine", {**odd, "number": lowest["n"] + 10})
    page = page_of(house.db, ENGINE, datetime.now(UTC))
    assert page.coverage.last == lowest["top"]
    assert sum(part.share for part in page.coverage.parts) == pytest.approx(100)
    kinds = [part.kind for part in page.coverage.parts]
    assert kinds[0] == "missing"
    assert kinds[-1] == "unknown"
    assert kinds.count("odd") == 1
    first_here = next(part for part in page.coverage.parts if part.kind != "missing")
    assert first_here.first <= lowest["n"] <= first_here.last
    assert [(each.number, each.reason) for each in page.quarantine] == [(lowest["n"] + 10, "no title")]
    assert [(gap.number, gap.gap) for gap in page.gaps] == [(lowest["top"], "one review is missing")]


def test_the_story_has_what_people_jobs_and_pages_did_and_who(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    untrack.untrack(house.db, [SMALL], delete_rows=False, actor=Actor(who="mona"))
    page = page_of(house.db, SMALL, datetime.now(UTC))
    first = page.story[0].what
    assert (first.word, first.who, first.mark) == ("untracked", "mona", "◇")
    assert {each.what.source for each in page.story} == {"event", "job", "chunk"}
    words = [each.what.word for each in page.story]
    assert "chunk 1" in words
    assert any(word.startswith("catch-up chunk") for word in words)
    done = next(each.what for each in page.story if each.what.word == "chunk 1")
    assert done.text.startswith("12 pull requests, ")
    times = [each.what.at for each in page.story]
    assert times == sorted(times, reverse=True)


def test_a_sync_stands_in_the_story_by_its_name_and_makes_the_repository_fresh(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("update backfill_streams set watermark = watermark - interval '1 day' where stream = 'catch_up'")
    before = page_of(house.db, SMALL, datetime.now(UTC))
    changes.open_pull_request(house.github.world, SMALL, author="octo", title="New")
    synced(house)
    page = page_of(house.db, SMALL, datetime.now(UTC))
    said = [(each.what.word, each.what.text) for each in page.story if each.what.word.startswith("sync")]
    assert [word for word, _ in said] == ["sync chunk 1", "sync completed"]
    assert said[0][1].startswith("1 pull request, 1 row new, 1 point")
    assert before.row is not None
    assert before.row.fresh_at is not None
    assert page.row is not None
    assert page.row.fresh_at is not None
    assert page.row.fresh_at - before.row.fresh_at > timedelta(hours=23)


def announced(db: Database, number: int, *, action: str = "opened") -> None:
    """Let a webhook tell of a pull request of the repository that was made first."""
    with db.transaction() as tx:
        (row,) = tx.rows("select min(github_id) as id from repositories")
        payload = {"action": action, "actor": "mona", "actor_id": 1, "at": None}
        assert webhooks.announce(
            tx, row["id"], kind="capture", identity=str(number), event="pull_request_review", payload=payload
        )


def test_the_story_has_what_webhooks_announced_until_it_is_fetched_and_then_who_fetched_it(db: Database) -> None:
    (id_,) = make(db, Made(name="o/moves", status="completed"))
    before = jobs_parts(db)
    announced(db, 7)
    announced(db, 12)
    announced(db, 12, action="edited")
    assert jobs_parts(db) == before
    now = datetime.now(UTC)
    told = [
        (each.what.word, each.what.mark, each.what.text, each.what.who) for each in page_of(db, "o/moves", now).story
    ]
    assert told == [
        ("announced, waiting", "‖", "#12 pull request review edited, 2 times: waits to be fetched", "mona"),
        ("announced, waiting", "‖", "#7 pull request review opened: waits to be fetched", "mona"),
    ]
    with db.transaction() as tx:
        first, second = webhooks.due(tx, now + timedelta(hours=1), most=10)
        webhooks.failed(tx, first.repository, [(first, "GitHub answers 502", now + timedelta(minutes=4))])
        webhooks.done(tx, second.repository, [second])
        job = {"repository_id": id_, "job_type": "webhook", "run_key": "w", "items": 1, "points": 1}
        ended = {
            "status": "completed",
            "outcome": "completed",
            "created_at": now,
            "started_at": now,
            "completed_at": now,
        }
        insert(tx, "progressive_capture_jobs", {**job, **ended})
    later = page_of(db, "o/moves", now).story
    again = f"could not be fetched (1 try), again at {now + timedelta(minutes=4):%H:%M} UTC: GitHub answers 502"
    assert [(each.what.word, each.what.text) for each in later] == [
        ("fetch completed", "announced by webhooks: 1 pull request, 1 point, 0.0 s"),
        ("announced, retrying", f"#7 pull request review opened: {again}"),
    ]
    found = repository(db, "o/moves", {}, now, public_only=True)
    assert found is not None
    assert {each.what.who for each in found.story if each.what.source == "announced"} == {None}
    assert "answers 502" not in json_text(found.as_json())


def test_what_was_announced_before_a_repository_was_untracked_does_not_wait_to_be_fetched(db: Database) -> None:
    make(db, Made(name="o/left", status="completed"))
    announced(db, 7)
    announced(db, 8)
    soon = datetime.now(UTC) + timedelta(hours=1)
    with db.transaction() as tx:
        first, _ = webhooks.due(tx, soon, most=10)
        webhooks.failed(tx, first.repository, [(first, "GitHub answers 502", soon)])
    untrack.untrack(db, ["o/left"], delete_rows=False, actor=Actor(who="mona"))
    with db.transaction() as tx:
        assert webhooks.due(tx, soon + timedelta(days=1), most=10) == []
        assert webhooks.waiting(tx).announced == 0
    told = [each.what for each in page_of(db, "o/left", datetime.now(UTC)).story if each.what.source == "announced"]
    assert {(each.word, each.text) for each in told} == {
        (
            "announced, waiting",
            f"#{number} pull request review opened: is fetched when the repository is tracked again",
        )
        for number in (7, 8)
    }
    with db.transaction() as tx:
        tx.run("update tracked_repositories set tracking_enabled = true")
        assert webhooks.waiting(tx).announced == 2
    again = [each.what.text for each in page_of(db, "o/left", datetime.now(UTC)).story]
    assert any(text.endswith("#8 pull request review opened: waits to be fetched") for text in again)


def test_what_is_announced_moves_the_page_of_its_repository(db: Database) -> None:
    (id_,) = make(db, Made(name="o/moves", status="completed"))
    before = look(db)
    announced(db, 7)
    assert look(db)[f"repository/{id_}"] != before[f"repository/{id_}"]


def test_all_pages_of_the_story_together_have_everything_once(db: Database) -> None:
    (id_,) = make(db, Made(name="o/long", status="completed"))
    same = NOW - timedelta(hours=1)
    with db.transaction() as tx:
        for place in range(50):
            at = same if place % 2 else same - timedelta(minutes=place)
            event = {"repository_id": id_, "event": "paused", "who": "mona", "at": at}
            insert(tx, "backfill_events", event)
            job = {"repository_id": id_, "job_type": "webhook", "created_at": at, "run_key": str(place)}
            insert(tx, "progressive_capture_jobs", job)
            odd = {"repository_id": id_, "kind": "review", "reason": "broken", "first_seen_at": at}
            insert(tx, "backfill_quarantine", {**odd, "identity": str(place)})
    for place in range(50):
        announced(db, place + 1)
    with db.transaction() as tx:
        tx.run("update webhook_pending set last_at = %(at)s where identity::int %% 2 = 0", at=same)
    found: list[tuple[str, str]] = []
    query: dict[str, str] = {}
    while True:
        page = page_of(db, "o/long", NOW, **query)
        found += [(each.what.source, f"{each.what.at} {each.what.run_key} {each.what.text}") for each in page.story]
        if page.story_next is None:
            break
        query = dict(parse_qsl(page.story_next.removeprefix("?")))
    assert [source for source, _ in found].count("event") == 50
    assert len({each for each in found if each[0] == "job"}) == 50
    assert len({each for each in found if each[0] == "announced"}) == 50
    assert len(found) == 200


def test_what_happened_in_one_moment_is_told_once_however_few_fit_on_a_page(db: Database) -> None:
    (id_,) = make(db, Made(name="o/moment", status="completed"))
    with db.transaction() as tx:
        for place in range(10):
            of: dict[str, object] = {"repository_id": id_}
            insert(tx, "backfill_events", {**of, "event": "paused", "who": "mona", "at": NOW})
            insert(tx, "progressive_capture_jobs", {**of, "job_type": "webhook", "created_at": NOW, "run_key": "1"})
            odd = {"kind": "review", "reason": "broken", "first_seen_at": NOW, "identity": str(place)}
            insert(tx, "backfill_quarantine", {**of, **odd})
            chunk = {"chunk_number": place, "status": "completed", "created_at": NOW, "processor_type": "local"}
            insert(tx, "backfill_chunks", {**of, **chunk})
    keys: list[str] = []
    before: tuple[datetime, str] | None = None
    while True:
        with pages.reading(db) as tx:
            (rows,) = tx.together(pages_repository.story_question(id_, 3, before))
        keys += [row["key"] for row in rows]
        if not rows:
            break
        before = (rows[-1]["at"], rows[-1]["key"])
    assert (len(keys), len(set(keys))) == (40, 40)


def test_what_is_known_and_not_tracked_says_so(db: Database) -> None:
    make(db, Made(name="o/left", tracked=False, status=None))
    page = page_of(db, "o/left")
    assert not page.about.tracked
    assert page.row is None
    assert page.shown.state is PageState.NEVER
    assert page.coverage.text == "Nothing is here yet."


def test_a_page_is_json(house: House) -> None:
    house.track(SMALL)
    house.capture(SMALL)
    assert SMALL in json_text(page_of(house.db, SMALL, datetime.now(UTC)).as_json())
