"""Killed in any of its three steps and started again, an aggressive backfill ends alike, and pays nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gh_backfill.tasks import workspaces
from tests.comparison import compare, compare_issues
from tests.embedding_service import EmbeddingService, serving
from tests.storm.expected_world import expected_world
from tests.tasks.conftest import ENGINE, House
from tests.tasks.test_kills import ROOT, wait_until

BATCH = 25


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


def started(house: House, service: EmbeddingService) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gh_backfill", "aggressive", ENGINE, "--chunk-size", "20"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(ROOT),
            "GITHUB_TOKEN": "tok",
            "GITHUB_API_URL": house.github.url,
            "DATABASE_URL": house.url,
            "GH_BACKFILL_EMBEDDING_BATCH": str(BATCH),
            **service.settings(),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(house: House, service: EmbeddingService) -> str:
    with started(house, service) as process:
        told, _ = process.communicate(timeout=120)
    assert process.returncode == 0, told
    return told


def step(house: House) -> str | None:
    found = house.rows("select step from aggressive_steps where status = 'processing'")
    return found[0]["step"] if found else None


@contextmanager
def in_a_workspace(house: House) -> Iterator[str]:
    house.track(ENGINE)
    made = workspaces.create(house.db, "octos", name=None, description=None, owner=None, private=False)
    workspaces.add(house.db, "octos", [each for each in workspaces.known(house.db, [ENGINE]).values() if each])
    yield made.id


def killed_in_the_sync(house: House, service: EmbeddingService) -> None:
    with started(house, service) as process:
        wait_until(lambda: len(house.rows("select 1 from backfill_chunks where status = 'completed'")) >= 3)
        process.kill()


def killed_in_the_embeddings(house: House, service: EmbeddingService) -> None:
    third, over = threading.Event(), threading.Event()

    def before(texts: list[str]) -> None:
        if len(service.asked) > 3 and not over.is_set():
            third.set()
            over.wait(30)

    service.before = before
    with started(house, service) as process:
        assert third.wait(60)
        process.kill()
    over.set()


def killed_in_the_aggregation(house: House, service: EmbeddingService) -> None:
    with house.db.another() as other, started(house, service) as process, other.transaction() as tx:
        tx.rows("select 1 from workspaces for update")
        wait_until(lambda: step(house) == "workspace", 60)
        process.kill()


def differences(house: House) -> list[str]:
    with house.db.transaction(read_only=True) as tx:
        world = expected_world(house.github.world, ENGINE)
        return [str(each) for each in (*compare(tx, world, stood_still=False).found, *compare_issues(tx, world).found)]


@pytest.mark.parametrize(
    ("kill", "again"),
    [(killed_in_the_sync, 0), (killed_in_the_embeddings, BATCH), (killed_in_the_aggregation, 0)],
    ids=["sync", "embeddings", "workspace"],
)
def test_what_is_killed_in_a_step_goes_on_there(
    house: House, service: EmbeddingService, kill: object, again: int
) -> None:
    with in_a_workspace(house) as workspace_id:
        assert callable(kill)
        kill(house, service)
        (row,) = house.rows("select status from aggressive_backfills")
        assert row["status"] == "processing"
        told = ended(house, service)
        assert "octo/engine: complete" in told
        assert differences(house) == []
        paid = Counter(service.embedded)
        assert sum(many - 1 for many in paid.values()) <= again
        assert house.rows("select 1 from pull_requests where embedding is null") == []
        assert house.rows("select 1 from issues where embedding is null") == []
        twice = (
            "select 1 from backfill_chunks where status = 'completed' "
            "group by stream_id, after_cursor having count(*) > 1"
        )
        assert house.rows(twice) == []
        (figures,) = house.rows(
            "select total_pull_requests as pulls, total_issues as issues from workspaces where id = %(id)s::uuid",
            id=workspace_id,
        )
        assert (figures["pulls"], figures["issues"]) == (180, 14)
        assert house.count("aggressive_backfills") == 1
        statuses = {row["step"]: row["status"] for row in house.rows("select step, status from aggressive_steps")}
        assert set(statuses.values()) == {"completed"}
