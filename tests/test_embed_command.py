"""`gh-backfill embed` at the command line: what it would do, what it did, how far it is, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.store.db import Database
from tests.embedding_rows import add, embedded, rows
from tests.embedding_service import KEY, EmbeddingService, Turn, serving
from tests.test_cli import cli, refused


@pytest.fixture
def service() -> Iterator[EmbeddingService]:
    with serving() as found:
        yield found


@pytest.fixture
def environment(database_url: str, service: EmbeddingService, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DATABASE_URL": database_url, **service.settings()}


def test_a_dry_run_tells_items_tokens_and_costs_beside_the_guides_and_asks_nobody(
    environment: dict[str, str], db: Database, service: EmbeddingService
) -> None:
    add(db, issues=2, pull_requests=3, discussions=1)
    done = cli(environment, "embed", "octo/one", "--dry-run")
    first, second = done.stdout.splitlines()
    assert first.endswith("provider openai, model text-embedding-3-small")
    assert second.startswith("octo/one: 2 issues, 3 pull requests, 1 discussion; about ")
    assert second.endswith("(by the guide's figures $0.0003)")
    assert (service.asked, rows(db, "select * from embedding_jobs")) == ([], [])


def test_it_says_what_was_done_and_paid_and_then_that_nothing_is_left(
    environment: dict[str, str], db: Database
) -> None:
    add(db, issues=3)
    add(db, "octo/other", issues=1)
    done = cli(environment, "embed", "octo/one")
    assert done.stdout == "octo/one: 3 items embedded, 12 tokens, less than $0.0001\n"
    assert done.returncode == 0
    assert cli(environment, "embed", "octo/one").stdout == "octo/one: everything has its embedding\n"
    assert embedded(db)["issues"] == 3


def test_the_status_tells_each_type_and_the_last_run(environment: dict[str, str], db: Database) -> None:
    add(db, issues=3, pull_requests=1)
    cli(environment, "embed", "--max-items", "2")
    (told,) = json.loads(cli(environment, "embed", "octo/one", "--status", "--json").stdout)
    assert told["types"]["issue"]["embedded"] == 2
    assert (told["types"]["issue"]["missing"], told["types"]["pull_request"]["missing"]) == (1, 1)
    lines = cli(environment, "embed", "--status").stdout.splitlines()
    assert [word in lines[1] for word in ("all repositories", "issues", "66.7")] == [True] * 3
    assert "last run completed: 2 of 2 items by openai (text-embedding-3-small)" in lines[-1]


def test_what_is_set_aside_ends_it_with_exit_code_three_and_is_tried_again_when_asked_for(
    environment: dict[str, str], db: Database, service: EmbeddingService
) -> None:
    add(db, issues=3)
    service.poison = "issues 2 of"
    done = cli(environment, "embed")
    assert done.returncode == 3
    assert "all repositories: 2 items embedded, 1 item set aside" in done.stdout
    assert "gh-backfill embed --status tells why" in done.stderr
    assert "set aside: octo/one #2 (issue): a text is not taken" in cli(environment, "embed", "--status").stdout
    service.poison = None
    assert cli(environment, "embed").stdout == "all repositories: everything has its embedding\n"
    assert "1 item embedded" in cli(environment, "embed", "--retry").stdout


def test_an_item_without_text_is_told_and_is_no_failure(environment: dict[str, str], db: Database) -> None:
    add(db, issues=2)
    rows(db, "update issues set title = ' ', body = '' where number = 1 returning 1")
    done = cli(environment, "embed", "octo/one")
    assert (done.returncode, done.stdout) == (
        0, "octo/one: 1 item embedded, 1 item without text, 4 tokens, less than $0.0001\n",
    )  # fmt: skip
    assert cli(environment, "embed", "octo/one").stdout == "octo/one: everything has its embedding\n"
    assert "#1 (issue): no text is left to embed" in cli(environment, "embed", "--status").stdout
    assert cli(environment, "embed", "octo/one", "--dry-run").stdout.endswith("octo/one: nothing to embed\n")


def test_a_key_that_is_not_accepted_ends_it_with_one_line_without_the_key(
    environment: dict[str, str], db: Database, service: EmbeddingService
) -> None:
    add(db, issues=1)
    service.turns = [Turn.DENIED]
    done = cli(environment, "embed")
    assert done.returncode == 2
    assert "the embedding service does not accept OPENAI_API_KEY" in done.stderr
    assert KEY not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--provider", "magic"), "vectors are made by openai, local, hash, off, not magic"),
        (("--max-items", "none"), "--max-items must be a whole number"),
        (("octo/nobody",), "not here: octo/nobody"),
        (("--status", "--dry-run"), "give one of them"),
        (("--provider", "off"), "embeddings are off: nobody is set to make them"),
        (("--provider", "local"), "the provider local takes a directory with model.onnx"),
        (("--max-items", "0"), "--max-items"),
        (("--time-limit", "soon"), "--time-limit"),
        (("octo/nobody", "--status"), "not here: octo/nobody"),
        (("octo/nobody", "--dry-run"), "not here: octo/nobody"),
        (("no name at all",), "no name at all"),
        (("--retry", "--status"), "give one of them"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_one_line(
    environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(cli(environment, "embed", *arguments), 2)


def test_the_preflight_says_who_answers(environment: dict[str, str]) -> None:
    done = cli(environment, "embed", "--preflight")
    assert done.stdout == "openai answers: model text-embedding-3-small, 384 dimensions\n"


@pytest.mark.parametrize(
    ("name", "value"), [("GH_BACKFILL_EMBEDDING_BATCH", "many"), ("GH_BACKFILL_EMBEDDING_PRICE", "-1")]
)
def test_a_setting_that_can_not_be_meant_is_named_in_one_line(
    environment: dict[str, str], name: str, value: str
) -> None:
    assert name in refused(cli(environment, "embed", **{name: value}), 2)


def test_json_tells_what_would_be_done_what_was_done_and_how_far_each_type_is(
    environment: dict[str, str], db: Database, service: EmbeddingService
) -> None:
    add(db, issues=4, pull_requests=1)
    service.poison = "issues 3 of"

    def told(*arguments: str, **changes: str) -> dict[str, Any]:
        (found,) = json.loads(cli(environment, "embed", "octo/one", "--json", *arguments, **changes).stdout)
        return dict(found)

    plan = told("--dry-run", GH_BACKFILL_EMBEDDING_PRICE="1000")
    assert plan["items"] == {"issue": 4, "pull_request": 1, "discussion": 0}
    assert plan["cost"] == pytest.approx(plan["tokens"] / 1000)
    assert plan["cost_by_the_guide"] == pytest.approx(0.00025)
    done = told()
    assert (done["repository"], done["done"], done["failed"], done["left"]) == ("octo/one", 4, 1, 0)
    assert done["cost"] == pytest.approx(done["tokens"] * 0.02 / 1e6)
    issues = {"total": 4, "embedded": 3, "stale": 0, "set_aside": 1, "percent": 75.0, "missing": 0}
    assert told("--status")["types"]["issue"] == issues
    assert told("--status", "--provider", "hash")["types"]["issue"]["stale"] == 3
    asked = json.loads(cli(environment, "embed", "--preflight", "--json").stdout)
    assert asked == {"provider": "openai", "model": "text-embedding-3-small", "dimensions": 384}


def test_the_preflight_takes_no_database_and_asks_for_one_word(
    environment: dict[str, str], service: EmbeddingService
) -> None:
    del environment["DATABASE_URL"]
    assert cli(environment, "embed", "--preflight").returncode == 0
    assert [each["input"] for each in service.asked] == [["preflight"]]


def test_a_used_up_quota_is_told_after_what_was_done(
    environment: dict[str, str], db: Database, service: EmbeddingService
) -> None:
    add(db, issues=4)
    service.turns = [Turn.GOOD, Turn.NO_QUOTA]
    done = cli(environment, "embed", GH_BACKFILL_EMBEDDING_BATCH="2")
    assert "the quota of OPENAI_API_KEY is used up" in refused(done, 2)
    assert "2 items embedded, 2 left" in done.stdout
    assert KEY not in done.stdout + done.stderr
