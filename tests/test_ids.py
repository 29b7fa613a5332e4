"""Three kinds of ids, GitHub's number, GitHub's node id and ours, that nobody takes for one another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gh_backfill.store.db import Database

ROOT = Path(__file__).parents[1]
PRELUDE = """
from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import Claim, TrackedRepository
from gh_backfill.models.pull_requests import CompletePullRequest, PullRequest
from gh_backfill.store import privacy, quarantine, repositories
from gh_backfill.store.db import Transaction

def check(tx: Transaction, graphql: GraphQL, repository: TrackedRepository, pull: PullRequest) -> None:
    """
RIGHT = "privacy.hide(tx, repository.id)"
WRONG = {
    "GitHub's number for ours": "privacy.hide(tx, repository.github_id)",
    "GitHub's number of a pull request for ours": "quarantine.resolve(tx, pull.github_id, [1])",
    "a node id for GitHub's number": "quarantine.resolve(tx, repository.id, [pull.node_id])",
    "our id for a node id": "github.by_number(graphql, repository.id, [1])",
    "our id for GitHub's number": "repositories.candidates(tx, asked=[repository.github_id])",
}
# Ids of other things, which are no ids of rows.
OTHER_NAMES = r"^(commit_id|original_commit_id|workflow_run_id|_dlt_.*|delivery_id)$"
WRITTEN = (
    *("pull_requests", "reviews", "comments", "contributors", "repositories", "backfill_streams"),
    *("backfill_chunks", "backfill_quarantine", "progressive_backfill_state", "tracked_repositories"),
)


def mypy(statement: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Check one statement against the types of the package."""
    path = folder / "mixed_up.py"
    path.write_text(PRELUDE + statement + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", str(path)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_a_mix_up_of_ids_does_not_type_check(tmp_path: Path) -> None:
    assert mypy(RIGHT, tmp_path).returncode == 0
    for what, statement in WRONG.items():
        done = mypy(statement, tmp_path)
        assert (what, "arg-type" in done.stdout or "list-item" in done.stdout) == (what, True)


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_each_kind_of_id_has_a_type_of_its_own_in_every_table(kind: str, request: pytest.FixtureRequest) -> None:
    with Database(request.getfixturevalue(kind)) as db, db.transaction(read_only=True) as tx:
        columns = tx.rows(
            """select table_name, column_name, data_type,
                      case when column_name ~ 'github_id$' then 'bigint' when column_name ~ 'node_id$' then 'text'
                           else 'uuid' end as expected
               from information_schema.columns
               where table_schema = 'public' and table_name = any(%(tables)s::text[])
                 and column_name ~ '(^|_)id$' and column_name !~ %(others)s""",
            tables=WRITTEN,
            others=OTHER_NAMES,
        )
    assert {row["expected"] for row in columns} == {"uuid", "bigint", "text"}
    wrong = [
        f"{row['table_name']}.{row['column_name']} is {row['data_type']}"
        for row in columns
        if row["data_type"] != row["expected"]
    ]
    assert wrong == []
