"""The views of figures: each column says what it means, there as in the documentation, and the examples run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gh_backfill.resources import migrations
from gh_backfill.store.db import Database
from tests.aggregation_rows import Odd

DOCS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `(\w+)`\n\n(.*?)(?=^### |\Z)", DOCS, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)
NAME = "octocat/hello-world"


@pytest.mark.parametrize("name", SECTIONS)
def test_every_column_is_described_in_the_database_as_in_the_documentation(db: Database, name: str) -> None:
    with db.reading() as tx:
        described = tx.rows(
            "select attname as column, col_description(attrelid, attnum) as text from pg_attribute "
            "where attrelid = to_regclass(%(name)s) and attnum > 0 order by attnum",
            name=name,
        )
        (whole,) = tx.rows("select obj_description(to_regclass(%(name)s)) as text", name=name)
    told = re.findall(r"^\| `(\w+)` \| (.*) \|$", SECTIONS[name], re.MULTILINE)
    assert [(row["column"], row["text"]) for row in described] == told
    assert SECTIONS[name].startswith(f"{whole['text']}\n")


def test_every_view_runs_with_the_rights_of_who_asks_and_is_documented(db: Database) -> None:
    texts = [
        path.read_text("utf-8") for path in migrations() if path.stem.endswith(("_aggregation", "_discussion_figures"))
    ]
    made = set(re.findall(r"create or replace view (\w+)", "".join(texts)))
    assert made | {"workspace_metrics"} == set(SECTIONS)
    with db.reading() as tx:
        found = tx.rows(
            "select relname from pg_class "
            "where relname = any(%(names)s) and 'security_invoker=true' = any (reloptions)",
            names=tuple(made),
        )
    assert {row["relname"] for row in found} == made


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"], ids=["ours", "theirs"])
def test_the_examples_of_the_documentation_run(kind: str, request: pytest.FixtureRequest) -> None:
    with Database(request.getfixturevalue(kind)) as db:
        with db.transaction() as tx:
            own = Odd(tx, 4, datetime.now(UTC)).repository()
            tx.run("update repositories set full_name = %(name)s where id = %(id)s", name=NAME, id=own)
        with db.reading() as tx:
            found = [len(tx.rows(text)) for text in EXAMPLES]
    assert len(found) == 8
    assert [bool(many) for many in found] == [True, True, True, True, False, False, True, True]  # there is no workspace


def test_one_repository_is_read_by_indexes_alone(db: Database) -> None:
    with db.transaction() as tx:
        made = Odd(tx, 9, datetime.now(UTC))
        first, *_ = [made.repository(items=120) for _ in range(25)]
        tx.run("analyze")
        tx.run("set local enable_seqscan = off")  # few rows are read faster so
        plans = {
            name: "\n".join(
                row["QUERY PLAN"]
                for row in tx.rows(f"explain (costs off) select * from {name} where repository_id = '{first}'")  # noqa: S608
            )
            for name in (
                "repository_cycle_times",
                "reviewer_load",
                "repository_contributors",
                "repository_activity",
                "discussion_contributors",
                "discussion_activity",
            )
        }
    scans = {
        name: re.findall(r"Seq Scan on (pull_requests|reviews|comments|issues|discussions|discussion_comments)\b", plan)
        for name, plan in plans.items()
    }
    assert scans == {name: [] for name in plans}
