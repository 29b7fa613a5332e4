"""The commands search and similar, as processes: a table that fits, JSON with the scores explained, and wrong input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gh_backfill.clients.embedders.openai import MODEL
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.store.db import Database
from tests.embedding_service import serving
from tests.search_rows import Item, hashed, store
from tests.test_cli import ROOT, cli, refused
from tests.test_velocity_command import on_a_terminal

LONG = "Login fails after the update because the session is written before the lock is there, on every second try"


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    known = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "DATABASE_URL": database_url}
    with serving() as service:
        yield known | service.settings()


@pytest.fixture
def filled(db: Database) -> None:
    def item(number: int, title: str, table: str = "issues", state: str = "open") -> Item:
        recipe = VectorRecipe(provider="openai", model=MODEL)
        return Item(number=number, title=title, table=table, state=state, vector=hashed(title), recipe=recipe)

    store(db, "octo/one", [item(1, LONG), item(2, "session lock", "pull_requests", "merged"), item(3, "unrelated")])
    store(db, "octo/secret-one", [item(4, "session lock")], is_private=True)


@pytest.mark.usefixtures("filled")
def test_search_explains_the_places_in_json_and_shows_private_ones_outside_of_workflows(
    environment: dict[str, str],
) -> None:
    told = json.loads(cli(environment, "search", "session lock", "--json", "--limit", "3").stdout)
    assert (told["by_words"], told["by_vectors"], told["notes"]) == (True, True, [])
    first, second, third = told["items"]
    assert {first["repository"], second["repository"]} == {"octo/one", "octo/secret-one"}
    assert {first["rank_by_words"], second["rank_by_words"]} == {1, 2}
    assert third["number"] == 1
    merged = next(each for each in told["items"] if each["number"] == 2)
    assert (merged["type"], merged["state"]) == ("pull_request", "merged")
    assert merged["url"] == "https://github.com/octo/one/pull/2"
    assert merged["similarity"] == pytest.approx(1)
    assert set(merged) == {
        "type", "number", "title", "repository", "state", "url", "created_at", "updated_at", "score", "rank_by_words",
        "rank_by_vector", "similarity",
    }  # fmt: skip


@pytest.mark.usefixtures("filled")
def test_the_log_of_a_workflow_tells_nothing_of_private_repositories(environment: dict[str, str]) -> None:
    public = environment | {"GITHUB_ACTIONS": "true"}
    told = json.loads(cli(public, "search", "session lock", "--json").stdout)
    assert {each["repository"] for each in told["items"]} == {"octo/one"}
    told = json.loads(cli(public, "similar", "octo/one#2", "--everywhere", "--json").stdout)
    assert {each["repository"] for each in told["items"]} == {"octo/one"}
    done = cli(public, "search", "session lock", "--repository", "octo/secret-one")
    assert "nothing was found: " in done.stdout
    assert "private repositories are left out" in done.stdout
    assert "secret-one" not in done.stdout + done.stderr
    assert "private repositories are left out" in refused(cli(public, "similar", "octo/secret-one#4"), 2)


@pytest.mark.usefixtures("filled")
def test_a_table_fits_into_80_columns(environment: dict[str, str]) -> None:
    lines = on_a_terminal(80, environment, "search", "session lock", "--repository", "octo/one").splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert any("#1" in line and "…" in line and "octo/one" in line and "open" in line for line in lines)
    assert any("#2" in line and "PR" in line and "merged" in line for line in lines)


@pytest.mark.usefixtures("filled")
def test_similar_and_what_finds_nothing_end_well(environment: dict[str, str]) -> None:
    told = json.loads(cli(environment, "similar", "octo/one#2", "--everywhere", "--limit", "1", "--json").stdout)
    assert [(each["repository"], each["rank_by_words"]) for each in told["items"]] == [("octo/secret-one", None)]
    environment["GH_BACKFILL_EMBEDDING_PROVIDER"] = "off"
    done = cli(environment, "search", "xylophone")
    assert done.returncode == 0
    assert done.stdout.startswith("nothing was found: searched by words alone: embeddings are off")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["search", "  "], "what is to be searched for?"),
        (["search", "-- | &"], "there is no word in that"),
        (["search", "-lock -session"], "there are words to leave out in that"),
        (["search", "or"], "there is no word in that"),
        (["search", "lock", "--repository", ""], "the name of a repository is empty"),
        (["search", "lock", "--repository", "octo/\udcff"], "not here: octo/"),
        (["search", "lock", "--type", "commit"], "a type is one of issue, pull_request, discussion, not commit"),
        (["search", "lock", "--state", "gone"], "a state is one of open, closed, merged, not gone"),
        (["search", "lock", "--limit", "0"], "--limit must be a whole number from 1 to 200"),
        (["search", "lock", "--repository", "octo/none"], "not here: octo/none: "),
        (["similar", "octo/one"], "an item is named owner/name#number"),
        (["similar", "octo/one#77"], "octo/one is not here"),
    ],
)
def test_wrong_input_is_refused_in_one_line(environment: dict[str, str], arguments: list[str], says: str) -> None:
    if arguments[1].startswith("-"):
        arguments.insert(1, "--")
    assert says in refused(cli(environment, *arguments), 2)
