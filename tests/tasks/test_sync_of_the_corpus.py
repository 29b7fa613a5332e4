"""Yesterday's world is backfilled, today's is synced once: then every row is as it is today, for what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.store.db import Database
from tests import corpus
from tests.benchmarks.sync import costs
from tests.comparison import Difference, compare, compare_issues
from tests.turns import WHOLE

# The source of these rows has their heads under other names than it had them earlier.
EXCUSED = {("tlswg/draft-ietf-tls-esni", number) for number in range(504, 512)}
# It was deleted between the two: its row stays, with a tombstone.
DELETED_SINCE = 4702406240


def states() -> list[Path]:
    """Return the latest state of each repository, or with GH_BACKFILL_TESTS=whole all."""
    if not corpus.CORPUS.is_dir():
        return []
    every = corpus.earlier_states()
    latest = {state.parents[1]: state for state in every}
    return every if WHOLE else list(latest.values())


@pytest.mark.parametrize("state", states(), ids=lambda state: f"{state.parents[1].name}-{state.name}")
def test_after_one_sync_every_row_is_as_it_is_today_for_what_changed(db: Database, tmp_path: Path, state: Path) -> None:
    for cost in costs(db, state, tmp_path):
        assert cost.changed, "nothing changed since, so that nothing would be shown"
        assert cost.rows_changed <= cost.rows_read
        assert cost.points <= cost.bound, cost
        assert cost.again == 1
    wanted = corpus.expected([state.parents[1]])
    name = wanted[0].full_name
    with db.reading() as tx:
        found = [*compare(tx, wanted, stood_still=False).found, *compare_issues(tx, wanted).found]
        gone = [row["github_id"] for row in tx.rows("select github_id from comments where gone_at is not null")]
    assert gone == ([DELETED_SINCE] if name == "bitcoin-core/gui" else [])
    assert [str(each) for each in found if not is_excused(name, each)] == []


def is_excused(name: str, difference: Difference) -> bool:
    return any(f"pull request {name}#{number}" in difference.row for of, number in EXCUSED if of == name)
