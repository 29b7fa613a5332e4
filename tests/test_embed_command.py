"""`gh-backfill embed` at the command line: what it would do, what it did, how far it is, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

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
    assert second.startswith("octo/one: 2 issues, 3 pull requests, 1 discussions; about ")
    assert second.endswith("(by the guide's figures $0.0005)")
    assert (service.asked, rows(db, "select * from embedding_jobs")) == ([], [])


def test_it_says_what_was_done_and_paid_and_then_that_nothing_is_left(
    environment: dict[str, str], db: Database
) -> None:
    add(db, issues=3)
    add(db, "octo/other", issues=1)
    done = cli(environment, "embed", "octo/one")
    assert done.stdout == "octo/one: 3 items embedded, 12 tokens, $0.0000\n"
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
    ],
)
def test_what_can_not_be_meant_is_refused_in_one_line(
    environment: dict[str, str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(cli(environment, "embed", *arguments), 2)


def test_the_preflight_says_who_answers(environment: dict[str, str]) -> None:
    done = cli(environment, "embed", "--preflight")
    assert done.stdout == "openai answers: model text-embedding-3-small, 384 dimensions\n"
