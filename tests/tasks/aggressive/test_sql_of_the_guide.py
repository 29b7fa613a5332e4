"""The SQL of the customer's guide runs word for word, but for the ids, and tells what was brought."""

from __future__ import annotations

import re

import pytest

from gh_backfill import settings
from gh_backfill.policy.aggressive.steps import AggressiveStatus, wanted
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database, Row
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.aggressive import opened
from gh_backfill.tasks.aggressive.asking import AggressiveWish
from tests.conftest import SHARED
from tests.tasks.aggressive.test_data_sync import asked
from tests.tasks.conftest import ENGINE, House

GUIDE = SHARED / "requirements" / "3_aggressive_backfill_guide.md"
pytestmark = pytest.mark.skipif(not GUIDE.exists(), reason="the customer's guide is not here")


def statements(repository_id: str) -> list[str]:
    blocks = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    found = [each.strip() for block in blocks for each in block.split(";") if each.strip()]
    return [re.sub(r"'(your-repo-id|repo-id)'", f"'{repository_id}'", each) for each in found]


def answers(house: House, repository_id: str) -> list[list[Row]]:
    return [house.rows(each.replace("%", "%%")) for each in statements(repository_id)]


@pytest.mark.parametrize("kind", ["database_url", "existing_database_url"])
def test_the_eight_statements_tell_what_came(kind: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(kind)
    given = {"DATABASE_URL": url, "GITHUB_TOKEN": "tok", "GH_BACKFILL_EMBEDDING_PROVIDER": "hash"}
    with running(load(recipes=[f"{ENGINE}:60"])) as github, Database(url) as db:
        house = House(db=db, url=url, github=github)
        before = asked(house, AggressiveWish(steps=wanted(skip_embeddings=True)))
        repository_id = before.backfill.repository_id
        if kind == "database_url":
            workspaces.create(db, "octos", name="Octos", description=None, owner=None, private=False)
            workspaces.add(db, "octos", [repository_id])
        ways = opened.AggressiveWays(
            settings=settings.load(given, dotenv=None), db=db, graphql=house.graphql(), sleep=house.wait
        )
        opened.of_one(ways, before)
        waiting = {row["item_type"]: row["count"] for row in answers(house, repository_id)[0]}
        (done,) = opened.of_one(ways, asked(house, AggressiveWish(steps=wanted())))
        assert done.backfill.status is AggressiveStatus.COMPLETED, done.backfill.reason
        needing, coverage, spaces, named, overall, types, recent, quality = answers(house, repository_id)
    pulls, issues = overall[0]["prs"], overall[0]["issues"]
    # An installation's own view lists what is in a workspace alone.
    assert waiting == ({"issue": issues, "pull_request": pulls} if kind == "database_url" else {})
    assert needing == []
    assert (pulls, issues > 0, overall[0]["contributors"] > 0) == (60, True, True)
    assert (coverage[0]["with_embeddings"], coverage[0]["total"], coverage[0]["coverage_percent"]) == (60, 60, 100)
    assert {row["item_type"]: (row["with_embeddings"], row["coverage"]) for row in types} == {
        "PRs": (60, 100),
        "Issues": (issues, 100),
    }
    assert [row["most_recent"] is not None for row in recent] == [True, True]
    assert [row["count"] for row in quality] == [0, 0]
    here = [] if kind == "database_url" else ["bdougie/contributor.info"]
    assert [row["full_name"] for row in named] == here
    if kind == "database_url":
        assert [(row["name"], row["total_pull_requests"], row["total_issues"]) for row in spaces] == [
            ("Octos", 60, issues)
        ]
