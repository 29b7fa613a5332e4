"""A run gives each item its vector once, whatever the provider does, and whatever ends it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gh_backfill import settings
from gh_backfill.clients.embedders.embedder import EmbeddedTexts
from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.openai import TRIES_WRONG, OpenAIEmbedder
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.store import embeddings, migrations, programs
from gh_backfill.store.db import Database
from gh_backfill.tasks.embedding import choosing
from gh_backfill.tasks.embedding.run import Embedded, EmbeddingProgress, EmbeddingWish, run
from tests import servers
from tests.embedding_rows import add, embedded, into_workspace, rows
from tests.embedding_service import EmbeddingService, Turn, serving

ROOT = Path(__file__).parents[3]


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


def embedder(service: EmbeddingService) -> OpenAIEmbedder:
    found = choosing.embedder(settings.load(service.settings(), dotenv=None), sleep=lambda _: None)
    assert isinstance(found, OpenAIEmbedder)
    return found


def titles(service: EmbeddingService) -> Counter[str]:
    return Counter(text.partition("\n")[0] for text in service.embedded)


def attempts(db: Database) -> list[tuple[str, int, bool]]:
    found = rows(db, "select item_id, attempts, set_aside_at is not null as aside from embedding_attempts")
    return [(row["item_id"], row["attempts"], row["aside"]) for row in found]


def jobs(db: Database) -> list[tuple[str, int, int]]:
    found = rows(db, "select status, items_total, items_processed from embedding_jobs order by created_at")
    return [(row["status"], row["items_total"], row["items_processed"]) for row in found]


def test_every_item_gets_vector_hash_and_time_and_nothing_is_left_in_hand(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=30, pull_requests=40, discussions=20)
    by = embedder(service)
    told = run(db, by, EmbeddingWish(batch=25), price=0.02)
    assert (told.done, told.failed, told.skipped, told.left) == (90, 0, 0, 0)
    assert (told.tokens, told.cost, told.stopped_reason) == (360, 360 * 0.02 / 1e6, None)
    assert embedded(db) == {"issues": 30, "pull_requests": 40, "discussions": 20}
    assert attempts(db) == []
    assert jobs(db) == [("completed", 90, 90)]
    (row,) = rows(db, "select content_hash, embedding::text as vector from issues where number = 3")
    text = "issues 3 of octo/one\n\ntext about thing 3"
    assert row["content_hash"] == by.recipe.content_hash(text)
    assert json.loads(row["vector"]) == pytest.approx(HashEmbedder().embed([text]).each[0], abs=1e-6)


def test_a_second_run_asks_nobody_and_leaves_no_record(db: Database, service: EmbeddingService) -> None:
    add(db, issues=3)
    run(db, embedder(service))
    asked = len(service.asked)
    assert run(db, embedder(service)) == Embedded()
    assert (len(service.asked), len(jobs(db))) == (asked, 1)


def test_a_provider_that_fails_limits_and_errs_now_and_then_embeds_every_item_once(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=60, pull_requests=60)
    bad = [each for each in Turn if each not in (Turn.GOOD, Turn.DENIED, Turn.NO_QUOTA)]
    service.turns = random.Random(7).choices([*bad, *[Turn.GOOD] * len(bad)], k=60)  # noqa: S311
    told = run(db, embedder(service), EmbeddingWish(batch=7))
    assert (told.done, told.failed, told.left) == (120, 0, 0)
    assert set(titles(service).values()) == {1}
    assert len(titles(service)) == 120
    for table in ("issues", "pull_requests"):
        for row in rows(db, f"select number, embedding::text as vector from {table}"):  # noqa: S608
            text = f"{table} {row['number']} of octo/one\n\ntext about thing {row['number']}"
            assert json.loads(row["vector"]) == pytest.approx(HashEmbedder().embed([text]).each[0], abs=1e-6)


@pytest.mark.parametrize("turn", [Turn.SHORT, Turn.NAN, Turn.FEWER, Turn.TWICE, Turn.ZERO])
def test_an_answer_that_is_wrong_is_refused_before_anything_of_it_is_stored(
    db: Database, service: EmbeddingService, turn: Turn
) -> None:
    add(db, issues=2)
    service.turns = [turn] * 10_000
    told = run(db, embedder(service), EmbeddingWish(batch=2))
    assert (told.done, told.failed) == (0, 2)
    assert embedded(db)["issues"] == 0


def test_a_poison_item_is_found_tried_alone_and_set_aside_with_its_reason_and_the_others_are_done_once(
    db: Database, service: EmbeddingService
) -> None:
    repository = add(db, issues=50)
    service.poison = "issues 17 of"
    told = run(db, embedder(service), EmbeddingWish(batch=50))
    assert (told.done, told.failed, told.left) == (49, 1, 0)
    assert set(titles(service).values()) == {1}
    ((_, tried, aside),) = attempts(db)
    assert (tried, aside) == (embeddings.ATTEMPTS, True)
    with db.reading() as tx:
        (found,) = embeddings.set_aside(tx, repository)
        counted = embeddings.coverage(tx, repository)[ItemType.ISSUE]
    assert (found.full_name, found.number, "is not taken by" in found.reason) == ("octo/one", 17, True)
    assert (counted.total, counted.embedded, counted.set_aside, counted.missing) == (50, 49, 1, 0)
    asked = len(service.asked)
    assert run(db, embedder(service)).done == 0
    assert len(service.asked) == asked


def test_what_was_set_aside_is_tried_again_when_it_is_asked_for_and_when_its_text_changes(
    db: Database, service: EmbeddingService
) -> None:
    repository = add(db, issues=2)
    service.poison = "of octo/one"
    assert run(db, embedder(service)).failed == 2
    rows(db, "update issues set title = 'harmless' where number = 1 returning 1")
    assert run(db, embedder(service)).done == 1
    service.poison = None
    assert run(db, embedder(service)).done == 0
    with db.transaction() as tx:
        assert embeddings.forget_failures(tx, repository) == 1
    assert run(db, embedder(service)).done == 1


def test_an_item_without_any_text_is_no_failure_nobody_is_asked_about_it_and_a_text_of_its_own_is_embedded(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=2)
    rows(db, "update issues set title = ' ', body = '<!-- a template -->' where number = 1 returning 1")
    told = run(db, embedder(service))
    assert (told.done, told.failed, told.empty, told.left) == (1, 0, 1, 0)
    assert all("" not in asked["input"] for asked in service.asked)
    assert [(tried, aside) for _, tried, aside in attempts(db)] == [(1, True)]
    assert run(db, embedder(service)) == Embedded()
    rows(db, "update issues set body = 'now it says something' where number = 1 returning 1")
    assert run(db, embedder(service)).done == 1


def test_a_used_up_quota_ends_the_run_with_what_is_paid_saved_and_the_next_goes_on(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=30)
    service.turns = [Turn.GOOD, Turn.NO_QUOTA]
    told = run(db, embedder(service), EmbeddingWish(batch=10))
    assert (told.done, told.left) == (10, 20)
    assert "quota" in str(told.stopped_reason)
    assert told.error is not None
    assert attempts(db) == []
    assert run(db, embedder(service), EmbeddingWish(batch=10)).done == 20
    assert set(titles(service).values()) == {1}
    assert [status for status, *_ in jobs(db)] == ["failed", "completed"]


def test_a_provider_that_never_answers_well_is_told_at_once_and_is_not_paid_for_every_item(
    db: Database, service: EmbeddingService, caplog: pytest.LogCaptureFixture
) -> None:
    add(db, issues=200)
    service.turns = [Turn.NAN] * 10_000
    told = run(db, embedder(service))
    assert "13 answers in a row were of no use, the last: the answer is none with vectors" in str(told.stopped_reason)
    assert len(service.asked) == 1 + TRIES_WRONG * 13
    assert "an answer for 200 texts is of no use" in caplog.messages[0]


def test_a_text_that_changes_while_its_vector_is_made_is_refused_the_old_one_and_gets_its_own(
    db: Database, database_url: str, service: EmbeddingService
) -> None:
    add(db, issues=5)

    def change(texts: list[str]) -> None:
        if len(texts) > 1:
            with Database(database_url) as other:
                rows(other, "update issues set title = 'another' where number = 2 returning 1")

    service.before = change
    told = run(db, embedder(service))
    assert (told.done, told.skipped, told.left) == (5, 1, 0)
    (row,) = rows(db, "select content_hash from issues where number = 2")
    assert row["content_hash"] == embedder(service).recipe.content_hash("another\n\ntext about thing 2")


def test_who_only_touches_an_item_causes_no_new_vector(db: Database, service: EmbeddingService) -> None:
    add(db, issues=3)
    run(db, embedder(service))
    rows(db, "update issues set updated_at = now() + '1 day', state = 'closed', title = title returning 1")
    assert run(db, embedder(service)).done == 0


def test_another_model_makes_all_vectors_anew(db: Database, service: EmbeddingService) -> None:
    repository = add(db, issues=3)
    run(db, HashEmbedder())
    by = embedder(service)
    with db.reading() as tx:
        stale = embeddings.coverage(tx, repository, by.recipe)[ItemType.ISSUE]
    assert (stale.embedded, stale.stale, stale.missing) == (3, 3, 3)
    assert run(db, by).done == 3
    with db.reading() as tx:
        assert embeddings.coverage(tx, repository, by.recipe)[ItemType.ISSUE].stale == 0


def test_workspaces_come_first_then_issues_pull_requests_and_discussions_the_newest_of_each_first(
    db: Database, service: EmbeddingService
) -> None:
    add(db, "octo/plain", issues=2, pull_requests=2, discussions=2)
    into_workspace(db, add(db, "octo/team", issues=2, pull_requests=2, discussions=2))
    run(db, embedder(service), EmbeddingWish(batch=1))
    assert [text.partition("\n")[0] for text in service.embedded] == [
        f"{table} {number} of {name}"
        for name in ("octo/team", "octo/plain")
        for table in ("issues", "pull_requests", "discussions")
        for number in (2, 1)
    ]


def test_small_repositories_share_a_request(db: Database, service: EmbeddingService) -> None:
    for number in range(5):
        add(db, f"octo/r{number}", issues=2, pull_requests=1)
    run(db, embedder(service))
    assert [len(asked["input"]) for asked in service.asked] == [1, 15]


def test_a_run_of_one_repository_leaves_the_others(db: Database, service: EmbeddingService) -> None:
    add(db, "octo/other", issues=5)
    told = run(db, embedder(service), EmbeddingWish(repository_id=add(db, issues=3)))
    assert (told.done, told.left, embedded(db)["issues"]) == (3, 0, 3)


def test_so_many_items_as_are_wanted_are_done_and_what_is_left_is_told(db: Database, service: EmbeddingService) -> None:
    add(db, issues=10)
    told = run(db, embedder(service), EmbeddingWish(max_items=7, batch=5))
    assert (told.done, told.left, told.stopped_reason) == (7, 3, "as many items as were wanted are done")
    assert [len(asked["input"]) for asked in service.asked] == [1, 5, 2]


def test_no_batch_is_begun_after_the_deadline(db: Database, service: EmbeddingService) -> None:
    add(db, issues=10)
    clock = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in range(100))
    deadline = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    told = run(db, embedder(service), EmbeddingWish(deadline=deadline, batch=2), now=lambda: next(clock))
    assert (told.done, told.stopped_reason) == (4, "the time is up")


def test_a_wait_that_a_provider_asks_for_goes_not_beyond_the_deadline_and_the_next_run_goes_on(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=10)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    slept: list[float] = []
    deadline = now + timedelta(seconds=10)
    read = settings.load(service.settings(), dotenv=None)
    by = choosing.embedder(read, sleep=choosing.in_time(deadline, slept.append, lambda: now))
    service.turns = [Turn.LIMITED, Turn.GOOD, Turn.LIMITED]
    wish = EmbeddingWish(deadline=deadline, batch=5)
    assert run(db, by, wish, now=lambda: now).done == 10
    assert slept == [7, 7]
    rows(db, "update issues set title = 'another' returning 1")
    now += timedelta(seconds=5)
    service.turns = [Turn.GOOD, Turn.LIMITED]
    told = run(db, by, wish, now=lambda: now)
    assert (told.done, told.left, told.error, slept) == (5, 5, None, [7, 7])
    assert "the time is up before" in str(told.stopped_reason)
    assert (jobs(db)[-1][0], attempts(db)) == ("completed", [])


def test_two_workers_embed_every_item_once(db: Database, database_url: str, service: EmbeddingService) -> None:
    add(db, issues=60, pull_requests=60)

    def work(_: int) -> Embedded:
        with Database(database_url) as own:
            return run(own, embedder(service), EmbeddingWish(batch=6))

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(work, range(2)))
    assert sum(each.done for each in told) == 120
    assert set(titles(service).values()) == {1}
    assert embedded(db) == {"issues": 60, "pull_requests": 60, "discussions": 0}
    assert attempts(db) == []


def test_two_runs_with_different_models_never_make_each_others_vectors_anew(
    db: Database, database_url: str, service: EmbeddingService, caplog: pytest.LogCaptureFixture
) -> None:
    add(db, issues=10)

    def other_run(texts: list[str]) -> None:
        if len(texts) == 5 and not embedded(db)["issues"]:
            with Database(database_url) as own:
                assert run(own, HashEmbedder()).done == 5

    service.before = other_run
    told = run(db, embedder(service), EmbeddingWish(batch=5))
    assert (told.done, told.left, told.stopped_reason) == (5, 5, None)
    assert "5 items got a vector of another provider or model meanwhile" in caplog.messages[-1]
    assert run(db, embedder(service), EmbeddingWish(batch=5)).done == 5
    assert set(titles(service).values()) == {1}


def test_after_a_kill_the_next_run_pays_again_for_the_batch_in_hand_alone(
    db: Database, database_url: str, service: EmbeddingService
) -> None:
    add(db, issues=30)
    batches = 0

    def kill(texts: list[str]) -> None:
        nonlocal batches
        batches += len(texts) > 1
        if batches == 2 and process.poll() is None:
            process.kill()
            process.wait()

    service.before = kill
    process = subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "embed"],
        env={
            **service.settings(),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(ROOT),
            "DATABASE_URL": database_url,
            "GH_BACKFILL_EMBEDDING_BATCH": "10",
        },
    )
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert embedded(db)["issues"] == 10
    told = run(db, embedder(service), EmbeddingWish(batch=10))
    assert (told.done, told.left) == (20, 0)
    assert sorted(titles(service).values()) == [1] * 20 + [2] * 10


def test_a_database_that_restarts_while_a_vector_is_made_is_waited_for_and_nothing_is_paid_twice(
    service: EmbeddingService,
) -> None:
    with servers.postgres(programs.folders()[18]) as server, Database(server.url) as db:
        migrations.apply(db)
        add(db, issues=20)
        away: list[float] = []

        def go_away(texts: list[str]) -> None:
            if len(texts) > 1 and not away:
                server.stop()

        def wait(seconds: float) -> None:
            away.append(seconds)
            if len(away) == 3:
                server.start()

        service.before = go_away
        told = run(db, embedder(service), EmbeddingWish(batch=10), sleep=wait)
        assert (told.done, told.left, len(away)) == (20, 0, 3)
        assert (set(titles(service).values()), attempts(db)) == ({1}, [])


class Interrupted(HashEmbedder):
    """Is interrupted at its second batch."""

    batches = 0

    def embed(self, texts: Sequence[str], *, query: bool = False) -> EmbeddedTexts:
        self.batches += 1
        if self.batches == 2:
            raise KeyboardInterrupt
        return super().embed(texts, query=query)


def test_an_interrupted_run_gives_back_what_it_has_in_hand(db: Database) -> None:
    add(db, issues=30)
    with pytest.raises(KeyboardInterrupt):
        run(db, Interrupted(), EmbeddingWish(batch=10))
    assert (embedded(db)["issues"], attempts(db)) == (10, [])
    assert jobs(db) == [("failed", 30, 10)]


def test_progress_is_told_after_each_batch(db: Database) -> None:
    add(db, issues=5)
    told: list[EmbeddingProgress] = []
    run(db, HashEmbedder(), EmbeddingWish(batch=2), listen=told.append)
    assert [(each.done, each.total) for each in told] == [(2, 5), (4, 5), (5, 5)]


def test_without_pgvector_nothing_is_asked_and_one_sentence_says_what_to_do(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=1)
    with db.transaction() as tx:
        tx.run("drop extension vector cascade")
    with pytest.raises(ConfigurationError, match="embeddings are off: pgvector is there and not created"):
        run(db, embedder(service))
    assert service.asked == []


@pytest.mark.parametrize("existing_database_url", ["default", "without vector"], indirect=True)
def test_in_the_database_of_an_application_everything_gets_a_vector_of_ours(existing_database_url: str) -> None:
    with Database(existing_database_url) as db:
        (before,) = rows(db, "select pg_get_viewdef('items_needing_embeddings_priority'::regclass) as text")
        told = run(db, HashEmbedder())
        with db.reading() as tx:
            found = embeddings.coverage(tx, None, HashEmbedder.recipe)
        assert {each.missing for each in found.values()} == {0}
        assert told.done == sum(each.total for each in found.values()) > 3
        assert rows(db, "select * from items_needing_embeddings_priority") == []
        (after,) = rows(db, "select pg_get_viewdef('items_needing_embeddings_priority'::regclass) as text")
        assert after == before


@pytest.mark.parametrize(
    "other",
    [
        VectorRecipe(provider="local", model="a"),
        VectorRecipe(provider="openai", model="b"),
        VectorRecipe(provider="openai", model="a", dimensions=512),
        VectorRecipe(provider="openai", model="a", prefix="passage: "),
        VectorRecipe(provider="openai", model="a", tokens=256),
        VectorRecipe(provider="openai", model="a", version=2),
    ],
)
def test_the_hash_covers_all_that_makes_a_vector_another_one(other: VectorRecipe) -> None:
    recipe = VectorRecipe(provider="openai", model="a", version=1)
    assert recipe.content_hash("text") != recipe.content_hash("texts")
    assert recipe.fingerprint != other.fingerprint
    assert recipe.content_hash("text") != other.content_hash("text")


def test_the_record_of_a_run_is_kept_for_a_year_and_what_an_application_wrote_for_ever(
    db: Database, service: EmbeddingService
) -> None:
    add(db, issues=1)
    rows(
        db,
        "insert into embedding_jobs (status, items_total, provider, model, created_at, updated_at) "
        "select status, n, provider, 'm', at, at from (values "
        "('completed', 101, 'hash', now() - interval '366 days'), ('failed', 102, 'hash', now() - interval '2 years'), "
        "('completed', 103, 'hash', now() - interval '364 days'), "
        "('completed', 104, null, now() - interval '9 years')) v (status, n, provider, at) returning 1",
    )
    assert run(db, embedder(service)).done == 1
    assert sorted(total for _, total, _ in jobs(db)) == [1, 103, 104]
