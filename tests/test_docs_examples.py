"""Every example of README and docs/ runs as it stands, or is in the one list of those that can't, with its reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store.db import Database
from tests import forks
from tests.documents import ROOT, Block, blocks, calls, examples, masked

# Pages that a test of their own runs.
ELSEWHERE = {"docs/data.md": "tests/test_data_page.py"}
EVERY = [each for each in blocks() if str(each.page.relative_to(ROOT)) not in ELSEWHERE]
_ACCOUNT = "it takes an account somewhere else"
_SCRIPT = "scripts of this repository: tests/test_start.py, test_containers.py, test_smoke.py and CI run them"
# Blocks that can't run here, by page and first line.
REASONS = {
    "README.md: ./scripts/backfill": _SCRIPT,
    "README.md: GITHUB_TOKEN=… ./scripts/backfill octocat/hello-world facebook/react": _SCRIPT,
    "README.md: pipx install git+https://github.com/OWNER/gh_backfill@v0.1.0": "it takes a network; "
    "tests/test_installed.py and test_init_command.py do the same",
    "README.md: ./scripts/test      # everything that can be tested without the internet; arguments go to "
    "pytest": _SCRIPT,
    "CONTRIBUTING.md: ./scripts/check     # format, lint, types, workflows: about a minute": _SCRIPT,
    "docs/performance.md: ./scripts/bench --json --plot      # all sections, about an hour; or some: "
    "./scripts/bench points wall --json": _SCRIPT,
    "docs/docker.md: printf 'GITHUB_TOKEN=%s\\nGH_BACKFILL_WEB_TOKEN=%s\\n' \"$(gh auth token)\" "
    '"$(openssl rand -hex 24)" > .env': "it takes a container engine; tests/test_containers.py has what can be tried",
    "docs/inngest.md: export DATABASE_URL=postgresql://… GITHUB_TOKEN=…": _ACCOUNT,
    "docs/inngest.md: curl \"https://inn.gs/e/$INNGEST_EVENT_KEY\" -H 'Content-Type: application/json' -d '{": _ACCOUNT,
    "docs/scheduling.md: create extension if not exists pg_cron;": "it takes Supabase's extensions",
    "docs/search.md: create index concurrently if not exists idx_issues_words on issues using gin (...);  -- as in the "
    "migration": "a statement that is cut short: the migration has the whole of it",
    "docs/simulator.md: gh-backfill simulate --synthetic octo-demo/engine:1000:stars=50000:forks=4000 --port 8080": "a "
    "server, which every test of a command runs against",
    'docs/simulator.md: curl -d \'{"do": "show_stargazers", "shown": false}\' http://127.0.0.1:8080/_world': "a "
    "control of the simulator: tests/simulator/test_controls.py",
}
CAPTURED: list[tuple[str, ...]] = [("track", "octocat/hello-world"), ("capture", "octocat/hello-world")]
# What is there before a page's examples run, besides the world below.
BEFORE: dict[str, list[tuple[str, ...]]] = {
    "docs/metrics.md": [
        ("track", "octocat/hello-world", "--kinds", "pull_requests,issues,discussions"),
        ("capture", "octocat/hello-world"),
        ("workspace", "create", "web-frameworks"),
        ("workspace", "add", "web-frameworks", "octocat/hello-world"),
    ],
    "docs/embeddings.md": CAPTURED,
    "docs/velocity.md": [*CAPTURED, ("events", "octocat/hello-world")],
    "docs/pull_requests.md": [("track", "owner/name"), ("capture", "owner/name"), *CAPTURED],
    "docs/contributors.md": [("track", "octo/small"), ("capture", "octo/small")],
    "docs/search.md": [
        ("track", "octocat/hello-world", "--kinds", "pull_requests,issues"),
        ("capture", "octocat/hello-world"),
        ("workspace", "create", "the-team"),
        ("workspace", "add", "the-team", "octocat/hello-world"),
    ],
}
WORLD = (
    *("octocat/hello-world:40:marked=30:stars=300:forks=30", "facebook/react:120", "octo/engine:40", "octo/small:12"),
    *("owner/name:12", "owner/repo:12", "octo-org/first:12", "octo-org/second:12"),
)


def page(block: Block) -> str:
    return str(block.page.relative_to(ROOT))


def kind(block: Block) -> str:
    """Say how a block is tried; empty where it is not."""
    if block.name in REASONS:
        return "reason"
    if calls(block):
        return "commands"
    return {"sql": "sql", "yaml": "yaml"}.get(block.language, "shown" if block.language in {"", "text"} else "")


def test_every_block_is_tried_or_has_its_reason() -> None:
    assert [block.name for block in EVERY if not kind(block)] == []
    assert set(REASONS) <= {block.name for block in EVERY}, "what a reason is for is still there"
    assert all((ROOT / page).is_file() and (ROOT / test).is_file() for page, test in ELSEWHERE.items())


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=WORLD)) as simulator:
        yield simulator


@pytest.fixture
def here(database_url: str, github: Simulator, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "GITHUB_TOKEN": "ghp_secret",
        "GITHUB_API_URL": github.url,
        "GH_BACKFILL_HOME": str(tmp_path / "home"),
        "GH_BACKFILL_EMBEDDING_PROVIDER": "hash",
        "COLUMNS": "200",
    }


def ran(here: dict[str, str], *words: str) -> str:
    done = forks.run(list(words), env=here, cwd=here["HOME"])
    assert done.returncode == 0, f"gh-backfill {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


PAGES = sorted({page(block) for block in EVERY if kind(block) in {"commands", "sql"}})


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_of_a_page_run_one_after_the_other(name: str, here: dict[str, str]) -> None:
    own = [block for block in EVERY if page(block) == name and kind(block) in {"commands", "sql"}]
    for words in BEFORE.get(name, CAPTURED if all(kind(block) == "sql" for block in own) else []):
        ran(here, *words)
    for block in own:
        if kind(block) == "sql":
            run_sql(here["DATABASE_URL"], block.text)
            continue
        for example in examples(block):
            printed = {masked(line) for line in ran(here, *example.words).splitlines()}
            lacking = [line for line in example.printed if masked(line) not in printed]
            assert not lacking, f"{example.line} prints other lines than these: {lacking}; {sorted(printed)}"


def run_sql(url: str, text: str) -> None:
    """Run the statements of a block and roll them back; `...` stands for the id of a repository."""
    with Database(url) as db, db.reading() as tx:
        row = tx.row("select id::text as id from repositories limit 1")
    id_ = row["id"] if row else "00000000-0000-0000-0000-000000000000"
    with pytest.raises(RolledBackError), Database(url) as db, db.transaction() as tx:
        for statement in text.replace("'...'", f"'{id_}'").split(";\n"):
            if re.sub(r"--.*", "", statement).strip():
                tx.run(statement.replace("%", "%%"))
        raise RolledBackError


class RolledBackError(Exception):
    """Ends a transaction that must leave nothing behind."""


@pytest.mark.parametrize("block", [each for each in EVERY if kind(each) == "yaml"], ids=lambda each: each.name)
def test_yaml_is_yaml_and_calls_what_is_there(block: Block) -> None:
    assert isinstance(yaml.safe_load(block.text), dict)
    for called in re.findall(r"uses: OWNER/gh_backfill/(\S+)@", block.text):
        place = ROOT / called
        assert place.is_file() or (place / "action.yml").is_file(), called
